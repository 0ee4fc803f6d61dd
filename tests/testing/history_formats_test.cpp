// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/history_formats.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace history_formats_test {

using namespace understudy::testing;

std::string complaint(std::string_view text) {
  try {
    static_cast<void>(read_history(text));
  } catch (const unreadable_text& e) {
    return e.what();
  }
  return "none";
}

TEST_CASE("maps are read in a vector, in a list and alone") {
  const std::string map = "{:process 3, :type :ok, :f :read, :value 4, :key \"k\"}";
  for (const auto& text : {map, "[" + map + "]", "\n(" + map + ")", "; remark\n" + map}) {
    const auto all = read_history(text);
    CHECK_FALSE(all.nil_is_a_value);
    REQUIRE(all.events.size() == 1);
    CHECK(all.events[0].process == 3);
    CHECK(all.events[0].what == written_event::kind::ok);
    CHECK(all.events[0].function.text == ":read");
    CHECK(all.events[0].value.text == "4");
    CHECK(all.events[0].key->text == "k");
  }
  CHECK(read_history("[]").events.empty());
}

TEST_CASE("tuples are read as maps are") {
  CHECK(read_history("[0 :invoke :read nil]\n[0 :ok :read 1]").events.size() == 2);
  CHECK(read_history("[[0 :invoke :read nil] [0 :ok :read 1]]").events.size() == 2);
}

TEST_CASE("what is no client is passed over") {
  CHECK(read_history("[{:process :nemesis, :type :info, :f :kill}]").events.empty());
}

TEST_CASE("a log is read line by line") {
  const auto all = read_history("some remark\r\n\n"
                                "INFO  jepsen.util - 0\t:invoke\t:read\tnil\r\n"
                                "INFO  jepsen.util - :nemesis\t:info\t:start\tnil\n"
                                "INFO jepsen.util - 3 nodes are up\n"
                                "  INFO  jepsen.util - 12   :info :cas   :timed-out");
  CHECK(all.nil_is_a_value);
  REQUIRE(all.events.size() == 2);
  CHECK(all.events[0].at.line == 3);
  CHECK(all.events[1].process == 12);
  CHECK(all.events[1].value.text == ":timed-out");
}

TEST_CASE("what can not be read is said with its line and column") {
  CHECK(complaint("") == "1:1: the file is empty; a history without operations is []");
  CHECK(complaint(" \n; nothing\n").starts_with("1:1: the file is empty"));
  CHECK(complaint("hello").starts_with("1:1: this is neither EDN"));
  CHECK(complaint("[4\n]").starts_with("1:2: an operation is a map"));
  CHECK(complaint("[{:type :ok}]") == "1:2: an operation has no :process");
  CHECK(complaint("[{:process 1}]") == "1:2: an operation has no :type");
  CHECK(complaint("[{:process 1 :type :maybe}]").starts_with("1:20: a :type is"));
  CHECK(complaint("[{:process -1 :type :ok}]").starts_with("1:12: a process is"));
  CHECK(complaint("[{:process 1 :type :ok}").starts_with("1:24: the text ends"));
  CHECK(complaint("INFO jepsen.util - 0 :maybe :read 1").starts_with("1:22: an operation is"));
}

} // namespace history_formats_test
