// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The membership monitor (S12): how a node founds or enters a cluster, takes others in, and sees
/// to it that the right members vote.
///
/// It changes nothing itself. What it wants goes to the raft core, which appends it or refuses;
/// what it acts on are the configurations that the core shows it. Each task is a class of its own,
/// this one only hands them what arrives.

#include <understudy/core/assert.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/core/random.hpp>
#include <understudy/membership/admission.hpp>
#include <understudy/membership/entering.hpp>
#include <understudy/membership/founding.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/membership/seating.hpp>
#include <understudy/membership/tickets.hpp>
#include <understudy/roster/roster.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace understudy {

/// How far a node is.
enum class membership : std::uint8_t {
  founding = 0, ///< was told to make a cluster, and has not yet
  entering = 1, ///< asks to be taken in, or catches up to its own enter entry
  member = 2,   ///< stands in a committed roster
  failed = 3,   ///< can not found or enter; stays as it is until it is started anew
};

[[nodiscard]] constexpr std::string_view to_string(membership state) {
  switch (state) {
  case membership::founding:
    return "founding";
  case membership::entering:
    return "entering";
  case membership::member:
    return "member";
  case membership::failed:
    return "failed";
  }
  return "unlisted";
}

inline std::ostream& operator<<(std::ostream& out, membership m) {
  return out << to_string(m);
}

/// What the monitor can say of itself.
struct membership_status {
  membership state = membership::entering;
  failure obstacle = {};                ///< `failed`: why; `entering`: what is in the way
  std::optional<plan_result> plan = {}; ///< leading: who should vote, and what it waits for
};

/// The component.
class monitor {
public:
  using peer_messages
      = type_list<census_request, census_reply, enter_request, enter_reply, seat_request>;
  using notices = type_list<core_view, change_taken, peer_lost>;

  /// `options` must be valid; the cluster id of a founder, and all jitter, come from `random`.
  monitor(monitor_options options, random_source random)
      : options_{std::make_shared<const monitor_options>(std::move(options))}, random_{random},
        founding_{options_}, entering_{options_}, admission_{options_}, asker_{options_},
        giver_{options_} {
    UNDERSTUDY_ASSERT(complaints(*options_).empty(), "options are validated before the start");
    state_ = options_->returning ? membership::member
             : options_->found   ? membership::founding
                                 : membership::entering;
  }

  // -- from other nodes ------------------------------------------------------------------------

  void on(member_id from, census_request& what, instant, outbox& out) {
    if (from == options_->self.id)
      return;
    if (what.founding && undecided())
      give_up(founding_.met(from), out);
    census_reply reply{.cluster = known_cluster(), .founding = undecided()};
    if (is_member()) {
      const auto& known = view_.committed.content->members;
      reply.members = static_cast<std::uint32_t>(
          std::ranges::count(known, standing::present, &member::status));
      reply.leader = view_.leader;
      reply.leader_address = leader_address(view_);
    } else if (state_ == membership::entering) {
      reply.leader = entering_.leader();
    }
    out.send(from, std::move(reply));
  }

  void on(member_id from, census_reply& what, instant, outbox& out) {
    if (undecided())
      give_up(founding_.heard(from, what), out);
    else if (state_ == membership::entering)
      give_up(entering_.heard(from, what), out);
    else if (founded_ && what.cluster && what.cluster != founded_)
      warn(errc::cluster_exists,
           "founded cluster " + std::to_string(founded_.value) + ", and member "
               + std::to_string(from.value) + " answers too late for cluster "
               + std::to_string(what.cluster.value),
           out);
  }

  void on(member_id from, enter_request& what, instant, outbox& out) {
    if (what.newcomer.id != from) {
      out.tell(node_event{.what = node_event::kind::protocol_violation,
                          .who = from,
                          .detail = "asks to be taken in under the id "
                                    + std::to_string(what.newcomer.id.value)});
      return;
    }
    if (is_member())
      admission_.request(what, view_, tickets_, out);
    else
      out.send(from, enter_reply{.code = errc::not_leader, .leader = entering_.leader()});
  }

  void on(member_id from, enter_reply& what, instant, outbox& out) {
    if (state_ == membership::entering)
      give_up(entering_.heard(from, what, out), out);
  }

  void on(member_id from, seat_request&, instant, outbox&) {
    if (is_member())
      giver_.asked(from, view_);
  }

  // -- from this node --------------------------------------------------------------------------

