// SPDX-License-Identifier: BSL-1.0
#include <understudy/protocol/connection.hpp>
#include <understudy/security/cluster_key.hpp>
#include <understudy/security/nonce.hpp>
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
using security::cluster_key;
using security::side;

namespace {

hello node(std::uint64_t id, cluster_id cluster = {77}) {
  return {.id = {id}, .start = id, .cluster = cluster, .name = "n" + std::to_string(id)};
}

/// One end, with all that has come out of it.
struct end {
  explicit end(hello own, connection_options o = {}, side which = side::opener)
      : it{std::move(own), which, o, instant{}} {}

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
  end b{node(2), {}, side::acceptor};
  pair() { exchange(a, b); }
};

/// A node that says hello on a connection of its own.
hello fresh(std::uint64_t id) {
  auto made = node(id);
  made.nonce = *security::fresh_nonce();
  return made;
}

connection_options keyed(char fill) {
  const std::string text(32, fill);
  connection_options o;
  o.trust.key = *cluster_key::from(security::secret{std::as_bytes(std::span{text})});
  return o;
}

/// Two ends that have met, each with the key made of this character, or none for 0.
struct keyed_pair {
  end a;
  end b;
  keyed_pair(char of_a, char of_b)
      : a{fresh(1), of_a ? keyed(of_a) : connection_options{}, side::opener},
        b{fresh(2), of_b ? keyed(of_b) : connection_options{}, side::acceptor} {
    exchange(a, b);
  }
};

/// Whether `e` has refused the other end, and taken nothing from it.
bool has_refused(const end& e) {
  return e.over && e.over->code == errc::not_trusted && !e.met && e.messages.empty()
         && !e.it.is_introduced();
}

/// Whether `e` was refused, and told so.
bool was_refused(const end& e) {
  return e.over && e.over->code == errc::stopped && e.over->detail.starts_with("not_trusted: ")
         && !e.met;
}

/// What a node called n2 makes of n1, which has shown a certificate for `names`.
end met_with_certificate(const std::vector<std::string>& names, connection_options o,
                         peer_role role = peer_role::node) {
  auto own = node(1);
  own.role = role;
  end a{own};
  end b{node(2), std::move(o), side::acceptor};
  b.it.certified(names);
  exchange(a, b);
  return b;
}

} // namespace

TEST_CASE("both ends say who they are, and then messages go either way") {
  pair p;
  REQUIRE(p.a.met);
  CHECK(p.a.met->id == member_id{2});
  CHECK(p.b.met->name == "n1");
  CHECK(p.a.it.version() == version_max);
  for (const auto& m : protocol_samples::all())
    CHECK(p.a.it.send(m));
  exchange(p.a, p.b);
  CHECK(p.b.messages.size() == protocol_samples::all().size());
  CHECK(std::holds_alternative<request_vote>(p.b.messages[0]));
  CHECK_FALSE(p.b.over);
}

