// SPDX-License-Identifier: BSL-1.0
#include <understudy/security/tls_context.hpp>

#include <doctest/doctest.h>

#include "support/certificates.hpp"
#include "support/scratch.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

namespace tls_context_test {

using namespace understudy;
using namespace understudy::security;
using test_support::authority;
using test_support::write_file;

namespace {

/// A directory with all that is needed, to be spoiled.
struct shelf {
  shelf() {
    write_file(files.certificate, own.certificate_pem(), 0644);
    write_file(files.key, own.key_pem());
    write_file(files.authority, ours.pem(), 0644);
  }

  /// What is said about it now.
  [[nodiscard]] std::string complaint() const {
    const auto made = tls_context::load(files);
    CHECK(ERR_peek_error() == 0);
    if (made)
      return "";
    CHECK(made.error().code == errc::invalid_option);
    CHECK(made.error().detail.find("PRIVATE KEY") == std::string::npos);
    return made.error().detail;
  }

  test_support::scratch dir;
  authority ours;
  test_support::identity own = ours.issue({.names = {"n1"}});
  tls_files files{dir.path("own.pem"), dir.path("key.pem"), dir.path("ca.pem")};
};

/// Runs tools/certs; its exit code.
int run_certs(const std::string& arguments) {
  const auto root = std::filesystem::path{__FILE__}.parent_path().parent_path().parent_path();
  const auto line = (root / "tools" / "certs").string() + " " + arguments + " 2>/dev/null";
  const int status = std::system(line.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

} // namespace

TEST_CASE("certificate, key and authority are loaded") {
  CHECK(shelf{}.complaint().empty());
}

TEST_CASE("several authorities and a chain may be in a file, with words between them") {
  const shelf s;
  const authority older{"older"};
  write_file(s.files.authority, "# the old one\n" + older.pem() + "# the new one\n" + s.ours.pem());
  write_file(s.files.certificate, s.own.certificate_pem() + s.ours.pem());
  CHECK(s.complaint().empty());
}

TEST_CASE("SEC8: a key that others may read is refused, and nothing of it is told") {
  const shelf s;
  write_file(s.files.key, s.own.key_pem(), 0640);
  const auto why = s.complaint();
  CHECK(has(why, "the key file " + s.files.key));
  CHECK(has(why, "has mode 0640"));
}

TEST_CASE("a file that is missing is named") {
  for (const auto& which : {&tls_files::certificate, &tls_files::key, &tls_files::authority}) {
    shelf s;
    s.files.*which = s.dir.path("none.pem");
    CHECK(has(s.complaint(), s.dir.path("none.pem") + ": No such file or directory"));
  }
}

TEST_CASE("what is no PEM is refused, with the file's name") {
  for (const auto& which : {&tls_files::certificate, &tls_files::key, &tls_files::authority})
    for (const std::string text : {"", "not PEM at all\n"}) {
      const shelf s;
      write_file(s.files.*which, text);
      const auto why = s.complaint();
      CHECK(has(why, s.files.*which));
      CHECK(has(why, "in PEM"));
    }
}

TEST_CASE("a certificate that is damaged is told from none") {
  const shelf s;
  auto text = s.own.certificate_pem();
  text.resize(text.size() / 2);
  write_file(s.files.certificate, text);
  CHECK(has(s.complaint(), s.files.certificate + ": is damaged: "));
  // Also where a good one stands before it: half a chain is none.
  write_file(s.files.certificate, s.own.certificate_pem() + text);
  CHECK(has(s.complaint(), s.files.certificate + ": is damaged: "));
  write_file(s.files.certificate, s.own.key_pem());
  CHECK(has(s.complaint(), "holds no certificate"));
}

TEST_CASE("a key that is not the certificate's is refused, with both names") {
  const shelf s;
  write_file(s.files.key, s.ours.issue({.names = {"n1"}}).key_pem());
  CHECK(s.complaint()
        == "the key file " + s.files.key + ": is not the key of the certificate in "
               + s.files.certificate);
}

TEST_CASE("a key with a passphrase is refused; nobody is asked for it") {
  const shelf s;
  const test_support::openssl::bio_ptr to{BIO_new(BIO_s_mem())};
  unsigned char word[] = "open";
  REQUIRE(PEM_write_bio_PrivateKey(to.get(), s.own.key.get(), EVP_aes_256_cbc(), word, 4, nullptr,
                                   nullptr)
          == 1);
  std::string text(BIO_ctrl_pending(to.get()), '\0');
  BIO_read(to.get(), text.data(), static_cast<int>(text.size()));
  write_file(s.files.key, text);
  CHECK(has(s.complaint(), s.files.key + ": has a passphrase"));
}

TEST_CASE("what tools/certs makes can be loaded, and is not made twice") {
  const test_support::scratch dir;
  const tls_files files{dir.path("n1.pem"), dir.path("n1-key.pem"), dir.path("ca.pem")};
  CHECK(run_certs(dir.path()) == 2);
  CHECK(run_certs(dir.path() + " ../n1") == 2);
  CHECK(run_certs(dir.path() + " n1 n1") == 2);
  CHECK(std::filesystem::is_empty(dir.path()));
  REQUIRE(run_certs(dir.path() + " n1") == 0);
  const auto made = tls_context::load(files);
  CHECK_MESSAGE(made, made.error().detail);
  CHECK(run_certs(dir.path() + " n1") == 2);
  REQUIRE(run_certs(dir.path() + " n2.example") == 0);
  CHECK(tls_context::load(
      {dir.path("n2.example.pem"), dir.path("n2.example-key.pem"), dir.path("ca.pem")}));
}

} // namespace tls_context_test
