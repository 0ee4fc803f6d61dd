// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// An entry as the payload of a record.
///
/// | bytes | content |
/// | --- | --- |
/// | 0-23 | index, term, log time in nanoseconds |
/// | 24 | what it is (below) |
/// | 25-31 | zero |
/// | 32- | a command: session, number, answered_below, and the body to the end; else as wire/ has
/// it |
///
/// The layout of a content never changes: a changed one becomes another `content_tag`, and the old
/// one can still be read.

#include <understudy/core/entry.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/storage/little_endian.hpp>
#include <understudy/wire/codec.hpp>
#include <understudy/wire/containers.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace understudy::storage {

/// Part of the format: never reused.
enum class content_tag : std::uint8_t {
  no_op = 1,
  command = 2,
  configuration = 3,
  open_session = 4,
  close_session = 5,
  settle = 6,
  expire_sessions = 7,
};

namespace detail {
inline constexpr std::size_t entry_head_bytes = 32;
inline constexpr std::size_t command_head_bytes = entry_head_bytes + 24;
} // namespace detail

/// An entry on its way to where it is written, which is the only copy of a command's body. The
/// entry must be there as long as this.
class entry_record {
public:
  explicit entry_record(const entry& e) : entry_{&e} {
    std::visit([this](const auto& content) { take(content); }, *e.what);
  }

  [[nodiscard]] std::size_t size_bytes() const { return head_bytes() + tail_.size(); }

  /// Writes the `size_bytes()` bytes at `to`.
  void write(std::byte* to) const {
    put(to, entry_->index.value);
    put(to + 8, entry_->term.value);
    put(to + 16, static_cast<std::uint64_t>(entry_->stamp.since_founding.count()));
    put(to + 24, static_cast<std::uint64_t>(tag_));
    if (command_ != nullptr) {
      put(to + 32, command_->session.value);
      put(to + 40, command_->number.value);
      put(to + 48, command_->answered_below.value);
    }
    std::ranges::copy(tail_, to + head_bytes());
  }

private:
  [[nodiscard]] std::size_t head_bytes() const {
    return command_ != nullptr ? detail::command_head_bytes : detail::entry_head_bytes;
  }

  void take(const no_op&) { tag_ = content_tag::no_op; }
  void take(const open_session&) { tag_ = content_tag::open_session; }
  void take(const expire_sessions&) { tag_ = content_tag::expire_sessions; }
  void take(const close_session& c) { encode(content_tag::close_session, c.session); }
  void take(const settle& s) { encode(content_tag::settle, s.session, s.number); }
  void take(const configuration_ptr& c) { encode(content_tag::configuration, *c); }
  void take(const command& c) {
    tag_ = content_tag::command;
    command_ = &c;
    tail_ = c.body.view();
  }

  template <class... Parts> void encode(content_tag which, const Parts&... parts) {
    tag_ = which;
    encoded_ = wire::encode(parts...);
    tail_ = encoded_.view();
  }

  const entry* entry_;
  content_tag tag_ = {};
  const command* command_ = nullptr; ///< if it is one
  std::span<const std::byte> tail_;
  bytes encoded_; ///< what `tail_` shows, if it is not the entry's own
};

namespace detail {

[[nodiscard]] inline expected<payload> command_from(const bytes& from) {
  if (from.size() < command_head_bytes)
    return fail(errc::undecodable, "command: ends too soon");
  const auto* at = from.view().data();
  return command{.session = {get<std::uint64_t>(at + 32)},
                 .number = {get<std::uint64_t>(at + 40)},
                 .answered_below = {get<std::uint64_t>(at + 48)},
                 .body = from.part(command_head_bytes, from.size())};
}

/// A content that is `parts`, one after the other, and nothing else.
template <class T, class... Parts>
[[nodiscard]] expected<payload> content_of(std::span<const std::byte> from, const char* name,
                                           Parts T::*... parts) {
  T content;
  if constexpr (sizeof...(Parts) > 0) {
    if (auto done = wire::decode_into(from, name, content.*parts...); !done)
      return tl::unexpected<failure>{std::move(done.error())};
  } else if (!from.empty()) {
    return fail(errc::undecodable, std::string{name} + ": has content");
  }
  return content;
}

[[nodiscard]] inline expected<payload> configuration_from(std::span<const std::byte> from) {
  auto read = std::make_shared<configuration>();
  if (auto done = wire::decode_into(from, "configuration", *read); !done)
    return tl::unexpected<failure>{std::move(done.error())};
  return configuration_ptr{std::move(read)};
}

[[nodiscard]] inline expected<payload> content_from(content_tag tag, const bytes& from) {
  const auto rest = from.view().subspan(entry_head_bytes);
  switch (tag) {
  case content_tag::no_op:
    return content_of<no_op>(rest, "no_op");
  case content_tag::command:
    return command_from(from);
  case content_tag::configuration:
    return configuration_from(rest);
  case content_tag::open_session:
    return content_of<open_session>(rest, "open_session");
  case content_tag::close_session:
    return content_of(rest, "close_session", &close_session::session);
  case content_tag::settle:
    return content_of(rest, "settle", &settle::session, &settle::number);
  case content_tag::expire_sessions:
    return content_of<expire_sessions>(rest, "expire_sessions");
  }
  return fail(errc::undecodable, "an entry of an unknown kind");
}

} // namespace detail

/// Reads back the payload of a record; `undecodable` for one that no release up to this one wrote.
/// A command's body shares `from`.
[[nodiscard]] inline expected<entry> entry_from(const bytes& from) {
  if (from.size() < detail::entry_head_bytes)
    return fail(errc::undecodable, "an entry that ends too soon");
  const auto* at = from.view().data();
  if (get<std::uint64_t>(at + 24) > 0xff)
    return fail(errc::undecodable, "an entry of an unknown kind");
  auto content = detail::content_from(static_cast<content_tag>(get<std::uint8_t>(at + 24)), from);
  if (!content)
    return tl::unexpected<failure>{std::move(content.error())};
  return entry{
      .index = {get<std::uint64_t>(at)},
      .term = {get<std::uint64_t>(at + 8)},
      .stamp = {interval{static_cast<std::int64_t>(get<std::uint64_t>(at + 16))}},
      .what = share(std::move(*content)),
  };
}

} // namespace understudy::storage
