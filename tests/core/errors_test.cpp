// SPDX-License-Identifier: BSL-1.0
#include <understudy/core/assert.hpp>
#include <understudy/core/errors.hpp>

#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <string>

namespace errors_test {

using namespace understudy;

TEST_CASE("every error has a name of its own") {
  std::set<std::string_view> names;
  int listed = 0;
  for (int code = 0; code < 256; ++code) {
    const auto name = to_string(static_cast<errc>(code));
    if (name == "unlisted")
      continue;
    ++listed;
    names.insert(name);
  }
  CHECK(listed == 37);
  CHECK(names.size() == 37);
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
