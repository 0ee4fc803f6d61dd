// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Who should vote next: one pure function, asked by the leader whenever something changed.
///
/// The seats (roster/seats.hpp) say who may vote, the configuration says who does. plan() brings
/// the second towards the first by the largest step that is safe: a seat is only given to a member
/// that holds the data (M4) and answers (M3, M5); a sitting healthy voter is never unseated, growth
/// lands on odd numbers, and a vote that is not replaced is not taken below the floor (M10, M11).

#include <understudy/core/assert.hpp>
#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/membership/claimants.hpp>
#include <understudy/roster/roster.hpp>
#include <understudy/roster/seats.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy {

/// What the leader knows of one member, beyond the configuration.
struct outlook {
  member_id id = {};
  bool asked = false;       ///< for a seat
  bool caught_up = false;   ///< as in `peer_progress`
  bool in_contact = false;  ///< as in `peer_progress`
  bool passed_over = false; ///< claims a seat, and did not catch up within `catch_up_limit`
  bool overdue = false;     ///< leaving, and the bound it was given is over
};

/// All that plan() looks at.
struct plan_input {
  member_id self = {};                ///< the leader: it hears itself, and holds its own log
  configuration_ptr newest = {};      ///< never null
  bool committed = false;             ///< `newest` is
  bool term_committed = false;        ///< an entry of the leader's own term is (M1)
  bool self_unfit = false;            ///< the leader's own machine has stopped
  std::vector<outlook> outlooks = {}; ///< of whoever is missing here nothing good is known
};

/// Why the voters change, or why they stay.
enum class plan_reason : std::uint8_t {
  settled = 0,          ///< the voters are the ones that the roster calls for
  change = 1,           ///< they should be others
  under_way = 2,        ///< a change is being made
  uncommitted = 3,      ///< the newest configuration, or the leader's own term, is not committed
  awaits_claimants = 4, ///< a seat is open; nobody who may take it is ready
  awaits_pair = 5,      ///< one is ready, but two must go together: the group would become even
  keeps_floor = 6,      ///< an evicted member keeps its vote, or fewer than `min_voters` were left
  no_majority = 7,      ///< too few of the old or the new voters are in contact
  last_member = 8,      ///< nobody would be left to vote
};

[[nodiscard]] constexpr std::string_view to_string(plan_reason reason) {
  switch (reason) {
  case plan_reason::settled:
    return "settled";
  case plan_reason::change:
    return "change";
  case plan_reason::under_way:
    return "under_way";
  case plan_reason::uncommitted:
    return "uncommitted";
  case plan_reason::awaits_claimants:
    return "awaits_claimants";
  case plan_reason::awaits_pair:
    return "awaits_pair";
  case plan_reason::keeps_floor:
    return "keeps_floor";
  case plan_reason::no_majority:
    return "no_majority";
  case plan_reason::last_member:
    return "last_member";
  }
  return "unlisted";
}

inline std::ostream& operator<<(std::ostream& out, plan_reason r) {
  return out << to_string(r);
}

/// Whether a plan has nothing left to do, as things stand.
[[nodiscard]] constexpr bool is_at_rest(plan_reason reason) {
  return reason == plan_reason::settled || reason == plan_reason::awaits_pair
         || reason == plan_reason::keeps_floor || reason == plan_reason::last_member;
}

/// What to do, and why.
struct plan_result {
  plan_reason reason = plan_reason::settled;
  std::vector<member_id> voters = {}; ///< with `change`: the new ones, in join order; else empty
  std::string detail = {};            ///< for people

  friend bool operator==(const plan_result&, const plan_result&) = default;
};

namespace detail {

/// The script of plan() with its intermediate results, step by step.
class planner {
public:
  explicit planner(const plan_input& input) : input_{input}, now_{*input.newest} {
    const auto seating = seats(now_);
    sitting_ = sitting(now_);
    for (const auto& m : now_.members)
      if (!in_line(m) && is_among(now_.voters, m.id))
        vacant_.push_back(m.id);
    need_ = seating.seats > sitting_.size() ? seating.seats - sitting_.size() : 0;
  }

  [[nodiscard]] plan_result run() {
    seat_claimants();
    keep_for_claimants();
    keep_for_floor();
    trim_to_limit();
    if (next_.empty())
      return {plan_reason::last_member, {}, "nobody would be left to vote"};
    if (std::ranges::is_permutation(next_, now_.voters))
      return {why_unchanged(), {}, detail()};
    if (!majority_in_contact(now_.voters))
      return {plan_reason::no_majority, {}, "of the voters, " + in_contact_of(now_.voters)};
    if (!majority_in_contact(next_))
      return {plan_reason::no_majority, {}, "of the voters to be, " + in_contact_of(next_)};
    return {plan_reason::change, next_, detail()};
  }

private:
  /// in = the first of those that asked and are caught up; less one where growth would be even.
  void seat_claimants() {
    for (auto id : claimants(now_, [&](member_id c) { return outlook_of(c).passed_over; })) {
      const bool ready = outlook_of(id).asked && outlook_of(id).caught_up;
      if (ready && incoming_.size() < need_)
        incoming_.push_back(id);
      else if (!ready)
        waiting_.push_back(id);
    }
    const auto size = sitting_.size() + incoming_.size();
    if (vacant_.empty() && !incoming_.empty() && size % 2 == 0) {
      unpaired_ = incoming_.back();
      incoming_.pop_back();
    }
    next_ = sitting_;
    next_.insert(next_.end(), incoming_.begin(), incoming_.end());
  }

