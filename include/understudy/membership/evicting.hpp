// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Who counts as gone (S3, S4): the leader's decision to mark a member `evicted`.
///
/// A mark takes away the rank and is never taken back, so it needs certainty or patience. A voter
/// that is only silent keeps its mark-free place until somebody is ready to take its seat, or it is
/// one too many (M10); one that comes and goes starts its clock anew each time (M18). So does a
/// voter that is there but of no use: its machine has stopped, or it stores nothing of what it is
/// sent, since its disk hangs (D14) or the leader's messages do not reach it. It is replaced by one
/// that has been ready for as long: whatever stopped the first has not stopped the second, and
/// where it stops all of them nobody is sent away. What the leader sees may be old, even of an
/// earlier term of its own, so the core is asked again whether that one is ready.

#include <understudy/core/outbox.hpp>
#include <understudy/membership/change_slot.hpp>
#include <understudy/membership/claimants.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/membership/peers.hpp>
#include <understudy/membership/scene.hpp>
#include <understudy/roster/roster.hpp>
#include <understudy/roster/seats.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace understudy {

/// The leader's side of eviction: one mark at a time.
class evictor {
public:
  explicit evictor(std::shared_ptr<const monitor_options> options) : options_{std::move(options)} {}

  /// The core said what became of a change; whether it was this one.
  bool taken(const change_taken& what, instant now) {
    return slot_.taken(what, now + options_->seat_retry);
  }

  void pump(scene s) {
    if (!s.view.leads || s.view.term != term_) {
      slot_ = {};
      substitutes_.clear();
      unfit_.clear();
    }
    term_ = s.view.leads ? s.view.term : term_number{};
    if (!s.view.leads)
      return;
    watch_unfit(s);
    watch_substitutes(s);
    set_alarms(s);
    if (!s.is_firm() || !slot_.is_free(s.view, s.now, s.out))
      return;
    static_cast<void>(mark_first(s, &evictor::why_gone) || mark_first(s, &evictor::why_silent)
                      || mark_first(s, &evictor::why_unfit));
  }

  /// Whether a mark is on its way into the log: the voters are better left alone until then.
  [[nodiscard]] bool is_busy(const core_view& view) const { return slot_.is_open(view); }

  /// Those that would take the seat of a voter that has been silent for a while. They can not know
  /// it, so the leader has them brought up to date on its own account.
  [[nodiscard]] std::vector<member_id> substitutes() const {
    std::vector<member_id> result;
    for (const auto& s : substitutes_)
      result.push_back(s.id);
    return result;
  }

private:
  struct substitute {
    member_id id;
    instant since;       ///< not caught up since then
    instant ready_since; ///< caught up since then
  };
  enum class defect : std::uint8_t { none, machine, mute };
  struct unfit_voter {
    member_id id;
    defect what;
    instant since;
  };
  struct ground {
    std::string why;
    member_id heir = {}; ///< has to be ready to take the seat
  };
  using rule = std::optional<ground> (evictor::*)(const member&, const scene&) const;

  [[nodiscard]] static interval evict_after(const scene& s) {
    return std::chrono::milliseconds{s.view.committed.content->rules.evict_after_ms};
  }

  [[nodiscard]] static interval silence(const member& who, const scene& s) {
    return s.now - s.signs.last(who.id);
  }

  /// How long a member whose successor has come may be silent. One without a vote is heard every
  /// `presence_every` at best.
  [[nodiscard]] interval suspect_after(const member& who, const scene& s) const {
    const bool votes = has_vote(*s.view.newest.content, who.id);
    return options_->suspect_after + (votes ? interval{0} : options_->presence_every);
  }

  [[nodiscard]] static bool has_successor(const member& who, const scene& s) {
    const auto& all = s.view.newest.content->members;
    const auto own = std::ranges::find(all, who.id, &member::id);
    return !who.name.empty() && !who.durable
           && std::ranges::find(own + 1, all.end(), who.name, &member::name) != all.end();
  }

  /// As things would stand with `who` evicted.
  [[nodiscard]] static configuration without(const member& who, const scene& s) {
    auto content = *s.view.newest.content;
    std::ranges::find(content.members, who.id, &member::id)->status = standing::evicted;
    return content;
  }

  [[nodiscard]] bool passed_over(member_id id, const scene& s) const {
    if (id == s.self)
      return s.view.unfit;
    const auto found = std::ranges::find(substitutes_, id, &substitute::id);
    return found != substitutes_.end() && s.now - found->since >= options_->catch_up_limit;
  }

