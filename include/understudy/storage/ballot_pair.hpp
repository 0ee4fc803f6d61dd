// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Term and vote, in two files that say the same.
///
/// A node that forgets a vote gives it twice, and then there are two leaders in one term (E1, E2).
/// So both copies are on the disk before anybody hears of a vote: whichever of them becomes
/// unreadable afterwards, the other one knows the newest. If neither can be read, the node does not
/// start; an older copy would be a forgotten vote.
///
/// Each file is one header and nothing else, written in place, the first and synced, then the
/// second: at any moment one of the two is whole. They also say whose directory this is.

#include <understudy/core/ballot.hpp>
#include <understudy/storage/file_header.hpp>
#include <understudy/storage/file_names.hpp>
#include <understudy/storage/new_file.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace understudy::storage {

/// What both copies say.
struct stored_ballot {
  file_owner owner = {};
  ballot vote = {};
  std::uint64_t writes = 0; ///< counts up: of two copies that differ, the higher one is newer

  friend bool operator==(const stored_ballot&, const stored_ballot&) = default;
};

/// What the two files hold; an error stands for one that is not there or can not be read.
using ballot_copies = std::array<expected<stored_ballot>, ballot_names.size()>;

namespace detail {

[[nodiscard]] inline expected<stored_ballot> read_ballot(directory& in, std::string_view name) {
  const auto opened = open_headed(in, name, file_kind::ballot);
  if (!opened)
    return tl::unexpected<failure>{opened.error()};
  const auto& n = opened->header.numbers;
  return stored_ballot{.owner = opened->header.owner, .vote = {{n[1]}, {n[2]}}, .writes = n[0]};
}

[[nodiscard]] inline file_header header_of(const stored_ballot& b) {
  return {.kind = file_kind::ballot,
          .owner = b.owner,
          .numbers = {b.writes, b.vote.term.value, b.vote.vote.value}};
}

} // namespace detail

[[nodiscard]] inline ballot_copies read_ballots(directory& in) {
  return {detail::read_ballot(in, ballot_names[0]), detail::read_ballot(in, ballot_names[1])};
}

/// The newest of the copies that can be read. With none, the reason why: that of the first, unless
/// it is only missing. A format that is too new is no damage, and is not made good for by a copy.
[[nodiscard]] inline expected<stored_ballot> newest_of(const ballot_copies& copies) {
  for (const auto& copy : copies)
    if (!copy && copy.error().code == errc::format_unsupported)
      return copy;
  const auto& [a, b] = copies;
  if (a && b) {
    if (auto same = check_owner(b->owner, a->owner, std::string{ballot_names[1]}); !same)
      return tl::unexpected<failure>{same.error()};
    return a->writes >= b->writes ? *a : *b;
  }
  if (a || b)
    return a ? *a : *b;
  return fail(errc::storage_damaged,
              "term and vote are lost: " + a.error().detail + "; " + b.error().detail);
}

/// The two files, open for writing.
class ballot_pair {
public:
  /// Makes both files in a directory that has none, or makes them equal again. What is in them is
  /// durable when this returns.
  [[nodiscard]] static expected<ballot_pair> restore(directory& in, const stored_ballot& content) {
    ballot_pair pair{content};
    for (std::size_t i = 0; i < ballot_names.size(); ++i) {
      const auto image = to_bytes(detail::header_of(content));
      auto made = make_file(in, ballot_names[i], [&](file& f) { return f.write(0, image); });
      if (!made)
        return tl::unexpected<failure>{made.error()};
      pair.files_[i] = std::move(*made);
    }
    return pair;
  }

  /// Opens both files, which hold `content` both, as far as one can see: the second may be in
  /// memory only, of a process that was killed, or told that its sync failed. So it is written
  /// again.
  [[nodiscard]] static expected<ballot_pair> open(directory& in, const stored_ballot& content) {
    ballot_pair pair{content};
    for (std::size_t i = 0; i < ballot_names.size(); ++i) {
      auto opened = in.open(ballot_names[i]);
      if (!opened)
        return tl::unexpected<failure>{opened.error()};
      pair.files_[i] = std::move(*opened);
    }
    if (auto done = pair.put(*pair.files_[1], content); !done)
      return tl::unexpected<failure>{done.error()};
    return pair;
  }

  /// Makes `vote` durable; it needs no more room than there is.
  [[nodiscard]] expected<void> write(const ballot& vote) {
    auto next = content_;
    next.vote = vote;
    return write(next);
  }

  /// Makes the cluster that the node has entered durable.
  [[nodiscard]] expected<void> enter(cluster_id cluster) {
    auto next = content_;
    next.owner.cluster = cluster;
    return write(next);
  }

  [[nodiscard]] const stored_ballot& content() const { return content_; }

private:
  explicit ballot_pair(stored_ballot content) : content_{content} {}

  [[nodiscard]] expected<void> write(stored_ballot next) {
    ++next.writes;
    for (const auto& copy : files_)
      if (auto done = put(*copy, next); !done)
        return done;
    content_ = next;
    return {};
  }

  /// Room was made when the file was: a disk that has none now has failed.
  [[nodiscard]] static expected<void> put(file& copy, const stored_ballot& content) {
    auto done = copy.write(0, to_bytes(detail::header_of(content)));
    if (done)
      done = copy.sync();
    if (!done)
      return fail(errc::storage_failed, std::move(done.error().detail));
    return done;
  }

  stored_ballot content_;
  std::array<std::unique_ptr<file>, ballot_names.size()> files_;
};

} // namespace understudy::storage
