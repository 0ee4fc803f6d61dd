// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A network that fails on demand: stands before a node's port, and does to each connection what
/// the test wants. Whoever connects is known by the name in its hello.

#include <understudy/core/time.hpp>
#include <understudy/protocol/frame.hpp>
#include <understudy/protocol/hello.hpp>
#include <understudy/transport/dialer.hpp>

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace test_support {

/// What becomes of the bytes of one connection, each way: to the node, and back from it.
struct wire_fault {
  enum class kind : std::uint8_t {
    none,
    cut,   ///< the connection is closed, and each new one at once
    stall, ///< nothing is passed on; it is kept
    lose,  ///< nothing is passed on, ever
  };
  kind to_node = kind::none;
  kind from_node = kind::none;
  understudy::interval delay{0};
  std::size_t bytes_per_ms = 0; ///< 0: no limit

  static wire_fault both(kind k) { return {.to_node = k, .from_node = k}; }
  [[nodiscard]] bool cuts() const { return to_node == kind::cut || from_node == kind::cut; }
};

/// One node's network. Runs a thread; every call is safe from any other.
class tcp_proxy {
public:
  /// Passes on to `target` on the loopback device.
  explicit tcp_proxy(std::uint16_t target)
      : target_{target},
        listening_{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)} {
    auto own = loopback(0);
    REQUIRE(::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
    REQUIRE(::listen(listening_.get(), 64) == 0);
    socklen_t size = sizeof own;
    REQUIRE(::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0);
    port_ = ntohs(own.sin_port);
    int ends[2];
    REQUIRE(::pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
    wake_out_ = understudy::descriptor{ends[0]};
    wake_in_ = understudy::descriptor{ends[1]};
    thread_ = std::thread{[this] { run(); }};
  }
  tcp_proxy(const tcp_proxy&) = delete;
  tcp_proxy& operator=(const tcp_proxy&) = delete;
  ~tcp_proxy() {
    over_ = true;
    wake();
    thread_.join();
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// From now on, for whom `dialer` names; empty: for all that have no fault of their own.
  void set(const std::string& dialer, wire_fault what) {
    {
      const std::lock_guard lock{mutex_};
      faults_[dialer] = what;
    }
    wake();
  }

  /// The network is sound again.
  void heal() {
    {
      const std::lock_guard lock{mutex_};
      faults_.clear();
    }
    wake();
  }

  /// Puts these bytes before what comes next to the node on every connection.
  void inject(std::vector<std::byte> garbage) {
    {
      const std::lock_guard lock{mutex_};
      garbage_ = std::move(garbage);
    }
    wake();
  }

private:
  using kind = wire_fault::kind;
  using instant = understudy::instant;
  static constexpr std::size_t chunk_bytes = std::size_t{64} << 10;
  static constexpr std::size_t held_bytes_max = std::size_t{8} << 20;

  struct chunk {
    instant due;
    std::vector<std::byte> data;
  };
  /// One way through the proxy.
  struct way {
    std::deque<chunk> waiting = {};
    std::size_t bytes = 0;
    instant paid_until = {};
  };
  struct passage {
    understudy::descriptor ends[2]; ///< the dialer's and the node's
    way ways[2] = {};               ///< to the node, and back
    std::string dialer = {};
    bool is_named = false;
    understudy::protocol::frame_reader hello{understudy::protocol::hello_bytes_max};
    bool over = false;
  };

  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    where.sin_port = htons(port);
    return where;
  }

  void wake() { static_cast<void>(::write(wake_in_.get(), "x", 1)); }

  [[nodiscard]] wire_fault fault_of(const passage& p) {
    const std::lock_guard lock{mutex_};
    if (const auto own = faults_.find(p.dialer); own != faults_.end())
      return own->second;
    const auto all = faults_.find("");
    return all == faults_.end() ? wire_fault{} : all->second;
  }

  void run() {
    while (!over_) {
      wait();
      admit();
      insert_garbage();
      for (auto& p : passages_) {
        const auto fault = fault_of(p);
        if (fault.cuts() && p.is_named)
          p.over = true;
        for (const int i : {0, 1}) {
          read_from(p, i, fault);
          write_to(p, i, fault);
        }
      }
      passages_.remove_if([](const passage& p) { return p.over; });
    }
  }

  /// Until something can be done, or a moment has passed: delays are measured in milliseconds.
  void wait() {
    std::vector<pollfd> all{{wake_out_.get(), POLLIN, 0}, {listening_.get(), POLLIN, 0}};
    bool anything_waits = false;
    for (auto& p : passages_)
      for (const int i : {0, 1}) {
        if (p.ways[i].bytes < held_bytes_max)
          all.push_back({p.ends[i].get(), POLLIN, 0});
        anything_waits = anything_waits || !p.ways[i].waiting.empty();
      }
    ::poll(all.data(), all.size(), anything_waits ? 1 : 1'000);
    char drain[64];
    while (::read(wake_out_.get(), drain, sizeof drain) > 0) {
    }
  }

  void admit() {
    for (;;) {
      understudy::descriptor dialer{
          ::accept4(listening_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
      if (!dialer)
        return;
      auto node = understudy::dial("127.0.0.1", target_, std::chrono::seconds{1});
      if (!node.socket)
        continue;
      passages_.emplace_back();
      passages_.back().ends[0] = std::move(dialer);
      passages_.back().ends[1] = std::move(node.socket);
    }
  }

  void insert_garbage() {
    std::optional<std::vector<std::byte>> what;
    {
      const std::lock_guard lock{mutex_};
      what.swap(garbage_);
    }
    if (what)
      for (auto& p : passages_)
        push(p.ways[0], *what, instant::clock::now());
  }

  static void push(way& to, std::span<const std::byte> data, instant due) {
    to.bytes += data.size();
    to.waiting.push_back({due, {data.begin(), data.end()}});
  }

  void read_from(passage& p, int i, const wire_fault& fault) {
    std::array<std::byte, chunk_bytes> data;
    while (!p.over && p.ways[i].bytes < held_bytes_max) {
      const auto got = ::read(p.ends[i].get(), data.data(), data.size());
      if (got < 0 && errno == EAGAIN)
        return;
      if (got <= 0) {
        p.over = true;
        return;
      }
      const std::span some{data.data(), static_cast<std::size_t>(got)};
      if (i == 0)
        learn_name(p, some);
      if ((i == 0 ? fault.to_node : fault.from_node) != kind::lose)
        push(p.ways[i], some, instant::clock::now() + fault.delay);
    }
  }

  /// What comes first says who it is.
  static void learn_name(passage& p, std::span<const std::byte> data) {
    if (p.is_named)
      return;
    const auto first = p.hello.next(data);
    if (first && !*first)
      return; // more has to come
    p.is_named = true;
    if (first)
      if (const auto who = understudy::protocol::decode_hello(**first))
        p.dialer = who->name;
  }

  static void write_to(passage& p, int i, const wire_fault& fault) {
    auto& from = p.ways[i];
    const auto now = instant::clock::now();
    if ((i == 0 ? fault.to_node : fault.from_node) == kind::stall || (i == 0 && !p.is_named))
      return;
    while (!p.over && !from.waiting.empty() && from.waiting.front().due <= now
           && from.paid_until <= now) {
      auto& data = from.waiting.front().data;
      const auto most
          = fault.bytes_per_ms != 0 ? std::min(data.size(), fault.bytes_per_ms) : data.size();
      const auto put = ::send(p.ends[1 - i].get(), data.data(), most, MSG_NOSIGNAL);
      if (put < 0 && errno == EAGAIN)
        return;
      if (put <= 0) {
        p.over = true;
        return;
      }
      from.bytes -= static_cast<std::size_t>(put);
      data.erase(data.begin(), data.begin() + put);
      if (data.empty())
        from.waiting.pop_front();
      if (fault.bytes_per_ms != 0)
        from.paid_until = now + std::chrono::milliseconds{1};
    }
  }

  std::uint16_t target_;
  std::uint16_t port_ = 0;
  understudy::descriptor listening_;
  understudy::descriptor wake_out_;
  understudy::descriptor wake_in_;
  std::mutex mutex_;
  std::map<std::string, wire_fault> faults_;
  std::optional<std::vector<std::byte>> garbage_;
  std::list<passage> passages_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

/// A node's network, and the name of the node.
struct networked_node {
  tcp_proxy& network;
  std::string name;
};

/// Between two nodes, whoever of them has connected; `what` is as seen from the first.
inline void set_between(const networked_node& one, const networked_node& other, wire_fault what) {
  one.network.set(other.name, what);
  std::swap(what.to_node, what.from_node);
  other.network.set(one.name, what);
}

} // namespace test_support
