// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Who is let in: an application's own word on newcomers.

#include <understudy/core/configuration.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <utility>

namespace understudy {

/// What becomes of a newcomer.
enum class admission_verdict : std::uint8_t {
  take_in = 0,     ///< it gets a rank, and a seat when its turn comes
  as_listener = 1, ///< it is pinned: it has the data and takes requests, and never votes
  refuse = 2,      ///< its attempts end with `not_admitted`, and the reason
};

/// A verdict on one newcomer.
struct admission_ruling {
  admission_verdict verdict = admission_verdict::take_in;
  std::string reason = {}; ///< why it is refused, in words for an operator
};

/// Asked by the leader, once for each newcomer, before it stands in the log. `known` is the
/// committed roster at that moment.
///
/// Any node may lead, so all should be given the same policy. It runs inside the leader's
/// membership monitor: it must not wait for anything. A policy that throws, or answers what is no
/// verdict, refuses; nobody gets in by accident.
using admission_policy
    = std::function<admission_ruling(const member& newcomer, const configuration& known)>;

/// The ruling of `policy`; of none, that everybody is taken in.
[[nodiscard]] inline admission_ruling rule_on(const member& newcomer, const configuration& known,
                                              const admission_policy& policy) {
  if (!policy)
    return {};
  const auto refusal = [](std::string why) {
    return admission_ruling{admission_verdict::refuse, std::move(why)};
  };
  try {
    auto ruling = policy(newcomer, known);
    if (ruling.verdict <= admission_verdict::refuse)
      return ruling;
    return refusal("the admission policy answered "
                   + std::to_string(static_cast<unsigned>(ruling.verdict))
                   + ", which is no verdict");
  } catch (const std::exception& e) {
    return refusal(std::string{"the admission policy threw: "} + e.what());
  } catch (...) {
    return refusal("the admission policy threw what is no std::exception");
  }
}

} // namespace understudy
