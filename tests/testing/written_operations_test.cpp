// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/linearizability.hpp>
#include <understudy/testing/written_operations.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace written_operations_test {

using namespace understudy::testing;

std::string complaint(std::string_view text, bool has_cas = true) {
  try {
    static_cast<void>(register_operations(read_history(text), has_cas));
  } catch (const unreadable_text& e) {
    return e.what();
  }
  return "none";
}

TEST_CASE("each of the histories is what its name says") {
  std::size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator{
           std::filesystem::path{__FILE__}.parent_path() / "histories"}) {
    const auto name = file.path().filename().string();
    CAPTURE(name);
    std::ifstream in{file.path(), std::ios::binary};
    const auto events = read_history(std::string{std::istreambuf_iterator<char>{in}, {}});
    const auto found
        = name.find("kv") != std::string::npos
              ? check_linearizable(key_value{}, text_operations(events).history)
              : check_linearizable(cas_register{}, register_operations(events).history);
    CHECK((found.found == linearity::linearizable) == name.starts_with("good"));
    ++files;
  }
  CHECK(files >= 8);
}

TEST_CASE("an operation ends as its process is told, or stays open") {
  const auto all = register_operations(read_history("[[0 :invoke :write 1] [1 :invoke :write 2]"
                                                    " [2 :invoke :cas [1 2]] [3 :invoke :read nil]"
                                                    " [0 :ok :write 1] [1 :fail :write 2]"
                                                    " [2 :info :cas :timed-out]]"));
  REQUIRE(all.history.size() == 4);
  CHECK(all.history[0].ended == operation_end::succeeded);
  CHECK(all.history[0].call == cas_register::write("1"));
  CHECK(all.history[1].ended == operation_end::failed);
  CHECK(all.history[2].ended == operation_end::unknown);
  CHECK(all.history[2].call == cas_register::cas("1", "2"));
  CHECK(all.history[3].ended == operation_end::unknown);
}

TEST_CASE("a read of nil is unknown in EDN, and no value in a log") {
  const auto edn = register_operations(read_history("[[0 :invoke :read nil] [0 :ok :read nil]]"));
  CHECK_FALSE(edn.history[0].reply.has_value());
  const auto log = register_operations(read_history("jepsen.util - 0 :invoke :read nil\n"
                                                    "jepsen.util - 0 :ok :read nil"));
  REQUIRE(log.history[0].reply.has_value());
  CHECK_FALSE(log.history[0].reply->value.has_value());
}

TEST_CASE("values have keys where all have") {
  const auto keyed = register_operations(
      read_history("[[0 :invoke :write [:x 1]] [1 :invoke :cas [:y [1 2]]]]"));
  CHECK(keyed.history[0].key == ":x");
  CHECK(keyed.history[0].call == cas_register::write("1"));
  CHECK(keyed.history[1].call == cas_register::cas("1", "2"));
  const auto plain
      = register_operations(read_history("[[0 :invoke :write [3 1]] [1 :invoke :cas [1 2]]]"));
  CHECK(plain.history[0].key.empty());
  CHECK(plain.history[0].call == cas_register::write("[3 1]"));
}

TEST_CASE("events that can not be are named") {
  CHECK(complaint("[[0 :ok :read 1]]") == "1:2: process 0 ends what it has not asked");
  CHECK(complaint("[0 :invoke :read nil]\n[0 :invoke :read nil]")
        == "2:1: process 0 asks, and has not ended what it asked in line 1");
  CHECK(complaint("[0 :invoke :read nil]\n[0 :ok :write 1]")
        == "2:1: process 0 ends :write, and had asked for :read");
  CHECK(complaint("[[0 :invoke :drop 1]]")
        == "1:13: a register has :read, :write and :cas, and this is :drop");
  CHECK(complaint("[[0 :invoke :cas [1 2]]]", false)
        == "1:13: a register has :read, :write, and this is :cas");
  CHECK(complaint("[[0 :invoke :cas 1]]")
        == "1:18: the value of a :cas is [old new], and this is 1");
  CHECK_THROWS_AS(static_cast<void>(text_operations(read_history("[[0 :invoke :cas [1 2]]]"))),
                  unreadable_text);
}

} // namespace written_operations_test
