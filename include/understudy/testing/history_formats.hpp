// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Reads histories that were written down by others.
///
/// Two formats, which are told apart by how the text begins:
///
/// - EDN, as Knossos and Porcupine have it: maps such as
///   `{:process 0, :type :invoke, :f :write, :value 1}`, or tuples `[0 :invoke :write 1]`, all in
///   one vector or list or one after the other.
/// - The log of a Jepsen run: lines such as `INFO  jepsen.util - 0  :invoke  :write  4`. Lines that
///   are no operation of a client are passed over.
///
/// What each says of a read differs. In EDN a read of nil is one whose answer is not known, as
/// Knossos has it, and it may be any. In a log it found no value.

#include <understudy/testing/edn.hpp>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::testing {

/// One line of a history: a client asks, or is told.
struct written_event {
  enum class kind : std::uint8_t { invoke, ok, fail, info };

  kind what = kind::invoke;
  std::uint64_t process = 0;
  edn_value function = {};                     ///< a keyword, such as `:read`
  edn_value value = {};                        ///< nil if there is none
  std::optional<edn_value> key = std::nullopt; ///< of what is asked, if the event says so
  text_position at = {};
};

/// The events of clients, in their order.
struct written_history {
  std::vector<written_event> events = {};
  bool nil_is_a_value = false; ///< a read of nil found no value; otherwise nobody knows what
};

namespace detail {

[[nodiscard]] inline edn_value nil_at(text_position at) {
  return {edn_value::kind::atom, "nil", {}, at};
}

[[nodiscard]] inline std::optional<std::uint64_t> natural(std::string_view text) {
  constexpr std::size_t digits_max = 18;
  if (text.empty() || text.size() > digits_max)
    return std::nullopt;
  std::uint64_t all = 0;
  for (const char c : text) {
    if (c < '0' || c > '9')
      return std::nullopt;
    all = 10 * all + static_cast<std::uint64_t>(c - '0');
  }
  return all;
}

[[nodiscard]] inline std::optional<written_event::kind> kind_of(const edn_value& type) {
  using kind = written_event::kind;
  for (const auto& [name, what] : {std::pair{":invoke", kind::invoke}, std::pair{":ok", kind::ok},
                                   std::pair{":fail", kind::fail}, std::pair{":info", kind::info}})
    if (type.what == edn_value::kind::atom && type.text == name)
      return what;
  return std::nullopt;
}

/// Reads EDN.
class edn_history_reader {
public:
  explicit edn_history_reader(std::string_view text) : reader_{text} {}

  [[nodiscard]] written_history read() {
    written_history all;
    while (!reader_.at_end()) {
      const auto one = reader_.read();
      // A vector of maps or of tuples holds the history; one of an operation begins with a process.
      if (one.what == edn_value::kind::sequence && !is_tuple(one))
        for (const auto& item : one.items)
          add(item, all);
      else
        add(one, all);
    }
    return all;
  }

private:
  static bool is_tuple(const edn_value& v) {
    return v.items.size() >= 3 && v.items[0].what == edn_value::kind::atom;
  }

  static void add(const edn_value& item, written_history& to) {
    written_event event;
    event.at = item.at;
    std::optional<edn_value> process;
    std::optional<edn_value> type;
    if (item.what == edn_value::kind::map) {
      process = part(item, ":process");
      type = part(item, ":type");
      event.function = part(item, ":f").value_or(nil_at(item.at));
      event.value = part(item, ":value").value_or(nil_at(item.at));
      event.key = part(item, ":key");
    } else if (item.what == edn_value::kind::sequence && is_tuple(item)) {
      process = item.items[0];
      type = item.items[1];
      event.function = item.items[2];
      event.value = item.items.size() > 3 ? item.items[3] : nil_at(item.at);
    } else {
      throw unreadable_text{item.at, "an operation is a map, and this is " + item.written()};
    }
    if (!process)
      throw unreadable_text{item.at, "an operation has no :process"};
    if (!type)
      throw unreadable_text{item.at, "an operation has no :type"};
    const auto kind = kind_of(*type);
    if (!kind)
      throw unreadable_text{type->at, "a :type is :invoke, :ok, :fail or :info, and this is "
                                          + type->written()};
    if (process->is_keyword())
      return; // the nemesis, and its like
    const auto number = natural(process->text);
    if (process->what != edn_value::kind::atom || !number)
      throw unreadable_text{process->at, "a process is a number or a keyword, and this is "
                                             + process->written()};
    event.process = *number;
    event.what = *kind;
    to.events.push_back(std::move(event));
  }

  static std::optional<edn_value> part(const edn_value& map, std::string_view keyword) {
    const auto* const found = map.find(keyword);
    return found == nullptr ? std::nullopt : std::optional{*found};
  }

  edn_reader reader_;
};

/// Reads one line of a log; nothing if it is about no operation of a client.
[[nodiscard]] inline std::optional<written_event> read_log_line(std::string_view line,
                                                                std::size_t number) {
  constexpr std::string_view mark = " - ";
  const auto dash = line.find(mark);
  if (dash == std::string_view::npos || line.find("jepsen.util") > dash)
    return std::nullopt;
  const auto begin = dash + mark.size();
  edn_reader words{line.substr(begin), {number, begin + 1}};
  if (!std::isdigit(static_cast<unsigned char>(words.peek())))
    return std::nullopt; // the nemesis, or a remark
  written_event event;
  const auto process = words.read();
  if (!words.at_end() && words.peek() != ':')
    return std::nullopt; // a remark that begins with a number
  event.at = {number, 1};
  const auto type = words.read();
  const auto kind = kind_of(type);
  if (!kind)
    throw unreadable_text{type.at, "an operation is :invoke, :ok, :fail or :info, and this is "
                                       + type.written()};
  const auto process_number = natural(process.text);
  if (!process_number)
    throw unreadable_text{process.at, "a process is a number, and this is " + process.written()};
  event.process = *process_number;
  event.what = *kind;
  event.function = words.read();
  event.value = words.at_end() ? nil_at(event.at) : words.read();
  return event;
}

[[nodiscard]] inline written_history read_log(std::string_view text) {
  written_history all;
  all.nil_is_a_value = true;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    if (auto event = read_log_line(text.substr(0, end), line))
      all.events.push_back(std::move(*event));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return all;
}

} // namespace detail

/// Reads a history in whichever format. Throws `unreadable_text`; so does a text without anything
/// in it, which is more likely a file that was not written than a run in which nothing was asked.
/// That would be `[]`, or a log with other lines.
[[nodiscard]] inline written_history read_history(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  edn_reader beginning{text};
  const char first = text.empty() ? '\0' : beginning.peek();
  if (first == '\0')
    throw unreadable_text{{}, "the file is empty; a history without operations is []"};
  if (first == '[' || first == '(' || first == '{' || first == '#')
    return detail::edn_history_reader{text}.read();
  if (text.find("jepsen.util") != std::string_view::npos)
    return detail::read_log(text);
  throw unreadable_text{beginning.position(), "this is neither EDN, which would begin with [, ( or "
                                              "{, nor a log of jepsen.util"};
}

} // namespace understudy::testing
