// SPDX-License-Identifier: BSL-1.0
#include <understudy/security/tls_session.hpp>
#include <understudy/testing/random.hpp>

#include <doctest/doctest.h>

#include "support/certificates.hpp"
#include "support/scratch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tls_session_test {

using namespace understudy;
using namespace understudy::security;
using test_support::authority;
using test_support::certificate_wish;

namespace {

using data = std::vector<std::byte>;

data data_of(std::string_view text) {
  const auto raw = std::as_bytes(std::span{text});
  return {raw.begin(), raw.end()};
}

data noise(std::size_t size, testing::random_stream& random) {
  data made(size);
  for (auto& b : made)
    b = static_cast<std::byte>(random.below(256));
  return made;
}

tls_context context_of(const test_support::identity& own, const authority& believed) {
  const test_support::scratch dir;
  auto made = tls_context::load(test_support::write_tls_files(dir.path(""), own, believed));
  REQUIRE_MESSAGE(made, made.error().detail);
  return *made;
}

const authority& ours() {
  static const authority made;
  return made;
}

const tls_context& context_for(const std::string& name) {
  static const tls_context n1 = context_of(ours().issue({.names = {"n1"}}), ours());
  static const tls_context n2 = context_of(ours().issue({.names = {"n2", "cluster"}}), ours());
  return name == "n1" ? n1 : n2;
}

/// One end, with all that has come out of it.
struct end {
  end(const tls_context& with, side own, const tls_limits& limits = {})
      : it{*tls_session::begin(with, own, limits)} {}

  void receive(std::span<const std::byte> cipher) {
    if (const auto good = it.received(cipher, plain); !good && !over)
      over = good.error();
  }

  tls_session it;
  data plain;
  std::optional<failure> over;
};

/// Carries what both write to the other one, in pieces of this size, until neither has any.
void exchange(end& a, end& b, std::size_t piece = SIZE_MAX) {
  const auto carry = [&](end& from, end& to) {
    const auto all = from.it.take_output();
    for (std::span<const std::byte> left{all}; !left.empty();) {
      const auto size = std::min(piece, left.size());
      to.receive(left.first(size));
      left = left.subspan(size);
    }
    return !all.empty();
  };
  for (bool is_on = true; is_on;) {
    is_on = carry(a, b);
    is_on = carry(b, a) || is_on;
  }
}

struct pair {
  end a;
  end b;

  explicit pair(const tls_limits& limits = {})
      : pair{context_for("n1"), context_for("n2"), limits} {}
  pair(const tls_context& opener, const tls_context& acceptor, const tls_limits& limits = {})
      : a{opener, side::opener, limits}, b{acceptor, side::acceptor, limits} {
    exchange(a, b);
  }
};

/// A client by OpenSSL alone, which does what ours never would.
struct foreign_opener {
  /// Has no certificate, and believes anybody.
  explicit foreign_opener(int newest = TLS1_3_VERSION) : context{SSL_CTX_new(TLS_client_method())} {
    SSL_CTX_set_max_proto_version(context.get(), newest);
    begin(context.get());
  }
  explicit foreign_opener(const tls_context& with) { begin(with.native()); }

