// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How a node that does not vote gets the data (S2, S11, S12).
///
/// It asks a raft member "what is committed behind this place?", hands what comes back to its own
/// raft core, which is the only writer of the log, and asks again once that is durable. The source
/// holds the question until it has something, so the lag is about one round trip and an idle
/// cluster costs almost nothing. `from` in a question tells the source what is stored here: the
/// copy that a cluster of two waits for rests on it, so it is never ahead of the disk.
///
/// A voter that has heard no leader for a while pulls too. It may have been voted out without
/// having heard of it, and then nobody but a pull will tell. One that a change is about to vote out
/// pulls at once: the leader may have nothing more to say to it than what ends the change.

#include <understudy/core/outbox.hpp>
#include <understudy/listener/answer_size.hpp>
#include <understudy/listener/source_choice.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace understudy {

/// What a puller has done so far.
struct puller_counters {
  std::uint64_t asked = 0;
  std::uint64_t from_leader = 0;    ///< answers that came from the leader
  std::uint64_t from_followers = 0; ///< answers that came from others
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;   ///< of entries and of snapshots
  std::uint64_t late = 0;    ///< answers to a question that was given up
  std::uint64_t refused = 0; ///< answers that did not continue the log
  std::uint64_t silent = 0;  ///< questions that were not answered in time
};

/// The listener puller: asks one source at a time, one question at a time.
///
/// It needs a `stored_through` once before its first question makes sense, and one after each
/// `pulled_entries` and `pulled_chunk` that it tells, also when the core could use nothing of it.
class puller {
public:
  using peer_messages = type_list<pull_reply>;
  using notices = type_list<core_view, stored_through, entered_cluster, peer_lost>;

  /// The questions are numbered from `random` on, so that an answer to an earlier process of this
  /// node is not taken for one to this.
  puller(member_id self, puller_options options, std::uint64_t random = 0)
      : self_{self}, options_{std::move(options)}, choice_{self, options_}, size_{options_},
        last_ask_{random} {}

  /// An answer. Anything but the answer to the open question, by the member that was asked, is
  /// late: another source has been asked meanwhile, and the overlap is not wanted (C10).
  void on(member_id from, pull_reply& m, instant now, outbox& out) {
    if (!question_ || m.ask != question_->ask || from != question_->source) {
      ++counters_.late;
      return;
    }
    const auto asked_from = question_->from;
    size_.came(bytes_in(m), now - question_->asked);
    question_.reset();
    ++(from == leader_ ? counters_.from_leader : counters_.from_followers);
    source_commit_ = std::max(source_commit_, m.commit);
    switch (m.verdict) {
    case pull_verdict::entries:
      take_entries(from, asked_from, m, now, out);
      break;
    case pull_verdict::snapshot:
      take_chunk(from, m, now, out);
      break;
    case pull_verdict::diverged:
      // For the core to judge; where the log stands does not depend on it.
      out.tell(pulled_divergence{});
      choice_.failed(from, now);
      break;
    case pull_verdict::behind:
    case pull_verdict::refused:
      choice_.failed(from, now);
      break;
    }
    if (!m.leader)
      return;
    choice_.leader_is(m.leader); // one that refuses may so name the only one who will not
    // After the entries: with a new term the core forgets what it has heard of leaders.
    out.tell(leader_hint{m.leader, m.term, now - m.leader_silent, m.commit});
  }

  void on(core_view& v, instant, outbox&) {
    leads_ = v.leads;
    leader_ = v.leader;
    leader_heard_ = v.leader_heard;
    leader_commit_ = v.leader_commit;
    newest_ = v.newest;
    choose_members();
  }

  /// The core's log stands here now, durably: time for the next question.
  void on(stored_through& s, instant, outbox&) {
    stored_ = s;
    storing_ = false;
  }

  /// The first sources of a node whose log is still empty.
  void on(entered_cluster& e, instant, outbox&) {
    cluster_ = e.cluster;
    roster_ = e.roster;
    choose_members();
  }

  void on(peer_lost& lost, instant now, outbox&) {
    if (lost.gone)
      choice_.gone(lost.who, now);
    else
      choice_.failed(lost.who, now);
    if (question_ && question_->source == lost.who)
      question_.reset();
  }

  /// All is done by `settle`, which follows.
  void wake(instant, outbox&) {}

  void settle(instant now, outbox& out) {
    if (leads_) {
      question_.reset();
      storing_ = false;
      source_commit_ = {}; // all that is committed it has
      return;
    }
    if (question_ && now >= ends(*question_)) {
      ++counters_.silent;
      size_.missed();
      choice_.failed(question_->source, now);
      question_.reset();
    }
    // An open question runs to its end, or a source that is dead would never be found out: a sign
    // of the leader now and then would end each question before its time.
    if (!active(now) && !question_) {
      storing_ = false;
      source_commit_ = {}; // whatever it was, the leader sends it now
      return out.wake(leader_heard_ + options_.leaderless_after);
    }
    if (!question_ && !storing_ && active(now))
      ask(now, out);
    if (question_)
      out.wake(ends(*question_));
  }

  /// Whether this node pulls at `now`.
  [[nodiscard]] bool active(instant now) const {
    if (leads_)
      return false;
    return !votes_ || !leader_ || now >= leader_heard_ + options_.leaderless_after;
  }

