// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Texts that are set, appended to and got, each under a key of its own.

#include <understudy/testing/model_rules.hpp>
#include <understudy/testing/observed_texts.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace understudy::testing {

/// What can be asked of the text under a key. The key itself is the operation's.
struct text_call {
  enum class kind : std::uint8_t { get, put, append };

  kind what = kind::get;
  std::string text = {}; ///< to put or to append

  friend bool operator==(const text_call&, const text_call&) = default;
};

/// What a get answers. A put and an append answer nothing.
struct text_reply {
  std::string text = {};
};

/// How the texts under one key lead to each other.
///
/// A text is a state of its own only while it is the beginning of one that somebody got. All others
/// are one state: nobody can tell them apart, and whatever is appended, nobody ever will.
class text_rules {
public:
  using call = text_call;
  using reply = text_reply;

  explicit text_rules(std::string initial) : first_{std::move(initial)} {}

  [[nodiscard]] std::optional<operation_type> classify(const call& asked, const reply* answer,
                                                       bool) {
    if (asked.what == call::kind::get)
      return answer == nullptr ? std::nullopt : std::optional{type(asked.what, answer->text)};
    if (asked.what == call::kind::append && asked.text.empty())
      return std::nullopt;
    return type(asked.what, asked.text);
  }

  void close() {
    std::vector<std::string> got;
    for (const auto& known : types_)
      if (known.what == call::kind::get)
        got.push_back(known.text);
    texts_ = observed_texts{std::move(got)};
    initial_ = number(texts_.extended({}, first_));
    std::map<model_state, operation_type> puts;
    std::set<std::uint32_t> lengths;
    for (operation_type t = 0; t < types_.size(); ++t) {
      auto& known = types_[t];
      if (known.what == call::kind::get)
        known.number = texts_.number(known.text);
      else if (known.what == call::kind::put)
        known.leaves = number(texts_.extended({}, known.text));
      if (known.what == call::kind::put && known.leaves != unseen) {
        puts.emplace(known.leaves, t);
        lengths.insert(static_cast<std::uint32_t>(known.text.size()));
      }
    }
    for (auto& known : types_)
      if (known.what == call::kind::get)
        known.leaves = find_puts(known, puts, lengths);
  }

  [[nodiscard]] std::size_t type_count() const { return types_.size(); }
  [[nodiscard]] model_state initial() const { return initial_; }

  [[nodiscard]] influence influence_of(operation_type t) const {
    switch (types_[t].what) {
    case call::kind::get:
      return influence::observes;
    case call::kind::put:
      return influence::overwrites;
    case call::kind::append:
      break;
    }
    return influence::adds;
  }

  [[nodiscard]] std::optional<model_state> step(model_state s, operation_type t) const {
    const auto& known = types_[t];
    if (known.what == call::kind::put)
      return known.leaves;
    return s == unseen ? s : number(texts_.extended(place(s), known.text));
  }

  [[nodiscard]] bool holds(model_state s, operation_type t) const { return s == types_[t].leaves; }

  [[nodiscard]] bool leads(model_state s, operation_type t) const {
    return s != unseen && texts_.begins(place(s), types_[t].number);
  }

  [[nodiscard]] std::span<const operation_type> restarts(operation_type t) const {
    return types_[t].puts;
  }

  [[nodiscard]] bool spent(model_state s) const { return s == unseen; }

  [[nodiscard]] bool can_begin_anywhere() const { return false; }
  template <class Use> void for_each_state(Use) const {}

  [[nodiscard]] std::size_t memory() const { return 0; }

private:
  struct known_type {
    call::kind what;
    std::string text;
    std::uint32_t number = 0;              ///< of a get: of its text
    model_state leaves = 0;                ///< the state after a put, and the one that a get saw
    std::vector<operation_type> puts = {}; ///< of a get: those that begin what it saw
  };

  operation_type type(call::kind what, const std::string& text) {
    const auto [at, added] = numbers_.try_emplace({what, text}, types_.size());
    if (added)
      types_.push_back({what, text});
    return static_cast<operation_type>(at->second);
  }

  /// Finds the puts that a get can have begun with, and returns the state that it saw.
  model_state find_puts(known_type& get, const std::map<model_state, operation_type>& puts,
                        const std::set<std::uint32_t>& lengths) const {
    const auto whole = static_cast<std::uint32_t>(get.text.size());
    for (const auto length : lengths) {
      if (length > whole)
        break;
      const auto put = puts.find(number(texts_.beginning(get.number, length)));
      if (put != puts.end())
        get.puts.push_back(put->second);
    }
    return number(texts_.beginning(get.number, whole));
  }

  static model_state number(observed_texts::place at) {
    return model_state{at.text} << 32 | at.length;
  }
  static model_state number(const std::optional<observed_texts::place>& at) {
    return at ? number(*at) : unseen;
  }
  static observed_texts::place place(model_state s) {
    return {static_cast<std::uint32_t>(s >> 32), static_cast<std::uint32_t>(s)};
  }

  static constexpr model_state unseen = ~model_state{0};

  std::string first_;
  model_state initial_ = unseen;
  std::map<std::pair<call::kind, std::string>, std::size_t> numbers_;
  std::vector<known_type> types_;
  observed_texts texts_;
};

/// Texts under keys, each empty before the first put.
struct key_value {
  using call = text_call;
  using reply = text_reply;
  using rules = text_rules;

  std::string initial = {};

  [[nodiscard]] rules start() const { return rules{initial}; }

  [[nodiscard]] static call get() { return {}; }
  [[nodiscard]] static call put(std::string text) { return {call::kind::put, std::move(text)}; }
  [[nodiscard]] static call append(std::string text) {
    return {call::kind::append, std::move(text)};
  }
};

} // namespace understudy::testing
