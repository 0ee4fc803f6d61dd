// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The broker with a node's sockets: carries out what the switchboard asks for, and tells it what
/// became of it.
///
/// CAF's own protocol between processes is not spoken: nothing is published, and what arrives is
/// bytes until the switchboard has made sense of them (T1-T3).

#include <understudy/actors/backstage.hpp>
#include <understudy/actors/control.hpp>
#include <understudy/actors/interface.hpp>
#include <understudy/actors/network.hpp>
#include <understudy/actors/post.hpp>
#include <understudy/actors/supervisor.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/protocol/endpoint.hpp>
#include <understudy/protocol/frame.hpp>
#include <understudy/protocol/switchboard.hpp>
#include <understudy/transport/dialer.hpp>
#include <understudy/transport/exchange_messages.hpp>
#include <understudy/transport/link.hpp>
#include <understudy/transport/tcp_seed.hpp>

#include <caf/io/all.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace understudy {

/// What an exchange is made of.
struct exchange_parts {
  protocol::switchboard board;
  caf::io::doorman_ptr doorman = nullptr; ///< none: nobody can connect to this node
  interval dial_limit{0};
  bool knows_by_seed = false; ///< nodes go by the name under which they are called (clients)
  log_sink log = {};
};

/// The state of the broker. All of it runs in the thread that has the sockets.
class exchange {
public:
  exchange(caf::io::broker& self, exchange_parts parts) : self_{&self}, parts_{std::move(parts)} {}
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;
  ~exchange() {
    for (const auto& [who, guest] : guests_)
      kill(guest); // what is in its mailbox has nowhere to go
  }

  caf::behavior behavior() {
    return chain([this](open_doors& to) { open(to); },
                 [this](connect_siblings& to) { sheet_ = std::move(to.sheet); }, [](begin_work) {},
                 [](close_front) {}, [this](finish_work) { self_->quit(); },
                 [this](outgoing_frame& m) { send(m); }, [this](dial_ended& m) { dialed(m); },
                 [this](exchange_alarm m) { ring(m.at); },
                 [this](const caf::io::new_connection_msg& m) { accepted(m.handle); },
                 [this](const caf::io::new_data_msg& m) { received(m.handle, m.buf); },
                 [this](const caf::io::data_transferred_msg& m) { written(m); },
                 [this](const caf::io::connection_closed_msg& m) { closed(m.handle); },
                 [](const caf::io::acceptor_closed_msg&) {});
  }

private:
  using line_id = protocol::line_id;
  using outbox = protocol::switchboard_outbox;

  [[nodiscard]] instant now() const { return self_->clock().now(); }
  [[nodiscard]] bool is_deaf() const {
    return !stage_ || stage_->frozen.load(std::memory_order_relaxed);
  }

  /// From now on there is somebody whom messages can be given to.
  void open(open_doors& to) {
    stage_ = std::move(to.stage);
    desks_ = std::move(to.desks);
    if (parts_.doorman)
      self_->add_doorman(std::exchange(parts_.doorman, nullptr));
  }

  // -- what comes in ------------------------------------------------------------------------------

  /// Has the switchboard take one step, and does what it wants.
  template <class Step> void use(Step step) {
    if (is_deaf())
      return;
    outbox out;
    step(parts_.board, out);
    parts_.board.settle(now(), out);
    carry_out(out);
    if (stage_)
      stage_->board.update([&](auto& notes) { notes.connections = parts_.board.counters(); });
  }

  void send(outgoing_frame& m) {
    use([&](auto& board, outbox&) { board.send(m.to, std::move(m.what), now()); });
  }

  void accepted(caf::io::connection_handle at) {
    learn_cluster();
    const auto id = add_line(at);
    use([&](auto& board, outbox& out) { board.accepted(id, now(), out); });
    begin_reading(id);
  }

