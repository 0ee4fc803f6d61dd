// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Every way in which a configuration may change, as pure functions from one to the next.
///
/// A roster change copies the voters; a voter change copies the roster. Whether the moment is right
/// (committed, by the leader, one at a time: M1) is the raft core's to judge, what comes out is
/// decided here. Nothing that is refused leaves a trace.

#include <understudy/core/assert.hpp>
#include <understudy/core/configuration.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/roster/settings.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace understudy {

/// The most members that a roster takes, listeners included.
inline constexpr std::size_t members_limit = 1'024;
/// How many of those that left a configuration names.
inline constexpr std::size_t departed_limit = 64;
/// The longest name or address of a member.
inline constexpr std::size_t member_text_limit = 255;

/// The member called `id`, or null.
[[nodiscard]] inline const member* find(const configuration& in, member_id id) {
  const auto found = std::ranges::find(in.members, id, &member::id);
  return found == in.members.end() ? nullptr : &*found;
}

/// Whether `id` was in the roster and is no more, as far as `in` remembers.
[[nodiscard]] inline bool has_departed(const configuration& in, member_id id) {
  return std::ranges::find(in.departed, id, &departure::who) != in.departed.end();
}

/// The same for one that asks to be taken in, and began to after `since`: whom `in` has forgotten
/// can not be told from it, if it has asked for that long.
[[nodiscard]] inline bool may_have_departed(const configuration& in, member_id id,
                                            log_index since) {
  return has_departed(in, id) || since < in.forgotten;
}

/// The first member in line, or on its way out, that does not know `version` of the machine; or
/// null. Who was sent away is not waited for.
[[nodiscard]] inline const member* first_without(const configuration& in, std::uint32_t version) {
  const auto found = std::ranges::find_if(in.members, [&](const member& m) {
    return m.status != standing::evicted && m.machine_version < version;
  });
  return found == in.members.end() ? nullptr : &*found;
}

/// Whether `id` votes in either half.
[[nodiscard]] inline bool has_vote(const configuration& in, member_id id) {
  return std::ranges::find(in.voters, id) != in.voters.end()
         || std::ranges::find(in.outgoing, id) != in.outgoing.end();
}

