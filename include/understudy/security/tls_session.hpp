// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The TLS of one connection, as a pure component: bytes of the network in, plain bytes out, and
/// the other way round.
///
/// It knows no socket: the driver reads and writes. What the other end does wrong ends the session
/// with a reason. Until it has shown a certificate that is believed it gets little room, and its
/// time is limited by the driver, as for a hello.
///
/// \code
/// auto session = tls_session::begin(credentials.current(), side::opener);
/// write(session->take_output());               // also where `received` has failed: it says why
/// session->received(bytes_that_have_come, plain);
/// if (session->is_established()) { session->peer_names(); session->send(bytes_to_go); }
/// write(session->take_output());
/// \endcode

#include <understudy/core/errors.hpp>
#include <understudy/security/certificate_names.hpp>
#include <understudy/security/openssl.hpp>
#include <understudy/security/side.hpp>
#include <understudy/security/tls_context.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace understudy::security {

/// How much a session holds, and reads from whom it does not know.
struct tls_limits {
  /// From the other end, until the session is established; a chain of four certificates needs about
  /// 6 KiB.
  std::size_t handshake_bytes_max = std::size_t{64} << 10;
  /// That wait to be taken; must hold what is sent at a time.
  std::size_t output_bytes_max = std::size_t{16} << 20;
};

/// One end. Can be moved, not copied. Not thread-safe: one driver, on whatever thread.
class tls_session {
public:
  /// Begins a session; the opener's first bytes can be taken at once. Fails with `not_trusted`
  /// where OpenSSL has no memory for it.
  [[nodiscard]] static expected<tls_session> begin(const tls_context& with, side own,
                                                   const tls_limits& limits = {}) {
    const detail::clean_errors scope;
    detail::ssl_ptr made{SSL_new(with.native())};
    detail::bio_ptr in{BIO_new(BIO_s_mem())};
    detail::bio_ptr out{BIO_new(BIO_s_mem())};
    if (!made || !in || !out)
      return fail(errc::not_trusted, "TLS: " + detail::error_text("no memory for a session"));
    SSL_set_bio(made.get(), in.release(), out.release());
    if (own == side::opener)
      SSL_set_connect_state(made.get());
    else
      SSL_set_accept_state(made.get());
    tls_session session{std::move(made), limits};
    if (auto begun = session.shake_hands(); !begun)
      return tl::unexpected<failure>{std::move(begun.error())};
    return session;
  }

  /// Bytes have come from the network. What they say is appended to `plain`, which grows by no
  /// more than their number; also where this fails there may be some, from before the fault.
  ///
  /// Fails with `not_trusted`, and OpenSSL's reason: the other end's certificate is missing, of
  /// another authority or out of date, this end's is refused by it, it speaks no TLS 1.3, or what
  /// has come was changed on its way. Then the session has failed for good; what it has to say
  /// about it should be taken, and written, before the connection is closed.
  [[nodiscard]] expected<void> received(std::span<const std::byte> cipher,
                                        std::vector<std::byte>& plain) {
    const detail::clean_errors scope;
    while (!cipher.empty() && !failed_ && !is_closed_) {
      // Piece by piece: OpenSSL is given no more than it can make something of.
      const auto size = std::min(cipher.size(), room());
      if (size == 0) {
        give_up("no certificate within " + std::to_string(limits_.handshake_bytes_max) + " bytes");
        break;
      }
      std::size_t taken = 0;
      if (BIO_write_ex(SSL_get_rbio(ssl_.get()), cipher.data(), size, &taken) != 1 || taken != size)
        give_up(detail::error_text("no memory for what has come"));
      cipher = cipher.subspan(size);
      if (!is_established_)
        handshake_bytes_ += size;
      if (!failed_ && shake_hands() && is_established_)
        read_into(plain);
      if (!failed_ && bytes_waiting() > limits_.output_bytes_max)
        give_up("the other end asks for answers, and does not take them");
    }
    return state();
  }

