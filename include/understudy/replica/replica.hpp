// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Applies committed entries to the session table and the application's machine.
///
/// This is the one way by which state changes, for voters and listeners alike, whether entries came
/// by replication, by pull or from the own log after a restart (R10). An entry is applied once, by
/// its index, however often it is handed over (C10).

#include <understudy/core/assert.hpp>
#include <understudy/core/digest.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/outbox.hpp>
#include <understudy/core/snapshot.hpp>
#include <understudy/machine.hpp>
#include <understudy/replica/session_table.hpp>
#include <understudy/wire/codec.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace understudy {

/// A command that was applied, for an application that wants to follow.
struct applied_command {
  log_index index = {};
  log_time stamp = {};
  session_id session = {};
  request_number number = {};
  bytes body = {};
  bytes reply = {};
};

/// Called for every command that changed the machine, in order and on every node; not for
/// duplicates, nor for what a snapshot brought. A node that comes back with its log applies what
/// lies behind its snapshot once more, and calls it for that again. Must not throw.
using applied_hook = std::function<void(const applied_command&)>;

/// The component that owns the machine.
///
/// When the machine throws, or meets a command that it cannot read or a version of itself that it
/// does not know, the replica stops applying before that entry, for good: `machine_failed` is told
/// once, and later entries and snapshots are ignored. Queries that need no later entry are still
/// answered from the state as it is; what `apply` did to it before it threw is not undone. Such a
/// state is never written to a snapshot.
template <state_machine M> class replica {
public:
  using peer_messages = type_list<>;
  using notices
      = type_list<apply_entries, restore_snapshot, take_snapshot, not_written, ask_replica>;

  /// More queries than this do not wait at the same time: `overloaded`.
  static constexpr std::size_t waiting_max = 4096;

  /// `knows`: the newest version of the machine that this build knows; for tests it may be less.
  explicit replica(M machine = {}, applied_hook on_applied = {},
                   std::uint32_t knows = version_of<M>)
      : blank_{machine}, machine_{std::move(machine)}, on_applied_{std::move(on_applied)},
        knows_{knows} {}

  void on(apply_entries& m, instant, outbox& out) {
    if (failed_)
      return;
    if (m.copies != copies_)
      tell_outcomes(out);
    copies_ = m.copies;
    for (std::size_t i = 0; i < m.entries.size() && !failed_; ++i) {
      const auto& next = m.entries[i];
      UNDERSTUDY_ASSERT(i == 0 || next.index == m.entries[i - 1].index.next(),
                        "entries are handed over without a gap");
      if (next.index <= at_.index)
        continue;
      UNDERSTUDY_ASSERT(next.index == at_.index.next(), "entries are applied without a gap");
      UNDERSTUDY_ASSERT(next.term >= at_.term && next.stamp >= stamp_,
                        "neither term nor log time goes back");
      apply(next, m.answer, out);
    }
    answer_ready(out);
  }

  void on(restore_snapshot& m, instant, outbox& out) {
    UNDERSTUDY_ASSERT(m.image, "a snapshot to restore is there");
    if (failed_ || m.image->at.index <= at_.index)
      return;
    if (auto restored = restore(*m.image); !restored)
      stop(m.image->at.index, "snapshot: " + restored.error().detail, out);
    answer_ready(out);
  }

  void on(take_snapshot&, instant, outbox& out) {
    if (failed_)
      return;
    const auto why = thrown_by([&] {
      if constexpr (freezable<M>) {
        out.tell(write_down{.at = at_, .stamp = stamp_, .image = frozen_image()});
      } else {
        auto image = write_image();
        const auto digest = digest_of(image.view());
        out.tell(snapshot_taken{at_, stamp_, std::move(image), digest});
      }
    });
    if (why) {
      not_written failed{*why};
      on(failed, {}, out);
    }
  }

  void on(not_written& m, instant, outbox& out) {
    if (!failed_)
      stop(at_.index.next(), "writing a snapshot threw: " + m.why, out);
  }

  void on(ask_replica& m, instant now, outbox& out) {
    if (m.at_least <= at_.index)
      answer(m, out);
    else if (failed_)
      refuse(m.id, {errc::machine_stopped, failed_->why}, out);
    else if (m.until <= now)
      refuse(m.id, {errc::timed_out, "this node has not applied what the query needs"}, out);
    else if (waiting_.size() >= waiting_max)
      refuse(m.id, {errc::overloaded, "too many queries wait for this node to catch up"}, out);
    else
      wait(std::move(m), out);
  }

  /// Ends the wait of queries whose time is up.
  void wake(instant now, outbox& out) {
    for (auto i = waiting_.begin(); i != waiting_.end();) {
      if (i->second.until > now) {
        out.wake(i->second.until);
        ++i;
        continue;
      }
      refuse(i->second.id, {errc::timed_out, "this node has not applied what the query needs"},
             out);
      i = waiting_.erase(i);
    }
  }

  /// Says what was applied since the last time.
  void settle(instant, outbox& out) {
    tell_outcomes(out);
    if (told_ == at_.index)
      return;
    told_ = at_.index;
    out.tell(applied_through{at_.index});
  }

  /// The log goes on at `at`, with nothing in between: where another history begins with this
  /// state.
  void skip_to(log_position at) {
    UNDERSTUDY_ASSERT(at.index > at_.index && at.term >= at_.term, "a log goes on, and not back");
    at_ = at;
  }

  [[nodiscard]] const M& machine() const { return machine_; }
  [[nodiscard]] const session_table& sessions() const { return sessions_; }

  /// The last entry applied.
  [[nodiscard]] log_index applied() const { return at_.index; }

  /// The newest version of the machine that this build knows.
  [[nodiscard]] std::uint32_t knows() const { return knows_; }

  /// Queries that wait for entries; at most `waiting_max`.
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

  /// Whether the machine has stopped, and before which entry and why.
  [[nodiscard]] const std::optional<machine_failed>& stopped() const { return failed_; }

  /// A digest of all that is replicated: equal on all nodes that have applied the same index, if
  /// equal machines are written as equal bytes.
  [[nodiscard]] std::uint64_t digest() const { return digest_of(write_image().view()); }

private:
  static constexpr std::uint32_t image_version = 1;
  static_assert(
      freezable<M> || !requires(const M& m) { m.freeze(); },
      "what freeze() gives can not be written down");

  void apply(const entry& e, bool answer, outbox& out) {
    UNDERSTUDY_ASSERT(e.what, "an entry has a payload");
    auto result = std::visit([&](const auto& what) { return carry_out(what, e, out); }, *e.what);
    if (failed_)
      return;
    at_ = e.position();
    stamp_ = e.stamp;
    if (answer)
      outcomes_.push_back({.index = e.index, .result = std::move(result)});
  }

  expected<bytes> carry_out(const command& c, const entry& e, outbox& out) {
    auto what = sessions_.decide(c);
    if (what.answer)
      return sessions_.conclude(std::move(what), c, e.stamp);
    auto reply = run(c, e);
    if (!reply) {
      stop(e.index, reply.error().detail, out);
      return reply;
    }
    auto result = sessions_.record(what, c, e.stamp, *reply);
    if (on_applied_)
      on_applied_({e.index, e.stamp, c.session, c.number, c.body, std::move(*reply)});
    return result;
  }

  expected<bytes> carry_out(const configuration_ptr& c, const entry& e, outbox& out) {
    if (auto done = use_version(c->machine_version); !done) {
      stop(e.index, done.error().detail, out);
      return tl::unexpected{done.error()};
    }
    sessions_.follow(*c, e.stamp);
    return {};
  }

  expected<bytes> carry_out(const open_session&, const entry& e, outbox&) {
    return sessions_.open(session_id{e.index.value}, e.stamp);
  }

  expected<bytes> carry_out(const close_session& c, const entry& e, outbox&) {
    return sessions_.close(c.session, e.stamp);
  }

  expected<bytes> carry_out(const understudy::settle& s, const entry& e, outbox&) {
    return sessions_.settle(s, e.stamp);
  }

  expected<bytes> carry_out(const expire_sessions&, const entry& e, outbox&) {
    sessions_.expire(e.stamp);
    return {};
  }

  expected<bytes> carry_out(const no_op&, const entry&, outbox&) { return {}; }

  /// The machine's encoded reply, or what it threw.
  expected<bytes> run(const command& c, const entry& e) {
    expected<bytes> reply;
    const auto why = thrown_by([&] {
      reply = apply_command(machine_, c.body, {.index = e.index, .term = e.term, .stamp = e.stamp});
    });
    if (why)
      return fail(errc::machine_stopped, "apply threw: " + *why);
    return reply;
  }

  /// The cluster uses this version of the machine from here on.
  expected<void> use_version(std::uint32_t version) {
    if (version > knows_)
      return unknown_version(version);
    if (std::exchange(version_, version) == version)
      return {};
    return tell_version(machine_, version);
  }

  [[nodiscard]] static expected<void> tell_version(M& machine, std::uint32_t version) {
    if constexpr (requires { machine.use_version(version); })
      if (const auto why = thrown_by([&] { machine.use_version(version); }))
        return fail(errc::machine_stopped, "use_version threw: " + *why);
    return {};
  }

  [[nodiscard]] tl::unexpected<failure> unknown_version(std::uint32_t version) const {
    return fail(errc::version_unsupported, "the cluster uses version " + std::to_string(version)
                                               + " of the machine, and this build knows "
                                               + std::to_string(knows_));
  }

  /// What `step` threw; none if it threw nothing.
  template <class Step> [[nodiscard]] static std::optional<std::string> thrown_by(Step step) {
    try {
      step();
      return std::nullopt;
    } catch (const std::exception& e) {
      return e.what();
    } catch (...) {
      return "something that is no std::exception";
    }
  }

  void stop(log_index before, const std::string& why, outbox& out) {
    failed_ = machine_failed{.index = before,
                             .why = "before entry " + std::to_string(before.value) + ": " + why};
    out.tell(*failed_);
    for (const auto& [at_least, query] : waiting_)
      if (at_least > at_.index)
        refuse(query.id, {errc::machine_stopped, failed_->why}, out);
    waiting_.erase(waiting_.upper_bound(at_.index), waiting_.end());
  }

  // -- snapshots ---------------------------------------------------------------------------------

  [[nodiscard]] bytes write_image() const {
    return wire::encode(image_version, at_, stamp_, sessions_, machine_);
  }

  /// Writes the same later, though more may have been applied by then.
  [[nodiscard]] std::function<bytes()> frozen_image() const
    requires freezable<M>
  {
    using frozen = std::remove_cvref_t<decltype(machine_.freeze())>;
    return [head = wire::encode(image_version, at_, stamp_, sessions_),
            state = std::make_shared<const frozen>(std::as_const(machine_).freeze())] {
      wire::output_archive archive;
      archive.write(head.view().data(), head.size());
      archive(*state);
      return archive.take();
    };
  }

  /// Either all of the state is replaced, or nothing.
  expected<void> restore(const snapshot& image) {
    if (!image.intact())
      return fail(errc::undecodable, "its digest is wrong");
    const auto in_use = image.members.content ? image.members.content->machine_version : 1;
    if (in_use > knows_)
      return unknown_version(in_use);
    std::uint32_t version = 0;
    log_position at;
    log_time stamp;
    session_table sessions;
    M machine{blank_};
    if (in_use > 1)
      if (auto told = tell_version(machine, in_use); !told)
        return told;
    auto read
        = wire::decode_into(image.image.view(), "image", version, at, stamp, sessions, machine);
    if (read && (version != image_version || at != image.at || stamp != image.stamp))
      read = fail(errc::undecodable, "it is not the one that it is said to be");
    if (!read)
      return read;
    at_ = at;
    stamp_ = stamp;
    sessions_ = std::move(sessions);
    machine_ = std::move(machine);
    version_ = in_use;
    return {};
  }

  // -- queries -----------------------------------------------------------------------------------

  void answer(const ask_replica& query, outbox& out) const {
    const auto why = thrown_by([&] {
      out.tell(replica_answer{query.id, answer_query(machine_, query.body), at_.index});
    });
    if (why)
      refuse(query.id, {errc::machine_stopped, "the query threw: " + *why}, out);
  }

  void refuse(ticket id, failure why, outbox& out) const {
    out.tell(replica_answer{id, tl::unexpected<failure>{std::move(why)}, at_.index});
  }

  void wait(ask_replica&& query, outbox& out) {
    out.wake(query.until);
    waiting_.emplace(query.at_least, std::move(query));
  }

  void answer_ready(outbox& out) {
    const auto end = waiting_.upper_bound(at_.index);
    for (auto i = waiting_.begin(); i != end; ++i)
      answer(i->second, out);
    waiting_.erase(waiting_.begin(), end);
  }

  void tell_outcomes(outbox& out) {
    if (outcomes_.empty())
      return;
    out.tell(applied_outcomes{.batch = std::move(outcomes_), .copies = copies_});
    outcomes_ = {};
  }

  M blank_; ///< the machine as it was handed over: snapshots are read into a copy of it
  M machine_;
  session_table sessions_;
  applied_hook on_applied_;
  std::uint32_t knows_;       ///< the newest version of the machine
  std::uint32_t version_ = 1; ///< the one that the cluster uses
  log_position at_;
  log_time stamp_;
  log_index told_; ///< `applied_through` was told up to here
  std::vector<outcome> outcomes_;
  std::uint32_t copies_ = 1;
  std::optional<machine_failed> failed_;
  std::multimap<log_index, ask_replica> waiting_; ///< by what they wait for
};

} // namespace understudy
