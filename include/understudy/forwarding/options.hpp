// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/bytes.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace understudy {

/// What a node's front door and a client have in common: limits and times of the calls they hold.
struct call_options {
  std::size_t calls_max = 16'384;        ///< open calls; beyond it `overloaded`; 1 to 2^19
  std::size_t bytes_max = 64 << 20;      ///< of all open calls; beyond it `overloaded`; > 0
  std::size_t batch_max = 1'024;         ///< requests or answers in one message; > 0
  std::size_t batch_bytes_max = 1 << 20; ///< likewise, but always one; > 0
  interval deadline_default = std::chrono::seconds{10}; ///< of a call that names none; > 0
  interval deadline_max = std::chrono::minutes{10};     ///< longer ones are cut to this
  /// How much longer than the time allowed in a request its sender waits for the answer: the other
  /// side can then still say that it has done nothing.
  interval answer_grace = std::chrono::milliseconds{50};
  interval retry_pause = std::chrono::milliseconds{10};  ///< after "not here"; > 0
  interval retry_after = std::chrono::milliseconds{100}; ///< told with `overloaded`; > 0
};

/// How a node takes requests.
struct forwarder_options {
  /// How long the leader may take to answer a forwarded request before it is asked again; doubles
  /// with each attempt, up to eightfold; > 0.
  interval suspect_after = std::chrono::milliseconds{300};
  call_options calls = {};
  /// Takes commands also while nobody is known to lead, and keeps them until somebody does, or this
  /// node takes a seat. For machines that allow it (`allows_offline`): such a command is applied
  /// long after it was given, behind all that the others did meanwhile.
  bool accept_offline = false;
  /// How long a command taken so may wait if its caller named no deadline; > 0.
  interval offline_patience = std::chrono::minutes{5};
  /// Which version of the machine brought an encoded command, for the leader to refuse what is too
  /// new; filled in by `spawn_node`. None: all are of the first.
  std::function<std::uint32_t(const bytes&)> since_of = {};
};

/// How a client calls.
struct client_options {
  /// How long a node may take to answer before another one is asked; doubles with each attempt, up
  /// to eightfold; > 0.
  interval attempt_timeout = std::chrono::milliseconds{500};
  std::uint32_t window = 64; ///< commands in flight; at most the cluster's `session_window`; > 0
  bool spread = false;       ///< begin with any node instead of the first
  /// Learns from the node that it calls who else is in the cluster, and calls those, too, when the
  /// ones it was given fail. Not for a client that can not reach what the nodes call their
  /// addresses.
  bool follow_members = true;
  call_options calls = {};
};

/// What is wrong with the options, each with the names of the offending ones; empty if they can be
/// used.
[[nodiscard]] inline std::vector<std::string> complaints(const call_options& o) {
  std::vector<std::string> found;
  const auto require = [&](bool holds, const char* complaint) {
    if (!holds)
      found.emplace_back(complaint);
  };
  require(o.calls_max > 0 && o.calls_max <= std::size_t{1} << 19, "calls_max must be 1 to 2^19");
  require(o.bytes_max > 0, "bytes_max must not be 0");
  require(o.batch_max > 0, "batch_max must not be 0");
  require(o.batch_bytes_max > 0, "batch_bytes_max must not be 0");
  require(o.deadline_default > interval{0}, "deadline_default must be positive");
  require(o.deadline_max >= o.deadline_default,
          "deadline_max must not be less than deadline_default");
  require(o.answer_grace >= interval{0}, "answer_grace must not be negative");
  require(o.retry_pause > interval{0}, "retry_pause must be positive");
  require(o.retry_after > interval{0}, "retry_after must be positive");
  return found;
}

/// See above.
[[nodiscard]] inline std::vector<std::string> complaints(const forwarder_options& o) {
  auto found = complaints(o.calls);
  if (o.suspect_after <= interval{0})
    found.emplace_back("suspect_after must be positive");
  if (o.offline_patience <= interval{0})
    found.emplace_back("offline_patience must be positive");
  return found;
}

/// See above.
[[nodiscard]] inline std::vector<std::string> complaints(const client_options& o) {
  auto found = complaints(o.calls);
  if (o.attempt_timeout <= interval{0})
    found.emplace_back("attempt_timeout must be positive");
  if (o.window == 0)
    found.emplace_back("window must not be 0");
  return found;
}

namespace detail {

[[nodiscard]] inline expected<void> one_failure(const std::vector<std::string>& complaints) {
  std::string all;
  for (const auto& complaint : complaints)
    all += (all.empty() ? "" : "; ") + complaint;
  if (all.empty())
    return {};
  return fail(errc::invalid_option, std::move(all));
}

} // namespace detail

/// All complaints in one failure, or nothing.
[[nodiscard]] inline expected<void> validate(const forwarder_options& o) {
  return detail::one_failure(complaints(o));
}

/// See above.
[[nodiscard]] inline expected<void> validate(const client_options& o) {
  return detail::one_failure(complaints(o));
}

} // namespace understudy
