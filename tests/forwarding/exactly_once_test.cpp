// SPDX-License-Identifier: BSL-1.0

// What forwarders and clients promise together, whatever the cluster and the network do to them.

#include <doctest/doctest.h>

#include "fake_cluster.hpp"

#include <cstdlib>

namespace exactly_once_test {

using namespace test_support;

namespace {

struct made_call {
  member_id at = {};
  bool is_query = false;
  std::string what = {};
  instant deadline = {};
  log_index acknowledged_before = {};
  std::optional<local_answer> answer = {};
};

/// Makes calls, and keeps book of what became of them.
class callers {
public:
  explicit callers(fake_cluster& cluster) : cluster_{cluster} {
    cluster_.answered = [this](member_id at, local_answer& m) {
      auto& made = calls_.at(m.id.value - 1);
      CHECK(made.at == at);
      CHECK_MESSAGE(!made.answer, "a call is answered once");
      CHECK_MESSAGE(cluster_.now() <= made.deadline + 10ms, "a call ends by its deadline");
      made.answer = m;
    };
  }

  void call(member_id at, interval patience) {
    const ticket id{calls_.size() + 1};
    made_call made{.at = at,
                   .is_query = cluster_.chance(20),
                   .what = "command " + std::to_string(id.value),
                   .deadline = cluster_.now() + patience,
                   .acknowledged_before = cluster_.acknowledged()};
    request_body body = command{.body = bytes{made.what}};
    if (made.is_query)
      body = query{};
    calls_.push_back(made);
    cluster_.call(at, {id, std::move(body), made.deadline});
  }

  /// Checks all calls; returns how many were answered with each code.
  std::map<errc, int> check() const {
    std::map<errc, int> count;
    for (const auto& made : calls_) {
      CAPTURE(made.what);
      CAPTURE(made.at);
      REQUIRE_MESSAGE(made.answer, "every call is answered");
      const auto& result = made.answer->result;
      ++count[result ? errc::none : result.error().code];
      if (made.is_query)
        check_query(made);
      else
        check_command(made);
    }
    return count;
  }

private:
  void check_query(const made_call& made) const {
    const auto& result = made.answer->result;
    if (result)
      CHECK_MESSAGE(result->index >= made.acknowledged_before,
                    "a query sees every write acknowledged before it");
    else
      CHECK(!is_uncertain(result.error().code));
  }

  void check_command(const made_call& made) const {
    const auto& result = made.answer->result;
    const auto times = cluster_.applied().times(made.what);
    if (result) {
      CHECK(times == 1);
      CHECK(result->body.text() == "re: " + made.what);
    } else if (is_uncertain(result.error().code)) {
      CHECK(times <= 1);
    } else {
      const auto code = result.error().code;
      CAPTURE(code);
      CHECK_MESSAGE(times == 0, "what is called not applied is not applied");
      CHECK((code == errc::no_leader || code == errc::overloaded
             || (code == errc::removed && !cluster_.is_member(made.at))));
    }
  }

  fake_cluster& cluster_;
  std::vector<made_call> calls_;
};

std::uint64_t base_seed() {
  const auto* named = std::getenv("UNDERSTUDY_SEED");
  return named ? std::strtoull(named, nullptr, 10) : 20'250'418;
}

/// Ten rough seconds, then calm; half way through a node may be evicted.
std::map<errc, int> run(std::uint64_t seed, bool with_eviction, reconcile_counters& reconciled) {
  constexpr std::uint64_t clients = 2;
  fake_cluster cluster{seed, clients};
  callers all{cluster};
  const auto any_node = [&] {
    const member_id drawn{1 + cluster.random().below(fake_cluster::node_count)};
    return cluster.is_member(drawn) ? drawn : member_id{1};
  };
  const auto any_party = [&] {
    const auto i = cluster.random().below(fake_cluster::node_count + clients);
    return i < fake_cluster::node_count ? member_id{1 + i}
                                        : member_id{100 + i - fake_cluster::node_count};
  };

  // The timeline carries itself on: each event plans its next.
  const std::function<void(interval, std::function<void()>)> every
      = [&](interval mean, const std::function<void()>& what) {
          cluster.later(cluster.random().between(0ms, 2 * mean), [&, mean, what] {
            what();
            every(mean, what);
          });
        };
  bool rough = true;
  every(2ms, [&] { cluster.commit_some(); });
  every(400ms, [&] {
    if (rough)
      cluster.elect(any_node());
  });
  every(1s, [&] {
    if (rough)
      cluster.expire_sessions_now();
  });
  every(100ms, [&] {
    if (rough)
      cluster.reseat(any_node());
  });
  const auto half_way = cluster.now() + 5s;
  const member_id victim{3};
  every(50ms, [&] {
    if (with_eviction && cluster.now() > half_way && cluster.is_member(victim))
      cluster.evict(victim);
  });
  every(200ms, [&] {
    if (rough)
      cluster.lose_link(any_party(), any_node());
  });
  every(2ms, [&] {
    if (rough)
      all.call(any_party(), cluster.random().between(20ms, 3s));
  });
  cluster.run_for(10s);
  rough = false;
  cluster.calm();
  cluster.elect(any_node());
  cluster.run_for(5s); // the last stragglers have arrived

  const auto before = all.check();
  for (int i = 0; i < 50; ++i)
    all.call(i % 2 == 0 ? any_node() : member_id{100}, 1s);
  cluster.run_for(2s);
  auto count = all.check();
  CHECK_MESSAGE(count[errc::none] == before.at(errc::none) + 50,
                "a calm cluster answers all calls");
  reconciled = cluster.reconciled();
  return count;
}

} // namespace

TEST_CASE(
    "C4, C6: whatever happens, each command is applied at most once, and no answer is a lie") {
  std::map<errc, int> total;
  reconcile_counters reconciled;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const auto seed = base_seed() + i;
    INFO("UNDERSTUDY_SEED=", seed);
    reconcile_counters of_run;
    for (const auto& [code, count] : run(seed, i % 2 == 1, of_run))
      total[code] += count;
    reconciled.applied_before += of_run.applied_before;
    reconciled.applied_after += of_run.applied_after;
  }
  INFO("the runs must have been rough enough to say something");
  CHECK(total[errc::none] > 10'000);
  CHECK(total[errc::outcome_unknown] > 20);
  CHECK(total[errc::no_leader] > 0);
  CHECK(total[errc::overloaded] > 0);
  CHECK(total[errc::removed] > 0);
  CHECK(reconciled.applied_before > 100);
  CHECK(reconciled.applied_after > 100);
}

} // namespace exactly_once_test
