// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>

#include <demo/access_log.hpp>
#include <support/data.hpp>

#include <cstddef>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace access_log_test {

using namespace demo;

TEST_CASE("a line of the common format is a request, whatever follows it") {
  const logged_request wanted{"10.0.0.7", 512};
  for (const auto* line : {
           R"(10.0.0.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 512)",
           R"(10.0.0.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 512 )",
           R"(10.0.0.7 - ada [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 512 "-" "curl")",
           R"(10.0.0.7 - - [x] "GET /" 200 512 "http://unfinished)",
           "10.0.0.7 - - [x] \"GET /\" 200 512 \"-\" \"agent\"\r",
           R"(10.0.0.7 - - [x] "GET /a\"b\\" 200 512)",
           R"(10.0.0.7 - - [x] "" 408 512)",
       }) {
    CAPTURE(line);
    CHECK(parse_line(line) == wanted);
  }
}

TEST_CASE("a size that the server did not know counts as none") {
  CHECK(parse_line(R"(h - - [x] "GET /" 304 -)") == logged_request{"h", 0});
}

TEST_CASE("what is not a whole request is none") {
  for (const auto* line : {
           "",
           "\r",
           "10.0.0.7",
           "10.0.0.7 - -",
           R"(10.0.0.7 - - "GET /" 200 512)",
           R"(10.0.0.7 - - [x "GET /" 200 512)",
           R"(10.0.0.7 - - [x] GET / 200 512)",
           R"(10.0.0.7 - - [x] "GET / 200 512)",
           R"(10.0.0.7 - - [x] "GET /\" 200 512)",
           R"(10.0.0.7 - - [x] "GET /"200 512)",
           R"(10.0.0.7 - - [x] "GET /" 20 512)",
           R"(10.0.0.7 - - [x] "GET /" OK! 512)",
           R"(10.0.0.7 - - [x] "GET /" 200)",
           R"(10.0.0.7 - - [x] "GET /" 200 many)",
           R"(10.0.0.7 - - [x] "GET /" 200 -512)",
           R"(10.0.0.7 - - [x] "GET /" 200 99999999999999999999999)",
           R"( - - [x] "GET /" 200 512)",
       }) {
    CAPTURE(line);
    CHECK_FALSE(parse_line(line));
  }
}

TEST_CASE("lines that are no requests are named by their numbers, and the others are all there") {
  std::istringstream in{"a - - [x] \"GET /\" 200 1\n"
                        "nonsense\n"
                        "b - - [x] \"GET /\" 200 2\r\n"
                        "\n"
                        "c - - [x] \"GET /\" 200 3"};
  const auto log = read_log(in);
  CHECK(log.requests == std::vector<logged_request>{{"a", 1}, {"b", 2}, {"c", 3}});
  CHECK(log.skipped_lines == std::vector<std::size_t>{2, 4});
}

TEST_CASE("an empty log is a log") {
  std::istringstream in;
  const auto log = read_log(in);
  CHECK(log.requests.empty());
  CHECK(log.skipped_lines.empty());
}

TEST_CASE("every line of a real log is a request, the damaged one too") {
  const auto path = test_support::outside_data("access.log");
  if (!path)
    return;
  std::ifstream in{*path};
  const auto log = read_log(in);
  CHECK(log.requests.size() == 10'000);
  CHECK(log.skipped_lines.empty());
  std::set<std::string> addresses;
  for (const auto& request : log.requests)
    addresses.insert(request.address);
  CHECK(addresses.size() == 1'753);
}

} // namespace access_log_test
