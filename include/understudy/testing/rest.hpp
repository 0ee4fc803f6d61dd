// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a cluster can do without, and what it should come to when all faults are over (L1, L2, L4).

#include <understudy/testing/membership_rules.hpp>
#include <understudy/testing/simulation.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

namespace understudy::testing {

/// Whether a majority of those voters that stand in line for a seat is among those that `lives`
/// names: the others are about to lose their votes, and those must do without them any moment.
template <class Predicate>
[[nodiscard]] bool majority_stays(const configuration& in, Predicate lives) {
  std::size_t stay = 0;
  std::size_t live = 0;
  for (const auto& m : in.members) {
    if (m.status != standing::present || m.pinned || !detail::contains(in.voters, m.id)
        || stay == in.rules.max_voters)
      continue;
    ++stay;
    live += lives(m.id) ? 1u : 0u;
  }
  return stay == 0 || 2 * live > stay;
}

/// Whether those that run, or sleep and will be woken, and are of use could decide, whatever they
/// know of who votes, also once those that are marked vote no more.
template <state_machine M, class Predicate>
[[nodiscard]] bool can_decide(simulation<M>& run, Predicate of_use) {
  const auto& clusters = run.rules().clusters();
  if (clusters.empty())
    return false;
  const auto lives = [&](member_id id) { return of_use(id) && (run.runs(id) || run.sleeps(id)); };
  const auto& past = run.rules().past(clusters.front());
  const auto& committed = past.configurations();
  const auto decide = [&](const configuration& in) {
    return quorum_among(in, lives) && majority_stays(in, lives);
  };
  if (committed.empty() || !decide(*committed.back().content))
    return false;
  return std::ranges::all_of(past.pending_configurations(),
                             [&](const configuration_ptr& in) { return decide(*in); });
}

/// The same without `victim`, which is not the last to run: memory nodes take their part of the
/// data along when they end.
template <state_machine M> [[nodiscard]] bool can_do_without(simulation<M>& run, member_id victim) {
  return run.nodes().size() > 1 && can_decide(run, [=](member_id id) { return id != victim; });
}

/// Whether somebody leads, and a majority of those that vote is with it (L1): one that was cut off
/// may not know yet that another has taken over, or that nobody listens to it.
template <state_machine M> [[nodiscard]] bool is_led(simulation<M>& run) {
  const auto leader = run.leader();
  if (!leader)
    return false;
  const auto seen = run.look(leader);
  return quorum_among(*seen.newest.content, [&](member_id id) {
    return run.runs(id) && run.look(id).vote.term == seen.vote.term;
  });
}

/// Which seats are not as they should be; nothing if all are. The dead are gone from the roster,
/// and every seat is taken; though not always by the first in line, since one that catches up too
/// slowly is passed over. A dead voter stays only where nobody is there to take its seat, and none
/// too many votes.
template <state_machine M>
[[nodiscard]] std::string seats_amiss(simulation<M>& run, const configuration& in) {
  auto order = detail::ranked(in);
  if (in.voters.size() < detail::seat_count(order, in))
    return "seats are empty, and there are members to take them";
  const auto sit = static_cast<std::size_t>(
      std::ranges::count_if(order, [&](member_id id) { return detail::contains(in.voters, id); }));
  const bool one_too_many = sit > detail::seat_count(order, in);
  std::erase_if(order, [&](member_id id) { return !run.runs(id); });
  order.resize(detail::seat_count(order, in));
  const bool heirs
      = std::ranges::any_of(order, [&](member_id id) { return !detail::contains(in.voters, id); });
  for (const auto& m : in.members) {
    const bool votes = detail::contains(in.voters, m.id);
    const bool needed = votes && !heirs && !(one_too_many && m.status == standing::present);
    if (!run.runs(m.id) && !needed)
      return run.name_of(m.id) + " is dead, and still " + (votes ? "votes" : "in the roster");
  }
  return {};
}

/// How many more of the living should vote than do (L4).
template <state_machine M>
[[nodiscard]] std::size_t seats_missing(simulation<M>& run, const configuration& in) {
  auto order = detail::ranked(in);
  std::erase_if(order, [&](member_id id) { return !run.runs(id); });
  const auto seats = detail::seat_count(order, in);
  const auto taken = static_cast<std::size_t>(
      std::ranges::count_if(in.voters, [&](member_id id) { return run.runs(id); }));
  return in.joint() ? std::max<std::size_t>(seats, 1) : seats - std::min(seats, taken);
}

/// A node whose log is due to be cut, and is not: above its newest snapshot it weighs as much as
/// calls for another one, or more is kept below it than laggards may ask for (L2).
[[nodiscard]] inline std::string compaction_due(const raft_core& core) {
  const auto& log = core.log();
  const auto image = core.image();
  const auto covered = image ? image->at.index : log_index{};
  std::size_t above = 0;
  std::size_t below = 0;
  for (auto i = log.first(); i <= log.last().index; ++i)
    (i > covered ? above : below) += log.at(i).weight_bytes();
  const auto trigger
      = std::max(core.state().options.snapshot_after_bytes, image ? image->image.size() : 0);
  if (above >= trigger)
    return std::to_string(above) + " bytes of log above its newest snapshot, and "
           + std::to_string(trigger) + " call for another";
  if (below > core.state().options.retain_bytes_max)
    return std::to_string(below) + " bytes of log below its newest snapshot, and "
           + std::to_string(core.state().options.retain_bytes_max) + " are to be kept";
  return {};
}

/// What is not at rest; nothing if all is.
template <state_machine M> [[nodiscard]] std::string unrest(simulation<M>& run) {
  if (!run.leader())
    return "nobody leads";
  if (!run.settled())
    return "logs or states differ, or are not committed";
  const auto& in = *run.look(run.leader()).newest.content;
  if (in.joint())
    return "a change of the voters does not end";
  const auto plan = run.template part<monitor>(run.leader()).status().plan;
  if (!plan || !is_at_rest(plan->reason) || plan->reason == plan_reason::last_member)
    return "the plan has something left to do";
  for (const auto id : run.nodes()) {
    const auto* m = detail::look_up(in, id);
    if (!m || m->status != standing::present)
      return run.name_of(id) + (m ? " was sent away, and runs" : " has not entered");
    if (run.template part<monitor>(id).status().leaving == leave_step::ended)
      return run.name_of(id) + " is done with leaving, and runs";
  }
  return seats_amiss(run, in);
}

} // namespace understudy::testing
