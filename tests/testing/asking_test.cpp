// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/asking.hpp>
#include <understudy/testing/run_failed.hpp>
#include <understudy/testing/workload.hpp>

#include <doctest/doctest.h>

#include <utility>
#include <variant>
#include <vector>

namespace asking_test {

using namespace understudy;
using namespace understudy::testing;

namespace {

/// Keeps what it is told, and answers when the test says so.
class listener_of_calls : public asking<listener_of_calls, tally> {
public:
  void tell(member_id at, sibling_message what) {
    told.emplace_back(at, std::get<local_call>(std::move(what)));
  }
  void answer_with(ticket id, expected<reply> what) { calls_.close(id, std::move(what)); }
  void lose(member_id at) { calls_.lose(at); }

  std::vector<std::pair<member_id, local_call>> told;
};

reply holding(std::uint64_t count) {
  return {.body = wire::encode(count)};
}

} // namespace

TEST_CASE("a call goes to the node that is asked, and its answer is kept") {
  listener_of_calls run;
  const auto id = run.submit({7}, tally::bump{1});
  REQUIRE(run.told.size() == 1);
  CHECK(run.told[0].first == member_id{7});
  CHECK(run.told[0].second.id == id);
  CHECK(std::holds_alternative<command>(run.told[0].second.body));
  CHECK_FALSE(run.answer(id));
  CHECK(run.open_calls() == 1);
  run.answer_with(id, holding(3));
  CHECK(run.open_calls() == 0);
  CHECK(run.result<tally::bump>(id).value() == 3);
}

TEST_CASE("a query says how fresh its answer has to be") {
  listener_of_calls run;
  run.ask({7}, tally::count{1}, consistency::local);
  CHECK(std::get<query>(run.told[0].second.body).consistency == consistency::local);
}

TEST_CASE("an answer that somebody waits for goes to them alone") {
  listener_of_calls run;
  std::vector<errc> heard;
  const auto id = run.submit({7}, tally::bump{1}, [&](const expected<reply>& what) {
    heard.push_back(what ? errc::none : what.error().code);
  });
  run.answer_with(id, fail(errc::overloaded));
  CHECK(heard == std::vector{errc::overloaded});
  CHECK_FALSE(run.answer(id));
}

TEST_CASE("I8: a call is answered once, and none that was never asked") {
  listener_of_calls run;
  const auto id = run.submit({7}, tally::bump{1});
  run.answer_with(id, holding(1));
  CHECK_THROWS_AS(run.answer_with(id, holding(1)), invariant_violated);
  CHECK_THROWS_AS(run.answer_with({99}, holding(1)), invariant_violated);
}

TEST_CASE("whoever asked a node that crashed learns that nobody knows, and nobody else does") {
  listener_of_calls run;
  const auto lost = run.submit({7}, tally::bump{1});
  const auto other = run.submit({8}, tally::bump{1});
  run.lose({7});
  CHECK(run.result<tally::bump>(lost).error().code == errc::outcome_unknown);
  CHECK_FALSE(run.answer(other));
}

} // namespace asking_test
