// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What the checker remembers of a cluster: every entry that ever stood in a log, and which of them
/// were committed.
///
/// Entries are chained: an entry's chain is a number made of its content and the chain before it,
/// so one comparison tells whether two logs agree all the way down.

#include <understudy/core/configuration.hpp>
#include <understudy/core/digest.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/wire/codec.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace understudy::testing {

/// A rule was broken: which one (reliability ids), by whom, and what was seen.
class invariant_violated : public std::runtime_error {
public:
  invariant_violated(std::string id, member_id who, const std::string& seen)
      : std::runtime_error{id + ": " + seen}, id_{std::move(id)}, who_{who} {}

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] member_id who() const { return who_; }

private:
  std::string id_;
  member_id who_;
};

namespace detail {

/// A number that stands for a payload's content.
struct payload_digest {
  std::uint64_t operator()(const no_op&) const { return 1; }
  std::uint64_t operator()(const open_session&) const { return 2; }
  std::uint64_t operator()(const expire_sessions&) const { return 3; }
  std::uint64_t operator()(const close_session& p) const { return mixed(4, p.session.value); }
  std::uint64_t operator()(const settle& p) const {
    return mixed(mixed(5, p.session.value), p.number.value);
  }
  std::uint64_t operator()(const command& p) const {
    const auto name = mixed(mixed(6, p.session.value), p.number.value);
    return mixed(mixed(name, p.answered_below.value), digest_of(p.body.view()));
  }
  std::uint64_t operator()(const configuration_ptr& p) const {
    return mixed(7, digest_of(wire::encode(*p).view()));
  }
};

} // namespace detail

/// An entry that stood in some log.
struct written_entry {
  term_number term = {};
  std::uint64_t chain = 0;
  std::uint64_t before = 0; ///< the chain of the entry before it
  log_time stamp = {};
  std::shared_ptr<const payload> what = nullptr; ///< kept, so that its address stays its own
};

/// An entry that was committed, and how.
struct committed_entry {
  term_number term = {};
  std::uint64_t chain = 0;
  term_number by = {}; ///< the term of the node that was first seen to hold it committed
};

/// A committed configuration.
struct committed_configuration {
  log_index index = {};
  configuration_ptr content = nullptr;
  term_number by = {};
};

/// The memory of one cluster.
class history {
public:
  /// An entry was put into the log of `who`, behind one whose chain is `before`. Returns its own
  /// chain. Two entries of one term at one index must be the same, and so must all before them.
  std::uint64_t write(member_id who, const entry& e, std::uint64_t before) {
    auto& here = written_at(e.index);
    const auto known = std::ranges::find(here, e.term, &written_entry::term);
    if (known == here.end()) {
      here.push_back({e.term, chained(e, before), before, e.stamp, e.what});
      return here.back().chain;
    }
    // The very same payload behind the very same log needs no second look: entries are shared.
    if (known->what == e.what && known->before == before && known->stamp == e.stamp)
      return known->chain;
    if (chained(e, before) != known->chain)
      throw invariant_violated{"I5", who,
                               "entry " + text(e.index, e.term)
                                   + " is not the one that another log has there, or what stands "
                                     "before it is not"};
    return known->chain;
  }

  /// The entries that were committed, the first one at index 1.
  [[nodiscard]] log_index committed_through() const { return {committed_.size()}; }

  [[nodiscard]] const committed_entry& committed(log_index i) const {
    return committed_.at(i.value - 1);
  }

  /// The chain at `i`, which is committed or 0.
  [[nodiscard]] std::uint64_t committed_chain(log_index i) const {
    return i.value == 0 ? 0 : committed(i).chain;
  }

  /// The last index that was seen to be committed in a term before `term`.
  [[nodiscard]] log_index committed_before(term_number term) const {
    const auto end = std::ranges::partition_point(
        committed_, [&](const committed_entry& c) { return c.by < term; });
    return {static_cast<std::uint64_t>(end - committed_.begin())};
  }

  void commit(committed_entry what) {
    if (!committed_.empty())
      what.by = std::max(what.by, committed_.back().by);
    committed_.push_back(what);
  }

  void commit(committed_configuration what) { configurations_.push_back(std::move(what)); }

  /// All committed configurations, oldest first.
  [[nodiscard]] const std::vector<committed_configuration>& configurations() const {
    return configurations_;
  }

  /// The committed configuration in force at `i`, or null.
  [[nodiscard]] const committed_configuration* configuration_at(log_index i) const {
    const auto after = std::ranges::partition_point(
        configurations_, [&](const committed_configuration& c) { return c.index <= i; });
    return after == configurations_.begin() ? nullptr : &*std::prev(after);
  }

  /// The configurations above the last committed entry that ever stood in a log. One that no log
  /// has any more may still be on its way in a late message, and so come into force.
  [[nodiscard]] std::vector<configuration_ptr> pending_configurations() const {
    std::vector<configuration_ptr> pending;
    for (auto i = committed_through().next(); i.value < written_.size(); ++i)
      for (const auto& e : written_[i.value])
        if (const auto* members = std::get_if<configuration_ptr>(e.what.get()))
          pending.push_back(*members);
    return pending;
  }

  /// Who led in a term; the first to be seen is the only one (I1).
  void led(term_number term, member_id who) {
    const auto [known, first] = leaders_.try_emplace(term, who);
    if (!first && known->second != who)
      throw invariant_violated{"I1", who, "a second leader in term " + std::to_string(term.value)};
  }

  [[nodiscard]] const std::map<term_number, member_id>& leaders() const { return leaders_; }

  /// The state that a replica had at an index; all have the same (I4).
  void applied(member_id who, log_index index, std::uint64_t digest) {
    if (digests_.size() <= index.value)
      digests_.resize(index.value + 1);
    auto& known = digests_[index.value];
    if (!known)
      known = digest;
    else if (*known != digest)
      throw invariant_violated{"I4", who,
                               "another state after entry " + std::to_string(index.value)
                                   + " than a node had before"};
  }

  /// Index and term, for people.
  [[nodiscard]] static std::string text(log_index index, term_number term) {
    return std::to_string(index.value) + " of term " + std::to_string(term.value);
  }

private:
  static std::uint64_t chained(const entry& e, std::uint64_t before) {
    const auto place = mixed(mixed(before, e.index.value), e.term.value);
    const auto stamp = static_cast<std::uint64_t>(e.stamp.since_founding.count());
    const auto content = e.what ? std::visit(detail::payload_digest{}, *e.what) : 0;
    return mixed(mixed(place, stamp), content);
  }

  std::vector<written_entry>& written_at(log_index i) {
    if (written_.size() <= i.value)
      written_.resize(i.value + 1);
    return written_[i.value];
  }

  std::vector<std::vector<written_entry>> written_;
  std::vector<committed_entry> committed_;
  std::vector<committed_configuration> configurations_;
  std::map<term_number, member_id> leaders_;
  std::vector<std::optional<std::uint64_t>> digests_;
};

} // namespace understudy::testing