TEST_CASE("T7: what the older of two releases does not know is not sent to it") {
  auto old = node(1);
  old.protocol_max = 1;
  end a{old};
  end b{node(2), {}, side::acceptor};
  exchange(a, b);
  REQUIRE(a.it.version() == 1);
  CHECK_FALSE(b.it.send(members_reply{}));
  CHECK(b.it.send(presence{}));
  exchange(a, b);
  CHECK(a.messages.size() == 1);
  a.receive(on_the_wire({protocol::encode(peer_message{members_reply{}})}));
  REQUIRE(a.over);
  CHECK(a.over->code == errc::undecodable);
  CHECK(a.over->detail.find("version 1") != std::string::npos);
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

TEST_CASE("SEC3: who has the key is known, once each has proved it to the other") {
  keyed_pair p{'k', 'k'};
  REQUIRE(p.a.met);
  REQUIRE(p.b.met);
  CHECK(p.a.met->name == "n2");
  CHECK(p.a.frames == std::vector{frame_kind::hello, frame_kind::proof});
  CHECK(p.b.frames == std::vector{frame_kind::hello, frame_kind::proof});
  CHECK(p.a.it.send(presence{}));
  CHECK(p.b.it.send(presence{}));
  exchange(p.a, p.b);
  CHECK(p.a.messages.size() == 1);
  CHECK(p.b.messages.size() == 1);
}

TEST_CASE("SEC3: a proof comes with whatever else the network delivers, cut anywhere") {
  for (std::size_t piece = 1; piece < 40; ++piece) {
    end a{fresh(1), keyed('k')};
    end b{fresh(2), keyed('k'), side::acceptor};
    for (int i = 0; i < 4; ++i) {
      const auto carry = [&](end& from, end& to) {
        const auto all = from.take_output();
        for (std::size_t at = 0; at < all.size(); at += piece)
          to.receive({all.begin() + static_cast<std::ptrdiff_t>(at),
                      all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), at + piece))});
      };
      carry(a, b);
      if (b.it.is_introduced() && i == 1)
        CHECK(b.it.send(presence{})); // right behind its proof
      carry(b, a);
    }
    REQUIRE(a.met);
    CHECK(a.messages.size() == 1);
  }
}

TEST_CASE("SEC3: another key is refused, both ends learn why, and the acceptor proves nothing") {
  keyed_pair p{'k', 'x'};
  CHECK(has_refused(p.b));
  CHECK(p.b.over->detail == "the other end has another key");
  CHECK(was_refused(p.a));
  CHECK(std::ranges::count(p.b.frames, frame_kind::proof) == 0);
}

TEST_CASE("SEC3: who has no key is refused, on whichever side it is, and both learn why") {
  for (const bool opener_has : {true, false}) {
    keyed_pair p{opener_has ? 'k' : '\0', opener_has ? '\0' : 'k'};
    CHECK(has_refused(p.a));
    CHECK(has_refused(p.b));
    const auto& with = opener_has ? p.a : p.b;
    const auto& without = opener_has ? p.b : p.a;
    CHECK(with.over->detail == "the other end has no cluster key, and this one asks for it");
    CHECK(without.over->detail == "the other end asks for the cluster key, and this one has none");
    CHECK(std::ranges::count(with.frames, frame_kind::proof) == 0);
  }
}

TEST_CASE("SEC3: who only says that it has the key gets nothing for it") {
  for (const auto which : {side::opener, side::acceptor}) {
    auto liar = fresh(1);
    liar.keyed = true;
    const frame said = protocol::encode(liar);
    for (const auto& next :
         {frame{frame_kind::presence, {}}, frame{frame_kind::ping, {}}, said,
          frame{frame_kind::proof, {}}, frame{frame_kind::proof, bytes{std::string(32, '\0')}},
          frame{frame_kind::proof, bytes{std::string(33, '\0')}}}) {
      end b{fresh(2), keyed('k'), which};
      b.receive(on_the_wire({said, next}));
      CHECK(has_refused(b));
    }
    end b{fresh(2), keyed('k'), which};
    b.receive(on_the_wire({said, {frame_kind::requests, bytes{std::string(600, 'x')}}}));
    REQUIRE(b.over); // nor does it get more room
    CHECK(b.over->code == errc::too_large);
  }
}

TEST_CASE("SEC3: a proof that is given back to whom it came from is none") {
  auto mirror = fresh(9);
  mirror.keyed = true;
  end a{fresh(1), keyed('k')};
  a.take_output();
  a.receive(on_the_wire({protocol::encode(mirror)}));
  const auto own_proof = a.take_output();
  REQUIRE(own_proof.size() == frame_header_bytes + 32);
  a.receive(own_proof);
  CHECK(has_refused(a));
  // Nor is its hello: that is its own name.
  end b{fresh(1), keyed('k')};
  b.receive(b.take_output());
  REQUIRE(b.over);
  CHECK(b.over->code == errc::duplicate_id);
}

