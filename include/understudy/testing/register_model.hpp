// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// One value that is read, written and, if it is its old self, exchanged.

#include <understudy/testing/model_rules.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace understudy::testing {

/// What a register holds; nothing at all before the first write.
using register_value = std::optional<std::string>;

/// What can be asked of a register.
struct register_call {
  enum class kind : std::uint8_t { read, write, cas };

  kind what = kind::read;
  register_value from = std::nullopt; ///< what a cas wants to find
  register_value to = std::nullopt;   ///< what a write or a cas leaves there

  friend bool operator==(const register_call&, const register_call&) = default;
};

/// What a register answers: a read its value, a cas whether it found what it wanted to.
struct register_reply {
  register_value value = std::nullopt;
  bool swapped = true;
};

/// How the values of one history lead to each other.
///
/// The search needs to tell two values apart only if some operation does: all that are written and
/// never looked for are one state, from which nothing but another write leads on.
class register_rules {
public:
  using call = register_call;
  using reply = register_reply;

  explicit register_rules(const register_value& initial) : initial_{number(initial)} {}

  /// The type of an operation that was answered with `answer`, if that is known. Nothing for one
  /// that says nothing.
  [[nodiscard]] std::optional<operation_type> classify(const call& asked, const reply* answer,
                                                       bool succeeded) {
    switch (asked.what) {
    case call::kind::read:
      if (answer == nullptr)
        return std::nullopt;
      return type({looks::equal, number(answer->value), 0});
    case call::kind::write:
      return type({looks::nowhere, 0, number(asked.to)});
    case call::kind::cas:
      break;
    }
    const auto from = number(asked.from);
    const auto to = number(asked.to);
    const bool swapped = answer != nullptr ? answer->swapped : !succeeded;
    if (answer != nullptr && !answer->swapped)
      return type({looks::unequal, from, 0});
    if (from == to)
      return answer != nullptr ? std::optional{type({looks::equal, from, 0})} : std::nullopt;
    return type({swapped ? looks::exchange : looks::attempt, from, to});
  }

  /// All operations are known.
  void close() {
    sought_.assign(values_.size(), false);
    for (const auto& known : types_) {
      if (known.how != looks::nowhere)
        sought_[known.from] = true;
      if (known.how == looks::unequal || known.how == looks::attempt)
        difference_counts_ = true;
    }
    makers_.assign(values_.size(), {});
    for (operation_type t = 0; t < types_.size(); ++t)
      if (changes(types_[t]))
        makers_[types_[t].to].push_back(t);
  }

  [[nodiscard]] std::size_t type_count() const { return types_.size(); }
  [[nodiscard]] model_state initial() const { return state(initial_); }

  [[nodiscard]] influence influence_of(operation_type t) const {
    switch (types_[t].how) {
    case looks::equal:
    case looks::unequal:
      return influence::observes;
    case looks::nowhere:
      return influence::overwrites;
    case looks::exchange:
    case looks::attempt:
      break;
    }
    return influence::depends;
  }

  [[nodiscard]] std::optional<model_state> step(model_state s, operation_type t) const {
    const auto& known = types_[t];
    if (known.how == looks::nowhere || s == known.from)
      return state(known.to);
    return known.how == looks::attempt ? std::optional{s} : std::nullopt;
  }

  [[nodiscard]] bool holds(model_state s, operation_type t) const {
    return (s == types_[t].from) == (types_[t].how == looks::equal);
  }

  [[nodiscard]] bool leads(model_state s, operation_type t) const {
    const auto& known = types_[t];
    return s == known.from || known.how == looks::unequal || known.how == looks::attempt;
  }

  [[nodiscard]] std::span<const operation_type> restarts(operation_type t) const {
    return makers_[types_[t].from];
  }

  [[nodiscard]] bool spent(model_state s) const { return s == unsought && !difference_counts_; }

  [[nodiscard]] bool can_begin_anywhere() const { return true; }
  template <class Use> void for_each_state(Use use) const {
    use(unsought);
    for (std::uint32_t value = 0; value < sought_.size(); ++value)
      if (sought_[value])
        use(value);
  }

  [[nodiscard]] std::size_t memory() const { return 0; }

private:
  enum class looks : std::uint8_t {
    nowhere,  ///< a write
    equal,    ///< a read, or an exchange of a value for itself
    unequal,  ///< a cas that did not find its value
    exchange, ///< a cas that found it
    attempt,  ///< a cas that was carried out, and whether it found its value is not known
  };
  struct known_type {
    looks how;
    std::uint32_t from;
    std::uint32_t to;
    friend auto operator<=>(const known_type&, const known_type&) = default;
  };

  static bool changes(const known_type& t) {
    return t.how != looks::equal && t.how != looks::unequal;
  }

  std::uint32_t number(const register_value& value) {
    return values_.try_emplace(value, static_cast<std::uint32_t>(values_.size())).first->second;
  }

  operation_type type(const known_type& what) {
    const auto [at, added] = numbers_.try_emplace(what, types_.size());
    if (added)
      types_.push_back(what);
    return static_cast<operation_type>(at->second);
  }

  [[nodiscard]] model_state state(std::uint32_t value) const {
    return sought_[value] ? value : unsought;
  }

  static constexpr model_state unsought = ~model_state{0};

  std::map<register_value, std::uint32_t> values_;
  std::uint32_t initial_;
  std::map<known_type, std::size_t> numbers_;
  std::vector<known_type> types_;
  std::vector<bool> sought_;
  bool difference_counts_ = false; ///< some operation is explained by any value but its own
  std::vector<std::vector<operation_type>> makers_; ///< of each value, the types that leave it
};

/// A register with compare-and-set. One that is only read and written is checked by the same rules.
struct cas_register {
  using call = register_call;
  using reply = register_reply;
  using rules = register_rules;

  register_value initial = std::nullopt;

  [[nodiscard]] rules start() const { return rules{initial}; }

  [[nodiscard]] static call read() { return {}; }
  [[nodiscard]] static call write(register_value to) {
    return {call::kind::write, std::nullopt, std::move(to)};
  }
  [[nodiscard]] static call cas(register_value from, register_value to) {
    return {call::kind::cas, std::move(from), std::move(to)};
  }
};

} // namespace understudy::testing
