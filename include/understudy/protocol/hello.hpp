// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What the two ends of a connection say first: who they are, and what they speak.
///
/// Until the other end's hello has come nothing is known about it, so it gets little room and
/// little time. What it says of itself is not proved by saying it: TLS or the cluster's key do
/// that (introduction.hpp).

#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/protocol/frame.hpp>
#include <understudy/protocol/frame_kind.hpp>
#include <understudy/security/nonce.hpp>
#include <understudy/wire/codec.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace understudy::protocol {

/// A hello has no more bytes than this, of which the name has up to 255.
inline constexpr std::size_t hello_bytes_max = 512;

/// What the other end is there for.
enum class peer_role : std::uint8_t {
  node = 0,     ///< a node, or one that wants to become a member
  client = 1,   ///< has calls, and no part in the cluster
  operator_ = 2 ///< gives orders, and looks
};

/// Whether one who is there for that may send this. A node may send whatever there is.
[[nodiscard]] constexpr bool may_send(peer_role who, frame_kind what) {
  switch (who) {
  case peer_role::node:
    return true;
  case peer_role::client:
    return what == frame_kind::requests || what == frame_kind::members_request;
  case peer_role::operator_:
    return what == frame_kind::requests || what == frame_kind::order_request
           || what == frame_kind::census_request;
  }
  return false;
}

/// How one end introduces itself.
struct hello {
  std::uint32_t protocol_min = version_min;
  std::uint32_t protocol_max = version_max;
  std::uint32_t machine_version = 1;
  peer_role role = peer_role::node;
  member_id id = {};          ///< this start of the process
  std::uint64_t start = 0;    ///< as in `member`
  cluster_id cluster = {};    ///< none: has not entered one, or means any
  security::nonce nonce = {}; ///< of this connection alone (`fresh_nonce`); else a proof is none
  bool keyed = false;         ///< has the cluster's key, and asks for proof of it
  std::string name = {};      ///< for people, and for its certificate

  friend bool operator==(const hello&, const hello&) = default;

  /// The versions come first, and stay there in all of them.
  template <class Archive> void serialize(Archive& archive) {
    archive(protocol_min, protocol_max, machine_version, role, id, start, cluster, nonce, keyed,
            name);
  }
};

[[nodiscard]] inline frame encode(const hello& what) {
  return {frame_kind::hello, wire::encode(what)};
}

/// Fails with `undecodable` for what is no hello.
[[nodiscard]] inline expected<hello> decode_hello(const frame& from) {
  if (from.kind != frame_kind::hello)
    return fail(errc::undecodable, "the first frame is no hello");
  auto read = wire::decode<hello>(from.body.view(), "hello");
  if (read && read->role > peer_role::operator_)
    return fail(errc::undecodable, "hello: of a role that there is not");
  if (read && (!read->id || read->protocol_min > read->protocol_max))
    return fail(errc::undecodable, "hello: of nobody, or of no version");
  return read;
}

namespace detail {

[[nodiscard]] inline std::string range_of(const hello& h) {
  return std::to_string(h.protocol_min) + " to " + std::to_string(h.protocol_max);
}

} // namespace detail

/// The version that both ends use from here on, the newest that they have in common.
///
/// | error | when |
/// | --- | --- |
/// | `version_unsupported` | they have none in common; the text has both ranges |
/// | `cluster_mismatch` | both are of a cluster, and not of the same (B14, I10) |
/// | `duplicate_id` | the other end is this node itself, or says so (T6) |
[[nodiscard]] inline expected<std::uint32_t> agree(const hello& own, const hello& theirs) {
  const auto newest = std::min(own.protocol_max, theirs.protocol_max);
  if (newest < std::max(own.protocol_min, theirs.protocol_min))
    return fail(errc::version_unsupported, "the other end speaks versions "
                                               + detail::range_of(theirs) + ", and this one "
                                               + detail::range_of(own));
  if (own.cluster && theirs.cluster && own.cluster != theirs.cluster)
    return fail(errc::cluster_mismatch,
                "the other end is of cluster " + std::to_string(theirs.cluster.value)
                    + ", and this one of " + std::to_string(own.cluster.value));
  if (own.id == theirs.id)
    return fail(errc::duplicate_id, "the other end has the id of this one");
  return newest;
}

} // namespace understudy::protocol
