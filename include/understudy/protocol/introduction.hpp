// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How the two ends of a connection learn who the other one is, and make sure of it.
///
/// Both say hello at once. Where they have the cluster's key, they then prove it to each other,
/// whoever opened the connection first:
///
/// \code
/// opener    hello ──►   ◄── hello           acceptor
///           proof ──►   its key is right: it is known
///                       ◄── proof           known here, too
/// \endcode
///
/// A proof is HMAC-SHA256(key, which end, its own hello, the other's hello). Both hellos have a
/// number in them that was never used before, so a proof is good on this one connection; as it says
/// which end it is of, it can not be given back to whom it came from. An acceptor shows none before
/// it has seen one: who connects without the key is left with nothing to try keys on.
///
/// Where TLS has shown a certificate, a node must have the name that it says it has (SEC4, T8).

#include <understudy/core/assert.hpp>
#include <understudy/core/bytes.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/protocol/frame.hpp>
#include <understudy/protocol/frame_kind.hpp>
#include <understudy/protocol/hello.hpp>
#include <understudy/security/certificate_names.hpp>
#include <understudy/security/cluster_key.hpp>
#include <understudy/security/nonce.hpp>
#include <understudy/security/side.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::protocol {

/// What the other end has to prove. All of it that is asked for; nothing, if nothing is.
struct trust_options {
  std::optional<security::cluster_key> key = {}; ///< that both ends must have
  bool require_certificate = false;              ///< that the driver has told of
  /// A certificate for this DNS name is good for every node of the cluster; empty: there is none
  /// such, and each node needs one with its own name.
  std::string cluster_name = {};
};

namespace detail {

/// What the end called `of` signs, whose hello is `own`.
[[nodiscard]] inline expected<security::mac> proof_of(const security::cluster_key& key,
                                                      security::side of, const bytes& own,
                                                      const bytes& others) {
  const std::string_view label
      = of == security::side::opener ? "understudy opener" : "understudy acceptor";
  return key.sign({std::as_bytes(std::span{label}), own.view(), others.view()});
}

/// Whether a certificate for `names` may be shown by a node called `name`.
[[nodiscard]] inline bool is_certificate_of(const std::string& name,
                                            const std::vector<std::string>& names,
                                            const std::string& cluster_name) {
  return std::ranges::any_of(names, [&](const std::string& one) {
    return !one.empty()
           && (security::is_same_name(one, name) || security::is_same_name(one, cluster_name));
  });
}

} // namespace detail

/// One end of it. Not thread-safe: part of a connection.
class introduction {
public:
  /// `own.keyed` is set here. With a key `own` needs a nonce that was never used before.
  introduction(hello own, security::side which, trust_options trust)
      : own_{std::move(own)}, side_{which}, trust_{std::move(trust)} {
    own_.keyed = trust_.key.has_value();
    UNDERSTUDY_ASSERT(!own_.keyed || own_.nonce != security::nonce{},
                      "a proof rests on a number that was never used before");
    own_frame_ = protocol::encode(own_);
  }

  /// What is to be sent at once.
  [[nodiscard]] const frame& opening() const { return own_frame_; }

  /// For whom the certificate is that TLS has seen at the other end; before its hello is read.
  void certified(std::vector<std::string> names) {
    UNDERSTUDY_ASSERT(!theirs_, "a name is checked against the certificate when it is said");
    certified_ = std::move(names);
  }

  /// A frame has come. Returns what is to be sent in answer to it, if anything.
  ///
  /// Fails as `decode_hello` and `agree` do, and with `not_trusted` where what the other end says
  /// of itself is not proved. Then the connection is to be ended; the text may be told to it.
  [[nodiscard]] expected<std::optional<frame>> received(const frame& what) {
    UNDERSTUDY_ASSERT(!is_complete(), "who is known is not introduced again");
    return theirs_ ? check_proof(what) : meet(what);
  }

  /// Whether it is known who the other end is, and proved as far as that was asked for.
  [[nodiscard]] bool is_complete() const { return theirs_ && !awaits_proof_; }

  /// Whether the other end has said who it is, proved or not.
  [[nodiscard]] bool has_met() const { return theirs_.has_value(); }

  /// What the other end has said of itself; only once it has.
  [[nodiscard]] const hello& theirs() const {
    UNDERSTUDY_ASSERT(theirs_, "nobody has said hello");
    return *theirs_;
  }

  /// That both ends use; 0: not known yet.
  [[nodiscard]] std::uint32_t version() const { return is_complete() ? version_ : 0; }

private:
  expected<std::optional<frame>> meet(const frame& first) {
    auto theirs = decode_hello(first);
    if (!theirs)
      return tl::unexpected<failure>{std::move(theirs.error())};
    const auto version = agree(own_, *theirs);
    if (!version)
      return tl::unexpected<failure>{version.error()};
    if (auto good = check_certificate(*theirs); !good)
      return tl::unexpected<failure>{std::move(good.error())};
    if (own_.keyed != theirs->keyed)
      return fail(errc::not_trusted,
                  own_.keyed ? "the other end has no cluster key, and this one asks for it"
                             : "the other end asks for the cluster key, and this one has none");
    version_ = *version;
    their_body_ = first.body;
    theirs_ = std::move(*theirs);
    awaits_proof_ = own_.keyed;
    if (!own_.keyed || side_ == security::side::acceptor)
      return std::nullopt;
    return prove();
  }

  [[nodiscard]] expected<void> check_certificate(const hello& theirs) const {
    if (!certified_) {
      if (trust_.require_certificate)
        return fail(errc::not_trusted, "the other end has shown no certificate");
      return {};
    }
    if (theirs.role == peer_role::node
        && !detail::is_certificate_of(theirs.name, *certified_, trust_.cluster_name))
      return fail(errc::not_trusted, certified_->empty()
                                         ? "a node whose certificate has no name"
                                         : "a node that says it is another than its certificate's "
                                               + certified_->front());
    return {};
  }

  expected<std::optional<frame>> check_proof(const frame& what) {
    if (what.kind != frame_kind::proof)
      return fail(errc::not_trusted, "the other end has not proved that it has the key");
    const auto right
        = detail::proof_of(*trust_.key, security::opposite(side_), their_body_, own_frame_.body);
    if (!right)
      return tl::unexpected<failure>{right.error()};
    if (!security::is_same(*right, what.body.view()))
      return fail(errc::not_trusted, "the other end has another key");
    awaits_proof_ = false;
    if (side_ == security::side::opener)
      return std::nullopt;
    return prove();
  }

  expected<std::optional<frame>> prove() const {
    const auto made = detail::proof_of(*trust_.key, side_, own_frame_.body, their_body_);
    if (!made)
      return tl::unexpected<failure>{made.error()};
    return frame{frame_kind::proof, bytes{std::span<const std::byte>{*made}}};
  }

  hello own_;
  security::side side_;
  trust_options trust_;
  frame own_frame_ = {};
  std::optional<std::vector<std::string>> certified_ = {};
  std::optional<hello> theirs_ = {};
  bytes their_body_ = {}; ///< as it came: that is what is signed
  std::uint32_t version_ = 0;
  bool awaits_proof_ = false;
};

} // namespace understudy::protocol
