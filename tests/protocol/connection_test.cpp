// SPDX-License-Identifier: BSL-1.0
#include <understudy/protocol/connection.hpp>
#include <understudy/testing/random.hpp>

#include <doctest/doctest.h>

#include "protocol/support/samples.hpp"
#include "protocol/support/stream.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace connection_test {

using namespace understudy;
using namespace understudy::protocol;
using namespace std::chrono_literals;
using protocol_samples::on_the_wire;

namespace {

hello node(std::uint64_t id, cluster_id cluster = {77}) {
  return {.id = {id}, .start = id, .cluster = cluster, .name = "n" + std::to_string(id)};
}

/// One end, with all that has come out of it.
struct end {
  explicit end(hello own, connection_options o = {}) : it{std::move(own), o, instant{}} {}

  void receive(const std::vector<std::byte>& data, instant now = {}) {
    connection_outbox out;
    it.received(data, now, out);
    collect(out);
  }

  void pass_time(instant now) {
    connection_outbox out;
    it.wake(now, out);
    collect(out);
  }

  /// What it wants to write now; it is written at once.
  std::vector<std::byte> take_output() {
    std::vector<std::byte> all;
    for (;;) {
      connection_outbox out;
      it.settle(out);
      wake_at = out.wake_at;
      if (out.write.empty())
        return all;
      for (const auto& f : out.write)
        frames.push_back(f.kind);
      const auto some = on_the_wire(out.write);
      all.insert(all.end(), some.begin(), some.end());
      it.written();
    }
  }

  connection it;
  std::optional<hello> met;
  std::vector<peer_message> messages;
  std::optional<failure> over;
  std::optional<instant> wake_at;
  std::vector<frame_kind> frames; ///< written

private:
  void collect(connection_outbox& out) {
    if (out.introduced)
      met = out.introduced;
    for (auto& m : out.messages)
      messages.push_back(std::move(m));
    if (out.end)
      over = out.end;
  }
};

/// Carries what both ends write to the other one.
void exchange(end& a, end& b, instant now = {}) {
  for (int i = 0; i < 5; ++i) {
    b.receive(a.take_output(), now);
    a.receive(b.take_output(), now);
  }
}

struct pair {
  end a{node(1)};
  end b{node(2)};
  pair() { exchange(a, b); }
};

} // namespace

TEST_CASE("both ends say who they are, and then messages go either way") {
  pair p;
  REQUIRE(p.a.met);
  CHECK(p.a.met->id == member_id{2});
  CHECK(p.b.met->name == "n1");
  CHECK(p.a.it.version() == 1);
  for (const auto& m : protocol_samples::all())
    CHECK(p.a.it.send(m));
  exchange(p.a, p.b);
  CHECK(p.b.messages.size() == protocol_samples::all().size());
  CHECK(std::holds_alternative<request_vote>(p.b.messages[0]));
  CHECK_FALSE(p.b.over);
}

TEST_CASE("nothing is sent to whom nobody knows") {
  end a{node(1)};
  CHECK_FALSE(a.it.send(presence{}));
  CHECK(a.take_output() == on_the_wire({protocol::encode(node(1))}));
}

TEST_CASE("T3: who does not say who it is in time is let go") {
  end a{node(1)};
  a.take_output();
  CHECK(a.wake_at == instant{} + 2s);
  a.pass_time(instant{} + 1999ms);
  CHECK_FALSE(a.over);
  a.pass_time(instant{} + 2s);
  REQUIRE(a.over);
  CHECK(a.over->code == errc::timed_out);
  CHECK(a.it.is_ended());
}

TEST_CASE("SEC5: before it is known who is there, no more than a hello is read") {
  end a{node(1)};
  a.receive(on_the_wire({{frame_kind::hello, bytes{std::string(hello_bytes_max + 1, 'x')}}}));
  REQUIRE(a.over);
  CHECK(a.over->code == errc::too_large);
}

TEST_CASE("who begins with anything else than a hello is no peer") {
  end a{node(1)};
  a.receive(on_the_wire({{frame_kind::ping, {}}}));
  REQUIRE(a.over);
  CHECK(a.over->detail == "the first frame is no hello");
  end b{node(1)};
  const std::string http = "GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const auto text = std::as_bytes(std::span{http});
  b.receive({text.begin(), text.end()});
  CHECK(b.over->detail == "this is no frame");
}

