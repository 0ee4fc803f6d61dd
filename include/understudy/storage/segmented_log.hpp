// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The write-ahead log, on its writing side: records go to the end of the last segment, and nothing
/// that was written is ever written over.

#include <understudy/core/random.hpp>
#include <understudy/storage/entry_record.hpp>
#include <understudy/storage/file_names.hpp>
#include <understudy/storage/log_replay.hpp>
#include <understudy/storage/record.hpp>
#include <understudy/storage/segment.hpp>
#include <understudy/storage/segment_replay.hpp>
#include <understudy/storage/synced_mark.hpp>
#include <understudy/storage/term_runs.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace understudy::storage {

/// How a log is laid out.
struct log_layout {
  std::uint64_t segment_bytes = std::uint64_t{64} << 20; ///< 4 KiB or more; a larger record gets a
                                                         ///< segment of its own size
  std::uint64_t seed = 0; ///< for the marks of segments; another one at each start
};

/// The log of one directory.
///
/// `storage_full` means that nothing has changed: the same call may be made again when there is
/// room. After any other error the log is not to be used any more (D4).
class segmented_log {
public:
  segmented_log(directory& in, const file_owner& owner, const log_layout& layout, synced_mark mark)
      : in_{&in}, owner_{owner}, layout_{layout}, mark_{std::move(mark)},
        random_{layout.seed ^ owner.start} {}

  /// Goes on where `found` ends; `terms` are those of the same log.
  [[nodiscard]] expected<void> resume(replayed_segments&& found, term_runs terms) {
    const auto size = found.current.content->size();
    if (!size)
      return tl::unexpected<failure>{size.error()};
    for (const auto& header : found.used)
      segments_.push_back({header.name(), header.begins});
    current_ = std::move(found.current);
    current_bytes_ = *size;
    terms_ = std::move(terms);
    synced_ = found.synced;
    batch_.move_to(current_.salt, synced_.in_file);
    // What was read behind the synced part may be in memory only, and no sync would tell: an
    // earlier one may have failed, and that is reported once (D4). So it is written again, to a new
    // segment.
    for (const auto& r : found.unsynced)
      batch_.add(r.kind, synced_.in_file.offset, r.payload.view());
    return found.clean && batch_.empty() ? expected<void>{} : follow_on(0);
  }

  /// Adds `e`, which follows on.
  [[nodiscard]] expected<void> append(const entry& e) {
    const entry_record image{e};
    return add(
        record_kind::entry, image.size_bytes(), [&](std::byte* to) { image.write(to); },
        [&] { terms_.add(e.position()); });
  }

  /// Drops every entry above `keep`, and none of what a snapshot covers.
  [[nodiscard]] expected<void> truncate(log_index keep) {
    keep = std::max(keep, terms_.first());
    if (keep >= terms_.last().index)
      return {};
    auto kept = terms_;
    kept.truncate(keep);
    const auto image = truncation_to(kept.last());
    return add(
        record_kind::truncation, image.size(), [&](std::byte* to) { std::ranges::copy(image, to); },
        [&] { terms_ = std::move(kept); });
  }

  /// A snapshot at `at` has taken the place of the whole log; durable when this returns.
  [[nodiscard]] expected<void> restart(log_position at) {
    if (auto done = begin(at, {}, 0); !done)
      return done;
    terms_.restart(at);
    while (segments_.size() > 1)
      if (auto done = drop_oldest(); !done)
        return done;
    return {};
  }

  /// A snapshot covers everything up to `covered`: the segments that hold nothing else go.
  [[nodiscard]] expected<void> drop_through(log_index covered) {
    terms_.drop_below(covered);
    while (segments_.size() > 1 && segments_[1].begins.index <= covered)
      if (auto done = drop_oldest(); !done)
        return done;
    return {};
  }

  /// Makes everything so far durable.
  [[nodiscard]] expected<void> sync() {
    if (auto done = flush(); !done)
      return done;
    if (!current_.content || synced_.in_file == batch_.end())
      return {};
    if (auto done = current_.content->sync(); !done)
      return fail(errc::storage_failed, std::move(done.error().detail)); // whatever it says (D4)
    synced_ = {batch_.end(), terms_.last()};
    return record_mark();
  }

  /// The cluster is known now; segments begun from here on bear it.
  void enter(cluster_id cluster) { owner_.cluster = cluster; }

  [[nodiscard]] log_position last() const { return terms_.last(); }
  [[nodiscard]] bool holds(log_position at) const { return terms_.holds(at); }

  /// For a clean stop: what the mark says is on the disk, too.
  [[nodiscard]] expected<void> close() {
    if (auto done = sync(); !done)
      return done;
    return mark_.sync();
  }

private:
  struct place {
    segment_name name;
    log_position begins;
  };

