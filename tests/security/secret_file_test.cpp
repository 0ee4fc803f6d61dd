// SPDX-License-Identifier: BSL-1.0
#include <understudy/security/secret_file.hpp>

#include <doctest/doctest.h>

#include "support/certificates.hpp"
#include "support/scratch.hpp"
#include <sys/stat.h>

#include <string>
#include <utility>

namespace secret_file_test {

using namespace understudy;
using namespace understudy::security;
using test_support::write_file;

namespace {

std::string complaint(const std::string& path, readable_by who = readable_by::owner_only) {
  const auto read = read_file("key", path, who, 100);
  if (read)
    return "";
  CHECK(read.error().code == errc::invalid_option);
  return read.error().detail;
}

} // namespace

TEST_CASE("what is in the file is read") {
  const test_support::scratch dir;
  const auto path = dir.path("key");
  for (const mode_t mode : {0600u, 0400u}) {
    write_file(path, std::string("\0binary\n", 8), 0600);
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    const auto read = read_file("key", path, readable_by::owner_only, 8);
    REQUIRE_MESSAGE(read, read.error().detail);
    CHECK(read->size() == 8);
    CHECK(read->view()[1] == std::byte{'b'});
    CHECK(read->view()[7] == std::byte{'\n'});
  }
  write_file(path, "");
  CHECK(read_file("key", path, readable_by::owner_only, 8)->size() == 0);
}

TEST_CASE("SEC8: a key that others may read or write is refused, and the mode is named") {
  const test_support::scratch dir;
  const auto path = dir.path("key");
  for (const mode_t mode : {0640u, 0604u, 0620u, 0602u, 0644u, 0777u}) {
    write_file(path, "the secret", mode);
    const auto why = complaint(path);
    CAPTURE(mode);
    CHECK(why.find("must not be open to anybody but its owner") != why.npos);
    CHECK(why.find("the key file " + path + ": has mode 0") == 0);
    CHECK(why.find("secret") == why.npos);
    CHECK(complaint(path, readable_by::anybody).empty());
  }
  write_file(path, "the secret", 0644);
  CHECK(complaint(path).find("has mode 0644, ") != std::string::npos);
}

TEST_CASE("a file that is missing, long or none is named, with the reason") {
  const test_support::scratch dir;
  const auto path = dir.path("key");
  CHECK(complaint(path) == "the key file " + path + ": No such file or directory");
  CHECK(complaint(dir.path()) == "the key file " + dir.path() + ": is no regular file");
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(complaint(path) == "the key file " + path + ": is no regular file");
  write_file(dir.path("long"), std::string(101, 'x'));
  CHECK(complaint(dir.path("long")).find("has more than 100 bytes") != std::string::npos);
}

TEST_CASE("a secret moves, and is cut") {
  secret one{5};
  one.writable()[0] = std::byte{7};
  secret other{std::move(one)};
  CHECK(other.view()[0] == std::byte{7});
  other.cut(1);
  CHECK(other.size() == 1);
  one = std::move(other);
  CHECK(one.size() == 1);
}

} // namespace secret_file_test
