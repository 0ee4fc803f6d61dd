// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// plan() asked in advance: what would become of the voters if some members died or left?

#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/membership/claimants.hpp>
#include <understudy/membership/plan.hpp>
#include <understudy/roster/roster.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace understudy {

/// What is supposed to happen to a member.
enum class fate : std::uint8_t {
  dies = 0,   ///< its process ends, and is seen to have ended
  leaves = 1, ///< it is marked, and helps until it is replaced
};

struct supposed {
  member_id who = {};
  enum fate fate = fate::dies;
};

/// How it would go on, if nothing else happened and whoever is ready stayed so.
struct forecast {
  std::vector<plan_result> steps = {}; ///< what plan() would say, one after the other, to the end
  std::vector<member_id> voters = {};  ///< in the end
  bool majority = false;               ///< a majority of them answers
  bool complete = false;               ///< nobody in line could sit on a seat that is open
};

namespace detail {

/// `content` after `what`, and what the leader would know of that member.
inline void suppose(plan_input& in, configuration& content, const supposed& what) {
  const auto who = std::ranges::find(content.members, what.who, &member::id);
  if (who == content.members.end())
    return;
  const bool dies = what.fate == fate::dies;
  who->status = std::max(who->status, dies ? standing::evicted : standing::leaving);
  std::erase_if(in.outlooks, [&](const outlook& o) { return o.id == what.who; });
  in.outlooks.push_back({.id = what.who, .caught_up = !dies, .in_contact = !dies});
}

[[nodiscard]] inline bool answers(const plan_input& in, member_id id) {
  const auto found = std::ranges::find(in.outlooks, id, &outlook::id);
  return id == in.self || (found != in.outlooks.end() && found->in_contact);
}

/// Who leads while `self` is on its way out, or gone: a voter in line that answers. One that leaves
/// and votes alone leads until it is replaced.
[[nodiscard]] inline member_id next_leader(const plan_input& in, const configuration& content) {
  const auto* own = find(content, in.self);
  if (own && own->status == standing::present)
    return in.self;
  for (auto id : sitting(content))
    if (id != in.self && answers(in, id))
      return id;
  return own && own->status == standing::leaving ? in.self : member_id{};
}

} // namespace detail

/// What plan() would come to, step by step, after all of `what`. Changes that are under way are
/// taken to succeed.
[[nodiscard]] inline forecast plan_if(plan_input in, const std::vector<supposed>& what) {
  auto content = in.newest->joint() ? finish_joint(*in.newest) : *in.newest;
  in.committed = in.term_committed = true;
  for (const auto& one : what)
    detail::suppose(in, content, one);
  const auto next = detail::next_leader(in, content);
  in.self_unfit = in.self_unfit && next == in.self;
  in.self = next;

  forecast result;
  for (bool at_rest = false; !at_rest;) {
    in.newest = std::make_shared<const configuration>(content);
    result.steps.push_back(plan(in));
    const auto& last = result.steps.back();
    at_rest = last.reason != plan_reason::change || result.steps.size() > content.members.size();
    if (!at_rest)
      content = finish_joint(begin_joint(content, last.voters).value());
  }
  result.voters = content.voters;
  const auto living = std::ranges::count_if(content.voters,
                                            [&](member_id id) { return detail::answers(in, id); });
  result.majority = 2 * static_cast<std::size_t>(living) > content.voters.size();
  result.complete = open_seats(content) == 0 && seats(content).count > 0;
  return result;
}

/// Whether `who` can leave, and the rest be no worse off than it must be: with a majority that
/// answers, and every seat taken.
[[nodiscard]] inline bool is_safe_to_stop(const plan_input& in, member_id who) {
  const auto then = plan_if(in, {{who, fate::leaves}});
  return then.majority && then.complete && !detail::is_among(then.voters, who);
}

} // namespace understudy