TEST_CASE("SEC3: a proof of one connection is none on another") {
  std::vector<std::byte> heard;
  const auto opener = fresh(1);
  end a{opener, keyed('k')};
  end b{fresh(2), keyed('k'), side::acceptor};
  for (int i = 0; i < 3; ++i) {
    const auto said = a.take_output();
    heard.insert(heard.end(), said.begin(), said.end());
    b.receive(said);
    a.receive(b.take_output());
  }
  REQUIRE(b.met);
  end later{fresh(2), keyed('k'), side::acceptor};
  later.receive(heard);
  CHECK(has_refused(later));
  // And the acceptor's: not even where the opener says the same again.
  end again{fresh(1), keyed('k')};
  again.take_output();
  end other{fresh(2), keyed('k'), side::acceptor};
  const auto hello_of_other = other.take_output();
  again.receive(hello_of_other);
  other.receive(heard);
  again.receive(other.take_output());
  CHECK_FALSE(again.met);
}

TEST_CASE("SEC3: a proof by who says that it is the other end is none") {
  // Both believe that they have opened the connection.
  end a{fresh(1), keyed('k')};
  end b{fresh(2), keyed('k')};
  exchange(a, b);
  CHECK(has_refused(a));
  CHECK(has_refused(b));
}

TEST_CASE("T3: who says hello and does not prove it in time is let go") {
  auto half = fresh(2);
  half.keyed = true;
  end a{fresh(1), keyed('k')};
  a.receive(on_the_wire({protocol::encode(half)}), instant{} + 1s);
  a.take_output();
  CHECK(a.wake_at == instant{} + 2s);
  a.pass_time(instant{} + 2s);
  REQUIRE(a.over);
  CHECK(a.over->code == errc::timed_out);
  CHECK(a.over->detail == "the other end has not proved who it is");
}

TEST_CASE("T8: a node has the name of its certificate, or a certificate of the whole cluster") {
  connection_options o;
  CHECK(met_with_certificate({"n1"}, o).met);
  CHECK(met_with_certificate({"other", "N1"}, o).met);
  CHECK(has_refused(met_with_certificate({"n3"}, o)));
  CHECK(has_refused(met_with_certificate({}, o)));
  CHECK(has_refused(met_with_certificate({""}, o)));
  CHECK(has_refused(met_with_certificate({"cluster.example"}, o)));
  CHECK(met_with_certificate({"n3"}, o).over->detail
        == "a node that says it is another than its certificate's n3");
  o.trust.cluster_name = "cluster.example";
  CHECK(met_with_certificate({"cluster.example"}, o).met);
  CHECK(met_with_certificate({"n1"}, o).met);
  CHECK(has_refused(met_with_certificate({"n3"}, o)));
}

TEST_CASE("T8: who has no part in the cluster may be called as it likes") {
  CHECK(met_with_certificate({"shop"}, {}, peer_role::client).met);
  CHECK(met_with_certificate({}, {}, peer_role::operator_).met);
}

TEST_CASE("a client that speaks as a member is shown out, and what it says is not looked at") {
  auto who = node(1);
  who.role = peer_role::client;
  for (const auto& m : protocol_samples::all()) {
    end client{who};
    end member{node(2), {}, side::acceptor};
    exchange(client, member);
    client.it.send(m);
    exchange(client, member);
    const bool is_call
        = std::holds_alternative<requests>(m) || std::holds_alternative<members_request>(m);
    CHECK(member.messages.size() == (is_call ? 1 : 0));
    CHECK(member.over.has_value() != is_call);
    if (member.over)
      CHECK(member.over->code == errc::not_trusted);
  }
}

TEST_CASE("an operator asks and orders, and has no vote") {
  CHECK(may_send(peer_role::operator_, frame_kind::order_request));
  CHECK(may_send(peer_role::operator_, frame_kind::census_request));
  CHECK(may_send(peer_role::operator_, frame_kind::requests));
  CHECK_FALSE(may_send(peer_role::operator_, frame_kind::vote_reply));
  CHECK_FALSE(may_send(peer_role::operator_, frame_kind::enter_request));
  CHECK_FALSE(may_send(peer_role{9}, frame_kind::requests));
}

