// SPDX-License-Identifier: BSL-1.0
#include <understudy/raft/quorum.hpp>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace quorum_test {

using namespace understudy;

namespace {

/// "12 345": voters 1 and 2, outgoing 3, 4 and 5; each one digit.
configuration half_and_half(const std::string& text) {
  configuration made;
  bool second = false;
  for (auto c : text) {
    if (c == ' ')
      second = true;
    else
      (second ? made.outgoing : made.voters).push_back({static_cast<std::uint64_t>(c - '0')});
  }
  return made;
}

/// Whether those named in `yes` are a quorum of `text`.
bool carried(const std::string& text, const std::string& yes) {
  return quorum_of(half_and_half(text), [&](member_id id) {
    return yes.find(static_cast<char>('0' + id.value)) != std::string::npos;
  });
}

/// The index that a quorum of `text` holds, when member k holds `held[k - 1]`.
std::uint64_t agreed(const std::string& text, const std::vector<std::uint64_t>& held) {
  return quorum_value(half_and_half(text),
                      [&](member_id id) { return log_index{held[id.value - 1]}; })
      .value;
}

} // namespace

TEST_CASE("a majority is more than half (R7)") {
  const std::vector<std::size_t> expected{1, 1, 2, 2, 3, 3, 4, 4, 5, 5};
  for (std::size_t n = 0; n < expected.size(); ++n)
    CHECK(majority(n) == expected[n]);
}

TEST_CASE("a vote is carried by a majority of each half, and by nothing else (R7)") {
  CHECK(carried("1", "1"));
  CHECK_FALSE(carried("1", ""));
  CHECK_FALSE(carried("12", "1"));
  CHECK(carried("12", "12"));
  CHECK(carried("123", "13"));
  CHECK_FALSE(carried("123", "3"));
  CHECK_FALSE(carried("1234", "12"));
  CHECK(carried("1234", "124"));
  CHECK(carried("12345", "345"));

  CHECK_FALSE(carried("123 345", "123"));
  CHECK_FALSE(carried("123 345", "345"));
  CHECK(carried("123 345", "134"));
  CHECK_FALSE(carried("1 23", "12"));
  CHECK(carried("1 23", "123"));
}

TEST_CASE("who is not listed does not count, whatever it says (M16)") {
  CHECK_FALSE(carried("123", "1456789"));
  CHECK_FALSE(carried("12 3", "12"));
  CHECK(agreed("123", {5, 1, 1, 9, 9}) == 1);
}

TEST_CASE("a group of nobody decides nothing") {
  CHECK_FALSE(carried("", "123"));
  CHECK(agreed("", {9, 9, 9}) == 0);
}

TEST_CASE("what is committed is what a majority holds, however it is ordered (R7)") {
  CHECK(agreed("1", {7}) == 7);
  CHECK(agreed("12", {7, 4}) == 4);
  CHECK(agreed("123", {2, 9, 5}) == 5);
  CHECK(agreed("1234", {2, 9, 5, 7}) == 5);
  CHECK(agreed("12345", {1, 9, 3, 7, 5}) == 5);
  CHECK(agreed("12345", {0, 0, 0, 8, 9}) == 0);
}

TEST_CASE("while joint, what both halves hold is committed") {
  CHECK(agreed("123 345", {9, 9, 1, 2, 2}) == 2);
  CHECK(agreed("12 3", {4, 5, 1}) == 1);
  CHECK(agreed("3 12", {4, 5, 9}) == 4);
}

TEST_CASE("a round is lost when one half can not be won any more") {
  const auto lost = [](const std::string& text, const std::string& no) {
    return quorum_lost(half_and_half(text), [&](member_id id) {
      return no.find(static_cast<char>('0' + id.value)) != std::string::npos;
    });
  };
  CHECK_FALSE(lost("123", "1"));
  CHECK(lost("123", "12"));
  CHECK(lost("12", "1"));
  CHECK_FALSE(lost("1234", "1"));
  CHECK(lost("1234", "12"));
  CHECK_FALSE(lost("123 456", "14"));
  CHECK(lost("123 456", "56"));
}

TEST_CASE("voters of both halves are named once, the incoming first") {
  CHECK(all_voters(half_and_half("123 245")) == std::vector<member_id>{{1}, {2}, {3}, {4}, {5}});
}

TEST_CASE("a value is agreed exactly when the members that reached it are a quorum") {
  CHECK(rc::check("value and vote say the same", [] {
    configuration in;
    std::map<member_id, log_index> held;
    for (std::uint64_t id = 1; id <= 9; ++id) {
      held[{id}] = {*rc::gen::inRange<std::uint64_t>(0, 6)};
      if (*rc::gen::arbitrary<bool>())
        in.voters.push_back({id});
      if (*rc::gen::arbitrary<bool>())
        in.outgoing.push_back({id});
    }
    const auto reached = quorum_value(in, [&](member_id id) { return held[id]; });
    for (std::uint64_t i = 1; i <= 6; ++i)
      RC_ASSERT((i <= reached.value)
                == quorum_of(in, [&](member_id id) { return held[id].value >= i; }));
  }));
}

TEST_CASE("two quorums of neighbouring configurations always share a member") {
  CHECK(rc::check("old and joint, joint and new", [] {
    const auto any = [] {
      std::vector<member_id> half;
      for (std::uint64_t id = 1; id <= 6; ++id)
        if (*rc::gen::arbitrary<bool>())
          half.push_back({id});
      return half;
    };
    configuration joint;
    joint.voters = any();
    joint.outgoing = any();
    if (joint.voters.empty() || joint.outgoing.empty())
      return;
    std::set<member_id> one;
    std::set<member_id> other;
    for (std::uint64_t id = 1; id <= 6; ++id)
      (*rc::gen::arbitrary<bool>() ? one : other).insert({id});
    configuration before;
    before.voters = joint.outgoing;
    configuration after;
    after.voters = joint.voters;
    const auto in_one = [&](member_id id) { return one.contains(id); };
    const auto in_other = [&](member_id id) { return other.contains(id); };
    RC_ASSERT_FALSE(quorum_of(joint, in_one) && quorum_of(before, in_other));
    RC_ASSERT_FALSE(quorum_of(joint, in_one) && quorum_of(after, in_other));
  }));
}

} // namespace quorum_test