  void begin(SSL_CTX* with) {
    it.reset(SSL_new(with));
    SSL_set_bio(it.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(it.get());
  }

  /// Goes on with its handshake; what it writes.
  data answer(const data& to) {
    if (!to.empty())
      BIO_write(SSL_get_rbio(it.get()), to.data(), static_cast<int>(to.size()));
    SSL_do_handshake(it.get());
    return written();
  }

  /// Asks for new keys.
  void renew_keys() {
    REQUIRE(SSL_key_update(it.get(), SSL_KEY_UPDATE_REQUESTED) == 1);
    SSL_do_handshake(it.get());
  }

  data written() {
    data all(BIO_ctrl_pending(SSL_get_wbio(it.get())));
    if (!all.empty())
      BIO_read(SSL_get_wbio(it.get()), all.data(), static_cast<int>(all.size()));
    ERR_clear_error();
    return all;
  }

  test_support::openssl::ssl_context_ptr context;
  test_support::openssl::ssl_ptr it;
};

/// What the acceptor of this process makes of another's bytes.
std::string refusal_of(std::string_view first_bytes) {
  end a{context_for("n1"), side::acceptor};
  a.receive(data_of(first_bytes));
  return a.over ? a.over->detail : "";
}

/// What is said at both ends where the acceptor does not believe what the opener shows.
struct refusal {
  std::string by_acceptor;
  std::string at_opener;
};

refusal refusal_of(const tls_context& shown, const tls_context& acceptor) {
  pair p{shown, acceptor};
  REQUIRE(p.b.over);
  CHECK(p.b.over->code == errc::not_trusted);
  CHECK_FALSE(p.b.it.is_established());
  CHECK(p.b.it.peer_names().empty());
  CHECK_FALSE(p.b.it.send(data_of("secret")));
  REQUIRE(p.a.over);
  return {p.b.over->detail, p.a.over->detail};
}

} // namespace

TEST_CASE("two ends show who they are, and then talk both ways") {
  pair p;
  REQUIRE(p.a.it.is_established());
  REQUIRE(p.b.it.is_established());
  CHECK(p.a.it.peer_names() == std::vector<std::string>{"n2", "cluster"});
  CHECK(p.b.it.peer_names() == std::vector<std::string>{"n1"});
  REQUIRE(p.a.it.send(data_of("to b")));
  REQUIRE(p.b.it.send(data_of("to ")));
  REQUIRE(p.b.it.send({}));
  REQUIRE(p.b.it.send(data_of("a")));
  exchange(p.a, p.b);
  CHECK(p.a.plain == data_of("to a"));
  CHECK(p.b.plain == data_of("to b"));
}

TEST_CASE("what is on the way is not what is said") {
  pair p;
  const auto said = data_of("the number of ada is 555-0100");
  REQUIRE(p.a.it.send(said));
  const auto seen = p.a.it.take_output();
  CHECK(std::ranges::search(seen, said).empty());
  CHECK(p.a.it.take_output().empty());
}

TEST_CASE("bytes may come one by one, the handshake's too") {
  end a{context_for("n1"), side::opener};
  end b{context_for("n2"), side::acceptor};
  exchange(a, b, 1);
  REQUIRE(b.it.is_established());
  REQUIRE(a.it.send(data_of("slowly")));
  exchange(a, b, 1);
  CHECK(b.plain == data_of("slowly"));
}

TEST_CASE("a megabyte goes both ways at once") {
  testing::random_stream random{5};
  pair p;
  const auto there = noise(std::size_t{1} << 20, random);
  const auto back = noise((std::size_t{1} << 20) + 1, random);
  REQUIRE(p.a.it.send(there));
  REQUIRE(p.b.it.send(back));
  exchange(p.a, p.b);
  CHECK(p.b.plain == there);
  CHECK(p.a.plain == back);
  REQUIRE(p.a.it.send(data_of("and on")));
  exchange(p.a, p.b);
  CHECK(p.b.plain.size() == there.size() + 6);
}

TEST_CASE("the stream may be cut anywhere, and messages may cross") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    testing::random_stream random{seed};
    end a{context_for("n1"), side::opener};
    end b{context_for("n2"), side::acceptor};
    data on_the_way[2];
    data said[2];
    end* ends[2] = {&a, &b};
    for (int step = 0; step < 400; ++step) {
      const auto from = static_cast<std::size_t>(random.below(2));
      if (ends[from]->it.is_established() && random.chance(0.2)) {
        const auto some = noise(static_cast<std::size_t>(random.below(40'000)), random);
        REQUIRE(ends[from]->it.send(some));
        said[from].insert(said[from].end(), some.begin(), some.end());
      }
      const auto out = ends[from]->it.take_output();
      auto& way = on_the_way[from];
      way.insert(way.end(), out.begin(), out.end());
      const auto size = random.below(std::min<std::size_t>(way.size(), 30'000) + 1);
      const auto part = static_cast<std::ptrdiff_t>(size);
      ends[1 - from]->receive(std::span{way}.first(static_cast<std::size_t>(size)));
      way.erase(way.begin(), way.begin() + part);
    }
    for (const std::size_t from : {0u, 1u})
      ends[1 - from]->receive(on_the_way[from]);
    exchange(a, b);
    REQUIRE_FALSE(a.over);
    REQUIRE_FALSE(b.over);
    CHECK(b.plain == said[0]);
    CHECK(a.plain == said[1]);
    CHECK(said[0].size() + said[1].size() > 0);
  }
}

TEST_CASE("T8: who has a certificate of another authority is refused, and told so") {
  const authority other{"another authority"};
  const auto stranger = context_of(other.issue({.names = {"n1"}}), ours());
  const auto why = refusal_of(stranger, context_for("n2"));
  CHECK(why.by_acceptor.find("certificate verify failed: ") != why.by_acceptor.npos);
  CHECK(why.at_opener.find("alert") != why.at_opener.npos);
}

TEST_CASE("T8: whom the opener does not believe gets nothing from it") {
  const authority other{"another authority"};
  pair p{context_for("n1"), context_of(other.issue({.names = {"n2"}}), ours())};
  REQUIRE(p.a.over);
  CHECK(p.a.over->code == errc::not_trusted);
  CHECK_FALSE(p.a.it.is_established());
  CHECK_FALSE(p.b.it.is_established());
  CHECK(p.b.over);
}

TEST_CASE("a certificate that is out of date, or not valid yet, is refused") {
  const auto expired
      = context_of(ours().issue({.names = {"n1"}, .valid_from = -100, .valid_to = -50}), ours());
  CHECK(refusal_of(expired, context_for("n2")).by_acceptor.find("certificate has expired")
        != std::string::npos);
  const auto early = context_of(ours().issue({.names = {"n1"}, .valid_from = 1'000}), ours());
  CHECK(refusal_of(early, context_for("n2")).by_acceptor.find("certificate is not yet valid")
        != std::string::npos);
}

TEST_CASE("who shows no certificate is refused") {
  end b{context_for("n2"), side::acceptor};
  foreign_opener a;
  for (int i = 0; i < 3; ++i)
    b.receive(a.answer(b.it.take_output()));
  REQUIRE(b.over);
  CHECK(b.over->code == errc::not_trusted);
  CHECK(b.over->detail == "TLS: peer did not return a certificate");
}

TEST_CASE("TLS 1.2 is not spoken") {
  end b{context_for("n2"), side::acceptor};
  foreign_opener a{TLS1_2_VERSION};
  b.receive(a.answer({}));
  REQUIRE(b.over);
  CHECK(b.over->detail == "TLS: unsupported protocol");
  CHECK_FALSE(b.it.take_output().empty()); // an alert
}

TEST_CASE("T12: what speaks no TLS at all is refused with a reason") {
  CHECK(refusal_of("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n") == "TLS: http request");
  CHECK(refusal_of("usdy\x01\x01, a hello without TLS") == "TLS: wrong version number");
  CHECK(refusal_of("usd").empty()); // it may become something
}

TEST_CASE("T12: garbage ends a session, in the handshake and after it, and hurts nobody") {
  testing::random_stream random{31};
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    const bool is_early = random.chance(0.5);
    pair p;
    end fresh{context_for("n1"), side::opener};
    end unknown{context_for("n2"), side::acceptor};
    if (!is_early)
      REQUIRE(p.a.it.send(noise(static_cast<std::size_t>(random.below(2'000)) + 1, random)));
    auto bytes_on_way = is_early ? fresh.it.take_output() : p.a.it.take_output();
    const auto at = static_cast<std::size_t>(random.below(bytes_on_way.size()));
    bytes_on_way[at] ^= static_cast<std::byte>(random.between(1, 255));
    auto& victim = is_early ? unknown : p.b;
    victim.receive(bytes_on_way);
    CHECK((victim.plain.empty() || victim.over)); // nothing of a record that was changed comes out
    CHECK((!victim.over || victim.over->code == errc::not_trusted));
    CHECK_FALSE((is_early && victim.it.is_established()));
  }
}

TEST_CASE("what was said before a fault is not lost, and after it nothing is heard") {
  pair p;
  REQUIRE(p.a.it.send(data_of("good")));
  auto stream = p.a.it.take_output();
  REQUIRE(p.a.it.send(data_of("changed on the way")));
  auto changed = p.a.it.take_output();
  changed.back() ^= std::byte{1};
  stream.insert(stream.end(), changed.begin(), changed.end());
  p.b.receive(stream);
  CHECK(p.b.plain == data_of("good"));
  REQUIRE(p.b.over);
  CHECK(p.b.over->code == errc::not_trusted);
  REQUIRE(p.a.it.send(data_of("more")));
  p.b.receive(p.a.it.take_output());
  CHECK(p.b.plain == data_of("good"));
  CHECK_FALSE(p.b.it.send(data_of("answer")));
}

TEST_CASE("a good-bye is told from being cut off") {
  pair p;
  REQUIRE(p.a.it.send(data_of("last words")));
  p.a.it.close();
  CHECK(p.a.it.send(data_of("more")).error().code == errc::stopped);
  p.b.receive(p.a.it.take_output());
  CHECK(p.b.plain == data_of("last words"));
  CHECK(p.b.it.is_closed());
  CHECK(p.b.it.ended());
  REQUIRE(p.b.it.send(data_of("and mine")));
  exchange(p.a, p.b);
  CHECK(p.a.plain == data_of("and mine"));
  const auto cut = p.a.it.ended();
  REQUIRE_FALSE(cut);
  CHECK(cut.error().code == errc::not_trusted);
  CHECK(cut.error().detail == "TLS: cut off, the other end has not said good-bye");
  p.b.it.close();
  exchange(p.a, p.b);
  CHECK(p.a.it.ended());
}

TEST_CASE("who is cut off in the handshake is told so") {
  end a{context_for("n1"), side::opener};
  a.it.close(); // says nothing: there is nobody yet
  CHECK(a.it.ended().error().detail == "TLS: cut off before the other end was known");
  CHECK(a.it.send(data_of("x")).error().code == errc::not_trusted);
}

TEST_CASE("SEC5: who is not known yet gets little room") {
  // A handshake message that is announced to be long, and comes in many records.
  end b{context_for("n2"), side::acceptor, {.handshake_bytes_max = 2'000}};
  foreign_opener a;
  const auto first = a.answer({});
  REQUIRE(first.size() < 2'000);
  b.receive(first);
  REQUIRE_FALSE(b.over);
  data record{std::byte{23}, std::byte{3}, std::byte{3}, std::byte{0x3f}, std::byte{0xff}};
  record.resize(16'000);
  b.receive(record);
  REQUIRE(b.over);
  CHECK(b.over->detail == "TLS: no certificate within 2000 bytes");
}

TEST_CASE("T11: no more than the limit waits to be taken") {
  pair p{tls_limits{.output_bytes_max = 10'000}};
  REQUIRE(p.a.it.is_established());
  const data some(4'000);
  CHECK(p.a.it.send(some));
  CHECK(p.a.it.send(some));
  const auto waiting = p.a.it.bytes_waiting();
  const auto refused = p.a.it.send(some);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::overloaded);
  CHECK(p.a.it.bytes_waiting() == waiting);
  exchange(p.a, p.b);
  CHECK(p.a.it.send(some)); // nothing is lost by it
  exchange(p.a, p.b);
  CHECK(p.b.plain.size() == 12'000);
}

TEST_CASE("keys are renewed while the session goes on") {
  end b{context_for("n2"), side::acceptor};
  foreign_opener a{context_for("n1")};
  for (int i = 0; i < 3; ++i)
    b.receive(a.answer(b.it.take_output()));
  REQUIRE(b.it.is_established());
  for (int i = 0; i < 5; ++i) {
    a.renew_keys();
    REQUIRE(SSL_write(a.it.get(), "new", 3) == 3);
    b.receive(a.written());
    REQUIRE(b.it.send(data_of("answer")));
    static_cast<void>(a.answer(b.it.take_output()));
    char answer[10];
    REQUIRE(SSL_read(a.it.get(), answer, 10) == 6);
  }
  CHECK(b.it.is_established());
  CHECK_FALSE(b.over);
  CHECK(b.plain.size() == 15);
}

TEST_CASE("T11: who asks for answers and does not take them is let go") {
  end b{context_for("n2"), side::acceptor, {.output_bytes_max = 2'000}};
  foreign_opener a{context_for("n1")};
  for (int i = 0; i < 3; ++i)
    b.receive(a.answer(b.it.take_output()));
  REQUIRE(b.it.is_established());
  for (int i = 0; i < 1'000 && !b.over; ++i) {
    a.renew_keys();
    b.receive(a.written());
  }
  REQUIRE(b.over);
  CHECK(b.over->detail == "TLS: the other end asks for answers, and does not take them");
  CHECK(b.it.bytes_waiting() < 3'000);
}

TEST_CASE("a session can be moved while it talks") {
  pair p;
  REQUIRE(p.a.it.send(data_of("one")));
  tls_session moved{std::move(p.b.it)};
  data plain;
  REQUIRE(moved.received(p.a.it.take_output(), plain));
  CHECK(plain == data_of("one"));
}

} // namespace tls_session_test