  /// Those that may take the seat of `who`.
  [[nodiscard]] std::vector<member_id> heirs(const member& who, const scene& s) const {
    return claimants(without(who, s), [&](member_id id) { return passed_over(id, s); });
  }

  /// The first member, by join order, for which `judge` finds a reason; whether there is one.
  bool mark_first(scene& s, rule judge) {
    for (const auto& m : s.view.newest.content->members) {
      if (m.status != standing::present)
        continue;
      auto found = (this->*judge)(m, s);
      if (!found)
        continue;
      s.out.tell(change_roster{.what = mark_member{m.id, standing::evicted},
                               .id = slot_.begin(s.tickets),
                               .heir = found->heir});
      s.note(decision::eviction, m.id, detail::label_of(m.id) + " " + found->why);
      return true;
    }
    return false;
  }

  [[nodiscard]] std::optional<ground> why_gone(const member& who, const scene& s) const {
    if (who.id == s.self)
      return std::nullopt;
    if (s.signs.is_gone(who))
      return ground{"is gone: its process has ended"};
    if (has_successor(who, s) && silence(who, s) >= suspect_after(who, s))
      return ground{"is gone: " + who.name + " has entered anew, and this start of it was silent "
                    + "for " + in_ms(silence(who, s))};
    return std::nullopt;
  }

  [[nodiscard]] std::optional<ground> why_silent(const member& who, const scene& s) const {
    if (who.id == s.self || silence(who, s) < evict_after(s))
      return std::nullopt;
    const auto text = "was silent for " + in_ms(silence(who, s));
    if (!has_vote(*s.view.newest.content, who.id))
      return ground{text + ", and does not vote"};
    if (is_one_too_many(s))
      return ground{text + ", and more vote than there are seats"};
    const auto heir = ready_heir(who, s);
    return heir ? std::optional{inherited(text, heir, s)} : std::nullopt;
  }

  [[nodiscard]] std::optional<ground> why_unfit(const member& who, const scene& s) const {
    const auto found = std::ranges::find(unfit_, who.id, &unfit_voter::id);
    if (found == unfit_.end() || s.now - found->since < evict_after(s))
      return std::nullopt;
    const std::string text = found->what == defect::machine
                                 ? "has a machine that stopped"
                                 : "gives signs, but has stored nothing that it was sent for "
                                       + in_ms(s.now - found->since);
    if (is_one_too_many(s))
      return ground{text + ", and more vote than there are seats"};
    const auto heir = ready_heir(who, s);
    const auto watched = std::ranges::find(substitutes_, heir, &substitute::id);
    const bool proven
        = watched != substitutes_.end() && s.now - watched->ready_since >= evict_after(s);
    if (!heir || (heir != s.self && !proven))
      return std::nullopt;
    return inherited(text, heir, s);
  }

  /// As when `max_voters` was lowered.
  [[nodiscard]] static bool is_one_too_many(const scene& s) {
    const auto& now = *s.view.newest.content;
    return detail::sitting(now).size() > seats(now).seats;
  }

  [[nodiscard]] static bool is_ready(member_id id, const scene& s) {
    return id == s.self ? !s.view.unfit : detail::is_caught_up(s.view, id);
  }

  /// Who would take the seat of `who` at once; nobody, perhaps. The seats that are open without it
  /// are taken first.
  [[nodiscard]] member_id ready_heir(const member& who, const scene& s) const {
    auto ready = heirs(who, s);
    std::erase_if(ready, [&](member_id id) { return !is_ready(id, s); });
    const auto taken = seats_being_taken(s);
    return ready.size() > taken ? ready[taken] : member_id{};
  }

  /// How many of the open seats will be taken as things stand: a seat for which nobody is ready, or
  /// that parity leaves empty, keeps no heir from another.
  [[nodiscard]] std::size_t seats_being_taken(const scene& s) const {
    const auto& now = *s.view.newest.content;
    const auto able = claimants(now, [&](member_id id) { return passed_over(id, s); });
    const auto ready = std::ranges::count_if(able, [&](member_id id) { return is_ready(id, s); });
    const auto taken = std::min(open_seats(now), static_cast<std::size_t>(ready));
    const auto sitting = detail::sitting(now).size();
    const bool alone = taken > 0 && sitting == now.voters.size() && (sitting + taken) % 2 == 0;
    return taken - (alone ? 1 : 0);
  }

