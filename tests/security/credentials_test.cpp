// SPDX-License-Identifier: BSL-1.0
#include <understudy/security/credentials.hpp>
#include <understudy/security/tls_session.hpp>

#include <doctest/doctest.h>

#include "support/certificates.hpp"
#include "support/scratch.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace credentials_test {

using namespace understudy;
using namespace understudy::security;
using test_support::authority;
using test_support::write_file;

namespace {

struct shelf {
  test_support::scratch dir;
  authority ours;
  tls_files files = renew("n1");

  tls_files renew(const std::string& name) const {
    return test_support::write_tls_files(dir.path(""), ours.issue({.names = {name}}), ours);
  }
};

/// Whom a session that `shown` accepts now says it is, seen from a session that `by` opens.
std::vector<std::string> names_shown(const credentials& shown, const credentials& by) {
  auto opener = *tls_session::begin(by.current(), side::opener);
  auto acceptor = *tls_session::begin(shown.current(), side::acceptor);
  std::vector<std::byte> nothing;
  for (int i = 0; i < 3; ++i) {
    CHECK(acceptor.received(opener.take_output(), nothing));
    CHECK(opener.received(acceptor.take_output(), nothing));
  }
  return opener.peer_names();
}

using names = std::vector<std::string>;

} // namespace

TEST_CASE("renewed files are used once they are read again, by all copies") {
  const shelf s;
  const auto shown = *credentials::load(s.files);
  const auto copy = shown;
  s.renew("n2");
  CHECK(names_shown(copy, copy) == names{"n1"});
  REQUIRE(shown.reload());
  CHECK(names_shown(copy, copy) == names{"n2"});
}

TEST_CASE("what was there before is used where the new files are of no use") {
  const shelf s;
  const auto shown = *credentials::load(s.files);
  write_file(s.files.key, s.ours.issue({}).key_pem()); // half of a renewal
  const auto failed = shown.reload();
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == errc::invalid_option);
  CHECK(failed.error().detail.find("is not the key of the certificate") != std::string::npos);
  CHECK(names_shown(shown, shown) == names{"n1"});
  s.renew("n3");
  CHECK(shown.reload());
  CHECK(names_shown(shown, shown) == names{"n3"});
}

TEST_CASE("a session goes on with what it began with") {
  const shelf s;
  const auto shown = *credentials::load(s.files);
  auto opener = *tls_session::begin(shown.current(), side::opener);
  auto acceptor = *tls_session::begin(shown.current(), side::acceptor);
  s.renew("n2");
  REQUIRE(shown.reload());
  std::vector<std::byte> nothing;
  for (int i = 0; i < 3; ++i) {
    CHECK(acceptor.received(opener.take_output(), nothing));
    CHECK(opener.received(acceptor.take_output(), nothing));
  }
  CHECK(opener.peer_names() == names{"n1"});
}

TEST_CASE("files that are of no use from the start are refused") {
  shelf s;
  s.files.key = s.dir.path("none");
  CHECK_FALSE(credentials::load(s.files));
}

TEST_CASE("sessions begin on one thread while files are read again on others") {
  const shelf s;
  const auto shown = *credentials::load(s.files);
  std::atomic<bool> stop = false;
  std::atomic<int> reloaded = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&] {
      while (!stop)
        reloaded += shown.reload() ? 1 : 0;
    });
  bool all_good = true;
  for (int i = 0; i < 50 || reloaded == 0; ++i)
    all_good = names_shown(shown, shown) == names{"n1"} && all_good;
  stop = true;
  for (auto& t : threads)
    t.join();
  CHECK(all_good);
}

} // namespace credentials_test
