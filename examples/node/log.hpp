// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// One line an event: when, how grave, what, and `key=value` for the rest, as far as there is one.
///
/// \code
/// log.line(level::info, "http_listening", {{"address", "127.0.0.1:8080"}});
/// // 2025-01-31T12:00:00.123Z level=info event=http_listening address=127.0.0.1:8080
/// \endcode

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <functional>
#include <initializer_list>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace node_program {

enum class level : std::uint8_t { debug = 0, info = 1, warning = 2, error = 3 };

inline constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warning", "error"};

[[nodiscard]] constexpr std::optional<level> level_named(std::string_view name) {
  for (std::size_t i = 0; i < level_names.size(); ++i)
    if (level_names[i] == name)
      return static_cast<level>(i);
  return std::nullopt;
}

/// A value that a program can read back: bare if it can stand alone, else in quotes. Whatever comes
/// in, it stays on one line, and within a limit.
[[nodiscard]] inline std::string log_value(std::string_view value) {
  constexpr std::size_t length_max = 1'000;
  const bool cut = value.size() > length_max;
  value = value.substr(0, length_max);
  const bool bare
      = !value.empty() && !cut && value.find_first_of(" \t\r\n\"=\\") == std::string_view::npos
        && value.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "-_.:/[]+,@%")
               == std::string_view::npos;
  if (bare)
    return std::string{value};
  std::string quoted{"\""};
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      quoted += '\\';
    if (c == '\n')
      quoted += "\\n";
    else if (byte < 0x20 || byte == 0x7f)
      quoted += '?';
    else
      quoted += c;
  }
  return quoted + (cut ? "...\"" : "\"");
}

/// `2025-01-31T12:00:00.123Z`.
[[nodiscard]] inline std::string as_utc(std::chrono::system_clock::time_point when) {
  const auto since = when.time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  const auto seconds = static_cast<std::time_t>(ms / 1'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 8> rest{};
  std::snprintf(rest.data(), rest.size(), ".%03dZ", static_cast<int>(ms % 1'000));
  return std::string{text.data(), length} + rest.data();
}

/// Where lines go. Safe from any thread: a line is written by one call.
class event_log {
public:
  using sink = std::function<void(std::string_view)>;
  using fields = std::initializer_list<std::pair<std::string_view, std::string>>;

  explicit event_log(level least, sink to = to_stderr) : least_{least}, to_{std::move(to)} {}

  void line(level how, std::string_view event, fields all = {}) const {
    if (how < least_)
      return;
    std::string text = as_utc(std::chrono::system_clock::now())
                       + " level=" + std::string{level_names[static_cast<std::size_t>(how)]}
                       + " event=" + std::string{event};
    for (const auto& [name, value] : all)
      if (!value.empty())
        text += ' ' + std::string{name} + '=' + log_value(value);
    to_(text += '\n');
  }

  static void to_stderr(std::string_view line) { std::cerr << line << std::flush; }

private:
  level least_;
  sink to_;
};

} // namespace node_program
