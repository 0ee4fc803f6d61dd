// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Our errors as CAF's, for callers that are actors.
///
/// \code
/// [](const caf::error& e) {
///   if (e == understudy::errc::overloaded)
///     ...
/// }
/// \endcode

#include <understudy/actors/caf_version.hpp>
#include <understudy/actors/message_types.hpp>
#include <understudy/core/errors.hpp>

#include <cstdint>
#include <string>
#include <utility>

#if UNDERSTUDY_CAF_1
CAF_ERROR_CODE_ENUM(understudy::errc)
#endif

namespace understudy {

#if !UNDERSTUDY_CAF_1
namespace detail {
inline constexpr caf::atom_value error_category = caf::atom("understudy");
} // namespace detail

/// Found by CAF: lets an `errc` stand where a `caf::error` is wanted.
inline caf::error make_error(errc code) {
  return {static_cast<std::uint8_t>(code), detail::error_category};
}
#endif

/// The failure as CAF carries it, with its text and the leader's id.
[[nodiscard]] inline caf::error as_caf_error(const failure& why) {
  auto context = caf::make_message(why.detail, why.leader.value);
#if UNDERSTUDY_CAF_1
  return caf::error{why.code, std::move(context)};
#else
  return {static_cast<std::uint8_t>(why.code), detail::error_category, std::move(context)};
#endif
}

/// What a caller got, as one of ours. CAF's own errors mean that no answer came: whether the
/// request had an effect is not known then.
[[nodiscard]] inline failure as_failure(const caf::error& why) {
#if UNDERSTUDY_CAF_1
  const bool ours = why.category() == caf::type_id_v<errc>;
#else
  const bool ours = why.category() == detail::error_category;
#endif
  if (!ours)
    return {errc::outcome_unknown, caf::to_string(why)};
  failure result{static_cast<errc>(why.code())};
  if (why.context().size() == 2) {
    result.detail = why.context().get_as<std::string>(0);
    result.leader = {why.context().get_as<std::uint64_t>(1)};
  }
  return result;
}

} // namespace understudy
