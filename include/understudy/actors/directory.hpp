// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Who is behind a member_id: the one place where ids become actors.

#include <understudy/actors/caf_version.hpp>
#include <understudy/actors/interface.hpp>
#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/messages.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace understudy {

/// One member's actors, by desk. A desk may be empty: a client has a front only.
using member_desks = std::array<any_actor, desk_count>;

/// How members are reached: what turns an address of the roster into actors to send to.
///
/// `local_links` is the model for nodes of one process. For others the actors are links, which take
/// the same messages, encode them and send the bytes. The directory does not see a difference.
class links {
public:
  links() = default;
  links(const links&) = delete;
  links& operator=(const links&) = delete;
  virtual ~links() = default;

  /// The actors behind `address`, or nothing if there is nobody. Called from any thread.
  [[nodiscard]] virtual std::optional<member_desks> reach(const std::string& address) = 0;

  /// The node is over: nobody is reached any more.
  virtual void close() {}
};

/// Nodes of this process. An address is `local:` and a number, by which CAF's registry of this
/// actor system knows the desks; it takes any number for a key, and ours are drawn at random.
class local_links final : public links {
public:
  explicit local_links(caf::actor_system& system) : system_{&system} {}

  /// An address that nobody else has, made of `random`.
  [[nodiscard]] static std::string new_address(std::uint64_t random) {
    return std::string{scheme} + std::to_string(random - random % desk_count);
  }

  /// Makes the actors known under `address`, in the place of those of an earlier process.
  static void publish(caf::actor_system& system, const std::string& address,
                      const member_desks& desks) {
    if (const auto key = key_of(address))
      for (std::size_t i = 0; i < desks.size(); ++i) {
        system.registry().erase(*key + i); // what is there would stay
        system.registry().put(*key + i, desks[i]);
      }
  }

  /// Takes them back, unless a later process of the same node stands there already.
  static void withdraw(caf::actor_system& system, const std::string& address,
                       const std::vector<any_actor>& actors) {
    if (const auto key = key_of(address))
      for (std::size_t i = 0; i < desk_count; ++i) {
        const any_actor there = system.registry().get(*key + i);
        if (there && std::ranges::find(actors, there) != actors.end())
          system.registry().erase(*key + i);
      }
  }

  [[nodiscard]] std::optional<member_desks> reach(const std::string& address) override {
    const auto key = key_of(address);
    if (!key)
      return std::nullopt;
    member_desks found;
    for (std::size_t i = 0; i < desk_count; ++i) {
      found[i] = system_->registry().get(*key + i);
      if (!found[i])
        return std::nullopt;
    }
    return found;
  }

private:
  static constexpr std::string_view scheme = "local:";

  [[nodiscard]] static std::optional<caf::actor_id> key_of(std::string_view address) {
    if (!address.starts_with(scheme))
      return std::nullopt;
    address.remove_prefix(scheme.size());
    caf::actor_id key = 0;
    const auto* end = address.data() + address.size();
    const auto [stop, problem] = std::from_chars(address.data(), end, key);
    return problem == std::errc{} && stop == end ? std::optional{key} : std::nullopt;
  }

  caf::actor_system* system_;
};

/// What one node knows of the others. All its actors share it; every call is safe from any thread.
///
/// A member comes in through the roster, as a seed, or as a guest: somebody who wrote to this node
/// before the roster had it (a joiner, a client), and who is answered at the desk it wrote from.
/// Who has left the roster is a guest again: the answer to its farewell may be on its way.
class directory {
public:
  /// `self` is the node whose directory this is; it is not in it.
  directory(member_id self, std::unique_ptr<links> links) : self_{self}, links_{std::move(links)} {}

  /// Guests beyond this push the oldest out; it is taken in again with its next message.
  static constexpr std::size_t guests_max = 4'096;

  /// What a lesson changed: actors to watch, and members that nobody answers for.
  struct changes {
    std::vector<std::pair<member_id, any_actor>> to_watch = {};
    std::vector<member_id> gone = {};
  };