namespace detail {

[[nodiscard]] inline std::string label_of(member_id id) {
  return "member " + std::to_string(id.value);
}

/// How often `id` stands in `half`.
[[nodiscard]] inline auto times_in(const std::vector<member_id>& half, member_id id) {
  return std::ranges::count(half, id);
}

[[nodiscard]] inline expected<void> acceptable_member(const member& m) {
  if (!m.id)
    return fail(errc::invalid_option, "id must not be 0");
  if (m.name.size() > member_text_limit)
    return fail(errc::invalid_option, "name has more than 255 bytes");
  if (m.address.size() > member_text_limit)
    return fail(errc::invalid_option, "address has more than 255 bytes");
  if (m.protocol_version == 0 || m.machine_version == 0)
    return fail(errc::invalid_option, "versions begin with 1");
  return {};
}

/// Whether a build that knows `version` of the machine can follow what the cluster does.
[[nodiscard]] inline expected<void> knows_enough(const configuration& in, member_id who,
                                                 std::uint32_t version) {
  if (version >= in.machine_version)
    return {};
  return fail(errc::version_unsupported,
              "the cluster uses version " + std::to_string(in.machine_version)
                  + " of the machine, and " + label_of(who) + " knows " + std::to_string(version));
}

[[nodiscard]] inline expected<configuration> changed(configuration next, const enter_member& what,
                                                     log_index at) {
  const auto& newcomer = what.newcomer;
  if (const auto* present = find(next, newcomer.id)) {
    if (present->start != newcomer.start)
      return fail(errc::duplicate_id,
                  label_of(newcomer.id) + " is in the roster from another start");
    return next; // a retry (B12)
  }
  if (auto good = acceptable_member(newcomer); !good)
    return tl::unexpected{good.error()};
  if (may_have_departed(next, newcomer.id, what.since))
    return fail(errc::removed, label_of(newcomer.id) + " has left the roster, or may have (M12)");
  if (auto good = knows_enough(next, newcomer.id, newcomer.machine_version); !good)
    return tl::unexpected{good.error()};
  if (next.members.size() >= members_limit)
    return fail(errc::overloaded,
                "the roster is full with " + std::to_string(next.members.size()) + " members");
  next.members.push_back(newcomer);
  auto& entered = next.members.back();
  entered.status = standing::present;
  if (entered.entered == log_index{})
    entered.entered = at;
  return next;
}

/// The member of `next` that a change is about.
[[nodiscard]] inline expected<member*> subject(configuration& next, member_id id) {
  const auto found = std::ranges::find(next.members, id, &member::id);
  if (found == next.members.end())
    return fail(errc::removed, label_of(id) + " is not in the roster");
  return &*found;
}

[[nodiscard]] inline expected<configuration> changed(configuration next, const mark_member& what,
                                                     log_index) {
  auto who = subject(next, what.who);
  if (!who)
    return tl::unexpected{who.error()};
  if (what.status < (*who)->status)
    return fail(errc::invalid_option, "the mark of " + label_of(what.who) + " is not taken back");
  (*who)->status = what.status;
  return next;
}

[[nodiscard]] inline expected<configuration> changed(configuration next, const pin_member& what,
                                                     log_index) {
  auto who = subject(next, what.who);
  if (!who)
    return tl::unexpected{who.error()};
  (*who)->pinned = what.pinned;
  return next;
}

/// Keeps in mind that `id` left. What there is no room for is forgotten, but for its index.
inline void remember_departure(configuration& next, member_id id, log_index at) {
  auto& departed = next.departed;
  departed.push_back({id, at});
  if (departed.size() <= departed_limit)
    return;
  next.forgotten = departed.front().at;
  departed.erase(departed.begin());
}

[[nodiscard]] inline expected<configuration> changed(configuration next, const drop_member& what,
                                                     log_index at) {
  if (auto who = subject(next, what.who); !who)
    return tl::unexpected{who.error()};
  if (has_vote(next, what.who))
    return fail(errc::invalid_option, label_of(what.who) + " still votes");
  std::erase_if(next.members, [&](const member& m) { return m.id == what.who; });
  remember_departure(next, what.who, at);
  return next;
}

[[nodiscard]] inline expected<configuration> changed(configuration next, const set_rules& what,
                                                     log_index) {
  if (auto good = validate(what.rules); !good)
    return tl::unexpected{good.error()};
  next.rules = what.rules;
  return next;
}

[[nodiscard]] inline expected<configuration> changed(configuration next,
                                                     const declare_versions& what, log_index) {
  auto who = subject(next, what.who);
  if (!who)
    return tl::unexpected{who.error()};
  if (auto good = knows_enough(next, what.who, what.machine_version); !good)
    return tl::unexpected{good.error()};
  (*who)->protocol_version = what.protocol_version;
  (*who)->machine_version = what.machine_version;
  if (auto good = acceptable_member(**who); !good)
    return tl::unexpected{good.error()};
  return next;
}

[[nodiscard]] inline expected<configuration> changed(configuration next,
                                                     const use_machine_version& what, log_index) {
  if (what.version < next.machine_version)
    return fail(errc::invalid_option, "version " + std::to_string(next.machine_version)
                                          + " of the machine is in use: there is no way back to "
                                          + std::to_string(what.version));
  if (const auto* who = first_without(next, what.version))
    return fail(errc::version_unsupported,
                label_of(who->id) + " knows version " + std::to_string(who->machine_version)
                    + " of the machine, and not " + std::to_string(what.version));
  next.machine_version = what.version;
  return next;
}

} // namespace detail

/// What `base` becomes by `what`, appended at index `at`.
///
/// A change that is there already gives back `base` itself, so a retry does no harm: the same
/// incarnation entering again, a mark or a pin set twice. Fails with `duplicate_id` for a namesake,
/// `removed` for a member that is not there (any more), `overloaded` for a full roster,
/// `version_unsupported` for a member whose build knows too little, and `invalid_option` for what
/// must never be: a mark taken back, a voter dropped, settings that make no sense, an older version
/// of the machine.
[[nodiscard]] inline expected<configuration> apply(const configuration& base,
                                                   const roster_change& what, log_index at) {
  return std::visit([&](const auto& one) { return detail::changed(base, one, at); }, what);
}