  void on(core_view& what, instant, outbox& out) {
    view_ = std::move(what);
    UNDERSTUDY_ASSERT(!view_.committed.content || view_.newest.content,
                      "what is committed stands in the log");
    if (!is_member())
      return;
    if (!shown_)
      arrive(out);
    compare_rules(out);
    admission_.refresh(view_, out);
  }

  void on(change_taken& what, instant now, outbox& out) {
    if (!giver_.taken(what, now))
      admission_.taken(what, view_, out);
  }

  void on(peer_lost& what, instant, outbox&) {
    entering_.lost(what.who);
    for (auto& p : view_.peers)
      if (p.id == what.who)
        p.caught_up = p.in_contact = false;
  }

  // -- from the driver -------------------------------------------------------------------------

  void wake(instant, outbox&) {}

  /// All that depends on the time happens here, once for everything that arrived together.
  void settle(instant now, outbox& out) {
    if (undecided() && founding_.ready(now, random_, out)) {
      auto first = first_configuration(*options_, random_);
      founded_ = first.cluster;
      out.tell(found_cluster{std::move(first)});
    }
    if (state_ == membership::entering)
      entering_.pump(now, random_, out);
    if (is_member()) {
      asker_.pump(view_, now, out);
      giver_.pump(view_, now, tickets_, out);
    }
  }

  // -- for status ------------------------------------------------------------------------------

  [[nodiscard]] membership_status status() const {
    membership_status result{.state = state_, .obstacle = failure_, .plan = giver_.last()};
    if (state_ == membership::entering && !entering_.accepted())
      result.obstacle = entering_.obstacle();
    return result;
  }

private:
  /// Told to found, and has neither done so nor given up.
  [[nodiscard]] bool undecided() const { return state_ == membership::founding && !founded_; }

  /// Whether the committed roster, as far as this node has it, shows this node. Configurations from
  /// before its own entry are history, and nothing is done on account of them (B5).
  [[nodiscard]] bool is_member() const {
    return state_ != membership::failed && view_.committed.content
           && find(*view_.committed.content, options_->self.id);
  }

  /// Any cluster that this node has heard of: whoever asks in order to found one must know, even if
  /// this node is not in it yet.
  [[nodiscard]] cluster_id known_cluster() const {
    for (const auto& known : {view_.committed.content, view_.newest.content})
      if (known)
        return known->cluster;
    return founded_ ? founded_ : entering_.cluster();
  }

  void give_up(const std::optional<failure>& why, outbox& out) {
    if (!why)
      return;
    state_ = membership::failed;
    failure_ = *why;
    warn(why->code, why->detail, out);
  }

  void warn(errc code, std::string detail, outbox& out) const {
    out.tell(node_event{.what = node_event::kind::enter_failed,
                        .who = options_->self.id,
                        .code = code,
                        .detail = std::move(detail)});
  }

  /// The committed roster shows this node for the first time.
  void arrive(outbox& out) {
    const auto* self = find(*view_.committed.content, options_->self.id);
    if (state_ == membership::entering && !entering_.accepted()) // the answer was lost
      out.tell(entered_cluster{.cluster = view_.committed.content->cluster,
                               .entered = self->entered,
                               .roster = view_.committed});
    shown_ = true;
    state_ = membership::member;
    out.tell(
        node_event{.what = node_event::kind::entered, .who = self->id, .index = self->entered});
  }

  /// The cluster's settings count; other ones given here are reported, each time they change.
  void compare_rules(outbox& out) {
    const auto& rules = view_.committed.content->rules;
    if (compared_ == rules)
      return;
    compared_ = rules;
    if (auto text = difference(options_->rules, rules); !text.empty())
      out.tell(node_event{.what = node_event::kind::settings_differ,
                          .who = options_->self.id,
                          .index = view_.committed.index,
                          .code = errc::settings_differ,
                          .detail = std::move(text)});
  }

  std::shared_ptr<const monitor_options> options_;
  random_source random_;
  founding founding_;
  entering entering_;
  admission admission_;
  seat_asker asker_;
  seat_giver giver_;
  ticket_line tickets_ = {};
  core_view view_ = {};
  membership state_ = membership::entering;
  failure failure_ = {};
  cluster_id founded_ = {}; ///< the cluster that this node made
  bool shown_ = false;      ///< the committed roster has shown this node
  std::optional<settings> compared_ = {};
};

} // namespace understudy
