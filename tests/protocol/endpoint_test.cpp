// SPDX-License-Identifier: BSL-1.0
#include <understudy/protocol/endpoint.hpp>

#include <doctest/doctest.h>

#include <string>

namespace endpoint_test {

using namespace understudy;
using namespace understudy::protocol;

TEST_CASE("an address of the roster says where, and who") {
  const endpoint where{"10.0.0.7", 7'000, {0x1f3a}};
  CHECK(to_address(where) == "tcp:10.0.0.7:7000/1f3a");
  CHECK(endpoint_of("tcp:10.0.0.7:7000/1f3a") == where);
  CHECK(endpoint_of("tcp:10.0.0.7:7000") == endpoint{"10.0.0.7", 7'000, {}});
  CHECK(to_address({"db.example", 1, {}}) == "tcp:db.example:1");
  CHECK(endpoint_of(to_address({"::1", 65'535, {~std::uint64_t{0}}}))
        == endpoint{"::1", 65'535, {~std::uint64_t{0}}});
}

TEST_CASE("an address of another kind is none") {
  for (const auto* text : {"", "local:17", "tcp:", "tcp:host", "tcp:host:", "tcp:host:70000",
                           "tcp:host:7000/", "tcp:host:7000/0", "tcp:host:7000/xyz",
                           "tcp:host:7000/1/2", "tcp:host:7000/11111111111111111", "host:7000"})
    CHECK_FALSE_MESSAGE(endpoint_of(text), text);
}

TEST_CASE("what people write is read, or they are told what is wrong with it") {
  CHECK(parse_host_and_port("localhost:0") == endpoint{"localhost", 0, {}});
  CHECK(parse_host_and_port("[fe80::1]:80") == endpoint{"fe80::1", 80, {}});
  const auto why = [](const char* text) {
    const auto read = parse_host_and_port(text);
    REQUIRE_FALSE_MESSAGE(read, text);
    CHECK(read.error().code == errc::invalid_option);
    CHECK(read.error().detail.find(text) != std::string::npos);
    return read.error().detail;
  };
  CHECK(why("localhost").find("port is missing") != std::string::npos);
  CHECK(why("localhost:http").find("no number") != std::string::npos);
  CHECK(why("localhost:-1").find("no number") != std::string::npos);
  CHECK(why("::1:80").find("brackets") != std::string::npos);
  CHECK(why(":80").find("host is missing") != std::string::npos);
  CHECK(why("a b:80").find("no host has") != std::string::npos);
}

TEST_CASE("some hosts are this machine, and some are all of its addresses") {
  for (const auto* host : {"localhost", "127.0.0.1", "127.8.8.8", "::1"})
    CHECK_MESSAGE(is_loopback(host), host);
  for (const auto* host : {"10.0.0.1", "0.0.0.0", "::", "example.org"})
    CHECK_FALSE_MESSAGE(is_loopback(host), host);
  CHECK(is_any_address("0.0.0.0"));
  CHECK(is_any_address("::"));
  CHECK_FALSE(is_any_address("127.0.0.1"));
}

} // namespace endpoint_test
