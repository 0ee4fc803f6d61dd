// SPDX-License-Identifier: BSL-1.0

// Real processes of the node program, killed, stopped and cut off while clients call. What the
// clients were told must be explained by one table that did one thing at a time.
//
// UNDERSTUDY_SEED starts elsewhere, UNDERSTUDY_SECONDS takes longer: see tools/torture.

#include <understudy/client.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/transport/tcp_network.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "node/key_value.hpp"
#include "node/key_value_messages.hpp"
#include "support/child_process.hpp"
#include "support/environment.hpp"
#include "support/free_port.hpp"
#include "support/ledger.hpp"
#include "support/tcp_proxy.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace torture_test {

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

namespace {

constexpr std::array keys{"blue", "green", "red"};

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

  void update(const std::vector<contact>& places) const { calls_.update_nodes(places); }

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

[[nodiscard]] std::string place(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

/// What a node says of itself, or null if it does not answer.
[[nodiscard]] nlohmann::json status_at(const std::string& host_and_port) {
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
  std::unique_ptr<child_process> process;
};

class cluster {
public:
  running_node& start() {
    const auto port = test_support::free_port();
    running_node one{"n" + std::to_string(++started_), std::make_unique<tcp_proxy>(port), nullptr};
    std::vector<std::string> command{UNDERSTUDY_NODE_PROGRAM,
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
    if (nodes.empty())
      command.emplace_back("--found");
    for (const auto& n : nodes)
      command.insert(command.end(), {"--seed", place(n.network->port())});
    one.process = std::make_unique<child_process>(std::move(command));
    nodes.push_back(std::move(one));
    auto& made = nodes.back();
    REQUIRE_MESSAGE(made.process->says("event=entered"), made.process->last_words());
    return made;
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

  /// Between one and all other nodes.
  void around(std::size_t one, const wire_fault& what) {
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (i != one)
        set_between({*nodes[one].network, nodes[one].name}, {*nodes[i].network, nodes[i].name},
                    what);
  }

  void heal() {
    for (auto& n : nodes)
      n.network->heal();
  }

  std::vector<running_node> nodes;

private:
  int started_ = 0;
};

struct tally {
  int kills = 0;
  int leaves = 0;
  int stops = 0;
  int cuts = 0;
};

/// One bad thing, and its end.
void harm(cluster& all, ledger& told, testing::random_stream& random, tally& count) {
  const auto one = static_cast<std::size_t>(random.below(all.nodes.size()));
  const auto replace = [&](int signal, int status) {
    auto gone = std::move(all.nodes[one]);
    all.nodes.erase(all.nodes.begin() + static_cast<std::ptrdiff_t>(one));
    gone.process->signal(signal);
    const int ended = gone.process->wait();
    CHECK_MESSAGE(ended == status, gone.process->last_words());
    gone.network.reset(); // connecting is refused now, as it would be without it
    all.start();
  };
  switch (random.below(5)) {
  case 0:
  case 1:
    ++count.kills;
    return replace(SIGKILL, 128 + SIGKILL);
  case 2:
    ++count.leaves;
    return replace(SIGTERM, 0);
  case 3:
    ++count.stops;
    all.nodes[one].process->signal(SIGSTOP);
    static_cast<void>(told.wait_for_done(random.below(200)));
    all.nodes[one].process->signal(SIGCONT);
    return;
  default:
    ++count.cuts;
    all.around(
        one, wire_fault::both(random.chance(0.5) ? wire_fault::kind::cut : wire_fault::kind::lose));
    static_cast<void>(told.wait_for_done(random.below(200)));
    all.heal();
  }
}

} // namespace

TEST_CASE("nothing is lost, doubled or stale, whatever becomes of the processes") {
  const auto seed = test_support::number_from("UNDERSTUDY_SEED", 1);
  const auto limit = std::chrono::seconds{test_support::number_from("UNDERSTUDY_SECONDS", 15)};
  CAPTURE(seed);
  testing::random_stream random{seed};
  networked_config config;
  caf::actor_system system{config};
  cluster all;
  for (int i = 0; i < 5; ++i)
    all.start();
  ledger told;
  tally count;
  {
    std::vector<std::unique_ptr<customer>> customers;
    for (std::uint64_t i = 1; i <= 4; ++i) {
      auto calls = spawn_client<key_value>(system, all.places(), {}, i, over_tcp({}));
      REQUIRE_MESSAGE(calls, calls.error());
      customers.push_back(std::make_unique<customer>(i, std::move(*calls), told));
    }
    const auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
      harm(all, told, random, count);
      for (const auto& c : customers)
        c->update(all.places());
      REQUIRE(told.wait_for_done(50));
      const auto patience = std::chrono::steady_clock::now() + 30s;
      while (!all.is_whole()) {
        REQUIRE(told.wait_for_done(20));
        REQUIRE(std::chrono::steady_clock::now() < patience);
      }
    }
  }
  auto calls = spawn_client<key_value>(system, all.places(), {}, 99, over_tcp({}));
  REQUIRE_MESSAGE(calls, calls.error());
  const auto sum = calls->query(key_value::get{"sum"}).get();
  REQUIRE_MESSAGE(sum, sum.error());
  const auto total = std::stoll(sum->value.value_or("0"));
  std::int64_t added = 0;
  std::int64_t in_doubt = 0;
  for (const auto& one : told.history())
    if (one.key == "sum") {
      added += one.ended == testing::operation_end::succeeded ? 1 : 0;
      in_doubt += one.ended == testing::operation_end::unknown ? 1 : 0;
    }
  CHECK(total >= added);
  CHECK(total <= added + in_doubt);
  CHECK(told.is_linearizable());
  MESSAGE(told.done() << " acknowledged; of " << added << " additions " << in_doubt
                      << " more in doubt; " << count.kills << " kills, " << count.leaves
                      << " leaves, " << count.stops << " stops, " << count.cuts << " cuts");
}

} // namespace torture_test
