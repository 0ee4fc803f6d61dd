// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// `HOST:PORT`, as people write it: `10.0.0.1:7000`, `node-1.example:7000`, `[::1]:7000`.

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace node_program {

struct host_port {
  std::string host = {};
  std::uint16_t port = 0;

  friend bool operator==(const host_port&, const host_port&) = default;
};

/// Reads one; or says in `why` what is wrong with it.
[[nodiscard]] inline std::optional<host_port> read_host_port(std::string_view text,
                                                             std::string& why) {
  const auto wrong = [&](const char* what) {
    why = std::string{"'"} + std::string{text} + "' " + what + "; HOST:PORT is wanted";
    return std::nullopt;
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return wrong("has no port");
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return wrong("is an IPv6 address without brackets");
  constexpr std::size_t name_max = 253; // of a name in the DNS
  if (host.empty())
    return wrong("has no host");
  if (host.size() > name_max || host.find_first_of(" \t[]/") != std::string_view::npos)
    return wrong("has no usable host");
  unsigned port = 0;
  const auto* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, port);
  if (digits.empty() || read.ec != std::errc{} || read.ptr != end || port > 65'535)
    return wrong("has no port from 0 to 65535");
  return host_port{std::string{host}, static_cast<std::uint16_t>(port)};
}

[[nodiscard]] inline std::string to_string(const host_port& at) {
  const bool v6 = at.host.find(':') != std::string::npos;
  return (v6 ? '[' + at.host + ']' : at.host) + ':' + std::to_string(at.port);
}

} // namespace node_program
