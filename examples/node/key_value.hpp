// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What the cluster of `examples/node.cpp` replicates: a table of keys and values.
///
/// A write that makes no sense as things stand (a comparison that fails, a counter that would
/// overflow, a table that is full) is applied all the same: it changes nothing, and its reply says
/// why. What is wrong with a write by itself is refused before it enters the log.

#include <understudy/machine.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

/// 1 makes the program as it was before it could clear: to try what an update is like.
#ifndef NODE_MACHINE_VERSION
#define NODE_MACHINE_VERSION 2
#endif

namespace node_program {

/// How a write ended. Part of the format of replies: never renumbered.
enum class verdict : std::uint8_t {
  done = 0,
  created = 1,       ///< done, and the key was not there before
  key_missing = 2,   ///< there is no such key
  key_exists = 3,    ///< the key was to be new
  value_differs = 4, ///< the key has another value than the one expected
  not_a_number = 5,  ///< the value is no decimal integer of 64 bits
  overflow = 6,      ///< the sum does not fit into 64 bits
  too_many_keys = 7, ///< the table holds as many keys as it may
  too_many_bytes = 8 ///< the table holds as many bytes as it may
};

[[nodiscard]] constexpr std::string_view to_string(verdict v) {
  constexpr std::array<std::string_view, 9> names{"done",       "created",       "key_missing",
                                                  "key_exists", "value_differs", "not_a_number",
                                                  "overflow",   "too_many_keys", "too_many_bytes"};
  const auto place = static_cast<std::size_t>(v);
  return place < names.size() ? names[place] : "unlisted";
}

/// The machine.
struct key_value {
  /// 2 can clear.
  static constexpr std::uint32_t machine_version = NODE_MACHINE_VERSION;

  static constexpr std::size_t key_bytes_max = 256;
  static constexpr std::size_t value_bytes_max = 1 << 20;
  /// The largest command: a comparison that names two values, its key, and what frames them.
  static constexpr std::size_t command_bytes_max = 2 * value_bytes_max + key_bytes_max + 64;

  /// The reply to every write. Small, because sessions keep it for whoever asks again.
  struct written {
    verdict what = verdict::done;
    std::int64_t number = 0; ///< of `add`: the sum; of `clear`: how many

    template <class Archive> void serialize(Archive& archive) { archive(what, number); }
  };

  struct put {
    using reply = written;
    std::string key = {};
    std::string value = {};
    template <class Archive> void serialize(Archive& archive) { archive(key, value); }
  };
  struct erase {
    using reply = written;
    std::string key = {};
    template <class Archive> void serialize(Archive& archive) { archive(key); }
  };
  /// Puts `value` if the key has the value `expected`; none: if there is no such key.
  struct compare_and_set {
    using reply = written;
    std::string key = {};
    std::optional<std::string> expected = {};
    std::string value = {};
    template <class Archive> void serialize(Archive& archive) { archive(key, expected, value); }
  };
  /// Adds to a decimal integer; a key that is not there counts as 0.
  struct add {
    using reply = written;
    std::string key = {};
    std::int64_t by = 0;
    template <class Archive> void serialize(Archive& archive) { archive(key, by); }
  };
  /// How much the table may hold. Replicated, so that it is the same on every node; what is there
  /// already stays, however little is allowed.
  struct limit {
    using reply = written;
    std::uint64_t keys_max = 0;
    std::uint64_t bytes_max = 0;
    template <class Archive> void serialize(Archive& archive) { archive(keys_max, bytes_max); }
  };

  /// Erases every key that begins with `prefix`; the number in the reply is how many there were.
  struct clear {
    using reply = written;
    static constexpr std::uint32_t since = 2;
    std::string prefix = {};
    template <class Archive> void serialize(Archive& archive) { archive(prefix); }
  };

  /// The value of a key, or none.
  struct lookup {
    std::optional<std::string> value = {};
    template <class Archive> void serialize(Archive& archive) { archive(value); }
  };
  struct get {
    using reply = lookup;
    std::string key = {};
    template <class Archive> void serialize(Archive& archive) { archive(key); }
  };
  struct totals {
    std::uint64_t keys = 0;
    std::uint64_t bytes = 0; ///< of all keys and values
    std::uint64_t keys_max = 0;
    std::uint64_t bytes_max = 0;
    template <class Archive> void serialize(Archive& archive) {
      archive(keys, bytes, keys_max, bytes_max);
    }
  };
  struct size {
    using reply = totals;
    template <class Archive> void serialize(Archive&) {}
  };

  using commands
      = std::conditional_t<machine_version == 1,
                           understudy::commands<put, erase, compare_and_set, add, limit>,
                           understudy::commands<put, erase, compare_and_set, add, limit, clear>>;
  using queries = understudy::queries<get, size>;

  // -- what is wrong with a write by itself
  // --------------------------------------------------------

  using complaint = std::optional<std::string>;

