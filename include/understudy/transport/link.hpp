// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What stands for a node of another process: takes whatever that node's own actors would take, and
/// sends it there.

#include <understudy/actors/caf_version.hpp>
#include <understudy/actors/directory.hpp>
#include <understudy/actors/message_types.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/protocol/endpoint.hpp>
#include <understudy/protocol/message_codec.hpp>
#include <understudy/transport/exchange_messages.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace understudy {

/// One for each node. It encodes on its own, so that the thread with the sockets has little to do.
class link final : public caf::event_based_actor {
public:
  link(caf::actor_config& config, any_actor exchange, protocol::endpoint to)
      : caf::event_based_actor(config), exchange_{std::move(exchange)}, to_{std::move(to)} {
    on_unexpected(*this, [] {});
  }

  caf::behavior make_behavior() override {
    return handlers(static_cast<const peer_message*>(nullptr));
  }

  void on_exit() override { exchange_ = nullptr; }

  [[nodiscard]] const char* name() const override { return "understudy.link"; }

private:
  template <class... Ms> caf::behavior handlers(const std::variant<Ms...>*) {
    return chain([this](member_id, Ms& what) { pass_on(std::move(what)); }...);
  }

  void pass_on(peer_message what) {
    post(origin_of(*this), exchange_, outgoing_frame{to_, protocol::encode(what)});
  }

  any_actor exchange_;
  protocol::endpoint to_;
};

/// The links of one node, by where they lead. Safe from any thread.
class tcp_links final : public links {
public:
  tcp_links(caf::actor_system& system, any_actor exchange)
      : system_{&system}, exchange_{std::move(exchange)} {}
  ~tcp_links() override { close(); }

  /// Somebody is always there: whether it answers shows when something is sent.
  [[nodiscard]] std::optional<member_desks> reach(const std::string& address) override {
    auto where = protocol::endpoint_of(address);
    if (!where)
      return std::nullopt;
    const std::lock_guard lock{mutex_};
    if (!exchange_)
      return std::nullopt;
    std::erase_if(links_, [](const auto& one) { return !one.second.lock(); });
    auto& known = links_[*where];
    any_actor found = known.lock();
    if (!found) {
      found = forget_type(system_->spawn<link>(exchange_, std::move(*where)));
      known = caf::actor_cast<caf::weak_actor_ptr>(found);
    }
    member_desks all;
    all.fill(found);
    return all;
  }

  void close() override {
    const std::lock_guard lock{mutex_};
    for (const auto& [where, actor] : std::exchange(links_, {}))
      kill(actor.lock());
    kill(std::exchange(exchange_, nullptr)); // it has nobody left to send for
  }

private:
  std::mutex mutex_;
  caf::actor_system* system_;
  any_actor exchange_;
  std::map<protocol::endpoint, caf::weak_actor_ptr> links_; ///< each lives while it is known
};

} // namespace understudy
