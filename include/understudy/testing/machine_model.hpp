// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Any machine that a cluster can replicate, as the model of its own histories.
///
/// The machine is run: a command is possible in a state if it answers there what the client was
/// told. States are compared by their encoding, so equal machines must have equal bytes, which the
/// contract in machine.hpp asks for anyway. What a command does may not depend on where it stands
/// in the log, of which a history knows nothing: `applied_at` is always its first value here. A
/// command in whose place the machine throws is not possible there.

#include <understudy/core/bytes.hpp>
#include <understudy/core/digest.hpp>
#include <understudy/machine.hpp>
#include <understudy/testing/model_rules.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/wire/codec.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace understudy::testing {

/// A command or a query, encoded.
struct machine_call {
  bytes encoded = {};
  bool query = false;

  friend bool operator==(const machine_call&, const machine_call&) = default;
};

/// The machine's states in one history, numbered as they are met, and the ways between them.
template <state_machine M> class machine_rules {
public:
  using call = machine_call;
  using reply = bytes;

  explicit machine_rules(const M& initial) { meet(initial); }

  [[nodiscard]] std::optional<operation_type> classify(const call& asked, const reply* answer,
                                                       bool) {
    if (asked.query && answer == nullptr)
      return std::nullopt;
    known_type what{asked, answer == nullptr ? std::nullopt : std::optional{*answer}};
    const auto [at, added] = numbers_.try_emplace(what, types_.size());
    if (added)
      types_.push_back(std::move(what));
    return static_cast<operation_type>(at->second);
  }

  void close() {}

  [[nodiscard]] std::size_t type_count() const { return types_.size(); }
  [[nodiscard]] model_state initial() const { return 0; }

  [[nodiscard]] influence influence_of(operation_type t) const {
    return types_[t].asked.query ? influence::observes : influence::depends;
  }

  [[nodiscard]] std::optional<model_state> step(model_state s, operation_type t) {
    const auto next = known_way(s, t, [&] { return run(s, types_[t]); });
    return next == nowhere ? std::nullopt : std::optional{next};
  }

  [[nodiscard]] bool holds(model_state s, operation_type t) {
    return known_way(s, t, [&] { return ask(s, types_[t]); }) != nowhere;
  }

  [[nodiscard]] bool leads(model_state, operation_type) const { return true; }
  [[nodiscard]] std::span<const operation_type> restarts(operation_type) const { return {}; }
  [[nodiscard]] bool spent(model_state) const { return false; }
  [[nodiscard]] bool can_begin_anywhere() const { return false; }
  template <class Use> void for_each_state(Use) const {}

  [[nodiscard]] std::size_t memory() const { return memory_; }

private:
  struct known_type {
    call asked;
    std::optional<bytes> answer;
    friend bool operator==(const known_type&, const known_type&) = default;
  };
  struct hash {
    std::size_t operator()(const bytes& b) const { return digest_of(b.view()); }
    std::size_t operator()(const known_type& t) const {
      const auto name = digest_of(t.asked.encoded.view(), t.asked.query ? 1 : 0);
      return mixed(name, t.answer ? digest_of(t.answer->view()) : 0);
    }
    std::size_t operator()(const std::pair<model_state, operation_type>& way) const {
      return mixed(way.first, way.second);
    }
  };

  static constexpr model_state nowhere = ~model_state{0};

  /// Each way is gone once.
  template <class Go> model_state known_way(model_state s, operation_type t, Go go) {
    const auto found = ways_.find({s, t});
    if (found != ways_.end())
      return found->second;
    const auto next = go();
    ways_.emplace(std::pair{s, t}, next);
    memory_ += way_size;
    return next;
  }

  model_state run(model_state s, const known_type& what) {
    try {
      M machine = states_[s];
      const auto answer = apply_command(machine, what.asked.encoded, {});
      if (!answer || (what.answer && *answer != *what.answer))
        return nowhere;
      return meet(machine);
    } catch (...) {
      return nowhere;
    }
  }

  model_state ask(model_state s, const known_type& what) const {
    try {
      const auto answer = answer_query(states_[s], what.asked.encoded);
      return answer && what.answer && *answer == *what.answer ? s : nowhere;
    } catch (...) {
      return nowhere;
    }
  }

  model_state meet(const M& machine) {
    auto encoded = wire::encode(machine);
    const auto size = encoded.size();
    const auto [at, added] = encodings_.try_emplace(std::move(encoded), states_.size());
    if (added) {
      states_.push_back(machine);
      // The machine itself is taken to be about as large as what it encodes to.
      memory_ += sizeof(M) + 2 * size + way_size;
    }
    return at->second;
  }

  /// About what an entry of a hash table takes.
  static constexpr std::size_t way_size = 64;

  std::unordered_map<known_type, std::size_t, hash> numbers_;
  std::vector<known_type> types_;
  std::unordered_map<bytes, model_state, hash> encodings_;
  std::vector<M> states_;
  std::unordered_map<std::pair<model_state, operation_type>, model_state, hash> ways_;
  std::size_t memory_ = 0;
};

/// The machine `M`, from a first state on.
///
/// Where parts of the machine do not know of each other, such as the entries of a map, histories
/// are checked much faster if each operation has the name of its part as its key.
template <state_machine M> struct machine_model {
  using call = machine_call;
  using reply = bytes;
  using rules = machine_rules<M>;

  M initial = {};

  [[nodiscard]] rules start() const { return rules{initial}; }

  template <command_of<M> C> [[nodiscard]] static call command(const C& what) {
    return {encode_command<M>(what), false};
  }
  template <query_of<M> Q> [[nodiscard]] static call query(const Q& what) {
    return {encode_query<M>(what), true};
  }
  /// The answer to a command or query `R`.
  template <asked_and_answered R> [[nodiscard]] static reply answer(const typename R::reply& what) {
    return wire::encode(what);
  }
};

} // namespace understudy::testing
