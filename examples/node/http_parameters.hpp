// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a request says beside its body: how fresh, how long, under which name. Read strictly: a
/// parameter that is misspelt would otherwise be a weaker promise than the caller believes in.

#include <understudy/actors/calls.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/time.hpp>

#include "http_message.hpp"
#include "nearest_name.hpp"
#include "service.hpp"
#include "session_token.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace node_program {

inline constexpr understudy::interval limit_default = std::chrono::seconds{10};
inline constexpr double limit_seconds_max = 60;
inline constexpr double age_seconds_max = 86'400;

namespace detail {

[[nodiscard]] inline tl::unexpected<understudy::failure> bad_parameter(std::string why) {
  return understudy::fail(understudy::errc::invalid_option, std::move(why));
}

/// Seconds from above 0 to `most`; `otherwise` if the parameter is not given.
[[nodiscard]] inline understudy::expected<understudy::interval>
seconds_of(const http_request& asked, const std::string& name, double most,
           understudy::interval otherwise) {
  const auto text = asked.parameter(name);
  if (!text)
    return otherwise;
  double seconds = 0;
  const auto* end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, seconds);
  if (read.ec != std::errc{} || read.ptr != end || !(seconds > 0 && seconds <= most))
    return bad_parameter(name + " must be seconds, above 0 and up to "
                         + std::to_string(static_cast<std::int64_t>(most)) + ", and is '"
                         + text->substr(0, 80) + "'");
  const auto wanted
      = std::chrono::duration_cast<understudy::interval>(std::chrono::duration<double>{seconds});
  return std::max(wanted, understudy::interval{1}); // 0 would be no limit at all
}

[[nodiscard]] inline understudy::expected<std::uint64_t> number_of(const std::string& name,
                                                                   const std::string& text) {
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (text.empty() || read.ec != std::errc{} || read.ptr != end)
    return bad_parameter(name + " must be a whole number of up to 64 bits, and is '"
                         + text.substr(0, 80) + "'");
  return number;
}

} // namespace detail

/// Complains about parameters that are not among `known`, and about those given twice.
[[nodiscard]] inline understudy::expected<void>
only_parameters(const http_request& asked, const std::vector<std::string>& known) {
  for (const auto& [name, value] : asked.query) {
    if (std::ranges::find(known, name) == known.end())
      return detail::bad_parameter("there is no use for the parameter '" + name.substr(0, 80) + "'"
                                   + hint_at(name, known));
    if (std::ranges::count(asked.query, name, &name_value::first) > 1)
      return detail::bad_parameter("the parameter '" + name + "' is given twice");
  }
  return {};
}

/// How long the caller waits: `timeout`.
[[nodiscard]] inline understudy::expected<understudy::interval>
limit_of(const http_request& asked) {
  return detail::seconds_of(asked, "timeout", limit_seconds_max, limit_default);
}

/// How fresh an answer has to be: `consistency`, and what goes with it.
[[nodiscard]] inline understudy::expected<understudy::read_options>
freshness_of(const http_request& asked) {
  using understudy::consistency;
  understudy::read_options how;
  const auto wanted = asked.parameter("consistency").value_or("linearizable");
  const auto at_least = asked.parameter("at_least");
  if (wanted == "local")
    how.consistency = consistency::local;
  else if (wanted == "session")
    how.consistency = consistency::session;
  else if (wanted != "linearizable")
    return detail::bad_parameter("consistency must be linearizable, session or local, and is '"
                                 + wanted.substr(0, 80) + "'");
  if (asked.parameter("max_age") && how.consistency != consistency::local)
    return detail::bad_parameter("max_age goes with consistency=local");
  if (at_least.has_value() != (how.consistency == consistency::session))
    return detail::bad_parameter("consistency=session and at_least go together");
  if (at_least) {
    const auto index = detail::number_of("at_least", *at_least);
    if (!index)
      return tl::unexpected{index.error()};
    how.at_least = {*index};
  }
  return detail::seconds_of(asked, "max_age", age_seconds_max, understudy::interval{0})
      .map([&](understudy::interval age) {
        how.age_max = age;
        return how;
      });
}

/// Under which name a write is sent: three headers, of which the last may be left out by who sends
/// one write of the session at a time.
[[nodiscard]] inline understudy::expected<std::optional<write_name>>
write_name_of(const http_request& asked, understudy::cluster_id cluster) {
  const auto token = asked.header("Understudy-Session");
  const auto number = asked.header("Understudy-Number");
  const auto below = asked.header("Understudy-Answered-Below");
  if (!token && !number && !below)
    return std::optional<write_name>{};
  if (!token || !number)
    return detail::bad_parameter("Understudy-Session and Understudy-Number go together");
  const auto session = read_session_token(cluster, *token);
  if (!session)
    return understudy::fail(understudy::errc::session_unknown,
                            "'" + token->substr(0, 80) + "' is no session of this cluster");
  const auto own = detail::number_of("Understudy-Number", *number);
  if (!own)
    return tl::unexpected{own.error()};
  const auto answered = detail::number_of("Understudy-Answered-Below", below.value_or(*number));
  if (!answered)
    return tl::unexpected{answered.error()};
  if (*own == 0)
    return detail::bad_parameter("Understudy-Number begins at 1");
  if (*answered > *own)
    return detail::bad_parameter("Understudy-Answered-Below is above Understudy-Number");
  return std::optional{write_name{*session, {*own}, {*answered}}};
}

} // namespace node_program
