// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The actor that watches over a node's others, and over its peers.
///
/// A node lives and dies as a whole: when one of its actors ends, for whatever reason, the rest
/// does too, every caller gets an answer, and subscribers hear why. What peers are concerned, it
/// tells the components as soon as CAF says that a peer's actors are gone, which in one process is
/// at once.

#include <understudy/actors/backstage.hpp>
#include <understudy/actors/control.hpp>
#include <understudy/actors/interface.hpp>
#include <understudy/core/routing.hpp>
#include <understudy/observe/events.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace understudy {

/// The application's ears. Called in the supervisor, one at a time: be brief, and do not throw.
struct node_hooks {
  std::function<void(const node_event&)> on_event = {};
  log_sink log = log_to_stderr;
};

namespace detail {

template <class N, class... Ns> constexpr std::size_t place_among(const std::variant<Ns...>*) {
  std::size_t place = 0;
  static_cast<void>(((std::is_same_v<N, Ns> || (++place, false)) || ...));
  return place;
}

/// Where `N` stands in `sibling_message`.
template <class N>
inline constexpr std::size_t place_of_notice
    = place_among<N>(static_cast<const sibling_message*>(nullptr));

} // namespace detail

class supervisor final : public caf::event_based_actor {
public:
  /// `over` is set when the node's last actor has ended.
  supervisor(caf::actor_config& config, std::shared_ptr<backstage> stage, node_hooks hooks,
             std::promise<void> over)
      : caf::event_based_actor(config), stage_{std::move(stage)}, hooks_{std::move(hooks)},
        over_{std::move(over)} {
    on_unexpected(*this, [] {});
  }

  caf::behavior make_behavior() override {
    return chain([this](connect_siblings& to) { connect(std::move(to.sheet)); },
                 [this](node_event& what) { announce(std::move(what)); },
                 [this](watch_peers& who) { look_after(who); },
                 [this](peers_gone& who) { tell_lost(who.who); },
                 [this](component_broke& what) { give_up(std::move(what.why)); },
                 [this](message_unexpected) { count_unexpected(); },
                 [this](subscribe& who) { add_subscriber(std::move(who.to)); },
                 [this](stop_node how) { stop(how.abrupt); });
  }

  /// However this actor ends, the node ends with it.
  void on_exit() override {
    stage_->closed = true;
    if (sheet_) {
      for (const auto& actor : sheet_->actors)
        kill(actor);
      local_links::withdraw(system(), stage_->address, sheet_->actors);
    }
    stage_->peers.close();
    stage_->board.update([](status_notes& notes) { notes.stopped = true; });
    sheet_.reset();
    subscribers_.clear();
    hooks_ = {};
    over_.set_value();
  }

  [[nodiscard]] const char* name() const override { return "understudy.supervisor"; }

private:
  void connect(std::shared_ptr<const call_sheet> sheet) {
    sheet_ = std::move(sheet);
    for (const auto& actor : sheet_->actors) {
      ++alive_;
      watch_actor(*this, actor, [this](caf::actor_id id) { on_down(id); });
    }
  }

  // -- peers and subscribers ----------------------------------------------------------------------

  void look_after(const watch_peers& who) {
    for (const auto& [member, actor] : who.who) {
      peers_[actor->id()].push_back(member);
      watch_actor(*this, actor, [this](caf::actor_id id) { on_down(id); });
    }
  }

  void add_subscriber(caf::actor who) {
    if (!who || std::ranges::find(subscribers_, who) != subscribers_.end())
      return;
    watch_actor(*this, forget_type(who), [this](caf::actor_id id) { on_down(id); });
    subscribers_.push_back(std::move(who));
  }

  void on_down(caf::actor_id id) {
    if (sheet_
        && std::ranges::any_of(sheet_->actors, [&](const any_actor& a) { return a->id() == id; }))
      return own_down();
    std::erase_if(subscribers_, [&](const caf::actor& a) { return a.id() == id; });
    if (const auto found = peers_.find(id); found != peers_.end()) {
      auto members = std::move(found->second);
      peers_.erase(found);
      std::erase_if(members, [&](member_id m) { return !stage_->peers.lose(m); });
      tell_lost(members);
    }
  }

  void tell_lost(const std::vector<member_id>& members) {
    if (!sheet_ || stage_->frozen)
      return;
    for (const auto member : members)
      for (const auto& actor : sheet_->notices[detail::place_of_notice<peer_lost>])
        post(origin_of(*this), actor, peer_lost{member, true});
  }

  // -- events -------------------------------------------------------------------------------------

  void announce(node_event what) {
    if (stage_->frozen)
      return;
    if (what.what == node_event::kind::machine_failed)
      stage_->board.update([&](status_notes& notes) {
        notes.trouble = {errc::machine_stopped, what.detail};
      });
    if (what.what == node_event::kind::enter_failed || what.what == node_event::kind::evicted)
      stage_->board.update([&](status_notes& notes) { notes.obstacle = {what.code, what.detail}; });
    if (is_warning(what.what))
      complain(what);
    if (hooks_.on_event)
      hooks_.on_event(what);
    for (const auto& who : subscribers_)
      post(origin_of(*this), forget_type(who), what);
  }

  template <class What> void complain(const What& what) {
    if (!hooks_.log)
      return;
    std::ostringstream line;
    line << "understudy: node " << stage_->self << ": " << what;
    hooks_.log(line.str());
  }

  /// Says so for the 1st, 2nd, 4th, 8th ... only: whoever sends nonsense does not fill the log.
  void count_unexpected() {
    const auto count = ++unexpected_;
    stage_->board.update([&](status_notes& notes) { notes.unexpected_messages = count; });
    if ((count & (count - 1)) == 0)
      complain("unexpected messages so far: " + std::to_string(count));
  }

  // -- the end ------------------------------------------------------------------------------------

  void give_up(std::string why) {
    stage_->board.update([&](status_notes& notes) { notes.trouble = {errc::node_broken, why}; });
    broken_ = true;
    announce({.what = node_event::kind::node_stopped,
              .who = stage_->self,
              .code = errc::node_broken,
              .detail = std::move(why)});
    stop(false);
  }

  void stop(bool abrupt) {
    stage_->closed = true;
    if (!sheet_)
      return quit(caf::exit_reason::normal);
    if (std::exchange(stopping_, true) && !abrupt)
      return;
    stage_->board.update([](status_notes& notes) { notes.stopped = true; });
    for (const auto& actor : sheet_->actors) {
      if (abrupt) {
        kill(actor);
        continue;
      }
      if (actor == sheet_->exchange)
        continue;
      post(origin_of(*this), actor, close_front{});
      post(origin_of(*this), actor, finish_work{});
    }
  }

  void own_down() {
    --alive_;
    if (!stopping_ && !stage_->closed && !broken_)
      give_up("one of the node's actors was ended from outside");
    else if (!stopping_)
      stop(false);
    if (alive_ == 1 && sheet_->exchange)
      post(origin_of(*this), sheet_->exchange, finish_work{});
    if (alive_ == 0)
      quit(caf::exit_reason::normal);
  }

  std::shared_ptr<backstage> stage_;
  node_hooks hooks_;
  std::promise<void> over_;
  std::shared_ptr<const call_sheet> sheet_;
  std::map<caf::actor_id, std::vector<member_id>> peers_;
  std::vector<caf::actor> subscribers_;
  std::uint64_t unexpected_ = 0;
  std::size_t alive_ = 0;
  bool stopping_ = false;
  bool broken_ = false;
};

} // namespace understudy