  void dialed(const dial_ended& m) {
    learn_cluster();
    auto& result = *m.result;
    if (!result.socket)
      return use([&](auto& board, outbox& out) {
        board.unreachable(m.where, result.refused, now(), out);
      });
    const auto id = add_line(self_->add_scribe(result.socket.release()));
    use([&](auto& board, outbox& out) { board.dialed(m.where, id, now(), out); });
    begin_reading(id);
  }

  void received(caf::io::connection_handle at, const auto& data) {
    const auto found = lines_.find(at);
    if (found != lines_.end())
      use([&](auto& board, outbox& out) {
        board.received(found->second, std::as_bytes(std::span{data}), now(), out);
      });
  }

  void written(const caf::io::data_transferred_msg& m) {
    const auto found = lines_.find(m.handle);
    if (found != lines_.end() && m.remaining == 0)
      use([&](auto& board, outbox&) { board.written(found->second); });
  }

  void closed(caf::io::connection_handle at) {
    const auto found = lines_.find(at);
    if (found == lines_.end())
      return;
    const auto id = found->second;
    forget(id);
    learn_cluster();
    use([&](auto& board, outbox& out) { board.closed(id, now(), out); });
  }

  void ring(instant at) {
    if (at != alarm_)
      return; // there is a nearer one
    alarm_.reset();
    use([&](auto& board, outbox& out) { board.wake(now(), out); });
  }

  // -- lines --------------------------------------------------------------------------------------

  /// CAF numbers its handles by sockets, which are used again.
  line_id add_line(caf::io::connection_handle at) {
    const auto id = ++last_line_;
    lines_[at] = id;
    handles_[id] = at;
    self_->ack_writes(at, true);
    // What is left of a closed line whose other end takes nothing is the system's to give up.
    constexpr unsigned patience_ms = 10'000;
    ::setsockopt(static_cast<int>(at.id()), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms,
                 sizeof patience_ms);
    return id;
  }

  /// When it is known that the line stays: of one that begins to be read and is closed within the
  /// same round of its event loop CAF lets nothing go, not even the socket.
  void begin_reading(line_id id) {
    if (const auto found = handles_.find(id); found != handles_.end())
      self_->configure_read(found->second, caf::io::receive_policy::at_most(read_bytes));
  }

  void forget(line_id id) {
    const auto found = handles_.find(id);
    if (found == handles_.end())
      return;
    lines_.erase(found->second);
    handles_.erase(found);
  }

  /// What the node knows of it may have changed since the last connection.
  void learn_cluster() {
    if (!stage_)
      return;
    const auto now = stage_->board.read();
    std::map<member_id, protocol::known_member> members;
    for (const auto& m : now.members)
      members.emplace(m.id, protocol::known_member{m.name, protocol::endpoint_of(m.address)});
    parts_.board.learn(now.cluster, std::move(members));
  }

  // -- what goes out ------------------------------------------------------------------------------

  void carry_out(outbox& out) {
    for (const auto& [where, who] : out.met)
      meet(where, who);
    for (const auto who : out.introduced)
      add_guest(who);
    for (auto& m : out.messages)
      deliver(m);
    for (const auto& lost : out.lost)
      tell_lost(lost);
    for (const auto& where : out.dial)
      begin_dialing(where);
    for (auto& w : out.write)
      write(w);
    for (const auto& a : out.listen)
      listen(a);
    for (const auto id : out.close)
      close(id);
    for (const auto& text : out.complaints)
      if (parts_.log)
        parts_.log("understudy: node " + std::to_string(stage_->self.value) + ": " + text);
    set_alarm(out.wake_at);
  }

  void meet(const protocol::endpoint& where, member_id who) {
    const auto contact = seed_name(where);
    if (parts_.knows_by_seed) {
      std::erase_if(names_, [&](const auto& named) { return named.second == contact; });
      names_[who] = contact;
      return tell(seed_met{contact, who});
    }
    auto known = where;
    known.who = who;
    post_changes(origin_of(*self_), sheet_ ? sheet_->supervisor : nullptr,
                 stage_->peers.learn_address(who, protocol::to_address(known)));
    tell(seed_met{contact, who});
  }

