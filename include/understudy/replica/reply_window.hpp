// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What became of one session's latest requests, by number.
///
/// A client sends each request with the number below which it has all replies, so the numbers that
/// matter are a short run. They lie in a ring: a number's place is its remainder, and looking one
/// up costs neither a search nor an allocation.

#include <understudy/core/assert.hpp>
#include <understudy/core/bytes.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/wire/codec.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace understudy {

/// What became of one request number.
struct stored_reply {
  enum class kind : std::uint8_t {
    none = 0,      ///< nothing yet
    applied = 1,   ///< `reply` is the machine's
    too_large = 2, ///< applied, but the reply was larger than what may be stored
    burnt = 3,     ///< settled before it was applied: it never will be
  };
  kind what = kind::none;
  std::uint64_t command = 0; ///< digest of the command that had this number
  bytes reply = {};

  friend bool operator==(const stored_reply&, const stored_reply&) = default;

  template <class Archive> void serialize(Archive& archive) { archive(what, command, reply); }
};

/// The stored replies of one session, from `below()` on.
class reply_window {
public:
  /// No two numbers stored at the same time are further apart than this.
  static constexpr std::uint64_t span_max = 1 << 16;

  /// Every number below this one has been answered and forgotten. The first request is 1.
  [[nodiscard]] request_number below() const { return below_; }

  /// How many bytes of replies are stored.
  [[nodiscard]] std::size_t stored_bytes() const { return stored_bytes_; }

  /// What is stored for `number`, or null.
  [[nodiscard]] const stored_reply* find(request_number number) const {
    if (number < below_ || number >= end_)
      return nullptr;
    const auto& found = ring_[place(number)];
    return found.what == stored_reply::kind::none ? nullptr : &found;
  }

  /// Whether `number` is near enough to `below()` to be stored.
  [[nodiscard]] bool fits(request_number number) const {
    return number >= below_ && number - below_ < span_max && number < number.next();
  }

  /// Stores what became of `number`, which fits and had nothing stored.
  void store(request_number number, stored_reply what) {
    UNDERSTUDY_ASSERT(fits(number) && !find(number), "a request number is answered once");
    UNDERSTUDY_ASSERT(what.what != stored_reply::kind::none, "something is stored");
    if (number - below_ >= ring_.size())
      widen(number - below_ + 1);
    end_ = std::max(end_, number.next());
    stored_bytes_ += what.reply.size();
    ring_[place(number)] = std::move(what);
  }

  /// Forgets every reply below `number`; never takes back what was forgotten.
  void forget_below(request_number number) {
    for (; below_ < number && below_ < end_; ++below_) {
      auto& old = ring_[place(below_)];
      stored_bytes_ -= old.reply.size();
      old = stored_reply{};
    }
    below_ = std::max(below_, number);
    end_ = std::max(end_, below_);
  }

  template <class Archive> void save(Archive& archive) const {
    std::vector<std::pair<request_number, stored_reply>> kept;
    for (auto number = below_; number < end_; ++number)
      if (const auto* stored = find(number))
        kept.emplace_back(number, *stored);
    archive(below_, kept);
  }

  template <class Archive> void load(Archive& archive) {
    request_number below;
    std::vector<std::pair<request_number, stored_reply>> kept;
    archive(below, kept);
    *this = {};
    forget_below(below);
    for (auto& [number, stored] : kept) {
      const bool known
          = stored.what >= stored_reply::kind::applied && stored.what <= stored_reply::kind::burnt;
      if (number < end_ || !fits(number) || !known)
        throw wire::malformed{"replies that no session can hold"};
      store(number, std::move(stored));
    }
  }

private:
  [[nodiscard]] std::size_t place(request_number number) const {
    return static_cast<std::size_t>(number.value) & (ring_.size() - 1);
  }

  void widen(std::uint64_t width) {
    std::vector<stored_reply> old(std::bit_ceil(std::max<std::size_t>(width, 4)));
    old.swap(ring_);
    for (auto number = below_; number < end_; ++number)
      ring_[place(number)] = std::move(old[number.value & (old.size() - 1)]);
  }

  std::vector<stored_reply> ring_; ///< a power of two wide; or empty
  request_number below_{1};
  request_number end_{1}; ///< above every number stored
  std::size_t stored_bytes_ = 0;
};

} // namespace understudy
