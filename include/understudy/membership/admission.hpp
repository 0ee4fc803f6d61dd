// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How a cluster takes a new node in (S8): the answering side of entering.
///
/// The answer leaves when the newcomer's entry is committed, not before: what a newcomer is told
/// can no longer be taken back. Asking twice appends once (B12).

#include <understudy/core/errors.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/membership/options.hpp>
#include <understudy/membership/tickets.hpp>
#include <understudy/roster/roster.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace understudy {

/// Where the leader is reached, as the committed roster shows it; empty if it does not.
[[nodiscard]] inline std::string leader_address(const core_view& view) {
  const auto* who = view.committed.content ? find(*view.committed.content, view.leader) : nullptr;
  return who ? who->address : std::string{};
}

/// Requests to enter, from their arrival to their answer.
class admission {
public:
  explicit admission(std::shared_ptr<const monitor_options> options)
      : options_{std::move(options)} {}

  /// Answers a request that this node can answer, and hands the core what it is to append. The
  /// view must have a committed configuration.
  void request(enter_request& asked, const core_view& view, ticket_line& tickets, outbox& out) {
    auto& newcomer = asked.newcomer;
    const auto& known = *view.committed.content;
    if (asked.cluster && asked.cluster != known.cluster)
      return refuse(newcomer.id, errc::cluster_mismatch,
                    "this is cluster " + std::to_string(known.cluster.value), view, out);
    if (const auto* present = find(known, newcomer.id))
      return answer(newcomer.id, newcomer.start, *present, view, out);
    if (may_have_departed(known, newcomer.id, asked.since))
      return refuse(newcomer.id, errc::removed, "this start of the node is over", view, out);
    if (auto good = detail::knows_enough(known, newcomer.id, newcomer.machine_version); !good)
      return refuse(newcomer.id, good.error().code, std::move(good.error().detail), view, out);
    if (!view.leads)
      return refuse(newcomer.id, errc::not_leader, {}, view, out);
    append(asked, view, tickets, out);
  }

  /// The core said what became of a change.
  void taken(const change_taken& what, const core_view& view, outbox& out) {
    const auto found = std::ranges::find(pending_, what.id, &waiting::change);
    if (found == pending_.end() || what.index)
      return;
    // Whether it was in the roster before, or knows too little, is for a committed one to say: it
    // will ask again.
    const auto& why = what.index.error();
    if (why.code != errc::removed && why.code != errc::version_unsupported)
      refuse(found->id, why.code, why.detail, view, out);
    pending_.erase(found);
  }

  /// Answers everyone whose entry is committed now. Once this node leads no more, or in another
  /// term, it can not know what becomes of the others: they ask again.
  void refresh(const core_view& view, outbox& out) {
    if (!view.leads || view.term != term_)
      pending_.clear();
    term_ = view.term;
    std::erase_if(pending_, [&](const waiting& w) {
      const auto* present = find(*view.committed.content, w.id);
      if (present)
        answer(w.id, w.start, *present, view, out);
      return present != nullptr;
    });
  }

private:
  struct waiting {
    member_id id;
    std::uint64_t start;
    ticket change; ///< none: the entry stood in the log already
  };

  /// Answers a node that asks under an id which the committed roster shows.
  static void answer(member_id to, std::uint64_t start, const member& present,
                     const core_view& view, outbox& out) {
    if (present.start != start)
      return refuse(to, errc::duplicate_id, "another start of this id is in the roster", view, out);
    if (present.status == standing::evicted)
      return refuse(to, errc::removed, "this start of the node was sent away", view, out);
    out.send(to, enter_reply{.roster = view.committed,
                             .leader = view.leader,
                             .leader_address = leader_address(view)});
  }

  void append(enter_request& asked, const core_view& view, ticket_line& tickets, outbox& out) {
    auto& newcomer = asked.newcomer;
    const auto found = std::ranges::find(pending_, newcomer.id, &waiting::id);
    if (found != pending_.end()) {
      if (found->start != newcomer.start)
        refuse(newcomer.id, errc::duplicate_id, "another start of this id is entering", view, out);
      return; // a retry: the answer is under way
    }
    if (pending_.size() >= options_->entering_max)
      return refuse(newcomer.id, errc::overloaded,
                    std::to_string(pending_.size()) + " others are entering", view, out);
    const auto* appended = find(*view.newest.content, newcomer.id);
    const bool there = appended && appended->start == newcomer.start;
    if (!there) {
      auto ruling = rule_on(newcomer, *view.committed.content, options_->admission);
      if (ruling.verdict == admission_verdict::refuse)
        return refuse(newcomer.id, errc::not_admitted, std::move(ruling.reason), view, out);
      newcomer.pinned = newcomer.pinned || ruling.verdict == admission_verdict::as_listener;
    }
    pending_.push_back({newcomer.id, newcomer.start, there ? ticket{} : tickets.next()});
    if (there)
      return;
    newcomer.entered = {};
    out.tell(change_roster{.what = enter_member{std::move(newcomer), asked.since},
                           .id = pending_.back().change});
  }

  static void refuse(member_id to, errc code, std::string detail, const core_view& view,
                     outbox& out) {
    enter_reply answer;
    answer.code = code;
    answer.detail = std::move(detail);
    answer.leader = view.leader;
    answer.leader_address = leader_address(view);
    out.send(to, std::move(answer));
  }

  std::shared_ptr<const monitor_options> options_;
  term_number term_ = {};
  std::vector<waiting> pending_ = {}; ///< at most `entering_max`
};

} // namespace understudy