  [[nodiscard]] member_id name_of(member_id who) const {
    const auto found = names_.find(who);
    return found == names_.end() ? who : found->second;
  }

  /// Somebody may write to this node whom its roster does not have: answers go over the line that
  /// is there. The node may keep that link for as long as it likes, also for a later line.
  void add_guest(member_id who) {
    if (guests_.size() >= directory::guests_max)
      std::erase_if(guests_,
                    [this](const auto& one) { return !parts_.board.is_connected(one.first); });
    auto& guest = guests_[who];
    if (!guest)
      guest = forget_type(
          self_->system().spawn<link>(any_actor{self_->ctrl()}, protocol::endpoint{.who = who}));
  }

  void deliver(outbox::arrival& m) {
    const auto guest = guests_.find(m.from);
    const origin from{guest == guests_.end() ? nullptr : guest->second, nullptr};
    std::visit(
        [&]<class M>(M& what) {
          post(from, desks_.at(static_cast<std::size_t>(receiving_desk<M>())), name_of(m.from),
               std::move(what));
        },
        m.what);
  }

  void tell_lost(const peer_lost& what) { tell(peer_lost{name_of(what.who), what.gone}); }

  /// To everybody in the node who takes this.
  template <class Notice> void tell(const Notice& what) {
    if (sheet_)
      for (const auto& actor : sheet_->notices[detail::place_of_notice<Notice>])
        post(origin_of(*self_), actor, Notice{what});
  }

  /// In a thread of its own: it may take long, and then be for nothing.
  void begin_dialing(const protocol::endpoint& where) {
    self_->system().spawn<caf::detached>(
        [to = any_actor{self_->ctrl()}, where, limit = parts_.dial_limit](caf::event_based_actor*) {
          auto result = std::make_shared<dial_result>(dial(where.host, where.port, limit));
          post_from_outside(to, dial_ended{where, std::move(result)});
        });
  }

  void write(const outbox::writing& w) {
    const auto found = handles_.find(w.to);
    if (found == handles_.end())
      return;
    const auto put = [&](std::span<const std::byte> data) {
      self_->write(found->second, data.size(), data.data());
    };
    for (const auto& f : w.what) {
      put(protocol::header_of(f.kind, f.body));
      put(f.body.view());
    }
    put(w.sealed);
    self_->flush(found->second);
  }

  void listen(const outbox::attention& a) {
    const auto found = handles_.find(a.to);
    if (found == handles_.end())
      return;
    if (a.on)
      self_->trigger(found->second);
    else
      self_->halt(found->second);
  }

  void close(line_id id) {
    const auto found = handles_.find(id);
    if (found == handles_.end())
      return;
    self_->close(found->second);
    forget(id);
  }

  void set_alarm(std::optional<instant> when) {
    if (!when || (alarm_ && *alarm_ <= *when))
      return;
    alarm_ = when;
    post_to_self_at(*self_, *when, exchange_alarm{*when});
  }

  static constexpr std::size_t read_bytes = std::size_t{256} << 10;

  caf::io::broker* self_;
  exchange_parts parts_;
  std::shared_ptr<backstage> stage_;
  std::vector<any_actor> desks_; ///< by desk
  std::shared_ptr<const call_sheet> sheet_;
  std::map<caf::io::connection_handle, line_id> lines_;
  std::map<line_id, caf::io::connection_handle> handles_;
  std::map<member_id, any_actor> guests_; ///< who stands for those that a line leads to
  std::map<member_id, member_id> names_;  ///< see `exchange_parts::knows_by_seed`
  std::optional<instant> alarm_;
  line_id last_line_ = 0;
};

/// The broker's body.
inline caf::behavior run_exchange(caf::io::broker* self,
                                  const std::shared_ptr<exchange_parts>& parts) {
  on_unexpected(*self, [] {});
  auto state = std::make_shared<exchange>(*self, std::move(*parts));
  auto all = state->behavior();
  self->attach_functor([state] {}); // lives as long as the broker
  return all;
}

} // namespace understudy
