// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Reads web server logs in the common format, and what it has become in the wild.

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace demo {

/// One request, as far as the demo's business cares.
struct logged_request {
  std::string address;
  std::uint64_t bytes = 0;

  friend bool operator==(const logged_request&, const logged_request&) = default;
};

namespace detail {

/// Cuts the next word off `rest`; empty if there is none.
inline std::string_view take_word(std::string_view& rest) {
  const auto end = rest.find(' ');
  const auto word = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return word;
}

/// Cuts off what stands between `open` and the next unescaped `close`, and the space behind it.
inline std::optional<std::string_view> take_between(std::string_view& rest, char open, char close) {
  if (rest.empty() || rest.front() != open)
    return std::nullopt;
  std::size_t end = 1;
  while (end < rest.size() && rest[end] != close)
    end += rest[end] == '\\' ? 2 : 1;
  if (end >= rest.size())
    return std::nullopt;
  const auto inside = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  if (!rest.empty() && rest.front() != ' ')
    return std::nullopt;
  if (!rest.empty())
    rest.remove_prefix(1);
  return inside;
}

inline std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

} // namespace detail

/// A line is a request if it starts `host ident user [time] "request" status bytes`, where bytes
/// may be `-`. What follows (referrer, agent) may be missing or damaged.
inline std::optional<logged_request> parse_line(std::string_view line) {
  if (!line.empty() && line.back() == '\r')
    line.remove_suffix(1);
  const auto host = detail::take_word(line);
  const auto ident = detail::take_word(line);
  const auto user = detail::take_word(line);
  if (host.empty() || ident.empty() || user.empty() || !detail::take_between(line, '[', ']')
      || !detail::take_between(line, '"', '"'))
    return std::nullopt;
  const auto status = detail::take_word(line);
  const auto size = detail::take_word(line);
  if (status.size() != 3 || !detail::to_number(status))
    return std::nullopt;
  const auto bytes = size == "-" ? std::optional<std::uint64_t>{0} : detail::to_number(size);
  if (!bytes)
    return std::nullopt;
  return logged_request{std::string{host}, *bytes};
}

/// A whole log: its requests in order, and the numbers of the lines that are none.
struct access_log {
  std::vector<logged_request> requests;
  std::vector<std::size_t> skipped_lines; ///< counted from 1
};

inline access_log read_log(std::istream& in) {
  access_log log;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (auto request = parse_line(line))
      log.requests.push_back(std::move(*request));
    else
      log.skipped_lines.push_back(number);
  }
  return log;
}

} // namespace demo
