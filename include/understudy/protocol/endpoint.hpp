// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Where a node listens, as the roster tells it: `tcp:10.0.0.7:7000/1f3a`.
///
/// The part behind the slash is the id of the node that is meant, in hexadecimal digits. A node
/// that is started anew may listen where an earlier one did, and is another one; what was meant for
/// the first must not reach the second. A seed is named without it: whoever answers will do.

#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>

#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace understudy::protocol {

/// Where to connect to, and who is to answer there.
struct endpoint {
  std::string host = {};  ///< a name or an address; empty: it can not be connected to
  std::uint16_t port = 0; ///< 0 to listen on: any that is free
  member_id who = {};     ///< none: whoever answers

  friend auto operator<=>(const endpoint&, const endpoint&) = default;
  friend bool operator==(const endpoint&, const endpoint&) = default;
};

namespace detail {

/// All of `text` as a number.
template <class T> [[nodiscard]] std::optional<T> number_in(std::string_view text, int base) {
  T value{};
  const auto* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value, base);
  return !text.empty() && problem == std::errc{} && stop == end ? std::optional{value}
                                                                : std::nullopt;
}

inline constexpr std::string_view endpoint_scheme = "tcp:";
inline constexpr std::size_t host_bytes_max = 255;

} // namespace detail

/// Whether only this machine can connect to it.
[[nodiscard]] inline bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

/// Whether it stands for all addresses of the machine.
[[nodiscard]] inline bool is_any_address(std::string_view host) {
  return host == "0.0.0.0" || host == "::";
}

/// Reads `HOST:PORT`, as people write it; an IPv6 address stands in brackets. `invalid_option`
/// names what is wrong.
[[nodiscard]] inline expected<endpoint> parse_host_and_port(std::string_view text) {
  const auto wrong = [&](const char* why) {
    return fail(errc::invalid_option, "'" + std::string{text} + "' is no HOST:PORT: " + why);
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return wrong("the port is missing");
  auto host = text.substr(0, colon);
  const auto port = detail::number_in<std::uint16_t>(text.substr(colon + 1), 10);
  if (!port)
    return wrong("the port is no number from 0 to 65535");
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return wrong("an IPv6 address has to stand in brackets");
  if (host.empty() || host.size() > detail::host_bytes_max)
    return wrong("the host is missing, or too long");
  if (host.find_first_of("/[] \t\r\n") != std::string_view::npos)
    return wrong("the host has a character that no host has");
  return endpoint{std::string{host}, *port, {}};
}

/// `10.0.0.7:7000`, or `[::1]:7000`.
[[nodiscard]] inline std::string host_and_port(const endpoint& where) {
  const bool bare = where.host.find(':') == std::string::npos;
  return (bare ? where.host : "[" + where.host + "]") + ":" + std::to_string(where.port);
}

/// As it stands in the roster.
[[nodiscard]] inline std::string to_address(const endpoint& where) {
  auto text = std::string{detail::endpoint_scheme} + host_and_port(where);
  if (!where.who)
    return text;
  char digits[16];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), where.who.value, 16).ptr;
  return text + "/" + std::string{std::begin(digits), end};
}

/// What an address of the roster means; none for one of another kind.
[[nodiscard]] inline std::optional<endpoint> endpoint_of(std::string_view address) {
  if (!address.starts_with(detail::endpoint_scheme))
    return std::nullopt;
  address.remove_prefix(detail::endpoint_scheme.size());
  const auto slash = address.find('/');
  auto where = parse_host_and_port(address.substr(0, slash));
  if (!where)
    return std::nullopt;
  if (slash != std::string_view::npos) {
    const auto id = detail::number_in<std::uint64_t>(address.substr(slash + 1), 16);
    if (!id || *id == 0)
      return std::nullopt;
    where->who = {*id};
  }
  return *where;
}

} // namespace understudy::protocol
