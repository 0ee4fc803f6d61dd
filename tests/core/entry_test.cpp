// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/entry.hpp>

#include <doctest/doctest.h>

#include <memory>

namespace entry_test {

using namespace understudy;

namespace {

entry with(payload what) {
  return {.index = log_index{3},
          .term = term_number{2},
          .stamp = {},
          .what = std::make_shared<const payload>(std::move(what))};
}

configuration_ptr of_one(member_id voter) {
  configuration c;
  c.cluster = cluster_id{1};
  c.members.push_back({.id = voter});
  c.voters.push_back(voter);
  return std::make_shared<const configuration>(c);
}

} // namespace

TEST_CASE("E3: of two logs the one with the later term is newer, however short") {
  CHECK(log_position{log_index{1}, term_number{2}} > log_position{log_index{5}, term_number{1}});
  CHECK(log_position{log_index{5}, term_number{2}} > log_position{log_index{1}, term_number{2}});
}

TEST_CASE("an entry is read as what it is, and as nothing else") {
  const auto e = with(command{session_id{1}, request_number{1}, request_number{1}, bytes{"x"}});
  REQUIRE(e.as<command>());
  CHECK(e.as<command>()->body.text() == "x");
  CHECK_FALSE(e.as<no_op>());
  CHECK_FALSE(entry{}.as<no_op>());
}

TEST_CASE("entries are the same when they say the same") {
  CHECK(same_content(with(no_op{}), with(no_op{})));
  CHECK_FALSE(same_content(with(no_op{}), with(open_session{})));
  CHECK(same_content(with(of_one(member_id{1})), with(of_one(member_id{1}))));
  CHECK_FALSE(same_content(with(of_one(member_id{1})), with(of_one(member_id{2}))));
  auto later = with(no_op{});
  later.term = term_number{3};
  CHECK_FALSE(same_content(with(no_op{}), later));
}

TEST_CASE("an entry weighs at least what it carries") {
  const auto heavy = with(command{.body = bytes{std::string_view{"0123456789"}}});
  CHECK(heavy.weight_bytes() >= with(no_op{}).weight_bytes() + 10);
}

} // namespace entry_test
