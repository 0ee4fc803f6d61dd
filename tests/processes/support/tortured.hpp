// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Processes of the node program, each behind a network that fails on demand, and customers that
/// call them through the library's client and write down what they were told.

#include <understudy/client.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/transport/tcp_network.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "node/key_value.hpp"
#include "node/key_value_messages.hpp"
#include "support/child_process.hpp"
#include "support/free_port.hpp"
#include "support/ledger.hpp"
#include "support/tcp_proxy.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tortured {

using namespace understudy;
using namespace std::chrono_literals;
using node_program::key_value;
using test_support::child_process;
using test_support::set_between;
using test_support::tcp_proxy;
using test_support::wire_fault;
using ledger = test_support::ledger<key_value>;
using model = ledger::model;
using shop = cluster_client<key_value>;

inline constexpr std::array keys{"blue", "green", "red"};

/// Calls one after the other, all on keys that others use, too.
class customer {
public:
  customer(std::uint64_t number, shop calls, ledger& all)
      : number_{number}, calls_{std::move(calls)}, all_{&all}, random_{number},
        thread_{[this] { run(); }} {}
  ~customer() {
    over_ = true;
    thread_.join();
  }

private:
  template <class Asked> void submit(const std::string& key, const Asked& what) {
    const auto id = all_->ask(number_, key, model::command(what));
    all_->end<Asked>(id, calls_.submit(what, 3s).get());
  }

  void run() {
    for (std::uint64_t i = 0; !over_; ++i) {
      const std::string key = random_.pick(keys);
      const auto value = std::to_string(number_) + "." + std::to_string(i);
      switch (random_.below(4)) {
      case 0:
        submit("sum", key_value::add{"sum", 1});
        break;
      case 1:
        submit(key, key_value::put{key, value});
        break;
      case 2:
        submit(key, key_value::compare_and_set{key, last_, value});
        break;
      default: {
        const key_value::get what{key};
        const auto id = all_->ask(number_, key, model::query(what));
        const auto seen = calls_.query(what, {}, 3s).get();
        all_->end<key_value::get>(id, seen);
        if (seen)
          last_ = seen->value;
      }
      }
    }
  }

  std::uint64_t number_;
  shop calls_;
  ledger* all_;
  testing::random_stream random_;
  std::optional<std::string> last_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

[[nodiscard]] inline std::string place(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

/// What a node says of itself, or null if it does not answer.
[[nodiscard]] inline nlohmann::json status_at(const std::string& host_and_port) {
  const auto where = protocol::parse_host_and_port(host_and_port);
  REQUIRE_MESSAGE(where, host_and_port);
  auto line = dial(where->host, where->port, 1s);
  const std::string asked = "GET /status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  if (!line.socket || ::send(line.socket.get(), asked.data(), asked.size(), MSG_NOSIGNAL) < 0)
    return {};
  std::string answer;
  char some[4'096];
  for (pollfd waits{line.socket.get(), POLLIN, 0}; ::poll(&waits, 1, 5'000) == 1;) {
    const auto got = ::recv(line.socket.get(), some, sizeof some, 0);
    if (got <= 0)
      break;
    answer.append(some, static_cast<std::size_t>(got));
  }
  const auto body = answer.find("\r\n\r\n");
  if (body == std::string::npos)
    return {};
  auto read = nlohmann::json::parse(answer.substr(body + 4), nullptr, false);
  return read.is_discarded() ? nlohmann::json{} : read;
}

/// A process, and the network before it.
struct running_node {
  std::string name;
  std::unique_ptr<tcp_proxy> network;
  std::vector<std::string> command = {};
  std::unique_ptr<child_process> process = nullptr;
};

/// Nodes of which three vote.
class cluster {
public:
  /// With a place for their data the nodes come back with it; else it ends with the process.
  explicit cluster(std::size_t size, std::optional<std::string> data = std::nullopt)
      : data_{std::move(data)} {
    while (nodes.size() < size)
      start();
  }

  void start() {
    const auto port = test_support::free_port();
    running_node one{"n" + std::to_string(++started_), std::make_unique<tcp_proxy>(port)};
    auto& command = one.command;
    command = {UNDERSTUDY_NODE_PROGRAM,
               "--name",
               one.name,
               "--listen",
               place(port),
               "--advertise",
               place(one.network->port()),
               "--http",
               "127.0.0.1:0",
               "--max-voters",
               "3",
               "--drain",
               "0"};
    if (data_) {
      const auto own = *data_ + "/" + one.name;
      std::filesystem::create_directory(own);
      command.insert(command.end(), {"--data", own});
    }
    if (nodes.empty())
      command.emplace_back("--found");
    for (const auto& n : nodes)
      command.insert(command.end(), {"--seed", place(n.network->port())});
    one.process = std::make_unique<child_process>(command);
    nodes.push_back(std::move(one));
    auto& made = nodes.back();
    for (const auto* event : {"event=serving", "event=entered"})
      REQUIRE_MESSAGE(made.process->says(event), made.process->last_words());
  }

  /// Starts a node again that has ended, where it was.
  void restart(std::size_t which) {
    auto& one = nodes[which];
    one.process = std::make_unique<child_process>(one.command);
    REQUIRE_MESSAGE(one.process->says("event=serving"), one.process->last_words());
  }

  /// Whether all know all, and every seat is taken by one that lives: another one may go.
  [[nodiscard]] bool is_whole() const {
    std::set<std::string> living;
    for (const auto& n : nodes)
      living.insert(n.process->said("id"));
    return std::ranges::all_of(nodes, [&](const running_node& n) {
      const auto seen = status_at(n.process->said("http"));
      if (!seen.is_object() || !seen.value("ready", false) || seen.value("changing", true)
          || seen["members"].size() != nodes.size())
        return false;
      const auto voters = seen["voters"].get<std::set<std::string>>();
      return voters.size() == 3 && std::ranges::includes(living, voters);
    });
  }

  [[nodiscard]] std::vector<contact> places() const {
    std::vector<contact> all;
    for (const auto& n : nodes)
      all.push_back(tcp_seed(place(n.network->port())).value());
    return all;
  }

  /// Between each of some and each of the others; `what` is as seen from the first.
  void between(const std::set<std::size_t>& some, const std::set<std::size_t>& others,
               const wire_fault& what) {
    for (const auto i : some)
      for (const auto k : others)
        set_between({*nodes[i].network, nodes[i].name}, {*nodes[k].network, nodes[k].name}, what);
  }

  void heal() {
    for (auto& n : nodes)
      n.network->heal();
  }

  std::vector<running_node> nodes;

private:
  std::optional<std::string> data_;
  int started_ = 0;
};

} // namespace tortured