  /// A vote that is to be replaced stays until its successor is ready, or nobody is to be waited
  /// for: those that answer rather than those that do not, leaving ones rather than evicted ones.
  void keep_for_claimants() {
    if (waiting_.empty() || incoming_.size() >= need_)
      return;
    auto candidates = vacant_;
    std::erase_if(candidates, [&](member_id id) { return outlook_of(id).overdue; });
    std::ranges::stable_sort(candidates, {}, [&](member_id id) {
      return std::pair{!outlook_of(id).in_contact, evicted(id)};
    });
    const auto count = std::min(need_ - incoming_.size(), candidates.size());
    for (std::size_t i = 0; i < count; ++i)
      next_.push_back(candidates[i]);
  }

  /// Evictions do not take the group below the floor; leaving may, an operator asked for it. But
  /// those that stay beside one that leaves must be able to decide: a dead voter is not kept where
  /// it would cost the majority, or nobody could ever leave.
  void keep_for_floor() {
    auto candidates = vacant_;
    std::erase_if(candidates, [&](member_id id) { return !evicted(id) || is_among(next_, id); });
    std::ranges::stable_sort(candidates, {},
                             [&](member_id id) { return !outlook_of(id).in_contact; });
    // With an even `max_voters` one seat less can ever be taken: a floor above that is none.
    const auto seats_max = (now_.rules.max_voters - 1) / 2 * 2 + 1;
    for (auto id : candidates) {
      if (next_.size() >= std::min(now_.rules.min_voters, seats_max))
        return;
      next_.push_back(id);
      if (!majority_in_contact(next_))
        next_.pop_back();
      else
        keeps_floor_ = true;
    }
  }

  /// T was lowered: the last in line go first, the leader last of all. Also brings into join order.
  void trim_to_limit() {
    std::vector<member_id> ordered;
    for (const auto& m : now_.members)
      if (is_among(next_, m.id))
        ordered.push_back(m.id);
    next_ = std::move(ordered);
    while (next_.size() > now_.rules.max_voters) {
      const bool leader = next_.back() == input_.self && next_.size() > 1;
      next_.erase(next_.end() - (leader ? 2 : 1));
    }
  }

  [[nodiscard]] plan_reason why_unchanged() const {
    if (unpaired_)
      return plan_reason::awaits_pair;
    if (incoming_.size() < need_)
      return plan_reason::awaits_claimants;
    return keeps_floor_ ? plan_reason::keeps_floor : plan_reason::settled;
  }

  [[nodiscard]] outlook outlook_of(member_id id) const {
    const auto found = std::ranges::find(input_.outlooks, id, &outlook::id);
    auto known = found == input_.outlooks.end() ? outlook{.id = id} : *found;
    if (id == input_.self)
      known = {.id = id,
               .asked = true,
               .caught_up = !input_.self_unfit,
               .in_contact = true,
               .passed_over = input_.self_unfit,
               .overdue = known.overdue};
    return known;
  }

  [[nodiscard]] bool evicted(member_id id) const {
    return find(now_, id)->status == standing::evicted;
  }

  [[nodiscard]] std::size_t contacts(const std::vector<member_id>& half) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(half, [&](member_id id) { return outlook_of(id).in_contact; }));
  }

  [[nodiscard]] bool majority_in_contact(const std::vector<member_id>& half) const {
    return contacts(half) > half.size() / 2;
  }

  [[nodiscard]] std::string in_contact_of(const std::vector<member_id>& half) const {
    return std::to_string(contacts(half)) + " of " + std::to_string(half.size())
           + " are in contact";
  }

  /// The whole picture in one line, for status and journal.
  [[nodiscard]] std::string detail() const {
    std::string text = std::to_string(sitting_.size()) + " sit, " + std::to_string(need_) + " open";
    const auto list = [&](std::string_view what, const std::vector<member_id>& ids) {
      if (ids.empty())
        return;
      text += "; " + std::string{what};
      for (auto id : ids)
        text += " " + std::to_string(id.value);
    };
    std::vector<member_id> passed;
    for (const auto& o : input_.outlooks)
      if (o.passed_over)
        passed.push_back(o.id);
    list("comes in", incoming_);
    list("unpaired", unpaired_ ? std::vector{unpaired_} : std::vector<member_id>{});
    list("awaited", waiting_);
    list("passed over", passed);
    list("vacant", vacant_);
    return text;
  }

  const plan_input& input_;
  const configuration& now_;
  std::vector<member_id> sitting_; ///< voters in line
  std::vector<member_id> vacant_;  ///< voters marked or pinned
  std::size_t need_ = 0;           ///< seats that nobody sits on
  std::vector<member_id> incoming_ = {};
  std::vector<member_id> waiting_ = {}; ///< claimants that may still become ready
  member_id unpaired_ = {};             ///< left out, because growth lands on odd numbers
  bool keeps_floor_ = false;
  std::vector<member_id> next_ = {};
};

} // namespace detail

/// Who should vote, by what the leader knows now. At most one change at a time: while one is under
/// way or not certain, the answer is to wait (M1, M22).
[[nodiscard]] inline plan_result plan(const plan_input& in) {
  UNDERSTUDY_ASSERT(in.newest != nullptr,
                    "there is nothing to plan before the first configuration");
  if (in.newest->joint())
    return {plan_reason::under_way, {}, "the voters are being changed"};
  if (!in.committed)
    return {plan_reason::uncommitted, {}, "the newest configuration is not committed"};
  if (!in.term_committed)
    return {plan_reason::uncommitted, {}, "nothing of the leader's term is committed"};
  return detail::planner{in}.run();
}

} // namespace understudy
