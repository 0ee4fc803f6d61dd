// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The actor around pure components: the only place that knows both CAF and how components work.
///
/// There is no rule of Raft in here. A shell takes what arrives, hands it to the components it
/// hosts, and carries out what they ask for. What arrives together is handled together: the first
/// message of a batch makes the shell send itself a note, and when that note is read everything
/// that was waiting before it has been handled. Then the components settle, so that a thousand
/// requests make one proposal, one disk write and one message per peer.

#include <understudy/actors/backstage.hpp>
#include <understudy/actors/control.hpp>
#include <understudy/actors/ensemble.hpp>
#include <understudy/actors/interface.hpp>
#include <understudy/actors/post.hpp>
#include <understudy/actors/report.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace understudy {

/// The common part of `shell` and of shells that take more than their components do.
///
/// Handlers and interface come from the same lists, the components' own; so the actor is what
/// `component_actor<Component>` says, although it is spawned as an untyped one: CAF's typed base
/// classes would check the same once more, at many seconds of every user's compile time.
///
/// `Derived` may hide any of the hooks at the end of the protected part.
template <class Derived, component... Components>
class basic_shell : public caf::event_based_actor {
public:
  basic_shell(caf::actor_config& config, std::shared_ptr<backstage> stage, Components... parts)
      : caf::event_based_actor(config), stage_{std::move(stage)}, parts_{std::move(parts)...} {
    on_unexpected(*this, [this] { post(origin_of(*this), supervisor(), message_unexpected{}); });
  }

  caf::behavior make_behavior() override {
    auto all = control_handlers();
    ((all = all.or_else(letter_handlers(typename Components::peer_messages{}))), ...);
    ((all = all.or_else(notice_handlers(typename Components::notices{}))), ...);
    return all.or_else(derived().extra_handlers());
  }

  void on_exit() override {
    derived().ending();
    sheet_.reset();
  }

  [[nodiscard]] const char* name() const override { return "understudy.shell"; }

protected:
  [[nodiscard]] instant now() { return clock().now(); }
  [[nodiscard]] any_actor supervisor() const { return sheet_ ? sheet_->supervisor : nullptr; }

  /// A component as it is now.
  template <class Component> [[nodiscard]] const Component& part() const {
    return parts_.template get<Component>();
  }

  template <class Component> [[nodiscard]] Component& part() {
    return parts_.template get<Component>();
  }

  /// Whether the node suffers a fault in which nothing that arrives has an effect.
  [[nodiscard]] bool frozen() const { return stage_->frozen.load(std::memory_order_relaxed); }

  /// Hands a notice to the components.
  template <class N> void tell(N what) {
    work([&] { parts_.tell(what, now()); });
  }

  /// Calls `step(component, now, outbox)`, and carries out at once what comes of it.
  template <class Component, class Step> void use(Step step) {
    work([&] { parts_.template use<Component>(step, now()); });
    end_batch();
  }

  /// Sends a letter past the components.
  void send(member_id to, peer_message what) {
    post_letter(origin_of(*this), *stage_, {to, std::move(what)});
  }

  /// More handlers.
  caf::message_handler extra_handlers() { return {}; }
  /// Looks at a letter before the components do, and may take something out of it.
  template <class M> void screen(member_id, M&) {}
  /// Takes a notice that leaves the components. Returns whether that is all there is to do with it.
  bool take(sibling_message&) { return false; }
  /// The node begins to stop.
  void closing() {}
  /// The actor ends, however that comes. Called once.
  void ending() {}

private:
  Derived& derived() { return static_cast<Derived&>(*this); }

  // -- what arrives -------------------------------------------------------------------------------

  template <class... Ms> caf::message_handler letter_handlers(type_list<Ms...>) {
    return chain([this](member_id from, Ms& what) {
      work([&] {
        meet<Ms>(from, what);
        derived().screen(from, what);
        parts_.receive(from, what, now());
      });
    }...);
  }

  template <class... Ns> caf::message_handler notice_handlers(type_list<Ns...>) {
    return chain([this](Ns& what) { work([&] { parts_.tell(what, now()); }); }...);
  }

  /// The note at the end of a batch is what comes most often.
  caf::message_handler control_handlers() {
    return chain([this](batch_over) { end_batch(); }, [this](timer_due due) { ring(due.armed); },
                 [this](connect_siblings& to) { connect(std::move(to.sheet)); },
                 [this](begin_work) { work([&] { parts_.begin(now()); }); },
                 [this](close_front) { derived().closing(); },
                 [this](finish_work) { quit(caf::exit_reason::normal); });
  }

