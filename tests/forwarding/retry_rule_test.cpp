// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/retry_rule.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace retry_rule_test {

using namespace understudy;

namespace {

std::vector<errc> all_codes() {
  std::vector<errc> codes;
  for (int i = 0; i < 256; ++i)
    if (to_string(static_cast<errc>(i)) != "unlisted")
      codes.push_back(static_cast<errc>(i));
  return codes;
}

} // namespace

TEST_CASE("what another node can do is tried again, and so is what may have been done") {
  const call c{.body = command{}, .own = true};
  for (const auto code : {errc::not_leader, errc::no_leader, errc::stopped, errc::machine_stopped,
                          errc::node_broken, errc::outcome_unknown})
    CHECK(step_after(c, code) == next_step::again);
}

TEST_CASE(
    "D5: a caller is told at once that there is no room, unless it may have been done before") {
  for (const auto code : {errc::overloaded, errc::storage_full}) {
    CHECK(step_after({.body = command{}, .own = true}, code) == next_step::answer);
    CHECK(step_after({.body = command{}, .own = true, .doubtful = true}, code) == next_step::later);
  }
}

TEST_CASE("what the log has decided is the answer, doubt or not") {
  for (const bool doubtful : {false, true}) {
    const call c{.body = command{}, .own = true, .doubtful = doubtful};
    for (const auto code : {errc::not_applied, errc::sequence_reused, errc::reply_too_large})
      CHECK(step_after(c, code) == next_step::answer);
  }
}

TEST_CASE("C4: a doubtful call is never answered with an error that says it was not applied") {
  for (const bool own : {false, true}) {
    const call c{.body = command{}, .own = own, .doubtful = true};
    for (const auto code : all_codes()) {
      CAPTURE(code);
      const auto meaning = meaning_of(code);
      if (meaning != attempt_meaning::final_word)
        CHECK(step_after(c, code) != next_step::answer);
    }
  }
}

TEST_CASE("C6: only a call that was certainly not applied is renewed") {
  for (const auto code : all_codes()) {
    CAPTURE(code);
    CHECK(step_after({.body = command{}, .own = true, .doubtful = true}, code) != next_step::renew);
    CHECK(step_after({.body = command{}, .own = false}, code) != next_step::renew);
    if (step_after({.body = command{}, .own = true}, code) == next_step::renew)
      CHECK(code == errc::session_unknown);
    const call settling{.body = command{}, .own = true, .doubtful = true, .settling = true};
    CHECK((step_after(settling, code) == next_step::renew) == (code == errc::not_applied));
  }
}

TEST_CASE("a session that is gone is replaced by its owner, who settles what is in doubt first") {
  CHECK(step_after({.body = command{}, .own = true}, errc::session_unknown) == next_step::renew);
  CHECK(step_after({.body = command{}, .own = true, .doubtful = true}, errc::session_unknown)
        == next_step::settle);
  CHECK(step_after({.body = command{}}, errc::session_unknown) == next_step::answer);
  CHECK(step_after({.body = command{}, .doubtful = true}, errc::session_unknown)
        == next_step::give_up);
  CHECK(step_after({.body = close_session{}}, errc::session_unknown) == next_step::answer);
  CHECK(step_after({.body = command{}, .own = true, .doubtful = true, .settling = true},
                   errc::session_unknown)
        == next_step::give_up);
}

TEST_CASE("a lack of room is told to the caller, unless there is a doubt") {
  CHECK(step_after({.body = command{}}, errc::overloaded) == next_step::answer);
  CHECK(step_after({.body = command{}, .doubtful = true}, errc::overloaded) == next_step::later);
  CHECK(step_after({.body = open_session{}, .internal = true}, errc::overloaded)
        == next_step::later);
}

TEST_CASE("a command refused after a doubtful attempt is settled: the first may have passed") {
  CHECK(step_after({.body = command{}, .own = true}, errc::rejected) == next_step::answer);
  CHECK(step_after({.body = command{}, .own = true, .doubtful = true}, errc::rejected)
        == next_step::settle);
  CHECK(step_after({.body = command{}, .doubtful = true}, errc::rejected) == next_step::give_up);
}

} // namespace retry_rule_test