/// `base` on its way to other voters (§6): J(old, new), in which a quorum is a majority of both.
///
/// The incoming half is written in join order, whatever order it is given in: the same voters are
/// always the same value.
[[nodiscard]] inline expected<configuration> begin_joint(const configuration& base,
                                                         const std::vector<member_id>& voters) {
  if (base.joint())
    return fail(errc::busy, "another change of the voters is under way");
  if (voters.empty())
    return fail(errc::invalid_option, "a group without voters could never decide again (M8)");
  if (voters.size() > voters_limit)
    return fail(errc::invalid_option, "a group has at most " + std::to_string(voters_limit)
                                          + " voters, not " + std::to_string(voters.size()));
  auto next = base;
  next.outgoing = std::move(next.voters);
  next.voters.clear();
  for (const auto& m : base.members)
    if (detail::times_in(voters, m.id) > 0)
      next.voters.push_back(m.id);
  if (next.voters.size() == voters.size())
    return next;
  for (auto id : voters) {
    if (!find(base, id))
      return fail(errc::invalid_option, detail::label_of(id) + " is not in the roster");
    if (detail::times_in(voters, id) > 1)
      return fail(errc::invalid_option, detail::label_of(id) + " is named twice");
  }
  UNDERSTUDY_ASSERT(false, "voters that are in the roster and named once are all found there");
  return next;
}

/// The end of the change: the incoming half alone.
[[nodiscard]] inline configuration finish_joint(configuration base) {
  UNDERSTUDY_ASSERT(base.joint(), "only a joint configuration can be finished");
  base.outgoing.clear();
  return base;
}

/// The change given up: the outgoing half alone.
[[nodiscard]] inline configuration go_back(configuration base) {
  UNDERSTUDY_ASSERT(base.joint(), "only a joint configuration can be given up");
  base.voters = std::move(base.outgoing);
  base.outgoing.clear();
  return base;
}

/// What no configuration in any log may ever show (I6); empty if all is well.
///
/// More voters than `max_voters` are well-formed: that is how it looks while T was just lowered.
[[nodiscard]] inline std::vector<std::string> complaints(const configuration& in) {
  auto found = complaints(in.rules);
  if (!in.cluster)
    found.push_back("the cluster has no id");
  for (std::size_t i = 0; i < in.members.size(); ++i) {
    const auto& m = in.members[i];
    if (!m.id)
      found.push_back("a member has no id");
    if (std::ranges::count(in.members, m.id, &member::id) > 1)
      found.push_back(detail::label_of(m.id) + " is in the roster twice");
    if (i > 0 && m.entered < in.members[i - 1].entered)
      found.push_back(detail::label_of(m.id) + " stands behind one that entered later");
  }
  for (const auto& gone : in.departed)
    if (find(in, gone.who))
      found.push_back(detail::label_of(gone.who) + " is in the roster, and has left it");
  if (in.departed.size() > departed_limit)
    found.push_back("more than " + std::to_string(departed_limit) + " departures are named");
  if (in.members.size() > members_limit)
    found.push_back("the roster has more than " + std::to_string(members_limit) + " members");
  if (const auto* who = first_without(in, in.machine_version))
    found.push_back(detail::label_of(who->id) + " does not know version "
                    + std::to_string(in.machine_version) + " of the machine, which is in use");
  if (in.machine_version == 0)
    found.push_back("the machine has no version");
  if (in.voters.empty())
    found.push_back("nobody votes");
  for (const auto* half : {&in.voters, &in.outgoing}) {
    if (half->size() > voters_limit)
      found.push_back("more than " + std::to_string(voters_limit) + " vote");
    for (auto id : *half) {
      if (!find(in, id))
        found.push_back("voter " + std::to_string(id.value) + " is not in the roster");
      if (detail::times_in(*half, id) > 1)
        found.push_back("voter " + std::to_string(id.value) + " is named twice");
    }
  }
  return found;
}

} // namespace understudy
