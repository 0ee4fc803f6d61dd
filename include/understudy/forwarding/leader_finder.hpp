// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Whom a node that does not lead sends its calls to.
///
/// The raft core says who leads, but it may be late: a listener learns of a new leader only when it
/// pulls (M15), and a node that was evicted learns of none at all. What other nodes answer fills
/// the gap, and is believed until the core knows better.

#include <understudy/core/ids.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/time.hpp>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace understudy {

/// The leader, as far as it can be known here.
class leader_finder {
public:
  explicit leader_finder(member_id self) : self_{self} {}

  /// Takes in what the core knows. Returns whether another one leads, or the same one anew.
  bool update(const core_view& v) {
    const bool fresh = v.leader != leader_ || v.term != term_;
    term_ = v.term;
    leader_ = v.leader;
    if (fresh) {
      hint_ = {};
      lost_until_.reset();
      silent_ = false;
    }
    return fresh;
  }

  /// `from` did not lead when it was asked, and named `hint`, or nobody.
  void refused(member_id from, member_id hint) {
    if (from != believed())
      return;
    const bool news = hint != from && hint != self_ && (hint != leader_ || silent_);
    hint_ = news ? hint : member_id{};
    if (!hint_)
      ask_next();
  }

  /// `from` has answered, whatever it said.
  void answered(member_id from) {
    if (from == leader_)
      silent_ = false;
  }

  /// `who` did not answer in time.
  void silent(member_id who) {
    silent_ = silent_ || who == leader_;
    if (who != believed() || (others_.empty() && (who != hint_ || !leader_)))
      return;   // with nobody else to ask, who was named is asked again
    hint_ = {}; // else whoever the core calls the leader: it may lead again, in the same term
    ask_next();
  }

  /// The link to `who` broke: it is not asked before `until`, unless it is the leader again.
  void link_lost(member_id who, instant until) {
    if (who == believed())
      ask_next();
    if (who == hint_)
      hint_ = {};
    if (who != leader_)
      return;
    lost_until_ = until;
    silent_ = true;
  }

  /// From now on, ask these in turn whenever the leader is not known: a node that has been removed
  /// hears nothing of leaders any more.
  void ask_around(std::vector<member_id> others) {
    others_ = std::move(others);
    std::erase(others_, self_);
    turn_ = 0;
  }

  /// Whom to send to now; none: nobody.
  [[nodiscard]] member_id target(instant now) const {
    const auto who = believed();
    return who == leader_ && lost_until_ && now < *lost_until_ ? member_id{} : who;
  }

  /// When there may be a target again though nothing happens.
  [[nodiscard]] std::optional<instant> next_target(instant now) const {
    return lost_until_ && now < *lost_until_ ? lost_until_ : std::nullopt;
  }

  /// Whether somebody leads who, as far as is known here, can be reached. A node that is cut off
  /// goes on naming the last leader it knew; what tells it is that nobody answers.
  [[nodiscard]] bool known() const { return leader_ && !silent_; }

  [[nodiscard]] member_id leader() const { return leader_; } ///< as the core says
  [[nodiscard]] term_number term() const { return term_; }

private:
  [[nodiscard]] member_id believed() const {
    if (hint_)
      return hint_;
    if (!others_.empty() && !known())
      return others_[turn_ % others_.size()];
    return leader_ == self_ ? member_id{} : leader_;
  }

  void ask_next() { ++turn_; }

  member_id self_;
  term_number term_ = {};
  member_id leader_ = {};
  member_id hint_ = {}; ///< who leads, as another node said
  bool silent_ = false; ///< the leader owes an answer, or the link to it broke
  std::optional<instant> lost_until_ = {};
  std::vector<member_id> others_;
  std::size_t turn_ = 0; ///< whose turn it is among `others_`
};

} // namespace understudy
