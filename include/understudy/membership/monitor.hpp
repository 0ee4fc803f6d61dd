// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The membership monitor (S12): how a node founds or enters a cluster, takes others in, sees to it
/// that the right members vote, and leaves.
///
/// It changes nothing itself. What it wants goes to the raft core, which appends it or refuses;
/// what it acts on are the configurations that the core shows it. Each task is a class of its own,
/// this one only hands them what arrives.

#include <understudy/core/assert.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/core/random.hpp>
#include <understudy/membership/admission.hpp>
#include <understudy/membership/dropping.hpp>
#include <understudy/membership/entering.hpp>
#include <understudy/membership/evicting.hpp>
#include <understudy/membership/founding.hpp>
#include <understudy/membership/handing_over.hpp>
#include <understudy/membership/journal.hpp>
#include <understudy/membership/leaving.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/membership/order_office.hpp>
#include <understudy/membership/orders.hpp>
#include <understudy/membership/presence.hpp>
#include <understudy/membership/scene.hpp>
#include <understudy/membership/seating.hpp>
#include <understudy/membership/settings_watch.hpp>
#include <understudy/membership/signs.hpp>
#include <understudy/membership/state.hpp>
#include <understudy/membership/tickets.hpp>
#include <understudy/membership/version_watch.hpp>
#include <understudy/membership/whatif.hpp>
#include <understudy/roster/roster.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace understudy {

/// The component.
class monitor {
public:
  using peer_messages = type_list<census_request, census_reply, enter_request, enter_reply,
                                  seat_request, presence, order_request, order_reply>;
  using notices = type_list<core_view, change_taken, peer_lost, seed_met, local_order,
                            leave_cluster, calls_drained>;

  /// `options` must be valid; the cluster id of a founder, and all jitter, come from `random`.
  monitor(monitor_options options, random_source random)
      : options_{std::make_shared<const monitor_options>(std::move(options))}, random_{random},
        founding_{options_}, entering_{options_}, admission_{options_}, asker_{options_},
        giver_{options_}, presence_{options_}, evictor_{options_}, dropper_{options_},
        hand_back_{options_}, office_{options_}, desk_{options_}, leaver_{options_},
        settings_watch_{options_}, version_watch_{options_}, tickets_{random_.next() >> 1} {
    UNDERSTUDY_ASSERT(complaints(*options_).empty(), "options are validated before the start");
    state_ = options_->returning ? membership::member
             : options_->found   ? membership::founding
                                 : membership::entering;
    if (const auto& own = options_->returning)
      entering_.returned(own->self, own->cluster);
  }

  // -- from other nodes ------------------------------------------------------------------------

  void on(member_id from, census_request& what, instant, outbox& out) {
    if (from == options_->self.id)
      return;
    if (what.founding && undecided())
      give_up(founding_.met(from), out);
    // Another founder must hear of this cluster at once; whoever would enter it, once it is sure to
    // stay: a founder that is started again before that founds another one.
    const bool firm = !founded_ || view_.committed.content || what.founding;
    census_reply reply{.cluster = firm ? known_cluster() : cluster_id{}, .founding = undecided()};
    if (is_member()) {
      const auto& known = view_.committed.content->members;
      reply.members = static_cast<std::uint32_t>(
          std::ranges::count(known, standing::present, &member::status));
      reply.leader = view_.leader;
      reply.leader_address = leader_address(view_);
      if (!view_.leads || view_.term_committed) // else there may be much more
        reply.committed = view_.committed.index;
    } else if (state_ == membership::entering) {
      reply.leader = entering_.leader();
    }
    out.send(from, std::move(reply));
  }

  void on(member_id from, census_reply& what, instant, outbox& out) {
    if (undecided())
      give_up(founding_.heard(from, what), out);
    else if (founded_ && what.cluster && what.cluster != founded_
             && !std::exchange(met_another_, true))
      warn(errc::cluster_exists,
           "founded cluster " + std::to_string(founded_.value) + ", and member "
               + std::to_string(from.value) + " answers too late for cluster "
               + std::to_string(what.cluster.value),
           out);
    else if (may_ask_seeds())
      give_up(entering_.heard(from, what), out);
  }