  /// Takes in the members of both configurations. Those of neither are forgotten, or are guests
  /// while they live.
  [[nodiscard]] changes learn(const configuration_ptr& committed, const configuration_ptr& newest) {
    const std::lock_guard lock{mutex_};
    changes result;
    if (closed_ || (committed == committed_ && newest == newest_))
      return result;
    committed_ = committed;
    newest_ = newest;
    const auto before = unlist();
    for (const auto& c : {committed_, newest_})
      if (c)
        list(c->members, result);
    for (const auto id : before)
      see_off(id);
    return result;
  }

  /// Likewise for a client, which has no configuration: those that it has heard of.
  [[nodiscard]] changes learn(const std::vector<member_place>& members) {
    const std::lock_guard lock{mutex_};
    changes result;
    if (closed_)
      return result;
    const auto before = unlist();
    list(members, result);
    for (const auto id : before)
      see_off(id);
    return result;
  }

  /// Takes in the members of a roster that is not this node's own yet, and forgets what was heard
  /// before. Its own may pass through old configurations first, which do not have them.
  [[nodiscard]] changes learn_from_afar(const configuration& roster) {
    const std::lock_guard lock{mutex_};
    changes result;
    if (closed_)
      return result;
    for (auto& [id, who] : members_)
      who.hearsay = false;
    for (const auto& m : roster.members)
      if (auto* who = take_in(m.id, m.address, result))
        who->hearsay = true;
    std::erase_if(members_, [](const auto& entry) { return !entry.second.wanted(); });
    return result;
  }

  /// Takes in one member by what another one told of it.
  [[nodiscard]] changes learn_address(member_id id, const std::string& address) {
    const std::lock_guard lock{mutex_};
    changes result;
    if (!closed_ && id && !address.empty())
      if (auto* who = take_in(id, address, result))
        who->hearsay = true;
    return result;
  }

  /// A seed stays known whatever the roster says.
  [[nodiscard]] changes add_seed(member_id id, const std::string& address) {
    const std::lock_guard lock{mutex_};
    changes result;
    if (!closed_)
      if (auto* who = take_in(id, address, result))
        who->seed = true;
    return result;
  }

  /// Takes note that `id` has written from `sender`. Returns whether that is news, and `sender` is
  /// to be watched: somebody new, or back with its log.
  [[nodiscard]] bool meet(member_id id, desk from, const any_actor& sender) {
    if (!sender || id == self_)
      return false;
    const std::lock_guard lock{mutex_};
    const auto found = members_.find(id);
    if (closed_)
      return false;
    if (found != members_.end() && found->second.gone)
      return welcome_back(found->second, from, sender);
    if (found != members_.end() && found->second.at(from))
      return false;
    auto& who = found != members_.end() ? found->second : members_[id];
    if (!who.wanted()) {
      who.guest = true;
      guests_.push_back(id);
    }
    who.at(from) = sender;
    make_room();
    return true;
  }

  /// The actor of `id` at a desk; null if it is not known, or gone. Somebody who is gone may be
  /// back and not know that it should say so here: its address is looked up again.
  [[nodiscard]] any_actor find(member_id id, desk at) {
    const std::lock_guard lock{mutex_};
    const auto found = members_.find(id);
    if (found == members_.end())
      return nullptr;
    auto& who = found->second;
    if (who.gone && come_back(who)) {
      news_.emplace_back(id, who.at(desk::core));
      has_news_ = true;
    }
    return who.at(at);
  }

  /// Whom `find` has found to be back since this was asked last.
  [[nodiscard]] changes take_news() {
    if (!has_news_.exchange(false))
      return {};
    const std::lock_guard lock{mutex_};
    return {.to_watch = std::exchange(news_, {})};
  }

  /// The actors of `id` have ended. Returns whether that is news.
  bool lose(member_id id) {
    const std::lock_guard lock{mutex_};
    const auto found = members_.find(id);
    if (found == members_.end() || found->second.gone)
      return false;
    std::erase(guests_, id);
    if (const auto& core = found->second.at(desk::core))
      found->second.lost_core = core->id();
    found->second.desks = {};
    found->second.guest = found->second.hearsay = false;
    found->second.gone = true;
    if (!found->second.wanted())
      members_.erase(found);
    return true;
  }