TEST_CASE("B14: another cluster's node is told why it is refused, and nothing more") {
  end a{node(1)};
  end b{node(2, {78})};
  exchange(a, b);
  REQUIRE(a.over);
  CHECK(a.over->code == errc::cluster_mismatch);
  CHECK(b.over);
  CHECK_FALSE(a.met);
  CHECK(a.frames.back() == frame_kind::goodbye);
}

TEST_CASE("silence is asked about, and then it is the end") {
  pair p;
  const auto start = instant{} + 10s;
  p.a.it.send(presence{});
  exchange(p.a, p.b, start);
  p.b.it.send(presence{});
  exchange(p.a, p.b, start);
  p.a.take_output();
  CHECK(p.a.wake_at == start + 300ms);
  p.a.pass_time(start + 300ms);
  p.a.take_output();
  CHECK(p.a.frames.back() == frame_kind::ping);
  p.a.pass_time(start + 999ms);
  CHECK_FALSE(p.a.over);
  p.a.pass_time(start + 1s);
  REQUIRE(p.a.over);
  CHECK(p.a.over->detail == "the other end is silent");
}

TEST_CASE("who answers is alive, however little there is to say") {
  pair p;
  for (auto now = instant{}; now < instant{} + 30s; now += 100ms) {
    p.a.pass_time(now);
    p.b.pass_time(now);
    exchange(p.a, p.b, now);
  }
  CHECK_FALSE(p.a.over);
  CHECK_FALSE(p.b.over);
  const auto pings = std::ranges::count(p.a.frames, frame_kind::ping);
  CHECK(pings > 10);
  CHECK(pings < 150);
}

TEST_CASE("a good-bye ends it, with the reason") {
  pair p;
  p.a.it.close("this node is being replaced");
  exchange(p.a, p.b);
  REQUIRE(p.b.over);
  CHECK(p.b.over->code == errc::stopped);
  CHECK(p.b.over->detail == "this node is being replaced");
  CHECK_FALSE(p.b.it.send(presence{}));
}

TEST_CASE("while something is being written the rest waits, up to a limit") {
  connection_options o;
  o.queue_bytes_max = 2'000;
  o.write_bytes = 500;
  end a{node(1), o};
  end b{node(2)};
  exchange(a, b);
  const auto large = [](const char* fill) {
    return answers{.batch = {{.id = {1}, .result = reply{.body = bytes{std::string(900, *fill)}}}}};
  };
  connection_outbox out;
  a.it.send(large("a"));
  a.it.settle(out);
  CHECK(out.write.size() == 1);
  for (int i = 0; i < 5; ++i)
    CHECK(a.it.send(large("b"))); // answers are kept
  CHECK_FALSE(a.it.send(presence{}));
  CHECK(a.it.dropped() == 1);
  CHECK_FALSE(a.it.listens());
  connection_outbox busy;
  a.it.settle(busy);
  CHECK(busy.write.empty());
  a.it.written();
  CHECK(a.take_output().size() > 4'500);
  CHECK(a.it.listens());
}

TEST_CASE("garbage in the middle of a conversation ends it, and hurts nobody") {
  testing::random_stream random{23};
  for (int i = 0; i < 300; ++i) {
    pair p;
    auto stream = on_the_wire(
        {encode(protocol_samples::all()[static_cast<std::size_t>(random.below(19))])});
    for (auto flips = random.between(1, 9); flips > 0; --flips)
      stream[static_cast<std::size_t>(random.below(stream.size()))]
          = static_cast<std::byte>(random.below(256));
    p.a.receive(stream);
    p.a.receive(stream);
    CHECK((p.a.over || p.a.messages.size() == 2)); // two, where the bytes are what they were
    if (p.a.over)
      CHECK((p.a.over->code == errc::undecodable || p.a.over->code == errc::too_large));
  }
}

TEST_CASE("options that make no sense are named") {
  CHECK(complaints(connection_options{}).empty());
  connection_options o;
  o.silence_max = o.probe_after;
  o.write_bytes = 0;
  CHECK(complaints(o).size() == 2);
}

} // namespace connection_test