TEST_CASE("where a certificate is asked for, who has shown none is refused, whatever it is") {
  connection_options o;
  o.trust.require_certificate = true;
  CHECK(met_with_certificate({"n1"}, o).met);
  for (const auto role : {peer_role::node, peer_role::client, peer_role::operator_}) {
    auto own = node(1);
    own.role = role;
    end a{own};
    end b{node(2), o, side::acceptor};
    exchange(a, b);
    CHECK(has_refused(b));
    CHECK(b.over->detail == "the other end has shown no certificate");
  }
}

TEST_CASE("a certificate does not stand in for the key, nor the key for a certificate") {
  auto o = keyed('k');
  o.trust.require_certificate = true;
  for (const bool has_key : {true, false})
    for (const bool has_certificate : {true, false}) {
      end a{fresh(1), has_key ? keyed('k') : connection_options{}};
      end b{fresh(2), o, side::acceptor};
      if (has_certificate)
        b.it.certified({"n1"});
      exchange(a, b);
      CHECK(b.met.has_value() == (has_key && has_certificate));
      CHECK(has_refused(b) == !(has_key && has_certificate));
    }
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

TEST_CASE("N9: a large frame that is long on its way is a sign of life while it comes") {
  pair p;
  const auto start = instant{} + 10s;
  p.a.it.send(presence{});
  exchange(p.a, p.b, start);
  const auto large = on_the_wire({{frame_kind::pong, bytes{std::string(1'000, 'x')}}});
  auto now = start;
  for (std::size_t i = 0; i + 1 < large.size(); ++i) {
    now += 10ms;
    p.b.receive(std::vector<std::byte>{large[i]}, now);
    p.b.pass_time(now);
    REQUIRE_FALSE(p.b.over);
  }
  p.b.pass_time(now + 1s);
  REQUIRE(p.b.over);
  CHECK(p.b.over->detail == "the other end is silent");
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

TEST_CASE("who is shown out while something is being written to it is told why all the same") {
  end a{node(1)};
  connection_outbox greeting;
  a.it.settle(greeting);
  REQUIRE(greeting.write.size() == 1); // and nothing says that it has been written
  SUBCASE("for what it has done") {
    a.receive(on_the_wire({{frame_kind::ping, {}}}));
    REQUIRE(a.over);
  }
  SUBCASE("for nothing that it has done") {
    a.it.close("there is a newer connection");
  }
  connection_outbox last;
  a.it.settle(last);
  REQUIRE(last.write.size() == 1);
  CHECK(last.write[0].kind == frame_kind::goodbye);
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

TEST_CASE("SEC5: a client that does not take its answers is shown out, and a node is not") {
  connection_options o;
  o.queue_bytes_max = 2'000;
  o.unread_bytes_max = 5'000;
  auto asks = node(2);
  SUBCASE("a client") {
    asks.role = peer_role::client;
  }
  SUBCASE("a node") {}
  const bool is_client = asks.role == peer_role::client;
  end a{node(1), o};
  end b{asks, {}, side::acceptor};
  exchange(a, b);
  const answers large{.batch
                      = {{.id = {1}, .result = reply{.body = bytes{std::string(900, 'a')}}}}};
  connection_outbox out;
  a.it.send(large);
  a.it.settle(out); // and is never written
  for (int i = 0; i < 5; ++i) {
    a.it.send(large);
    connection_outbox more;
    a.it.settle(more);
    REQUIRE_FALSE(more.end);
  }
  a.it.send(large);
  connection_outbox last;
  a.it.settle(last);
  CHECK(last.end.has_value() == is_client);
  CHECK(a.it.is_ended() == is_client);
  if (is_client)
    CHECK(last.end->code == errc::overloaded);
  CHECK(a.it.send(large) != is_client);
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
