// SPDX-License-Identifier: BSL-1.0

// Real processes of the node program, killed, stopped, cut off and left without room while clients
// call. What the clients were told must be explained by one table that did one thing at a time.
//
// UNDERSTUDY_SEED starts elsewhere, UNDERSTUDY_SECONDS takes longer: see tools/torture.

#include <doctest/doctest.h>

#include "processes/support/tortured.hpp"
#include "support/environment.hpp"
#include "support/mounted.hpp"
#include "support/scratch.hpp"
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace torture_test {

using namespace tortured;

namespace {

constexpr auto election_timeout = 300ms;

struct counts {
  int kills = 0;
  int leaves = 0;
  int stops = 0;
  int cuts = 0;
  int full = 0;
};

/// How long a fault lasts that has an end: up to ten election timeouts. Calls go on meanwhile.
void let_last(ledger& told, testing::random_stream& random) {
  constexpr std::size_t never = 1'000'000'000;
  told.wait_for_more(never, std::chrono::milliseconds{random.below(
                                std::chrono::milliseconds{10 * election_timeout}.count())});
}

/// Some of the nodes, but not all.
[[nodiscard]] std::set<std::size_t> draw_side(const cluster& all, testing::random_stream& random) {
  std::set<std::size_t> side{static_cast<std::size_t>(random.below(all.nodes.size()))};
  if (random.chance(0.5))
    side.insert(static_cast<std::size_t>(random.below(all.nodes.size())));
  return side;
}

/// A partition of some shape: one or two against all others, or against some of them only; closed,
/// or silent, or silent in one direction.
void cut_off(cluster& all, testing::random_stream& random, counts& count) {
  ++count.cuts;
  const auto side = draw_side(all, random);
  const bool partly = random.chance(0.3);
  std::set<std::size_t> others;
  for (std::size_t i = 0; i < all.nodes.size(); ++i)
    if (!side.contains(i) && !(partly && random.chance(0.5)))
      others.insert(i);
  using kind = wire_fault::kind;
  const std::array shapes{wire_fault::both(kind::cut), wire_fault::both(kind::lose),
                          wire_fault::both(kind::stall), wire_fault{.to_node = kind::lose},
                          wire_fault{.from_node = kind::lose}};
  all.between(side, others, random.pick(shapes));
}

void expect_end(running_node& one, int signal, int status) {
  one.process->signal(signal);
  const int ended = one.process->wait();
  CHECK_MESSAGE(ended == status, one.process->last_words());
}

/// One bad thing, and its end: what nodes that keep everything in memory must survive, as long as
/// a majority of the voters does.
void harm(cluster& all, ledger& told, testing::random_stream& random, counts& count) {
  const auto one = static_cast<std::size_t>(random.below(all.nodes.size()));
  const auto replace = [&](int signal, int status) {
    auto gone = std::move(all.nodes[one]);
    all.nodes.erase(all.nodes.begin() + static_cast<std::ptrdiff_t>(one));
    expect_end(gone, signal, status);
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
    let_last(told, random);
    all.nodes[one].process->signal(SIGCONT);
    return;
  default:
    cut_off(all, random, count);
    let_last(told, random);
    all.heal();
  }
}

/// Takes all the room that is left on a file system, until it goes.
class filler {
public:
  explicit filler(const std::string& at)
      : path_{at + "/filler"}, file_{::open(path_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)} {
    REQUIRE(file_);
    // A piece for which there is no room is not there at all afterwards.
    for (off_t piece = off_t{1} << 30, taken = 0; piece >= 4'096;)
      if (::posix_fallocate(file_.get(), taken, piece) == 0)
        taken += piece;
      else
        piece /= 2;
  }
  filler(const filler&) = delete;
  filler& operator=(const filler&) = delete;
  ~filler() { ::unlink(path_.c_str()); }

private:
  std::string path_;
  descriptor file_;
};

/// Several bad things at once, and their ends: what nodes must survive that have a disk, whoever of
/// them ends. `disk` is that of all, if it can be filled.
void harm_at_will(cluster& all, ledger& told, testing::random_stream& random,
                  const std::optional<std::string>& disk, counts& count) {
  std::set<std::size_t> killed;
  std::set<std::size_t> stopped;
  std::optional<filler> full;
  for (auto troubles = random.between(1, 3); troubles > 0; --troubles) {
    const auto one = static_cast<std::size_t>(random.below(all.nodes.size()));
    const auto what = random.below(disk ? 5 : 4);
    if (what < 2 && !stopped.contains(one) && killed.insert(one).second) {
      ++count.kills;
      expect_end(all.nodes[one], SIGKILL, 128 + SIGKILL);
    } else if (what == 2 && !killed.contains(one) && stopped.insert(one).second) {
      ++count.stops;
      all.nodes[one].process->signal(SIGSTOP);
    } else if (what == 3) {
      cut_off(all, random, count);
    } else if (what == 4 && !full) {
      ++count.full;
      full.emplace(*disk);
    }
  }
  let_last(told, random);
  for (const auto one : killed)
    all.restart(one); // on a full disk, perhaps
  for (const auto one : stopped)
    all.nodes[one].process->signal(SIGCONT);
  all.heal();
}

/// Harms `all` again and again while customers call, and looks at what they were told.
void torture(cluster& all, std::uint64_t seed, const std::function<void(ledger&)>& harm_once,
             const counts& count) {
  const auto limit = std::chrono::seconds{test_support::number_from("UNDERSTUDY_SECONDS", 15)};
  networked_config config;
  caf::actor_system system{config};
  ledger told;
  const auto call = [&](std::uint64_t number) {
    auto calls = spawn_client<key_value>(system, all.places(), {}, number, over_tcp({}));
    REQUIRE_MESSAGE(calls, calls.error());
    return std::move(*calls);
  };
  {
    std::vector<std::unique_ptr<customer>> customers;
    for (std::uint64_t i = 1; i <= 4; ++i)
      customers.push_back(std::make_unique<customer>(seed * 10 + i, call(i), told));
    const auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
      harm_once(told);
      REQUIRE(told.wait_for_done(50));
      const auto patience = std::chrono::steady_clock::now() + 30s;
      while (!all.is_whole()) {
        REQUIRE(told.wait_for_done(20));
        REQUIRE(std::chrono::steady_clock::now() < patience);
      }
    }
  }
  const auto sum = call(99).query(key_value::get{"sum"}).get();
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
                      << " leaves, " << count.stops << " stops, " << count.cuts << " cuts, "
                      << count.full << " times no room");
}

} // namespace

TEST_CASE("nothing is lost, doubled or stale, whatever becomes of processes without a disk") {
  const auto seed = test_support::number_from("UNDERSTUDY_SEED", 1);
  CAPTURE(seed);
  testing::random_stream random{seed};
  cluster all{5};
  counts count;
  torture(
      all, seed, [&](ledger& told) { harm(all, told, random, count); }, count);
}

TEST_CASE("nothing is lost, doubled or stale, whatever becomes of processes and their disk") {
  const auto seed = test_support::number_from("UNDERSTUDY_SEED", 1);
  CAPTURE(seed);
  testing::random_stream random{seed};
  const test_support::scratch own;
  const test_support::mounted small{own, "size=1536m"};
  const auto disk = small ? std::optional{small.path()} : std::nullopt;
  cluster all{5, disk.value_or(own.path())};
  counts count;
  torture(
      all, seed, [&](ledger& told) { harm_at_will(all, told, random, disk, count); }, count);
}

} // namespace torture_test
