// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/serving.hpp>

#include <doctest/doctest.h>

namespace serving_test {

using namespace understudy;

namespace {

struct desk {
  serving it;
  outbox out;
  std::vector<ticket> refused, done, lost, ready;

  generation propose(std::vector<ticket> ids) {
    for (const auto id : ids)
      it.propose(id, share(open_session{}));
    it.flush(out);
    const auto batch = std::get<understudy::propose>(out.notices.back());
    CHECK(batch.what.size() == ids.size());
    return batch.batch;
  }

  void taken(generation batch, std::uint64_t first, std::size_t count) {
    it.on(proposed{.batch = batch, .first = {first}, .count = count},
          [&](ticket id) { refused.push_back(id); });
  }

  void applied(std::vector<std::uint64_t> indexes) {
    applied_outcomes m;
    for (const auto i : indexes)
      m.batch.push_back({{i}, bytes{}});
    it.on(
        m, [&](ticket id, outcome&) { done.push_back(id); },
        [&](ticket id) { lost.push_back(id); });
  }

  void give_up() {
    it.give_up([&](ticket id) { lost.push_back(id); });
  }
};

using tickets = std::vector<ticket>;

} // namespace

TEST_CASE("what is collected is proposed as one batch, and answered by index") {
  desk d;
  const auto batch = d.propose({{1}, {2}, {3}});
  CHECK(d.out.notices.size() == 1);
  d.taken(batch, 10, 3);
  d.applied({8, 9, 10});
  CHECK(d.done == tickets{{1}});
  d.applied({11, 12, 13});
  CHECK(d.done == tickets{{1}, {2}, {3}});
  CHECK(d.lost.empty());
}

TEST_CASE("what the core did not take of a batch is refused") {
  desk d;
  const auto first = d.propose({{1}, {2}, {3}});
  const auto second = d.propose({{4}});
  d.taken(first, 10, 2);
  CHECK(d.refused == tickets{{3}});
  d.taken(second, 12, 1);
  d.applied({10, 11, 12});
  CHECK(d.done == tickets{{1}, {2}, {4}});
}

TEST_CASE("an outcome that was left out is lost, and holds nobody up") {
  desk d;
  d.taken(d.propose({{1}, {2}, {3}}), 10, 3);
  d.applied({12});
  CHECK(d.lost == tickets{{1}, {2}});
  CHECK(d.done == tickets{{3}});
}

TEST_CASE("when the term ends all is given up once, and late news of it is ignored") {
  desk d;
  d.taken(d.propose({{1}, {2}}), 10, 2);
  const auto unconfirmed = d.propose({{3}});
  d.it.read({4});
  d.it.flush(d.out);
  d.it.propose({5}, share(open_session{}));
  d.it.read({6});
  d.give_up();
  CHECK(d.lost == tickets{{1}, {2}, {3}, {4}, {5}, {6}});
  d.lost.clear();
  d.taken(unconfirmed, 12, 1);
  d.applied({10, 11, 12});
  d.it.on(read_ready{.ask = {1}}, [&](ticket id) { d.ready.push_back(id); });
  d.give_up();
  CHECK(d.done.empty());
  CHECK(d.lost.empty());
  CHECK(d.ready.empty());
  CHECK_MESSAGE(d.propose({{7}}) > unconfirmed, "no batch has the name of an earlier one");
}

TEST_CASE("one proof of leadership answers for all questions up to it") {
  desk d;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    d.it.read({i});
    d.it.read({i + 10});
    d.it.flush(d.out);
  }
  CHECK(d.out.notices.size() == 3);
  d.it.on(read_ready{.ask = {2}}, [&](ticket id) { d.ready.push_back(id); });
  CHECK(d.ready == tickets{{1}, {11}, {2}, {12}});
}

TEST_CASE("an index that goes back within a term is not believed") {
  desk d;
  d.taken(d.propose({{1}}), 10, 1);
  const auto batch = d.propose({{2}});
  CHECK_THROWS_AS(d.taken(batch, 10, 1), invariant_broken);
}

} // namespace serving_test
