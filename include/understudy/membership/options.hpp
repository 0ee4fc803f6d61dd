// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/configuration.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/core/time.hpp>
#include <understudy/membership/admission_policy.hpp>
#include <understudy/roster/roster.hpp>
#include <understudy/roster/settings.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy {

/// What one node's membership monitor is told at its start.
struct monitor_options {
  member self = {};   ///< this incarnation, as the roster is to show it
  bool found = false; ///< makes a new cluster, unless a seed knows one (S8, B1)
  /// The node's log came back with it, and shows it so; `self` has the same id and start.
  std::optional<own_record> returning = {};
  cluster_id cluster = {};              ///< the only cluster to enter; none: the one the seeds know
  settings rules = {};                  ///< for a founder; others compare them with the cluster's
  std::vector<member_id> contacts = {}; ///< the seeds, or the driver's names for links to them

  interval retry = std::chrono::milliseconds{50}; ///< to the next question; doubles each time; > 0
  interval retry_max = std::chrono::seconds{1};   ///< and up to this; at least `retry`
  interval founding_patience = std::chrono::seconds{1}; ///< for seeds that do not answer; > 0
  interval entering_patience = std::chrono::seconds{5}; ///< then an event says what is wrong; > 0
  interval seat_retry = std::chrono::milliseconds{100}; ///< from one seat request to the next; > 0
  interval catch_up_limit = std::chrono::seconds{10};   ///< then the next in line may ask; > 0
  interval suspect_after = std::chrono::milliseconds{300}; ///< silence that raises suspicion; > 0
  interval presence_every = std::chrono::seconds{1};  ///< a sign to the leader; > 0, < evict_after
  interval order_patience = std::chrono::seconds{10}; ///< for an order without a deadline; > 0
  interval leave_limit = std::chrono::seconds{10};    ///< for a leave without a limit; > 0
  std::size_t entering_max = 256;  ///< newcomers whose entries are not committed yet; > 0
  admission_policy admission = {}; ///< who is let in while this node leads; none: everybody
};

/// The most seeds a node asks.
inline constexpr std::size_t contacts_limit = 64;

/// What is wrong with the options, each with the name and the value of the offending one; empty if
/// they can be used.
[[nodiscard]] inline std::vector<std::string> complaints(const monitor_options& o) {
  std::vector<std::string> found;
  const auto positive_time = [&](std::string_view name, interval value) {
    if (value <= interval{0})
      found.push_back(std::string{name} + " must be positive, and is "
                      + std::to_string(value.count()) + " ns");
  };
  if (auto good = detail::acceptable_member(o.self); !good)
    found.push_back("self: " + good.error().detail);
  for (auto& complaint : complaints(o.rules))
    found.push_back("rules: " + std::move(complaint));
  if (o.returning && (o.returning->self.id != o.self.id || o.returning->self.start != o.self.start))
    found.push_back("returning must show self, with its id and its start");
  if (!o.found && !o.returning && o.contacts.empty())
    found.push_back("contacts must name a seed, unless the node is told to found");
  if (o.contacts.size() > contacts_limit)
    found.push_back("contacts must be at most " + std::to_string(contacts_limit) + ", and are "
                    + std::to_string(o.contacts.size()));
  if (o.found && o.cluster)
    found.push_back("found makes a new cluster, and cluster names an old one");
  positive_time("retry", o.retry);
  positive_time("founding_patience", o.founding_patience);
  positive_time("entering_patience", o.entering_patience);
  positive_time("seat_retry", o.seat_retry);
  positive_time("catch_up_limit", o.catch_up_limit);
  positive_time("suspect_after", o.suspect_after);
  positive_time("presence_every", o.presence_every);
  positive_time("order_patience", o.order_patience);
  positive_time("leave_limit", o.leave_limit);
  if (o.presence_every >= std::chrono::milliseconds{o.rules.evict_after_ms})
    found.push_back("presence_every (" + std::to_string(o.presence_every.count())
                    + " ns) must be less than rules.evict_after_ms ("
                    + std::to_string(o.rules.evict_after_ms) + " ms)");
  if (o.retry_max < o.retry)
    found.push_back("retry_max (" + std::to_string(o.retry_max.count())
                    + " ns) must not be less than retry (" + std::to_string(o.retry.count())
                    + " ns)");
  if (o.entering_max == 0)
    found.push_back("entering_max must be positive, and is 0");
  return found;
}

/// All complaints in one failure, or nothing.
[[nodiscard]] inline expected<void> validate(const monitor_options& o) {
  std::string all;
  for (const auto& complaint : complaints(o))
    all += (all.empty() ? "" : "; ") + complaint;
  if (all.empty())
    return {};
  return fail(errc::invalid_option, std::move(all));
}

} // namespace understudy
