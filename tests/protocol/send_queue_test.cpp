// SPDX-License-Identifier: BSL-1.0
#include <understudy/protocol/send_queue.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace send_queue_test {

using namespace understudy;
using namespace understudy::protocol;

namespace {

frame of(frame_kind kind, std::size_t size) {
  return {kind, bytes{std::string(size, 'x')}};
}

} // namespace

TEST_CASE("frames go out in the order in which they came, several at a time") {
  send_queue q{10'000};
  for (const std::size_t size : {10u, 20u, 30u, 40u})
    CHECK(q.push(of(frame_kind::append_entries, size)));
  const auto first = q.take(2 * frame_header_bytes + 30);
  REQUIRE(first.size() == 2);
  CHECK(first[1].body.size() == 20);
  CHECK(q.take(1).size() == 1); // one always does
  CHECK(q.take(1'000).size() == 1);
  CHECK(q.empty());
  CHECK(q.bytes_waiting() == 0);
}

TEST_CASE("where there is no room what comes is dropped, and counted") {
  send_queue q{1'000};
  CHECK(q.push(of(frame_kind::append_entries, 5'000))); // one always may wait
  CHECK_FALSE(q.push(of(frame_kind::append_entries, 10)));
  CHECK_FALSE(q.push(of(frame_kind::request_vote, 10)));
  CHECK(q.dropped() == 2);
  static_cast<void>(q.take(1));
  CHECK(q.push(of(frame_kind::append_entries, 10)));
}

TEST_CASE("answers are kept, and the other end is not listened to while too many wait") {
  send_queue q{1'000};
  CHECK_FALSE(q.is_congested());
  for (int i = 0; i < 20; ++i)
    CHECK(q.push(of(frame_kind::answers, 100)));
  CHECK(q.is_congested());
  CHECK(q.dropped() == 0);
  while (!q.empty())
    static_cast<void>(q.take(500));
  CHECK_FALSE(q.is_congested());
}

} // namespace send_queue_test
