// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Makes operations of a model out of the events that were read from a file.

#include <understudy/testing/edn.hpp>
#include <understudy/testing/history_formats.hpp>
#include <understudy/testing/history_models.hpp>
#include <understudy/testing/operation_history.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace understudy::testing {

/// A history that was read, and where each of its operations stands in the file.
template <class Model> struct read_operations {
  history_of<Model> history = {};
  std::vector<written_event> invocations = {};
  std::vector<text_position> completions = {};
};

namespace detail {

[[nodiscard]] inline bool is_pair(const edn_value& v) {
  return v.what == edn_value::kind::sequence && v.items.size() == 2;
}

/// Reads what is asked of a register, and what it answers.
struct register_reader {
  using model = cas_register;

  bool has_cas = true;
  bool nil_is_a_value = false;

  static register_value value(const edn_value& v) {
    return v.is_nil() ? std::nullopt : register_value{v.written()};
  }

  [[nodiscard]] register_call call(const edn_value& function, const edn_value& what) const {
    if (function.text == ":read")
      return cas_register::read();
    if (function.text == ":write")
      return cas_register::write(value(what));
    if (function.text != ":cas" || !has_cas)
      throw unreadable_text{function.at, "a register has :read, :write"
                                             + std::string{has_cas ? " and :cas" : ""}
                                             + ", and this is " + function.written()};
    if (!is_pair(what))
      throw unreadable_text{what.at,
                            "the value of a :cas is [old new], and this is " + what.written()};
    return cas_register::cas(value(what.items[0]), value(what.items[1]));
  }

  [[nodiscard]] std::optional<register_reply> reply(const register_call& asked,
                                                    const edn_value& what) const {
    if (asked.what != register_call::kind::read)
      return register_reply{};
    if (what.is_nil() && !nil_is_a_value)
      return std::nullopt;
    return register_reply{value(what)};
  }

  /// With a key of its own, a value is a pair; that of a cas is a pair in any case.
  static bool may_have_key(const written_event& e) {
    return is_pair(e.value) && (e.function.text != ":cas" || is_pair(e.value.items[1]));
  }
};

/// Reads what is asked of texts, and what they answer.
struct text_reader {
  using model = key_value;

  [[nodiscard]] static std::string text(const edn_value& v) {
    return v.what == edn_value::kind::text ? v.text : v.written();
  }

  [[nodiscard]] text_call call(const edn_value& function, const edn_value& what) const {
    if (function.text == ":get" || function.text == ":read")
      return key_value::get();
    if (function.text != ":put" && function.text != ":append" && function.text != ":write")
      throw unreadable_text{function.at,
                            "texts have :get, :put and :append, and this is " + function.written()};
    if (what.is_nil())
      throw unreadable_text{what.at, "a " + function.text + " has no text"};
    return function.text == ":append" ? key_value::append(text(what)) : key_value::put(text(what));
  }

  [[nodiscard]] std::optional<text_reply> reply(const text_call& asked,
                                                const edn_value& what) const {
    if (asked.what != text_call::kind::get)
      return text_reply{};
    return what.is_nil() ? std::nullopt : std::optional{text_reply{text(what)}};
  }

  static bool may_have_key(const written_event& e) { return is_pair(e.value); }
};

/// Pairs invocations and completions: a process does one thing at a time.
template <class Reader> class operation_reader {
public:
  using model = typename Reader::model;

  operation_reader(const Reader& reader, const written_history& from)
      : reader_{reader}, from_{from}, has_keys_{all_have_keys()} {}

  [[nodiscard]] read_operations<model> read() {
    for (const auto& event : from_.events)
      if (event.what == written_event::kind::invoke)
        invoke(event);
      else
        end(event);
    return std::move(all_);
  }

private:
  [[nodiscard]] bool all_have_keys() const {
    bool any = false;
    for (const auto& e : from_.events) {
      // What failed, or may have, is often told with a reason in place of the value.
      if (e.what != written_event::kind::invoke && e.what != written_event::kind::ok)
        continue;
      if (e.key || !reader_.may_have_key(e))
        return false;
      any = true;
    }
    return any;
  }

  [[nodiscard]] std::string key_of(const written_event& e) const {
    if (e.key)
      return e.key->written();
    return has_keys_ ? e.value.items[0].written() : std::string{};
  }
  [[nodiscard]] const edn_value& value_of(const written_event& e) const {
    return has_keys_ && is_pair(e.value) ? e.value.items[1] : e.value;
  }

  static std::string who(const written_event& e) { return "process " + std::to_string(e.process); }

  void invoke(const written_event& e) {
    if (const auto open = open_.find(e.process); open != open_.end())
      throw unreadable_text{e.at, who(e) + " asks, and has not ended what it asked in line "
                                      + std::to_string(all_.invocations[open->second].at.line)};
    open_.emplace(e.process, all_.history.size());
    operation<typename model::call, typename model::reply> asked;
    asked.process = e.process;
    asked.key = key_of(e);
    // What a read is told, and more, is often written with its invocation already.
    asked.call = reader_.call(e.function, value_of(e));
    asked.called = next_++;
    all_.history.push_back(std::move(asked));
    all_.invocations.push_back(e);
    all_.completions.push_back(e.at);
  }

  void end(const written_event& e) {
    const auto open = open_.find(e.process);
    if (open == open_.end()) {
      if (e.what == written_event::kind::info)
        return; // a remark
      throw unreadable_text{e.at, who(e) + " ends what it has not asked"};
    }
    const auto place = open->second;
    open_.erase(open);
    auto& asked = all_.history[place];
    all_.completions[place] = e.at;
    if (e.what == written_event::kind::info)
      return;
    const auto& function = all_.invocations[place].function;
    if (e.function.text != function.text)
      throw unreadable_text{e.at, who(e) + " ends " + e.function.written() + ", and had asked for "
                                      + function.written()};
    asked.ended
        = e.what == written_event::kind::ok ? operation_end::succeeded : operation_end::failed;
    asked.returned = next_++;
    if (asked.ended == operation_end::succeeded)
      asked.reply = reader_.reply(asked.call, value_of(e));
  }

  const Reader& reader_;
  const written_history& from_;
  bool has_keys_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, std::size_t> open_;
  read_operations<model> all_;
};

} // namespace detail

/// The operations on registers. Throws `unreadable_text` at the first event that can not be.
[[nodiscard]] inline read_operations<cas_register> register_operations(const written_history& from,
                                                                       bool has_cas = true) {
  const detail::register_reader reader{has_cas, from.nil_is_a_value};
  return detail::operation_reader{reader, from}.read();
}

/// The operations on texts under keys, likewise.
[[nodiscard]] inline read_operations<key_value> text_operations(const written_history& from) {
  const detail::text_reader reader;
  return detail::operation_reader{reader, from}.read();
}

} // namespace understudy::testing
