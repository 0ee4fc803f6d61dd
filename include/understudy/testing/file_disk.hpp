// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/errors.hpp>
#include <understudy/storage/durable_store.hpp>
#include <understudy/storage/file_header.hpp>
#include <understudy/storage/segmented_log.hpp>
#include <understudy/testing/crash_choice.hpp>
#include <understudy/testing/faulty_directory.hpp>
#include <understudy/testing/faulty_disk.hpp>
#include <understudy/testing/history.hpp>
#include <understudy/testing/node_disk.hpp>
#include <understudy/testing/observation.hpp>
#include <understudy/testing/random.hpp>

#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

namespace understudy::testing {

/// The disk of a node that keeps its log in a `durable_store`: the very code, on files in memory
/// that lose and tear whatever was not synced.
class file_disk final : public node_disk {
public:
  /// A crash stops the store at one of its next so many calls, with up to so many bytes written by
  /// it. To put a snapshot in the place of a log and drop the log takes some twenty, to store a few
  /// entries or a vote only a few.
  static constexpr std::uint64_t calls_to_stop = 40;
  static constexpr std::uint64_t calls_of_a_batch = 3;
  static constexpr std::uint64_t bytes_at_stop = 4'096;
  static constexpr std::uint64_t bytes_of_a_record = 128;

  file_disk(const storage::file_owner& whose, const storage::log_layout& layout)
      : newcomer_{whose}, layout_{layout} {
    open();
  }

  void begin(const store_write& what) override { begun_.push_back(what); }

  /// The store is handed it by the next sync: so it is at work when a crash comes, and not between.
  expected<void> write(const store_write& what) override {
    if (!begun_.empty() && begun_.front().write == what.write)
      begun_.pop_front();
    written_.push_back(what);
    if (what.vote)
      newest_ = *what.vote;
    return {};
  }

  expected<void> sync() override {
    auto done = hand_over();
    if (done)
      done = store_->sync();
    if (done)
      stored_ = {newest_, store_->last()};
    return done;
  }

  expected<void> sync_ballot() override {
    auto done = hand_over();
    if (done)
      done = store_->sync_ballot();
    if (done)
      stored_.vote = newest_;
    return done;
  }

  [[nodiscard]] snapshot_stager stager() override { return store_->stager(); }

  /// What is preallocated can still be written.
  void be_full(bool full) override {
    files_->limit_room(full ? files_->bytes_taken() : std::numeric_limits<std::uint64_t>::max());
  }

  /// The store is stopped at some call of a sync that nobody is told of, or by a disk that fails
  /// there (D4). Then the process alone ends, or the power fails: in that case any part may be lost
  /// of what the files have not synced, writes and changes of names alike. The next process finds
  /// room.
  bool crash(random_stream& random) override {
    stop_at_work(random);
    const auto last = store_->last();
    const auto vote = newest_;
    if (random.chance(0.5))
      files_->kill();
    else
      files_->crash(any_subset(random));
    be_full(false);
    open();
    return store_->last() != last || newest_ != vote;
  }

  [[nodiscard]] crash_remains remains() const override { return remains_; }

  [[nodiscard]] recovered_state recover() const override { return found_; }

  [[nodiscard]] recovered_state certain() const override {
    return opened(files_->after_crash(lose_unsynced())).recover().value();
  }

  [[nodiscard]] const stored_state& stored() const override { return stored_; }

  /// For who damages them.
  [[nodiscard]] faulty_disk& files() { return *files_; }

private:
  /// Hands the store what was written.
  expected<void> hand_over() {
    for (; !written_.empty(); written_.pop_front())
      if (auto done = store_->write(written_.front()); !done)
        return done;
    return {};
  }

  void stop_at_work(random_stream& random) {
    for (auto some = random.below(begun_.size() + 1); some > 0; --some)
      static_cast<void>(write(store_write{begun_.front()})); // takes it out
    const auto calls = random.chance(0.5) ? calls_of_a_batch : calls_to_stop;
    const auto bytes = random.chance(0.5) ? bytes_of_a_record : bytes_at_stop;
    files_->fail_call({.nth = random.between(std::uint64_t{1}, calls),
                       .written = random.below(bytes),
                       .lasts = true,
                       .is_kill = random.chance(0.5)});
    if (hand_over())
      static_cast<void>(store_->sync()); // nobody is told
    files_->clear_faults();
  }

  [[nodiscard]] durable_store opened(std::shared_ptr<faulty_disk> files) const {
    auto store = durable_store::open(std::make_unique<faulty_directory>(std::move(files)),
                                     newcomer_, layout_);
    if (!store)
      throw invariant_violated{"I9", newcomer_.node,
                               "its store cannot be opened any more: " + store.error().detail};
    return std::move(*store);
  }

  /// Sees what there is to mend.
  void look() {
    faulty_directory in{files_};
    remains_ = {};
    if (const auto found = storage::recover_store(in, newcomer_); found && !found->files.empty())
      remains_ = {.torn = !found->segments.clean,
                  .unmarked = !found->marked && !found->segments.used.empty()};
  }

  /// Takes up what is on the disk.
  void open() {
    store_.reset(); // whose files refuse every call by now
    look();
    ++layout_.seed;
    store_.emplace(opened(files_));
    found_ = store_->recover().value();
    newest_ = found_.vote;
    begun_.clear();
    written_.clear();
  }

  storage::file_owner newcomer_;
  storage::log_layout layout_;
  std::shared_ptr<faulty_disk> files_ = std::make_shared<faulty_disk>();
  std::optional<durable_store> store_;
  recovered_state found_;
  crash_remains remains_;
  std::deque<store_write> begun_;   ///< that the log writer has not come to
  std::deque<store_write> written_; ///< that the store was not handed yet
  ballot newest_;                   ///< of all that was written
  stored_state stored_;
};

} // namespace understudy::testing
