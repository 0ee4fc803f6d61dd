// SPDX-License-Identifier: BSL-1.0
#include <understudy/forwarding/session_owner.hpp>

#include <doctest/doctest.h>

namespace session_owner_test {

using namespace understudy;

TEST_CASE("what names a session names one, and nothing else does") {
  CHECK(named_session(command{.session = {7}}) == session_id{7});
  CHECK(named_session(settle{{8}, {1}}) == session_id{8});
  CHECK(named_session(close_session{{9}}) == session_id{9});
  CHECK_FALSE(named_session(command{}));
  CHECK_FALSE(named_session(open_session{}));
  CHECK_FALSE(named_session(query{}));
}

TEST_CASE("a member's own session is the one of its entry, and is its alone") {
  const configuration roster{.cluster = {77},
                             .rules = {},
                             .members = {{.id = {1}, .entered = {4}}, {.id = {2}, .entered = {6}}},
                             .voters = {}};
  const command of_first{.session = {4}};
  CHECK_FALSE(uses_anothers_session(roster, {1}, of_first));
  CHECK(uses_anothers_session(roster, {2}, of_first));
  CHECK(uses_anothers_session(roster, {99}, of_first));
  CHECK(uses_anothers_session(roster, {}, of_first));
  CHECK_FALSE(uses_anothers_session(roster, {99}, command{.session = {5}}));
  CHECK_FALSE(uses_anothers_session(roster, {99}, open_session{}));
}

} // namespace session_owner_test
