// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A node as it can be seen from outside: what the invariants are checked on.
///
/// Made anew after every event, so everything in it is borrowed from the node.

#include <understudy/core/ballot.hpp>
#include <understudy/core/configuration.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/snapshot.hpp>
#include <understudy/raft/options.hpp>
#include <understudy/raft/progress.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::testing {

/// A node's log, wherever it lives.
class log_view {
public:
  log_view() = default;

  /// Of anything with `base()`, `last()` and `at(index)`, such as a `raft_log`.
  template <class Log>
  explicit log_view(const Log& log)
      : base_{log.base()}, last_{log.last()}, log_{&log},
        at_{[](const void* l, log_index i) { return &static_cast<const Log*>(l)->at(i); }} {}

  /// The place before the first entry.
  [[nodiscard]] log_position base() const { return base_; }
  [[nodiscard]] log_position last() const { return last_; }

  /// The entry at `i`, which must be above the base and not above the last.
  [[nodiscard]] const entry& at(log_index i) const { return *at_(log_, i); }

private:
  log_position base_;
  log_position last_;
  const void* log_ = nullptr;
  const entry* (*at_)(const void*, log_index) = nullptr;
};

/// A configuration that a node holds to be in force.
struct seen_configuration {
  log_index index = {};
  const configuration* content = nullptr;

  friend bool operator==(const seen_configuration&, const seen_configuration&) = default;
};

/// What has reached a node's store, by the store's own account.
struct stored_state {
  ballot vote = {};
  log_position last = {};

  friend bool operator==(const stored_state&, const stored_state&) = default;
};

/// Something in a node that grows, and how large it may become.
struct holding {
  std::string_view what = {};
  std::size_t now = 0;
  std::size_t most = 0;
};

/// One node at one moment.
struct observation {
  member_id id = {};
  std::string_view name = {};
  ballot vote = {};
  log_view log = {};
  log_index durable = {}; ///< stored, as the node believes
  log_index commit = {};
  log_index handed = {};             ///< handed to the replica
  log_index applied = {};            ///< applied by the replica
  std::uint32_t machine_version = 1; ///< the newest that its build knows
  bool leads = false;
  bool campaigning = false;
  bool leased = false;           ///< it would answer questions without a round now
  std::uint64_t lease_reads = 0; ///< how often it did
  seen_configuration newest = {};
  seen_configuration committed = {};
  std::optional<stored_state> stored = {};              ///< none: the node has no store
  std::optional<std::uint64_t> applied_digest = {};     ///< of the state at `applied`
  const snapshot* image = nullptr;                      ///< the newest snapshot of its state
  const std::map<member_id, progress>* peers = nullptr; ///< what a leader knows of the others
  const core_options* limits = nullptr;                 ///< none: nothing is held to them
  std::array<holding, 4> holdings = {};
};

namespace detail {

/// The members in `ids` by name, with commas.
template <class Naming>
[[nodiscard]] std::string names_of(const std::vector<member_id>& ids, const Naming& name) {
  std::string text;
  for (const auto id : ids)
    text += (text.empty() ? "" : ",") + name(id);
  return text;
}

inline void pad(std::string& text, std::size_t width) {
  if (text.size() < width)
    text.append(width - text.size(), ' ');
}

} // namespace detail

/// One row for one node. Columns: a glyph for its role, its name, term, log (base, then last; a
/// star if it is all durable), commit, applied, and the newest configuration in its log (voters,
/// and after `>` those on their way in while it is joint; behind `+` the other members).
///
/// Glyphs: `/` leader, `?` candidate, `\` voter, `|` listener or joining, `x` crashed, `z` paused.
template <class Naming>
[[nodiscard]] std::string status_line(const observation& o, char glyph, const Naming& name) {
  std::string text{glyph};
  text += " " + std::string{o.name};
  detail::pad(text, 9);
  text += "t" + std::to_string(o.vote.term.value);
  detail::pad(text, 15);
  text += std::to_string(o.log.base().index.value) + ".." + std::to_string(o.log.last().index.value)
          + (o.durable == o.log.last().index ? "*" : "");
  detail::pad(text, 28);
  text += "c" + std::to_string(o.commit.value);
  detail::pad(text, 35);
  text += "a" + std::to_string(o.applied.value);
  detail::pad(text, 42);
  if (!o.newest.content)
    return text + "-";
  const auto& in = *o.newest.content;
  text += "@" + std::to_string(o.newest.index.value) + " ";
  if (in.joint())
    text += detail::names_of(in.outgoing, name) + ">";
  text += detail::names_of(in.voters, name);
  std::vector<member_id> others;
  for (const auto& m : in.members) {
    const auto listed = [&](const std::vector<member_id>& half) {
      return std::ranges::find(half, m.id) != half.end();
    };
    if (!listed(in.voters) && !listed(in.outgoing))
      others.push_back(m.id);
  }
  return others.empty() ? text : text + " +" + detail::names_of(others, name);
}

/// The glyph of a node that runs.
[[nodiscard]] inline char glyph_of(const observation& o) {
  if (o.leads)
    return '/';
  if (o.campaigning)
    return '?';
  if (!o.newest.content)
    return '|';
  const auto& in = *o.newest.content;
  const auto votes = [&](const std::vector<member_id>& half) {
    return std::ranges::find(half, o.id) != half.end();
  };
  return votes(in.voters) || votes(in.outgoing) ? '\\' : '|';
}

} // namespace understudy::testing
