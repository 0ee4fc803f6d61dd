// SPDX-License-Identifier: BSL-1.0
#include <understudy/security/openssl.hpp>

#include <doctest/doctest.h>

#include <string>

namespace openssl_test {

using namespace understudy::security::detail;

TEST_CASE("errors are told as text, and neither come in nor get out") {
  REQUIRE(OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, nullptr) == 1); // as SSL_CTX_new does
  ERR_raise(ERR_LIB_SSL, SSL_R_HTTP_REQUEST);
  {
    const clean_errors scope;
    CHECK(error_text("nothing") == "nothing");
    ERR_raise(ERR_LIB_SSL, SSL_R_HTTP_REQUEST);
    ERR_raise(ERR_LIB_SSL, SSL_R_WRONG_VERSION_NUMBER);
    CHECK(error_text("nothing") == "http request"); // the first is the cause
  }
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("an error without a text is told by whoever asks") {
  const clean_errors scope;
  ERR_raise(ERR_LIB_USER, 999);
  CHECK(error_text("something odd") == "something odd");
}

} // namespace openssl_test