  /// Runs `step` on the components as part of the current batch. What it throws ends the node.
  template <std::invocable Step> void work(Step step) {
    if (frozen())
      return;
    guarded(step);
    if (!std::exchange(in_batch_, true))
      post(origin_of(*this), any_actor{ctrl()}, batch_over{});
  }

  void connect(std::shared_ptr<const call_sheet> sheet) {
    sheet_ = std::move(sheet);
    const any_actor self{ctrl()};
    notice_set taken_outside;
    for (std::size_t i = 0; i < taken_outside.size(); ++i)
      for (const auto& who : sheet_->notices[i])
        taken_outside[i] = taken_outside[i] || who != self;
    parts_.share(taken_outside);
  }

  /// The timer wakes the components as part of a batch, like everything else.
  void ring(generation armed) {
    if (armed != timer_ || frozen())
      return;
    armed_for_.reset();
    work([&] { parts_.wake(now()); });
  }

  // -- the end of a batch -------------------------------------------------------------------------

  void end_batch() {
    in_batch_ = false;
    if (!frozen())
      guarded([&] {
        parts_.settle(now());
        carry_out();
      });
  }

  /// Notices go first: they may tell who the receivers of the letters are.
  void carry_out() {
    const auto from = origin_of(*this);
    auto& out = parts_.outside();
    for (auto& notice : out.notices) {
      look_at(notice, from);
      if (!derived().take(notice) && sheet_)
        post_notice(from, *sheet_, std::move(notice));
    }
    for (auto& letter : out.letters)
      post_letter(from, *stage_, std::move(letter));
    out.clear();
    post_changes(from, supervisor(), stage_->peers.take_news());
    set_timer();
    (report(parts_.template get<Components>(), stage_->board), ...);
  }

  /// What the components say of members concerns the directory too, and of the core the status.
  void look_at(const sibling_message& notice, const origin& from) {
    if (const auto* view = std::get_if<core_view>(&notice)) {
      post_changes(from, supervisor(),
                   stage_->peers.learn(view->committed.content, view->newest.content));
      stage_->board.update([&](status_notes& notes) { notes.core = *view; });
    } else if (const auto* entered = std::get_if<entered_cluster>(&notice);
               entered && entered->roster.content) {
      post_changes(from, supervisor(), stage_->peers.learn_from_afar(*entered->roster.content));
    } else if (const auto* heard = std::get_if<members_heard>(&notice)) {
      post_changes(from, supervisor(), stage_->peers.learn(heard->members));
    }
  }

  /// A wish for an earlier time needs a new timer; one for a later time finds the old one.
  void set_timer() {
    const auto next = parts_.next_wake();
    if (!next || (armed_for_ && *armed_for_ <= *next))
      return;
    armed_for_ = next;
    ++timer_;
    post_to_self_at(*this, *next, timer_due{timer_});
  }

  // -- everything else ----------------------------------------------------------------------------

  /// Remembers who writes from where, and who is said to lead.
  template <class M> void meet(member_id from, const M& what) {
    any_actor writer = current_sender();
    if (stage_->peers.meet(from, sending_desk<M>(), writer))
      post(origin_of(*this), supervisor(), watch_peers{{{from, std::move(writer)}}});
    if constexpr (requires { what.leader_address; })
      post_changes(origin_of(*this), supervisor(),
                   stage_->peers.learn_address(what.leader, what.leader_address));
  }

  /// After a broken invariant nothing that these components say can be trusted any more.
  template <std::invocable Step> void guarded(Step step) {
    try {
      return step();
    } catch (const std::exception& e) {
      post(origin_of(*this), supervisor(), component_broke{e.what()});
    } catch (...) {
      post(origin_of(*this), supervisor(), component_broke{"threw what is no std::exception"});
    }
    quit(caf::make_error(caf::sec::runtime_error));
  }

  std::shared_ptr<backstage> stage_;
  std::shared_ptr<const call_sheet> sheet_;
  ensemble<Components...> parts_;
  std::optional<instant> armed_for_;
  generation timer_;
  bool in_batch_ = false;
};

/// An actor that hosts one component or several, and takes what they take.
template <component... Components>
class shell final : public basic_shell<shell<Components...>, Components...> {
  friend class basic_shell<shell<Components...>, Components...>;

public:
  using basic_shell<shell<Components...>, Components...>::basic_shell;
};

} // namespace understudy
