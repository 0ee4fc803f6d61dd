// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/random.hpp>
#include <understudy/protocol/frame.hpp>
#include <understudy/protocol/switchboard.hpp>

#include "protocol/support/stream.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace test_support {

namespace protocol = understudy::protocol;

/// Switchboards, and the wires between them, in virtual time: what a transport does with sockets.
class exchange_hall {
public:
  /// A node, listening at the port that is its id.
  struct office {
    protocol::switchboard board;
    bool listens = true;
    bool lives = true;
    std::optional<understudy::instant> wake_at = {};
    std::vector<protocol::switchboard_outbox::arrival> messages = {};
    std::vector<understudy::peer_lost> lost = {};
    std::vector<std::pair<protocol::endpoint, understudy::member_id>> met = {};
    std::vector<std::string> complaints = {};
  };

  explicit exchange_hall(std::uint64_t seed) : random_{seed} {}

  static protocol::hello hello_of(std::uint64_t id) {
    return {.id = {id}, .start = id * 7, .name = "node " + std::to_string(id)};
  }

  office& open(std::uint64_t id, protocol::switchboard_options options = {}) {
    return open(hello_of(id), options);
  }
  office& open(const protocol::hello& own, protocol::switchboard_options options = {}) {
    return offices_
        .try_emplace(own.id.value, office{protocol::switchboard{
                                       own, options, understudy::random_source{random_.next()}}})
        .first->second;
  }
  office& at(std::uint64_t id) { return offices_.at(id); }

  static protocol::endpoint address_of(std::uint64_t id) {
    return {"host", static_cast<std::uint16_t>(id), {id}};
  }
  static protocol::endpoint seed_at(std::uint64_t id) {
    return {"host", static_cast<std::uint16_t>(id), {}};
  }

  /// `number` tells messages apart.
  void send(std::uint64_t from, const protocol::endpoint& to, std::uint64_t number = 1) {
    at(from).board.send(
        to, protocol::encode(understudy::timeout_now{.term = understudy::term_number{number}}),
        now_);
    settle(from);
  }

  /// Carries out what there is to do, until `limit` has passed.
  void run_for(understudy::interval limit) {
    const auto end = now_ + limit;
    while (step(end)) {
    }
    now_ = std::max(now_, end);
  }

  /// Cuts every wire at `id`; both ends are told.
  void cut(std::uint64_t id) {
    for (auto& w : wires_)
      if (w.open && (w.ends[0].owner == id || w.ends[1].owner == id))
        hang_up(w);
  }

  /// Its process ends: nobody listens there any more.
  void kill(std::uint64_t id) {
    at(id).lives = at(id).listens = false;
    cut(id);
  }

  /// A stranger connects to `id`, and says `data`.
  void intrude(std::uint64_t id, std::vector<std::byte> data) {
    wires_.push_back(wire{.ends = {plug{0, ++lines_}, plug{id, ++lines_}}});
    accept(wires_.back());
    wires_.back().towards[1].push_back(std::move(data));
  }

  [[nodiscard]] understudy::instant now() const { return now_; }
  /// How many wires are up between two nodes.
  [[nodiscard]] std::size_t wires_between(std::uint64_t a, std::uint64_t b) const {
    return static_cast<std::size_t>(std::ranges::count_if(wires_, [&](const wire& w) {
      return w.open
             && ((w.ends[0].owner == a && w.ends[1].owner == b)
                 || (w.ends[0].owner == b && w.ends[1].owner == a));
    }));
  }
  [[nodiscard]] std::vector<std::uint64_t> received(std::uint64_t by, std::uint64_t from) {
    std::vector<std::uint64_t> numbers;
    for (const auto& m : at(by).messages)
      if (m.from.value == from)
        numbers.push_back(std::get<understudy::timeout_now>(m.what).term.value);
    return numbers;
  }

  bool deaf = false; ///< nothing that is sent arrives, and nobody is told

private:
  struct plug {
    std::uint64_t owner;
    protocol::line_id line;
  };
  struct wire {
    plug ends[2];
    std::deque<std::vector<std::byte>> towards[2] = {};
    bool open = true;
  };

  void accept(wire& w) {
    protocol::switchboard_outbox out;
    at(w.ends[1].owner).board.accepted(w.ends[1].line, now_, out);
    absorb(w.ends[1].owner, out);
    settle(w.ends[1].owner);
  }

  void hang_up(wire& w) {
    w.open = false;
    for (const auto& end : w.ends)
      if (end.owner != 0 && at(end.owner).lives) {
        protocol::switchboard_outbox out;
        at(end.owner).board.closed(end.line, now_, out);
        absorb(end.owner, out);
        settle(end.owner);
      }
  }

