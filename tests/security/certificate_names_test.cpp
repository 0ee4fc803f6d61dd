// SPDX-License-Identifier: BSL-1.0
#include <understudy/security/certificate_names.hpp>

#include <doctest/doctest.h>

#include "support/certificates.hpp"

#include <string>
#include <vector>

namespace certificate_names_test {

using namespace understudy::security;
using names = std::vector<std::string>;

namespace {

names names_in(const test_support::certificate_wish& wish) {
  static const test_support::authority signs;
  return names_of(*signs.issue(wish).certificate);
}

} // namespace

TEST_CASE("a certificate's DNS names are whom it is for, in their order") {
  CHECK(names_in({.names = {"n1", "cluster.example"}}) == names{"n1", "cluster.example"});
}

TEST_CASE("the common name counts only where there is no DNS name") {
  CHECK(names_in({.names = {"n1"}, .common_name = "n2"}) == names{"n1"});
  CHECK(names_in({.common_name = "n2"}) == names{"n2"});
}

TEST_CASE("a name that is none is left out, and the common name does not take its place") {
  CHECK(names_in({.common_name = "two words"}).empty());
  CHECK(names_in({.common_name = std::string("n1\0.evil", 8)}).empty());
  CHECK(names_in({.common_name = "n\xc3\xa4"}).empty());
  CHECK(names_in({.names = {"not one"}, .common_name = "n2"}).empty());
}

TEST_CASE("case makes no difference, and a star stands for itself") {
  CHECK(is_same_name("Node-1.Example", "node-1.eXAMPLE"));
  CHECK_FALSE(is_same_name("n1", "n10"));
  CHECK_FALSE(is_same_name("*.example", "n1.example"));
  CHECK_FALSE(is_same_name("n[", "n{")); // 32 apart, as letters are
}

} // namespace certificate_names_test
