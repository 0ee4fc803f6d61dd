// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A cluster of whole nodes to play a scenario on.

#include <understudy/testing/membership_rules.hpp>
#include <understudy/testing/rest.hpp>
#include <understudy/testing/simulation.hpp>
#include <understudy/testing/workload.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace test_support {

using namespace understudy;
using namespace understudy::testing;

/// The first so many nodes of the alphabet, entered in that order and at rest; `a` leads.
struct scripted_cluster {
  explicit scripted_cluster(std::size_t nodes, simulation_options options = {},
                            std::uint64_t seed = 5)
      : run{std::move(options), seed} {
    const std::array all{&a, &b, &c, &d, &e, &f, &g};
    for (std::size_t i = 0; i < nodes; ++i) {
      const std::string name(1, static_cast<char>('a' + i));
      *all.at(i) = i == 0 ? run.found(name) : run.enter(name);
      rest();
    }
    REQUIRE(run.leader() == a);
  }

  // -- time -------------------------------------------------------------------------------------

  template <class Condition>
  void wait(Condition condition, interval limit = std::chrono::seconds{10}) {
    const bool came = run.run_until(condition, limit);
    if (!came)
      MESSAGE(standing_of_all());
    REQUIRE(came);
  }

  /// Until nothing is left to do: one leader, equal data, and every seat as it should be.
  void rest() {
    wait([this] { return unrest(run).empty(); }, std::chrono::seconds{60});
  }

  /// Until somebody else than those named leads.
  member_id wait_for_leader_besides(std::vector<member_id> others) {
    wait([&] { return run.leader() && !testing::detail::contains(others, run.leader()); });
    return run.leader();
  }

  /// One more for `who`, asked for at `at` and acknowledged; returns how many that makes.
  std::uint64_t bump(member_id at, std::uint64_t who = 1) {
    const auto asked = run.submit(at, tally::bump{who});
    wait([&] { return run.answer(asked).has_value(); }, std::chrono::seconds{20});
    const auto count = run.result<tally::bump>(asked);
    REQUIRE_MESSAGE(count, count.error());
    return *count;
  }

  /// So many at once, all acknowledged.
  void bump_often(member_id at, std::size_t times, std::uint64_t who = 1) {
    for (std::size_t i = 0; i < times; ++i)
      run.submit(at, tally::bump{who});
    wait([this] { return run.open_calls() == 0; }, std::chrono::seconds{60});
    REQUIRE(run.machine(at).query(tally::count{who}) >= times);
  }

  /// How many there are for `who`, by a linearizable read at `at`.
  std::uint64_t count(member_id at, std::uint64_t who = 1) {
    const auto asked = run.ask(at, tally::count{who});
    wait([&] { return run.answer(asked).has_value(); }, std::chrono::seconds{20});
    const auto seen = run.result<tally::count>(asked);
    REQUIRE_MESSAGE(seen, seen.error());
    return *seen;
  }

  /// How each node stands, for the report of a failure.
  [[nodiscard]] std::string standing_of_all() {
    std::string text = unrest(run);
    for (const auto& row : run.status())
      text += "\n  " + row;
    if (const auto lead = run.leader(); lead && place(lead).plan)
      text += "\n  plan: " + std::string{to_string(place(lead).plan->reason)} + ": "
              + place(lead).plan->detail;
    return text;
  }

  // -- the network ------------------------------------------------------------------------------

  /// Shows every message of kind `Message` that is sent from now on, and lets it pass.
  template <class Message, class See> void watch(See see) {
    run.net().drop([see](member_id from, member_id to, const peer_message& what) mutable {
      if (const auto* m = std::get_if<Message>(&what))
        see(from, to, *m);
      return false;
    });
  }

  /// Lets no message of kind `Message` pass for which `about(from, to, message)` holds.
  template <class Message, class About> network::rule_id drop(About about) {
    return run.net().drop([about](member_id from, member_id to, const peer_message& what) {
      const auto* m = std::get_if<Message>(&what);
      return m && about(from, to, *m);
    });
  }

  /// Until `at` has had two more answers to its pulls, so that it knows of the leader what its
  /// sources know.
  void let_pull(member_id at) {
    const auto answers = [this, at] {
      const auto& pulls = run.part<puller>(at).counters();
      return pulls.from_leader + pulls.from_followers;
    };
    wait([&, before = answers()] { return answers() >= before + 2; });
  }

  // -- looking ----------------------------------------------------------------------------------

  [[nodiscard]] const configuration& newest(member_id at) { return *run.look(at).newest.content; }
  [[nodiscard]] bool is_joint(member_id at) { return newest(at).joint(); }
  [[nodiscard]] log_index end(member_id at) { return run.look(at).log.last().index; }
  [[nodiscard]] log_index base(member_id at) { return run.look(at).log.base().index; }
  [[nodiscard]] log_index commit(member_id at) { return run.look(at).commit; }
  [[nodiscard]] bool leads(member_id at) { return run.runs(at) && run.look(at).leads; }

  /// Who votes as far as `at` knows, by a configuration that is committed; empty if it is not.
  [[nodiscard]] std::vector<member_id> voters(member_id at) {
    const auto seen = run.look(at);
    const bool certain = seen.newest.index == seen.committed.index && !is_joint(at);
    return certain ? newest(at).voters : std::vector<member_id>{};
  }

  /// The mark of `who` as the newest configuration at `at` shows it; none once it is dropped.
  [[nodiscard]] std::optional<standing> mark(member_id at, member_id who) {
    const auto* m = testing::detail::look_up(newest(at), who);
    return m ? std::optional{m->status} : std::nullopt;
  }

  [[nodiscard]] membership_status place(member_id at) { return run.part<monitor>(at).status(); }

  /// All configurations that were ever committed, oldest first.
  [[nodiscard]] const std::vector<committed_configuration>& history() const {
    return run.rules().past(run.rules().clusters().front()).configurations();
  }

  [[nodiscard]] bool ever_voted(member_id who) const {
    return std::ranges::any_of(history(), [&](const auto& past) {
      return testing::detail::contains(past.content->voters, who);
    });
  }

  simulation<tally> run;
  member_id a = {};
  member_id b = {};
  member_id c = {};
  member_id d = {};
  member_id e = {};
  member_id f = {};
  member_id g = {};
};

/// Whether one of the entries changes the voters.
[[nodiscard]] inline bool carries_joint(const append_entries& m) {
  return std::ranges::any_of(m.entries, [](const entry& e) {
    const auto* in = e.as<configuration_ptr>();
    return in && (*in)->joint();
  });
}

} // namespace test_support