  /// Has these bytes encrypted, all of them or none. They wait to be taken. Fails with `overloaded`
  /// where too much waits already, with `stopped` after `close`, and with `not_trusted` where the
  /// session has failed or is not established: nothing is sent to whom nobody knows.
  [[nodiscard]] expected<void> send(std::span<const std::byte> plain) {
    if (auto good = state(); !good)
      return good;
    if (!is_established())
      return fail(errc::not_trusted, "TLS: the other end has not shown its certificate yet");
    if (said_goodbye_)
      return fail(errc::stopped, "TLS: this end has said good-bye");
    if (bytes_waiting() + encrypted_size(plain.size()) > limits_.output_bytes_max)
      return fail(errc::overloaded, "TLS: " + std::to_string(bytes_waiting()) + " bytes wait");
    if (plain.empty())
      return {};
    const detail::clean_errors scope;
    std::size_t taken = 0;
    const int result = SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &taken);
    if (result != 1 || taken != plain.size())
      give_up(detail::error_text("could not encrypt"));
    return state();
  }

  /// Says good-bye (close_notify), once. The other end may go on sending.
  void close() {
    if (failed_ || said_goodbye_ || !is_established())
      return;
    const detail::clean_errors scope;
    SSL_shutdown(ssl_.get());
    said_goodbye_ = true;
  }

  /// What is to be written to the network now.
  [[nodiscard]] std::vector<std::byte> take_output() {
    const detail::clean_errors scope;
    auto* from = SSL_get_wbio(ssl_.get());
    std::vector<std::byte> all(BIO_ctrl_pending(from));
    std::size_t got = 0;
    if (!all.empty() && BIO_read_ex(from, all.data(), all.size(), &got) != 1)
      got = 0;
    all.resize(got);
    // A buffer of OpenSSL's keeps the size it once had: a large one is replaced.
    if (all.size() > kept_bytes_max)
      if (auto* fresh = BIO_new(BIO_s_mem()))
        SSL_set0_wbio(ssl_.get(), fresh);
    return all;
  }

  /// What waits to be taken.
  [[nodiscard]] std::size_t bytes_waiting() const {
    return BIO_ctrl_pending(SSL_get_wbio(ssl_.get()));
  }

  /// The network has ended: the other end's bytes are all there if it has said good-bye. If not, it
  /// was cut off, by a crash or by somebody on the way who wants the rest not to be known: fails
  /// with `not_trusted`, or as the session has failed before.
  [[nodiscard]] expected<void> ended() const {
    if (auto good = state(); !good)
      return good;
    if (is_closed_)
      return {};
    return fail(errc::not_trusted, is_established_
                                       ? "TLS: cut off, the other end has not said good-bye"
                                       : "TLS: cut off before the other end was known");
  }

  /// Whether the other end has shown a certificate that is believed, and has its key. In TLS 1.3
  /// the opener is there first: its own certificate may yet be refused, which `received` tells.
  [[nodiscard]] bool is_established() const { return is_established_ && !failed_; }

  /// Whether the other end has said good-bye: nothing more comes from it.
  [[nodiscard]] bool is_closed() const { return is_closed_; }

  /// For whom the other end's certificate is: its DNS names, or its common name if there is none
  /// (certificate_names.hpp). Empty before the session is established.
  [[nodiscard]] std::vector<std::string> peer_names() const {
    const auto* shown = is_established() ? SSL_get0_peer_certificate(ssl_.get()) : nullptr;
    return shown ? names_of(*shown) : std::vector<std::string>{};
  }

private:
  static constexpr std::size_t record_bytes_max = std::size_t{16} << 10; ///< RFC 8446 §5.1
  static constexpr std::size_t record_cost = 64; ///< more than a record adds to its content
  static constexpr std::size_t kept_bytes_max = std::size_t{64} << 10;

  tls_session(detail::ssl_ptr made, const tls_limits& limits)
      : ssl_{std::move(made)}, limits_{limits} {}

  [[nodiscard]] static std::size_t encrypted_size(std::size_t plain) {
    return plain + (plain / record_bytes_max + 1) * record_cost;
  }

  /// How many bytes may be taken now.
  [[nodiscard]] std::size_t room() const {
    if (is_established_)
      return record_bytes_max;
    return std::min(record_bytes_max, limits_.handshake_bytes_max - handshake_bytes_);
  }

  [[nodiscard]] expected<void> state() const {
    return failed_ ? expected<void>{tl::unexpected<failure>{*failed_}} : expected<void>{};
  }

  void give_up(const std::string& why) { failed_ = failure{errc::not_trusted, "TLS: " + why}; }

  /// Goes on with the handshake, as far as what has come allows.
  expected<void> shake_hands() {
    if (!is_established_) {
      const int result = SSL_do_handshake(ssl_.get());
      is_established_ = result == 1; // and stays so, also while keys are renewed
      judge(result);
    }
    return state();
  }

  void read_into(std::vector<std::byte>& plain) {
    std::array<std::byte, record_bytes_max> some; // not filled in: it is written before it is read
    for (;;) {
      std::size_t got = 0;
      const int result = SSL_read_ex(ssl_.get(), some.data(), some.size(), &got);
      if (result != 1)
        return judge(result);
      plain.insert(plain.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(got));
    }
  }

  /// What the result of one of OpenSSL's calls means for the session.
  void judge(int result) {
    if (result == 1)
      return;
    switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return;
    case SSL_ERROR_ZERO_RETURN:
      is_closed_ = true;
      return;
    default:
      break;
    }
    auto why = detail::error_text("broken off");
    if (const auto verdict = SSL_get_verify_result(ssl_.get()); verdict != X509_V_OK)
      why += std::string{": "} + X509_verify_cert_error_string(verdict);
    give_up(why);
  }

  detail::ssl_ptr ssl_;
  tls_limits limits_;
  std::size_t handshake_bytes_ = 0; ///< that have come
  bool is_established_ = false;
  bool is_closed_ = false;
  bool said_goodbye_ = false;
  std::optional<failure> failed_ = {};
};

} // namespace understudy::security