  /// Lets go of everybody, for good.
  void close() {
    std::map<member_id, acquaintance> released; // whose actors may end with it, out of the lock
    const std::lock_guard lock{mutex_};
    closed_ = true;
    links_->close();
    released.swap(members_);
    guests_.clear();
    committed_ = newest_ = nullptr;
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock{mutex_};
    return members_.size();
  }

private:
  struct acquaintance {
    member_desks desks = {};
    bool listed = false;  ///< in this node's own roster
    bool hearsay = false; ///< in another node's, as far as this one knows
    bool seed = false;
    bool guest = false;
    bool resolved = false;       ///< its address was looked up, with or without success
    bool gone = false;           ///< its actors have ended
    std::string address = {};    ///< as it was learned last
    caf::actor_id lost_core = 0; ///< its raft core that has ended

    [[nodiscard]] bool wanted() const { return listed || hearsay || seed || guest; }

    any_actor& at(desk d) { return desks[static_cast<std::size_t>(d)]; }
    const any_actor& at(desk d) const { return desks[static_cast<std::size_t>(d)]; }
  };

  /// Whoever was in the roster.
  std::vector<member_id> unlist() {
    std::vector<member_id> before;
    for (auto& [id, who] : members_)
      if (std::exchange(who.listed, false))
        before.push_back(id);
    return before;
  }

  template <class Members> void list(const Members& roster, changes& result) {
    for (const auto& m : roster)
      if (auto* who = take_in(m.id, m.address, result)) {
        who->listed = true;
        who->hearsay = false;
      }
  }

  /// The entry of `id`, resolved if it was not yet; null for the node itself.
  acquaintance* take_in(member_id id, const std::string& address, changes& result) {
    if (id == self_)
      return nullptr;
    auto& who = members_[id];
    who.address = address;
    if (std::exchange(who.guest, false))
      std::erase(guests_, id);
    if (std::exchange(who.resolved, true) && !who.gone)
      return &who;
    if (come_back(who)) {
      result.to_watch.emplace_back(id, who.at(desk::core));
    } else if (!who.gone && std::ranges::none_of(who.desks, [](const any_actor& d) {
                 return d != nullptr;
               })) {
      who.gone = true;
      result.gone.push_back(id);
    }
    return &who;
  }

  /// A durable node has come back under its id: `sender` is what its address stands for now. A late
  /// word of an actor that has ended is not.
  bool welcome_back(acquaintance& who, desk from, const any_actor& sender) {
    if (!come_back(who))
      return false;
    if (who.at(from) == sender)
      return true;
    who.desks = {};
    who.gone = true;
    return false;
  }

  bool come_back(acquaintance& who) {
    auto found = links_->reach(who.address);
    if (!found)
      return false;
    const auto& core = (*found)[static_cast<std::size_t>(desk::core)];
    if (core && core->id() == who.lost_core)
      return false;
    who.desks = std::move(*found);
    who.gone = false;
    return true;
  }

  /// `id` was in the roster. If it is no more, and lives, it may still wait for an answer.
  void see_off(member_id id) {
    auto& who = members_.at(id);
    if (who.wanted())
      return;
    if (who.gone) {
      members_.erase(id);
      return;
    }
    who.guest = true;
    guests_.push_back(id);
    make_room();
  }

  void make_room() {
    while (guests_.size() > guests_max) {
      members_.erase(guests_.front());
      guests_.pop_front();
    }
  }

  mutable std::mutex mutex_;
  member_id self_;
  std::unique_ptr<links> links_;
  std::map<member_id, acquaintance> members_;
  std::deque<member_id> guests_; ///< oldest first
  configuration_ptr committed_;
  configuration_ptr newest_;
  std::vector<std::pair<member_id, any_actor>> news_; ///< who is back, and is to be watched
  std::atomic<bool> has_news_{false};
  bool closed_ = false;
};

} // namespace understudy