  /// Whom it asked last; none before the first question.
  [[nodiscard]] member_id source() const { return source_; }
  /// How many entries the sources are known to have committed that are not stored here.
  [[nodiscard]] std::uint64_t lag() const {
    return source_commit_ > stored_.last.index ? source_commit_ - stored_.last.index : 0;
  }
  [[nodiscard]] const puller_counters& counters() const { return counters_; }

private:
  struct question {
    member_id source = {};
    generation ask = {};
    log_position from = {};
    instant asked = {};
  };
  [[nodiscard]] instant ends(const question& q) const { return q.asked + options_.source_timeout; }

  /// The configuration to go by: the newest in the log, which may also be rolled back. A node that
  /// has just entered was shown the roster before its log holds it; until then the log is history.
  void choose_members() {
    const auto& use = newest_.content && newest_.index >= roster_.index ? newest_ : roster_;
    if (!use.content || use.content == members_)
      return;
    members_ = use.content;
    cluster_ = members_->cluster;
    const auto lists = [&](const std::vector<member_id>& half) {
      return std::find(half.begin(), half.end(), self_) != half.end();
    };
    votes_ = lists(members_->voters);
    choice_.update(*members_);
  }

  void ask(instant now, outbox& out) {
    if (leader_)
      choice_.leader_is(leader_, leader_heard_);
    const auto pick = choice_.pick(now, stored_.received > 0);
    if (!pick)
      return;
    if (pick->not_before > now)
      return out.wake(pick->not_before);
    if (pick->source != source_) {
      source_ = pick->source;
      out.tell(node_event{.what = node_event::kind::source_changed, .who = source_});
    }
    ++counters_.asked;
    ++last_ask_;
    question_ = question{source_, last_ask_, stored_.last, now};
    out.send(source_, pull_request{.cluster = cluster_,
                                   .ask = last_ask_,
                                   .from = stored_.last,
                                   .wait = options_.wait,
                                   .bytes_max = size_.bytes(),
                                   .resume = stored_.resume,
                                   .received = stored_.received});
  }

  /// Entries are handed on only if they are a chain that continues this log (M19). The core checks
  /// again; this keeps a wrong source from being asked again and again.
  void take_entries(member_id from, log_position asked_from, pull_reply& m, instant now,
                    outbox& out) {
    if (m.previous != asked_from || !chained(m)) {
      ++counters_.refused;
      choice_.failed(from, now);
      return;
    }
    const bool news = !m.entries.empty() || m.commit > stored_.commit;
    // Nothing new, from one who has itself lost the leader, or though the leader has said that
    // there is more: the news are elsewhere. Without this, those whom a change left behind would
    // ask each other for ever (M20).
    const bool elsewhere = !m.leader || m.leader_silent >= options_.leaderless_after
                           || leader_commit_ > stored_.commit;
    if (!news && elsewhere)
      choice_.failed(from, now);
    else
      choice_.succeeded(from);
    if (asked_from != stored_.last) {
      ++counters_.refused; // the log moved on meanwhile, by its leader
      return;
    }
    if (!news)
      return; // the core need not hear of it
    counters_.entries += m.entries.size();
    counters_.bytes += bytes_in(m);
    storing_ = true;
    out.tell(pulled_entries{m.previous, std::move(m.entries), m.commit, m.term});
  }

  void take_chunk(member_id from, pull_reply& m, instant now, outbox& out) {
    if (!m.chunk) {
      ++counters_.refused;
      choice_.failed(from, now);
      return;
    }
    choice_.succeeded(from);
    counters_.bytes += bytes_in(m);
    storing_ = true;
    out.tell(pulled_chunk{std::move(*m.chunk), m.term});
  }

  /// Of entries or of a snapshot.
  [[nodiscard]] static std::uint64_t bytes_in(const pull_reply& m) {
    std::uint64_t sum = m.chunk ? m.chunk->data.size() : 0;
    for (const auto& e : m.entries)
      sum += e.weight_bytes();
    return sum;
  }

  /// Whether the entries follow each other without a gap, in terms that never fall, and all of
  /// them committed at the source.
  [[nodiscard]] static bool chained(const pull_reply& m) {
    auto last = m.previous;
    for (const auto& e : m.entries) {
      if (e.index != last.index.next() || e.term < last.term || !e.what)
        return false;
      last = e.position();
    }
    return m.entries.empty() || last.index <= m.commit;
  }

  member_id self_;
  puller_options options_;
  source_choice choice_;
  answer_size size_;

  cluster_id cluster_ = {};
  placed_configuration roster_ = {}; ///< as told when this node entered
  placed_configuration newest_ = {}; ///< in this node's log
  configuration_ptr members_ = nullptr;
  bool votes_ = false;
  bool leads_ = false;
  member_id leader_ = {};
  log_index leader_commit_ = {};
  instant leader_heard_ = {};

  stored_through stored_ = {};
  bool storing_ = false; ///< the core has not said yet where the log stands
  std::optional<question> question_;
  generation last_ask_;
  member_id source_ = {};
  log_index source_commit_ = {};
  puller_counters counters_;
};

} // namespace understudy