  void settle(std::uint64_t id) {
    protocol::switchboard_outbox out;
    at(id).board.settle(now_, out);
    at(id).wake_at = out.wake_at;
    absorb(id, out);
  }

  void absorb(std::uint64_t id, protocol::switchboard_outbox& out) {
    auto& who = at(id);
    std::ranges::move(out.messages, std::back_inserter(who.messages));
    std::ranges::move(out.lost, std::back_inserter(who.lost));
    std::ranges::move(out.met, std::back_inserter(who.met));
    std::ranges::move(out.complaints, std::back_inserter(who.complaints));
    for (const auto& where : out.dial)
      calls_.push_back({id, where});
    for (auto& w : out.write)
      carry(id, w);
    for (const auto line : out.close)
      close_next_.push_back(line);
  }

  void carry(std::uint64_t id, const protocol::switchboard_outbox::writing& what) {
    for (auto& w : wires_)
      for (const int i : {0, 1})
        if (w.open && w.ends[i].owner == id && w.ends[i].line == what.to) {
          auto data = protocol_samples::on_the_wire(what.what);
          data.insert(data.end(), what.sealed.begin(), what.sealed.end());
          w.towards[1 - i].push_back(std::move(data));
          at(id).board.written(what.to);
          return settle(id);
        }
  }

  /// One thing that can happen, drawn at random; else the next alarm. False: nothing until `end`.
  bool step(understudy::instant end) {
    now_ += std::chrono::microseconds{20};
    if (now_ >= end)
      return false;
    if (!calls_.empty() && random_.below(2) == 0)
      return connect(), true;
    std::vector<std::pair<wire*, int>> ready;
    for (auto& w : wires_)
      for (const int i : {0, 1})
        if (w.open && !w.towards[i].empty())
          ready.emplace_back(&w, i);
    if (!ready.empty())
      return deliver(ready[static_cast<std::size_t>(random_.below(ready.size()))]), true;
    if (!calls_.empty())
      return connect(), true;
    if (!close_next_.empty())
      return close_one(), true;
    return wake_next(end);
  }

  void connect() {
    const auto next = calls_.front();
    calls_.pop_front();
    if (!at(next.from).lives)
      return;
    const auto found = offices_.find(next.where.port);
    protocol::switchboard_outbox out;
    if (found == offices_.end() || !found->second.listens) {
      at(next.from).board.unreachable(next.where, true, now_, out);
    } else {
      wires_.push_back(wire{.ends = {plug{next.from, ++lines_}, plug{next.where.port, ++lines_}}});
      at(next.from).board.dialed(next.where, wires_.back().ends[0].line, now_, out);
      accept(wires_.back());
    }
    absorb(next.from, out);
    settle(next.from);
  }

  void deliver(std::pair<wire*, int> where) {
    auto& queue = where.first->towards[where.second];
    const auto data = std::move(queue.front());
    queue.pop_front();
    const auto to = where.first->ends[where.second];
    if (deaf || to.owner == 0 || !at(to.owner).lives)
      return;
    protocol::switchboard_outbox out;
    at(to.owner).board.received(to.line, data, now_, out);
    absorb(to.owner, out);
    settle(to.owner);
  }

  void close_one() {
    const auto line = close_next_.front();
    close_next_.pop_front();
    for (auto& w : wires_)
      if (w.open && (w.ends[0].line == line || w.ends[1].line == line))
        return hang_up(w);
  }

  bool wake_next(understudy::instant end) {
    std::optional<std::uint64_t> first;
    for (const auto& [id, o] : offices_)
      if (o.lives && o.wake_at && (!first || *o.wake_at < *at(*first).wake_at))
        first = id;
    if (!first || *at(*first).wake_at >= end)
      return false;
    now_ = std::max(now_, *at(*first).wake_at);
    protocol::switchboard_outbox out;
    at(*first).board.wake(now_, out);
    absorb(*first, out);
    settle(*first);
    return true;
  }

  struct pending_call {
    std::uint64_t from;
    protocol::endpoint where;
  };

  understudy::random_source random_;
  understudy::instant now_ = understudy::instant{} + std::chrono::hours{1};
  std::map<std::uint64_t, office> offices_;
  std::deque<wire> wires_;
  std::deque<pending_call> calls_;
  std::deque<protocol::line_id> close_next_;
  protocol::line_id lines_ = 0;
};

} // namespace test_support
