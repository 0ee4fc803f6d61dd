// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/linearizability.hpp>
#include <understudy/testing/machine_model.hpp>
#include <understudy/testing/workload.hpp>

#include <doctest/doctest.h>

#include <cstdint>

namespace machine_model_test {

using namespace understudy::testing;
using model = machine_model<tally>;

struct run {
  operation_recorder<model> recorder = {};

  std::size_t bump(std::uint64_t who) {
    return recorder.invoke(who, model::command(tally::bump{who}));
  }
  void bumped(std::size_t id, std::uint64_t count) {
    recorder.complete(id, model::answer<tally::bump>(count));
  }
  void count(std::uint64_t who, std::uint64_t seen) {
    const auto id = recorder.invoke(who, model::query(tally::count{who}));
    recorder.complete(id, model::answer<tally::count>(seen));
  }
  [[nodiscard]] linearizability judge() const {
    return check_linearizable(model{}, recorder.history());
  }
};

TEST_CASE("any machine explains what it would have answered") {
  run r;
  const auto a = r.bump(7);
  const auto b = r.bump(7);
  r.bumped(a, 2); // they overlap, and b was first
  r.bumped(b, 1);
  r.count(7, 2);
  CHECK(r.judge().found == linearity::linearizable);
}

TEST_CASE("a command that was applied twice is found") {
  run r;
  r.bumped(r.bump(7), 1);
  const auto twice = r.bump(7);
  r.bumped(twice, 3);
  const auto judged = r.judge();
  CHECK(judged.found == linearity::not_linearizable);
  CHECK(judged.culprit == twice);
}

TEST_CASE("a command of unknown outcome explains one count more") {
  run r;
  r.bump(7);
  r.bumped(r.bump(7), 2);
  r.count(7, 2);
  CHECK(r.judge().found == linearity::linearizable);
  r.count(7, 3);
  CHECK(r.judge().found == linearity::not_linearizable);
}

TEST_CASE("a query that does not see what was acknowledged is found") {
  run r;
  r.bumped(r.bump(7), 1);
  r.count(7, 0);
  CHECK(r.judge().found == linearity::not_linearizable);
}

TEST_CASE("a command that was carried out unseen has been carried out") {
  run r;
  r.recorder.complete_unseen(r.bump(7));
  r.count(7, 0);
  CHECK(r.judge().found == linearity::not_linearizable);
}

} // namespace machine_model_test
