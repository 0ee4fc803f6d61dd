// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The fields of each message, in the order in which they are written.
///
/// Part of the protocol: what version 1 writes is pinned by files in tests/protocol/golden. A value
/// of a closed enum that is none of it is refused, but for an error: that may be a later release's,
/// and is taken for the one that claims least.

#include <understudy/core/configuration.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/core/roster_change.hpp>
#include <understudy/core/snapshot.hpp>
#include <understudy/wire/codec.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

namespace understudy {

namespace detail {

/// An enum whose values go up to `last`.
template <class Archive, class E> void closed(Archive& archive, E& value, E last) {
  archive(value);
  if constexpr (Archive::is_loading::value)
    if (value > last)
      throw wire::malformed{"holds a value that is none of its enum"};
}

template <class Archive> void known_error(Archive&, errc& code) {
  if constexpr (Archive::is_loading::value)
    if (to_string(code) == "unlisted")
      code = errc::outcome_unknown;
}

template <class Archive, class T> void known_error(Archive& archive, expected<T>& result) {
  if (!result)
    known_error(archive, result.error().code);
}

/// A member of a configuration that may have come from anywhere.
template <class Archive> void known_standing(Archive&, const member& who) {
  if constexpr (Archive::is_loading::value)
    if (who.status > standing::evicted)
      throw wire::malformed{"holds a standing that is none"};
}

template <class Archive> void members_of(Archive& archive, configuration& c) {
  archive(c);
  for (const auto& m : c.members)
    known_standing(archive, m);
}

} // namespace detail

// -- configurations and entries ------------------------------------------------------------------

template <class Archive> void save(Archive& archive, const placed_configuration& c) {
  archive(c.index, c.content != nullptr);
  if (c.content)
    archive(*c.content);
}
template <class Archive> void load(Archive& archive, placed_configuration& c) {
  bool is_there = false;
  archive(c.index, is_there);
  c.content = nullptr;
  if (!is_there)
    return;
  auto content = std::make_shared<configuration>();
  detail::members_of(archive, *content);
  c.content = std::move(content);
}

template <class Archive> void serialize(Archive&, no_op&) {}
template <class Archive> void serialize(Archive&, open_session&) {}
template <class Archive> void serialize(Archive&, expire_sessions&) {}
template <class Archive> void serialize(Archive& archive, command& c) {
  archive(c.session, c.number, c.answered_below, c.body);
}
template <class Archive> void serialize(Archive& archive, close_session& c) {
  archive(c.session);
}
template <class Archive> void serialize(Archive& archive, settle& s) {
  archive(s.session, s.number);
}

namespace detail {

/// A configuration within an entry, where there always is one.
struct boxed_configuration {
  configuration_ptr& held;

