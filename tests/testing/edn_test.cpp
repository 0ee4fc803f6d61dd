// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/edn.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace edn_test {

using namespace understudy::testing;

std::string written(std::string_view text) {
  return edn_reader{text}.read().written();
}

/// Where and why a text can not be read.
std::string complaint(std::string_view text) {
  try {
    static_cast<void>(edn_reader{text}.read());
  } catch (const unreadable_text& e) {
    return e.what();
  }
  return "none";
}

TEST_CASE("values are read as they are written") {
  CHECK(written("nil") == "nil");
  CHECK(written(" -4 ") == "-4");
  CHECK(written("[1 [2,3] (4)]") == "[1 [2 3] [4]]");
  CHECK(written("#{:a \\) \"b\"}") == "#{:a \\) \"b\"}");
  CHECK(written("\"x \\\"y\\\"\\n\"") == "\"x \"y\"\n\"");
}

TEST_CASE("comments and what is taken away are space, and tags are passed over") {
  CHECK(written("; a remark\n [1 #_[2 3] #_#_4 5 6] ") == "[1 6]");
  CHECK(written("#jepsen.Op{:a 1}") == "{:a 1}");
  CHECK(written("#[:n1]") == "[:n1]");
}

TEST_CASE("a map is asked by keyword") {
  const auto map = edn_reader{"{:process 3, :value nil}"}.read();
  REQUIRE(map.find(":process") != nullptr);
  CHECK(map.find(":process")->text == "3");
  CHECK(map.find(":value")->is_nil());
  CHECK(map.find(":key") == nullptr);
}

TEST_CASE("what can not be read is said with its line and column") {
  CHECK(complaint("") == "1:1: the text ends where a value should be");
  CHECK(complaint("\n  ]") == "2:3: a ']' closes nothing");
  CHECK(complaint("[1\n {2 3}")
        == "2:7: the text ends before the ']' of what begins in line 1, column 1");
  CHECK(complaint(" \"abc") == "1:2: a string has no end");
  CHECK(complaint("[1 {2}]") == "1:4: a map has a key without a value");
  CHECK(complaint("#") == "1:2: the text ends where a value should be");
  CHECK(complaint("#_") == "1:3: the text ends where a value should be");
  CHECK(complaint("\\") == "1:1: the text ends where a character should be");
  CHECK(complaint(std::string(100, '[')) == "1:66: values are nested too deeply");
}

} // namespace edn_test
