// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/assert.hpp>
#include <understudy/core/errors.hpp>

#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <string>

namespace errors_test {

using namespace understudy;

namespace {

/// Whether the list of errors has it. There is no default: the compiler asks for each new one.
constexpr bool is_listed(errc code) {
  switch (code) {
  case errc::none:
  case errc::invalid_option:
  case errc::cluster_exists:
  case errc::another_founder:
  case errc::cluster_mismatch:
  case errc::duplicate_id:
  case errc::no_seed_answers:
  case errc::removed:
  case errc::too_large:
  case errc::overloaded:
  case errc::no_leader:
  case errc::not_leader:
  case errc::stopped:
  case errc::rejected:
  case errc::machine_stopped:
  case errc::undecodable:
  case errc::session_unknown:
  case errc::too_many_sessions:
  case errc::sequence_reused:
  case errc::already_answered:
  case errc::not_applied:
  case errc::reply_too_large:
  case errc::stale:
  case errc::settings_differ:
  case errc::busy:
  case errc::timed_out:
  case errc::version_unsupported:
  case errc::node_broken:
  case errc::not_admitted:
  case errc::storage_missing:
  case errc::storage_in_use:
  case errc::storage_foreign:
  case errc::storage_damaged:
  case errc::storage_full:
  case errc::storage_failed:
  case errc::format_unsupported:
  case errc::quorum_intact:
  case errc::not_trusted:
  case errc::version_not_in_use:
  case errc::outcome_unknown:
    return true;
  }
  return false;
}

} // namespace

TEST_CASE("every error has a name of its own") {
  std::set<std::string_view> names;
  int listed = 0;
  for (int code = 0; code < 256; ++code) {
    const auto name = to_string(static_cast<errc>(code));
    CAPTURE(code);
    CHECK((name != "unlisted") == is_listed(static_cast<errc>(code)));
    if (name == "unlisted")
      continue;
    ++listed;
    names.insert(name);
  }
  CHECK(listed == 40);
  CHECK(names.size() == 40);
}

TEST_CASE("only an unknown outcome is uncertain") {
  int uncertain = 0;
  for (int code = 0; code < 256; ++code)
    uncertain += is_uncertain(static_cast<errc>(code)) ? 1 : 0;
  CHECK(uncertain == 1);
  CHECK(is_uncertain(errc::outcome_unknown));
}

TEST_CASE("a failure reads as its name and what it names") {
  std::ostringstream text;
  text << failure{errc::too_large, "command of 2 MiB"} << "; " << failure{errc::stopped};
  CHECK(text.str() == "too_large: command of 2 MiB; stopped");
}

TEST_CASE("a broken invariant says where, what and why") {
  try {
    UNDERSTUDY_ASSERT(1 + 1 == 3, "sums are right");
    FAIL("not reached");
  } catch (const invariant_broken& e) {
    const std::string said = e.what();
    CHECK(said.find("errors_test.cpp") != std::string::npos);
    CHECK(said.find("1 + 1 == 3") != std::string::npos);
    CHECK(said.find("sums are right") != std::string::npos);
  }
}

} // namespace errors_test