  void on(member_id from, enter_request& what, instant now, outbox& out) {
    signs_.saw(from, now);
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

  void on(member_id from, enter_reply& what, instant now, outbox& out) {
    if (!may_ask_seeds())
      return;
    const auto why = entering_.heard(from, what, now, out);
    if (!why || state_ == membership::entering)
      return give_up(why, out);
    out.tell(sent_away{why->leader});
    send_away(*why, now, out);
  }

  void on(member_id from, seat_request&, instant now, outbox&) {
    signs_.saw(from, now);
    if (is_member())
      giver_.asked(from, view_);
  }

  void on(member_id from, presence&, instant now, outbox&) { signs_.saw(from, now); }

  void on(member_id from, order_request& what, instant now, outbox& out) {
    signs_.saw(from, now);
    office_.take(from, what.id, std::move(what.what), scene_at(now, out));
  }

  void on(member_id from, order_reply& what, instant now, outbox& out) {
    desk_.answered(from, what.id, what.result, scene_at(now, out));
  }

  // -- from this node --------------------------------------------------------------------------

  void on(core_view& what, instant now, outbox& out) {
    view_ = std::move(what);
    UNDERSTUDY_ASSERT(!view_.committed.content || view_.newest.content,
                      "what is committed stands in the log");
    if (is_member()) {
      if (!shown_)
        arrive(out);
      settings_watch_.see(view_.committed, out);
      admission_.refresh(view_, out);
    }
    look_for_own_place(now, out);
  }

  void on(change_taken& what, instant now, outbox& out) {
    if (!giver_.taken(what, now) && !evictor_.taken(what, now) && !dropper_.taken(what, now)
        && !office_.taken(what, scene_at(now, out)))
      admission_.taken(what, view_, out);
  }

  void on(seed_met& m, instant, outbox&) { founding_.met_as(m.contact, m.who); }

  void on(peer_lost& what, instant, outbox&) {
    signs_.lost(what);
    entering_.lost(what.who);
    for (auto& p : view_.peers)
      if (p.id == what.who)
        p.caught_up = p.in_contact = false;
  }

  // -- from the driver -------------------------------------------------------------------------

  void on(local_order& what, instant now, outbox& out) {
    if (state_ == membership::failed)
      out.tell(order_done{what.id, tl::unexpected{failure_}});
    else if (leaver_.step() == leave_step::ended)
      out.tell(order_done{what.id, fail(errc::stopped, "this node has left")});
    else
      desk_.take(what, scene_at(now, out));
  }

  void on(leave_cluster& what, instant now, outbox& out) {
    leaver_.start(what.limit, scene_at(now, out));
  }

  void on(calls_drained&, instant, outbox&) { leaver_.drained(); }
  void wake(instant, outbox&) {}

  /// All that depends on the time happens here, once for everything that arrived together.
  void settle(instant now, outbox& out) {
    settled_ = now;
    signs_.refresh(view_, now);
    const auto s = scene_at(now, out);
    if (undecided() && !leaver_.has_begun() && founding_.ready(now, random_, out)) {
      auto first = first_configuration(*options_, random_);
      founded_ = first.cluster;
      out.tell(found_cluster{std::move(first)});
    }
    if (may_ask_seeds()) {
      entering_.in_touch(view_.leader_known);
      entering_.pump(now, random_, view_.newest.content.get(), out);
    }
    leaver_.pump(s, desk_, is_outside());
    if (is_member()) {
      asker_.pump(view_, now, out);
      evictor_.pump(s);
      dropper_.pump(s);
      giver_.pump(s, evictor_.substitutes(),
                  evictor_.is_busy(view_) || dropper_.is_busy(view_) || leaver_.is_handing_over());
      hand_back_.pump(s, giver_.last());
      version_watch_.pump(s, desk_);
    }
    if (is_member() || entering_.accepted())
      presence_.pump(leader(), view_.committed.content, now, out);
    desk_.pump(s, office_);
    office_.pump(s);
    desk_.collect(s, office_);
  }

  // -- for status ------------------------------------------------------------------------------

  [[nodiscard]] membership_status status() const {
    membership_status result{
        .state = state_, .obstacle = failure_, .leaving = leaver_.step(), .plan = giver_.last()};
    if (may_ask_seeds() && entering_.is_kept_out())
      result.obstacle = entering_.obstacle();
    return result;
  }

  /// The newest decisions about seats that were made here, with their reasons.
  [[nodiscard]] const class journal& journal() const { return journal_; }

  /// What would become of the voters, as things stand; `not_leader` elsewhere than at the leader.
  [[nodiscard]] expected<forecast> what_if(const std::vector<supposed>& what) const {
    if (!leads())
      return fail(errc::not_leader, {}, view_.leader);
    return plan_if(giver_.supposed_input(view_, signs_, settled_), what);
  }

  /// Whether `who` can leave and the rest be no worse off than it must be; `not_leader` elsewhere
  /// than at the leader, `removed` for a member that is not there.
  [[nodiscard]] expected<bool> safe_to_stop(member_id who) const {
    if (!leads())
      return fail(errc::not_leader, {}, view_.leader);
    if (!find(*view_.newest.content, who))
      return fail(errc::removed, detail::label_of(who) + " is not in the roster");
    return is_safe_to_stop(giver_.supposed_input(view_, signs_, settled_), who);
  }

private:
  /// Told to found, and has neither done so nor given up.
  [[nodiscard]] bool undecided() const { return state_ == membership::founding && !founded_; }

  /// As a newcomer, or as a member that may have lost sight of its cluster.
  [[nodiscard]] bool may_ask_seeds() const {
    return !leaver_.has_begun() && (state_ == membership::entering || state_ == membership::member);
  }

  /// Whether the committed roster, as far as this node has it, shows this node. Configurations from
  /// before its own entry are history, and nothing is done on account of them (B5).
  ///
  /// A node that was sent away may still have a vote, and even lead: it does what it must until the
  /// roster is without it.
  [[nodiscard]] bool is_member() const {
    return (state_ != membership::failed || sent_away_) && is_listed();
  }

  [[nodiscard]] bool is_listed() const {
    return view_.committed.content && find(*view_.committed.content, options_->self.id);
  }

  /// Not in the roster, and not on the way into it.
  [[nodiscard]] bool is_outside() const {
    const bool expected = founded_ || entering_.accepted();
    return !is_listed() && (has_been_listed() || !expected);
  }

  /// Whether this node's own log has come to where the committed roster shows it, or beyond: a
  /// slow newcomer may have been evicted in the meantime.
  [[nodiscard]] bool has_been_listed() const {
    return shown_
           || (entering_.accepted() && view_.committed.content
               && view_.committed.index >= entering_.accepted_at());
  }

  [[nodiscard]] bool leads() const { return view_.leads && is_member(); }

  /// Whom to tell that this node is alive; before the own log shows anything, whoever took it in.
  [[nodiscard]] member_id leader() const {
    return view_.leader || is_listed() ? view_.leader : entering_.leader();
  }

  [[nodiscard]] scene scene_at(instant now, outbox& out) {
    return {options_->self.id, view_, signs_, now, tickets_, journal_, out};
  }

  /// The committed roster may show that this node was sent away, without having asked for it.
  void look_for_own_place(instant now, outbox& out) {
    if (!has_been_listed() || leaver_.has_begun())
      return;
    const auto* own = find(*view_.committed.content, options_->self.id);
    if (own && own->status != standing::evicted)
      return;
    send_away({errc::removed, own ? "this node was evicted" : "this node was dropped"}, now, out);
  }

  void send_away(const failure& why, instant now, outbox& out) {
    if (!std::exchange(sent_away_, true))
      out.tell(node_event{.what = node_event::kind::evicted,
                          .who = options_->self.id,
                          .index = view_.committed.index,
                          .code = why.code,
                          .detail = why.detail});
    if (view_.leads || state_ == membership::failed)
      return; // as the leader, it has to find itself a successor first
    state_ = membership::failed;
    failure_ = why;
    desk_.abandon(why, scene_at(now, out));
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
    const auto& known = *view_.committed.content;
    const auto* self = find(known, options_->self.id);
    if (state_ == membership::entering && !entering_.accepted()) // the answer was lost
      out.tell(entered_cluster{
          .cluster = known.cluster, .entered = self->entered, .roster = view_.committed});
    entering_.arrived(*self, known.cluster);
    shown_ = true;
    state_ = membership::member;
    out.tell(
        node_event{.what = node_event::kind::entered, .who = self->id, .index = self->entered});
  }

  std::shared_ptr<const monitor_options> options_;
  random_source random_;
  founding founding_;
  entering entering_;
  admission admission_;
  seat_asker asker_;
  seat_giver giver_;
  presence_sender presence_;
  evictor evictor_;
  dropper dropper_;
  hand_back hand_back_;
  order_office office_;
  order_desk desk_;
  leaver leaver_;
  settings_watch settings_watch_;
  version_watch version_watch_;
  ticket_line tickets_;
  signs_of_life signs_ = {};
  class journal journal_ = {};
  instant settled_ = {};
  core_view view_ = {};
  membership state_ = membership::entering;
  failure failure_ = {};
  cluster_id founded_ = {};  ///< the cluster that this node made
  bool met_another_ = false; ///< cluster, though it had made one
  bool shown_ = false;       ///< the committed roster has shown this node
  bool sent_away_ = false;   ///< and then that it was evicted, or it no more
};

} // namespace understudy
