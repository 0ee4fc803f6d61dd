// SPDX-License-Identifier: BSL-1.0
#include <understudy/protocol/channel.hpp>

#include <doctest/doctest.h>

#include "protocol/support/samples.hpp"
#include "protocol/support/stream.hpp"
#include "support/certificates.hpp"
#include "support/scratch.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace channel_test {

using namespace understudy;
using namespace understudy::protocol;
using namespace std::chrono_literals;
using security::side;

namespace {

const test_support::authority& ours() {
  static const test_support::authority made;
  return made;
}

security::tls_context shows(const std::string& name,
                            const test_support::authority& signs = ours()) {
  const test_support::scratch dir;
  const auto own = signs.issue({.names = {name}});
  return security::tls_context::load(test_support::write_tls_files(dir.path(""), own, ours()))
      .value();
}

/// One end, with all that has come out of it.
struct end {
  end(std::uint64_t id, side which, std::optional<security::tls_context> tls)
      : it{{.id = {id}, .start = id, .name = "n" + std::to_string(id)},
           which,
           {.trust = {.require_certificate = tls.has_value()}},
           std::move(tls),
           instant{}} {}

  void receive(const std::vector<std::byte>& data) {
    channel_outbox out;
    it.received(data, instant{}, out);
    collect(out);
  }

  std::vector<std::byte> take_output() {
    channel_outbox out;
    it.settle(out);
    collect(out);
    it.written();
    auto data = protocol_samples::on_the_wire(out.said.write);
    wrote_plainly = wrote_plainly || !data.empty();
    data.insert(data.end(), out.sealed.begin(), out.sealed.end());
    return data;
  }

  void collect(channel_outbox& out) {
    if (out.said.introduced)
      met = std::move(out.said.introduced);
    std::ranges::move(out.said.messages, std::back_inserter(messages));
    if (out.said.end && !over)
      over = std::move(out.said.end);
  }

  channel it;
  std::optional<hello> met = {};
  std::vector<peer_message> messages = {};
  std::optional<failure> over = {};
  bool wrote_plainly = false;
};

void exchange(end& a, end& b) {
  for (int i = 0; i < 8; ++i) {
    b.receive(a.take_output());
    a.receive(b.take_output());
  }
}

} // namespace

TEST_CASE("with TLS all messages arrive, and nothing is written without it") {
  end a{1, side::opener, shows("n1")};
  end b{2, side::acceptor, shows("n2")};
  CHECK_FALSE(a.it.send(protocol::encode(peer_message{presence{}}))); // to whom nobody knows
  exchange(a, b);
  REQUIRE(a.met);
  REQUIRE(b.met);
  CHECK(b.met->name == "n1");
  for (const auto& m : protocol_samples::all())
    CHECK(a.it.send(protocol::encode(m)));
  exchange(a, b);
  CHECK(b.messages.size() == protocol_samples::all().size());
  CHECK_FALSE(a.wrote_plainly);
  CHECK_FALSE(b.wrote_plainly);
  CHECK_FALSE(b.over);
}

TEST_CASE("without TLS it is the connection, and nothing else") {
  end a{1, side::opener, std::nullopt};
  end b{2, side::acceptor, std::nullopt};
  exchange(a, b);
  CHECK(a.met);
  CHECK(b.met);
  CHECK(a.it.is_introduced());
  CHECK(a.wrote_plainly);
}

TEST_CASE("SEC4: the name that is said is held against the certificate that was shown") {
  end a{1, side::opener, shows("n3")};
  end b{2, side::acceptor, shows("n2")};
  exchange(a, b);
  CHECK(a.met); // n2 is who it says it is
  CHECK_FALSE(b.met);
  REQUIRE(b.over);
  CHECK(b.over->code == errc::not_trusted);
  REQUIRE(a.over);
  CHECK(a.over->detail == "not_trusted: a node that says it is another than its certificate's n3");
}

TEST_CASE("who has no certificate that is believed is told nothing, and is let go") {
  const test_support::authority theirs;
  end a{1, side::opener, shows("n1", theirs)};
  end b{2, side::acceptor, shows("n2")};
  exchange(a, b);
  CHECK_FALSE(b.met);
  REQUIRE(b.over);
  CHECK(b.over->code == errc::not_trusted);

  end plain{1, side::opener, std::nullopt};
  end guarded{2, side::acceptor, shows("n2")};
  exchange(plain, guarded);
  CHECK_FALSE(plain.met);
  CHECK_FALSE(guarded.met);
  REQUIRE(guarded.over);
  CHECK_FALSE(guarded.it.listens());
}

TEST_CASE("the time for a hello is the time for the handshake, too") {
  end a{1, side::acceptor, shows("n1")};
  channel_outbox out;
  a.it.wake(instant{} + 2s, out);
  REQUIRE(out.said.end);
  CHECK(out.said.end->code == errc::timed_out);
}

} // namespace channel_test