  [[nodiscard]] static complaint check_key(std::string_view key) {
    if (key.empty())
      return "the key is empty";
    if (key.size() > key_bytes_max)
      return "the key takes " + std::to_string(key.size()) + " bytes, and at most "
             + std::to_string(key_bytes_max) + " are allowed";
    return std::nullopt;
  }
  [[nodiscard]] static complaint check_value(std::string_view name, std::string_view value) {
    if (value.size() <= value_bytes_max)
      return std::nullopt;
    return std::string{name} + " takes " + std::to_string(value.size()) + " bytes, and at most "
           + std::to_string(value_bytes_max) + " are allowed";
  }

  [[nodiscard]] static complaint check(const put& c) {
    const auto bad_key = check_key(c.key);
    return bad_key ? bad_key : check_value("the value", c.value);
  }
  [[nodiscard]] static complaint check(const erase& c) { return check_key(c.key); }
  [[nodiscard]] static complaint check(const compare_and_set& c) {
    if (auto bad_key = check_key(c.key))
      return bad_key;
    if (auto bad = check_value("the expected value", c.expected.value_or("")))
      return bad;
    return check_value("the value", c.value);
  }
  [[nodiscard]] static complaint check(const add& c) { return check_key(c.key); }

  // -- commands
  // ------------------------------------------------------------------------------------

  written apply(const put& c) { return {.what = store(c.key, c.value)}; }

  written apply(const erase& c) {
    const auto found = values_.find(c.key);
    if (found == values_.end())
      return {.what = verdict::key_missing};
    bytes_ -= found->first.size() + found->second.size();
    values_.erase(found);
    return {};
  }

  written apply(const compare_and_set& c) {
    const auto found = values_.find(c.key);
    if (!c.expected && found != values_.end())
      return {.what = verdict::key_exists};
    if (c.expected && found == values_.end())
      return {.what = verdict::key_missing};
    if (c.expected && found->second != *c.expected)
      return {.what = verdict::value_differs};
    return {.what = store(c.key, c.value)};
  }

  written apply(const add& c) {
    std::int64_t sum = 0;
    if (const auto found = values_.find(c.key); found != values_.end()) {
      const auto number = as_number(found->second);
      if (!number)
        return {.what = verdict::not_a_number};
      sum = *number;
    }
    if (__builtin_add_overflow(sum, c.by, &sum))
      return {.what = verdict::overflow};
    const auto how = store(c.key, std::to_string(sum));
    return {.what = how, .number = how <= verdict::created ? sum : 0};
  }

  written apply(const limit& c) {
    keys_max_ = c.keys_max;
    bytes_max_ = c.bytes_max;
    return {};
  }

  written apply(const clear& c) {
    std::int64_t count = 0;
    for (auto i = values_.lower_bound(c.prefix);
         i != values_.end() && i->first.starts_with(c.prefix); ++count) {
      bytes_ -= i->first.size() + i->second.size();
      i = values_.erase(i);
    }
    return {.number = count};
  }

  // -- queries
  // -------------------------------------------------------------------------------------

  [[nodiscard]] lookup query(const get& q) const {
    const auto found = values_.find(q.key);
    return found == values_.end() ? lookup{} : lookup{found->second};
  }

  [[nodiscard]] totals query(const size&) const {
    return {values_.size(), bytes_, keys_max_, bytes_max_};
  }

  // -- snapshots
  // -----------------------------------------------------------------------------------

  /// What is written is for whoever knows the version that the cluster uses, be it an older build.
  void use_version(std::uint32_t version) { version_ = version; }

  template <class Archive> void save(Archive& archive) const {
    archive(version_, keys_max_, bytes_max_, values_);
  }
  template <class Archive> void load(Archive& archive) {
    archive(version_);
    if (version_ == 0 || version_ > machine_version)
      throw understudy::wire::malformed{"of version " + std::to_string(version_)
                                        + " of the machine, and this build knows "
                                        + std::to_string(machine_version)};
    archive(keys_max_, bytes_max_, values_);
    bytes_ = 0; // it follows from the values, so a snapshot can not say otherwise
    for (const auto& [key, value] : values_)
      bytes_ += key.size() + value.size();
  }

private:
  [[nodiscard]] static std::optional<std::int64_t> as_number(std::string_view text) {
    std::int64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (text.empty() || read.ec != std::errc{} || read.ptr != end)
      return std::nullopt;
    return number;
  }

  /// Puts a value if there is room. What does not make the table larger always has room.
  verdict store(const std::string& key, const std::string& value) {
    const auto found = values_.find(key);
    const bool fresh = found == values_.end();
    const auto before = fresh ? 0 : key.size() + found->second.size();
    const auto after = key.size() + value.size();
    if (fresh && values_.size() >= keys_max_)
      return verdict::too_many_keys;
    if (after > before && bytes_ - before + after > bytes_max_)
      return verdict::too_many_bytes;
    bytes_ += after - before;
    if (fresh)
      values_.emplace(key, value);
    else
      found->second = value;
    return fresh ? verdict::created : verdict::done;
  }

  std::uint32_t version_ = 1;
  std::map<std::string, std::string, std::less<>> values_;
  std::uint64_t bytes_ = 0;
  std::uint64_t keys_max_ = 1'000'000;
  std::uint64_t bytes_max_ = std::uint64_t{1} << 30;
};

} // namespace node_program
