// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>

#include <node/log.hpp>

#include <string>
#include <string_view>

namespace log_test {

using node_program::event_log;
using node_program::level;
using node_program::log_value;

TEST_CASE("an event is one line with its time, its level and its values") {
  std::string written;
  const event_log log{level::info, [&](std::string_view line) { written += line; }};
  log.line(level::warning, "something", {{"what", "a thing"}, {"count", "3"}});
  CHECK(written.substr(4, 1) == "-");
  CHECK(written.substr(23) == "Z level=warning event=something what=\"a thing\" count=3\n");
}

TEST_CASE("what is below the level is not written") {
  std::string written;
  const event_log log{level::warning, [&](std::string_view line) { written += line; }};
  log.line(level::info, "something");
  CHECK(written.empty());
  log.line(level::error, "something");
  CHECK_FALSE(written.empty());
}

TEST_CASE("no value can end its line, forge a field, or fill the disk") {
  CHECK(log_value("10.0.0.1:80") == "10.0.0.1:80");
  CHECK(log_value("") == "\"\"");
  CHECK(log_value("a=b") == "\"a=b\"");
  CHECK(log_value("a\" level=\"error") == "\"a\\\" level=\\\"error\"");
  CHECK(log_value("a\nb\x1b\x7f") == "\"a\\nb??\"");
  CHECK(log_value(std::string(5'000, 'x')).size() < 1'010);
}

} // namespace log_test