  template <class Archive> void save(Archive& archive) const { archive(*held); }
  template <class Archive> void load(Archive& archive) {
    auto read = std::make_shared<configuration>();
    members_of(archive, *read);
    held = std::move(read);
  }
};

template <class Archive, class T> void content(Archive& archive, T& what) {
  archive(what);
}
template <class Archive> void content(Archive& archive, configuration_ptr& what) {
  boxed_configuration box{what};
  archive(box);
}

/// Reads the content at place `kind` of `payload`.
template <class Archive, std::size_t... I>
payload content_at(Archive& archive, std::size_t kind, std::index_sequence<I...>) {
  payload result;
  const auto read = [&]<std::size_t At>(std::integral_constant<std::size_t, At>) {
    std::variant_alternative_t<At, payload> what{};
    content(archive, what);
    result = std::move(what);
    return true;
  };
  if (!((kind == I && read(std::integral_constant<std::size_t, I>{})) || ...))
    throw wire::malformed{"holds an entry of an unknown kind"};
  return result;
}

} // namespace detail

template <class Archive> void save(Archive& archive, const entry& e) {
  archive(e.index, e.term, e.stamp, static_cast<std::uint8_t>(e.what->index()));
  std::visit(
      [&](const auto& what) {
        auto copy = what; // shares what is large
        detail::content(archive, copy);
      },
      *e.what);
}
template <class Archive> void load(Archive& archive, entry& e) {
  std::uint8_t kind = 0;
  archive(e.index, e.term, e.stamp, kind);
  e.what = std::make_shared<const payload>(
      detail::content_at(archive, kind, std::make_index_sequence<std::variant_size_v<payload>>{}));
}

// -- raft core to raft core ----------------------------------------------------------------------

template <class Archive> void serialize(Archive& archive, request_vote& m) {
  archive(m.term);
  detail::closed(archive, m.round, round::vote);
  archive(m.last, m.entered, m.by_transfer);
}
template <class Archive> void serialize(Archive& archive, vote_reply& m) {
  archive(m.term);
  detail::closed(archive, m.round, round::vote);
  archive(m.asked);
  detail::closed(archive, m.verdict, verdict::removed);
}
template <class Archive> void serialize(Archive& archive, append_entries& m) {
  archive(m.term, m.previous, m.entries, m.commit, m.stream, m.attempt, m.read_round);
}
template <class Archive> void serialize(Archive& archive, append_reply& m) {
  archive(m.term, m.accepted, m.match, m.hint, m.stream, m.attempt, m.read_round, m.unfit);
}
template <class Archive> void serialize(Archive& archive, snapshot_chunk& c) {
  archive(c.key, c.stamp, c.members, c.size, c.offset, c.data);
}
template <class Archive> void serialize(Archive& archive, install_snapshot& m) {
  archive(m.term, m.chunk, m.stream);
}
template <class Archive> void serialize(Archive& archive, snapshot_reply& m) {
  archive(m.term, m.key, m.received, m.done, m.stream);
}
template <class Archive> void serialize(Archive& archive, timeout_now& m) {
  archive(m.term);
}

// -- pulls ---------------------------------------------------------------------------------------

template <class Archive> void serialize(Archive& archive, pull_request& m) {
  archive(m.cluster, m.ask, m.from, m.wait, m.bytes_max, m.resume, m.received);
}
template <class Archive> void serialize(Archive& archive, pull_reply& m) {
  archive(m.ask);
  detail::closed(archive, m.verdict, pull_verdict::refused);
  archive(m.previous, m.entries, m.commit, m.chunk, m.term, m.leader, m.leader_silent);
}

// -- membership ----------------------------------------------------------------------------------

template <class Archive> void serialize(Archive& archive, census_request& m) {
  archive(m.founding);
}
template <class Archive> void serialize(Archive& archive, census_reply& m) {
  archive(m.cluster, m.members, m.leader, m.leader_address, m.founding, m.committed);
}
template <class Archive> void serialize(Archive& archive, enter_request& m) {
  archive(m.cluster, m.newcomer, m.since);
  detail::known_standing(archive, m.newcomer);
}
template <class Archive> void serialize(Archive& archive, enter_reply& m) {
  archive(m.code, m.detail, m.roster, m.leader, m.leader_address);
  detail::known_error(archive, m.code);
}
template <class Archive> void serialize(Archive& archive, seat_request& m) {
  archive(m.last);
}
template <class Archive> void serialize(Archive&, presence&) {}

template <class Archive> void serialize(Archive& archive, mark_member& o) {
  archive(o.who);
  detail::closed(archive, o.status, standing::evicted);
}
template <class Archive> void serialize(Archive& archive, pin_member& o) {
  archive(o.who, o.pinned);
}
template <class Archive> void serialize(Archive& archive, drop_member& o) {
  archive(o.who);
}
template <class Archive> void serialize(Archive& archive, set_rules& o) {
  archive(o.rules);
}
template <class Archive> void serialize(Archive& archive, transfer_leadership& o) {
  archive(o.to);
}
template <class Archive> void serialize(Archive& archive, declare_versions& o) {
  archive(o.who, o.protocol_version, o.machine_version);
}
template <class Archive> void serialize(Archive& archive, use_machine_version& o) {
  archive(o.version);
}
template <class Archive> void serialize(Archive& archive, order_request& m) {
  archive(m.id, m.what);
}
template <class Archive> void serialize(Archive& archive, order_reply& m) {
  archive(m.id, m.result);
  detail::known_error(archive, m.result);
}

// -- calls ---------------------------------------------------------------------------------------

template <class Archive> void serialize(Archive& archive, query& q) {
  archive(q.body);
  detail::closed(archive, q.consistency, consistency::session);
  archive(q.at_least, q.age_max);
}
template <class Archive> void serialize(Archive& archive, request& r) {
  archive(r.id, r.body, r.time_left);
}
template <class Archive> void serialize(Archive& archive, requests& m) {
  archive(m.forwarded, m.batch);
}
template <class Archive> void serialize(Archive& archive, reply& r) {
  archive(r.body, r.index, r.copies, r.age);
}
template <class Archive> void serialize(Archive& archive, answer& a) {
  archive(a.id, a.result, a.retry_after);
  detail::known_error(archive, a.result);
}
template <class Archive> void serialize(Archive& archive, answers& m) {
  archive(m.batch);
}
template <class Archive> void serialize(Archive& archive, members_request& m) {
  archive(m.cluster, m.known);
}
template <class Archive> void serialize(Archive& archive, member_place& p) {
  archive(p.id, p.address);
}
template <class Archive> void serialize(Archive& archive, members_reply& m) {
  archive(m.cluster, m.index, m.members);
}

} // namespace understudy