  /// The leader itself is ready whenever it leads.
  [[nodiscard]] static ground inherited(const std::string& why, member_id heir, const scene& s) {
    return {why + ", and " + detail::label_of(heir) + " is ready to take its seat",
            heir == s.self ? member_id{} : heir};
  }

  /// What is wrong with a voter that gives signs.
  [[nodiscard]] defect defect_of(const member& who, const scene& s) const {
    if (!has_vote(*s.view.newest.content, who.id))
      return defect::none;
    if (who.id == s.self)
      return s.view.unfit ? defect::machine : defect::none;
    const auto* peer = detail::peer_of(s.view, who.id);
    if (peer && peer->in_contact)
      return peer->unfit ? defect::machine : defect::none;
    const bool gives_signs = silence(who, s) <= options_->suspect_after + options_->presence_every;
    return peer && gives_signs ? defect::mute : defect::none;
  }

  /// Voters with a defect, and since when this leader knows.
  void watch_unfit(scene& s) {
    const auto before = std::exchange(unfit_, {});
    for (const auto& m : s.view.newest.content->members) {
      const auto what = defect_of(m, s);
      if (what == defect::none)
        continue;
      const auto known = std::ranges::find(before, m.id, &unfit_voter::id);
      const bool is_old = known != before.end() && known->what == what;
      unfit_.push_back(is_old ? *known : unfit_voter{m.id, what, s.now});
    }
    for (const auto& one : unfit_)
      for (const auto limit : {evict_after(s) / 2, evict_after(s)})
        if (s.now - one.since < limit)
          s.out.wake(one.since + limit);
  }

  /// Whether it looks as if `who` might have to be replaced. A stopped machine stays so; what is
  /// only not heard of mostly comes back.
  [[nodiscard]] bool may_go(const member& who, const scene& s) const {
    if (who.status != standing::present || !has_vote(*s.view.newest.content, who.id))
      return false;
    const auto unfit = std::ranges::find(unfit_, who.id, &unfit_voter::id);
    if (unfit != unfit_.end())
      return unfit->what == defect::machine || s.now - unfit->since >= evict_after(s) / 2;
    return who.id != s.self && silence(who, s) >= evict_after(s) / 2;
  }

  void watch_substitutes(scene& s) {
    for (auto& one : substitutes_)
      (is_ready(one.id, s) ? one.since : one.ready_since) = s.now;
    std::vector<member_id> wanted;
    for (const auto& m : s.view.newest.content->members)
      if (may_go(m, s))
        for (auto id : heirs(m, s))
          if (id != s.self && !detail::is_among(wanted, id))
            wanted.push_back(id);
    std::erase_if(substitutes_, [&](const substitute& one) {
      return !detail::is_among(wanted, one.id)
             && (wanted.empty() || !passed_over(one.id, s)
                 || has_vote(*s.view.newest.content, one.id));
    });
    for (auto id : wanted)
      if (std::ranges::find(substitutes_, id, &substitute::id) == substitutes_.end())
        substitutes_.push_back({id, s.now, s.now});
    for (const auto& one : substitutes_) {
      if (!passed_over(one.id, s))
        s.out.wake(one.since + options_->catch_up_limit);
      if (!unfit_.empty() && s.now - one.ready_since < evict_after(s))
        s.out.wake(one.ready_since + evict_after(s));
    }
  }

  /// Wakes when the silence of somebody that is not in contact begins to matter.
  void set_alarms(scene& s) const {
    for (const auto& m : s.view.newest.content->members) {
      if (m.id == s.self || m.status != standing::present || detail::is_in_contact(s.view, m.id))
        continue;
      const auto wake_after = [&](interval limit) {
        if (silence(m, s) < limit)
          s.out.wake(s.signs.last(m.id) + limit);
      };
      wake_after(evict_after(s));
      if (has_vote(*s.view.newest.content, m.id))
        wake_after(evict_after(s) / 2);
      if (has_successor(m, s))
        wake_after(suspect_after(m, s));
    }
  }

  std::shared_ptr<const monitor_options> options_;
  term_number term_ = {};
  change_slot slot_ = {};
  std::vector<substitute> substitutes_ = {};
  std::vector<unfit_voter> unfit_ = {};
};

} // namespace understudy