  /// More than this is written before the next sync asks for it: what waits has a limit, and the
  /// disk has something to do while the next piece is put together.
  static constexpr std::size_t piece_bytes_max = std::size_t{512} << 10;

  template <class Write, class Done>
  expected<void> add(record_kind kind, std::size_t length, Write write, Done done) {
    const auto size = record_bytes(length);
    if (!segment_holds(size) || !piece_holds(size)) [[unlikely]]
      if (auto room = make_room(size); !room)
        return room;
    done();
    batch_.add(kind, synced_.in_file.offset, length, write);
    return {};
  }

  [[nodiscard]] bool segment_holds(std::uint64_t more) const {
    return current_.content && batch_.end().offset + more <= current_bytes_;
  }
  [[nodiscard]] bool piece_holds(std::uint64_t more) const {
    return batch_.empty() || batch_.view().size() + more <= piece_bytes_max;
  }

  expected<void> make_room(std::uint64_t size) {
    return segment_holds(size) ? flush_ahead() : begin_segment(size);
  }

  expected<void> flush() {
    if (batch_.empty())
      return {};
    if (auto done = current_.content->write(batch_.start().offset, batch_.view()); !done)
      return done;
    batch_.clear();
    return {};
  }

  /// The last page is left alone: the next piece goes on in it.
  expected<void> flush_ahead() {
    constexpr std::uint64_t page_bytes = 4096;
    const auto from = batch_.start().offset;
    const auto through = batch_.end().offset / page_bytes * page_bytes;
    if (auto done = flush(); !done)
      return done;
    return through > from ? current_.content->begin_sync(from, through - from) : expected<void>{};
  }

  /// Begins the segment after the current one, with room for a record of `size` bytes.
  expected<void> begin_segment(std::uint64_t size) {
    if (!current_.content)
      return begin(terms_.last(), {}, size);
    if (batch_.start() != synced_.in_file)
      if (auto done = sync(); !done)
        return done;
    return follow_on(size);
  }

  /// The log goes on in a new segment, from what is synced of the current one. All that is behind
  /// that is in the batch, and in the new one from the start: this saves the old one a last sync,
  /// and at no moment is it in neither.
  expected<void> follow_on(std::uint64_t size) {
    auto before = std::exchange(current_, {});
    const auto end = synced_.in_file;
    if (auto done = begin(synced_.in_log, end, size); !done) {
      if (!current_.content)
        current_ = std::move(before); // there is no room: nothing has changed
      return done;
    }
    // Room that nobody needs any more. The new header says where this one ends, whatever its size.
    return before.content->truncate(end.offset);
  }

  /// Without a `previous` end the log starts here.
  expected<void> begin(log_position at, const std::optional<chain_end>& previous,
                       std::uint64_t size) {
    const segment_header next{.owner = owner_,
                              .sequence
                              = segments_.empty() ? 1 : segments_.back().name.sequence + 1,
                              .begins = at,
                              .restarts = !previous,
                              .previous = previous.value_or(chain_end{}),
                              .mark = random_.next()};
    const auto salt = digest_of(to_file_header(next));
    record_batch first{salt, {file_header::size_bytes, salt}};
    if (previous)
      first.add_all(batch_, file_header::size_bytes);
    const auto least = first.end().offset + size;
    auto bytes = std::max(layout_.segment_bytes, least);
    auto made = create_segment(*in_, next, bytes, first.view());
    // A node that comes back on a full disk, or is given a snapshot, needs no room to grow yet.
    if (!made && made.error().code == errc::storage_full && size == 0)
      made = create_segment(*in_, next, bytes = least, first.view());
    if (!made)
      return tl::unexpected<failure>{made.error()};
    current_ = std::move(*made);
    current_bytes_ = bytes;
    segments_.push_back({next.name(), next.begins});
    synced_ = {first.end(), previous ? terms_.last() : at};
    batch_.move_to(current_.salt, first.end());
    if (auto done = record_mark(); !done)
      return done;
    return mark_.sync(); // from now on this segment will be missed
  }

  expected<void> drop_oldest() {
    auto done = in_->remove(to_string(segments_.front().name));
    segments_.erase(segments_.begin());
    return done;
  }

  expected<void> record_mark() {
    return mark_.record(
        {.segment = current_.header.sequence, .end = synced_.in_file, .last = synced_.in_log.index},
        owner_);
  }

  directory* in_;
  file_owner owner_;
  log_layout layout_;
  synced_mark mark_;
  random_source random_;
  std::vector<place> segments_; ///< oldest first; the last one is `current_`
  open_segment current_;
  std::uint64_t current_bytes_ = 0;
  record_boundary synced_; ///< in `current_`; what is behind it waits in `batch_`, or in the file
  record_batch batch_{0, {}};
  term_runs terms_;
};

} // namespace understudy::storage
