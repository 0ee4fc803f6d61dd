// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The files of a node's directory, and how they are called.
///
/// | name | content |
/// | --- | --- |
/// | `ballot-a`, `ballot-b` | term and vote, twice (ballot_pair.hpp) |
/// | `segment-S-I` | the S-th piece of the log; its first entry has index I (segment.hpp) |
/// | `snapshot-I-T` | the state after the entry at index I, of term T (snapshot_file.hpp) |
/// | `synced` | how much of the log was synced last (synced_mark.hpp) |
/// | `retired` | the files here are an earlier life's, and are being put aside (aside.hpp) |
/// | `aside-N/` | what an earlier life of the node left; never read |
/// | `*.new` | was being written when the node stopped; removed at the next start |
///
/// Numbers have twenty digits, so that names sort as their numbers do.

#include <understudy/core/entry.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/storage/directory.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::storage {

inline constexpr std::array<std::string_view, 2> ballot_names{"ballot-a", "ballot-b"};
inline constexpr std::string_view mark_name = "synced";
inline constexpr std::string_view retired_name = "retired";
inline constexpr std::string_view unfinished_suffix = ".new";

/// A segment's place in the order of segments, and the first index in it.
struct segment_name {
  std::uint64_t sequence = 0;
  log_index first = {};

  friend bool operator==(const segment_name&, const segment_name&) = default;
};

namespace detail {

inline constexpr std::size_t name_digits = 20;

[[nodiscard]] inline std::string numbered(std::string_view prefix, std::uint64_t a,
                                          std::uint64_t b) {
  const auto digits = [](std::uint64_t n) {
    const auto text = std::to_string(n);
    return std::string(name_digits - text.size(), '0') + text;
  };
  return std::string{prefix} + digits(a) + "-" + digits(b);
}

/// The two numbers in "<prefix><20 digits>-<20 digits>"; nothing in any other name.
[[nodiscard]] inline std::optional<std::array<std::uint64_t, 2>>
numbers_in(std::string_view name, std::string_view prefix) {
  if (name.size() != prefix.size() + 2 * name_digits + 1 || !name.starts_with(prefix)
      || name[prefix.size() + name_digits] != '-')
    return std::nullopt;
  std::array<std::uint64_t, 2> found{};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto* first = name.data() + prefix.size() + i * (name_digits + 1);
    const auto read = std::from_chars(first, first + name_digits, found[i]);
    if (read.ec != std::errc{} || read.ptr != first + name_digits)
      return std::nullopt;
  }
  return found;
}

} // namespace detail

[[nodiscard]] inline std::string to_string(const segment_name& of) {
  return detail::numbered("segment-", of.sequence, of.first.value);
}

[[nodiscard]] inline std::string snapshot_name(log_position at) {
  return detail::numbered("snapshot-", at.index.value, at.term.value);
}

/// What is in a directory, by name alone.
struct survey {
  std::array<bool, ballot_names.size()> ballots = {};
  bool mark = false;
  bool retired = false;
  std::vector<segment_name> segments = {};  ///< oldest first
  std::vector<log_position> snapshots = {}; ///< newest first
  std::vector<std::string> unfinished = {};
  std::uint64_t asides = 0; ///< as many sets of old files were put aside, or more

  /// No node has ever lived here.
  [[nodiscard]] bool empty() const {
    return !ballots[0] && !ballots[1] && !mark && segments.empty() && snapshots.empty();
  }

  /// Every file but the unfinished ones.
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < ballots.size(); ++i)
      if (ballots[i])
        found.emplace_back(ballot_names[i]);
    if (mark)
      found.emplace_back(mark_name);
    for (const auto& s : segments)
      found.push_back(to_string(s));
    for (const auto& s : snapshots)
      found.push_back(snapshot_name(s));
    return found;
  }
};

namespace detail {

/// Enters one name; false for one that nothing here would choose.
[[nodiscard]] inline bool enter(survey& into, const std::string& name) {
  if (name == "lost+found/") // of a disk whose root was given to the node
    return true;
  if (name.starts_with("aside-") && name.ends_with('/')) {
    std::uint64_t number = 0;
    const auto read = std::from_chars(name.data() + 6, name.data() + name.size() - 1, number);
    into.asides = std::max(into.asides, number);
    return read.ec == std::errc{} && read.ptr == name.data() + name.size() - 1;
  }
  if (name == ballot_names[0] || name == ballot_names[1]) {
    into.ballots[name == ballot_names[1] ? 1 : 0] = true;
  } else if (name == mark_name) {
    into.mark = true;
  } else if (name == retired_name) {
    into.retired = true;
  } else if (const auto s = numbers_in(name, "segment-")) {
    into.segments.push_back({(*s)[0], {(*s)[1]}});
  } else if (const auto i = numbers_in(name, "snapshot-")) {
    into.snapshots.push_back({{(*i)[0]}, {(*i)[1]}});
  } else {
    survey without;
    const bool ours = name.ends_with(unfinished_suffix)
                      && enter(without, name.substr(0, name.size() - unfinished_suffix.size()));
    into.unfinished.push_back(name);
    return ours;
  }
  return true;
}

} // namespace detail

/// Sorts what is in `of`; `storage_foreign` for anything that was not put there by a node. A
/// directory that somebody else uses too is refused before a thing is changed in it.
[[nodiscard]] inline expected<survey> survey_of(directory& of) {
  const auto names = of.list();
  if (!names)
    return tl::unexpected<failure>{names.error()};
  survey found;
  for (const auto& name : *names)
    if (!detail::enter(found, name))
      return fail(errc::storage_foreign,
                  of.path() + ": holds " + name + ", which is no file of understudy's");
  std::ranges::sort(found.segments, {}, &segment_name::sequence);
  std::ranges::sort(found.snapshots, [](const log_position& a, const log_position& b) {
    return a.index == b.index ? a.term > b.term : a.index > b.index;
  });
  return found;
}

} // namespace understudy::storage
