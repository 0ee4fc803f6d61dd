// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Reads all segments of a directory, and decides what a bad record is: a tail that a crash has
/// torn, which is cut, or damage, which stops the node.
///
/// Every segment but the last one had been synced whole before the next was begun: there, nothing
/// may be bad. In the last one a bad record is damage if anything shows that it had been synced:
/// the synced mark, or a genuine record behind it that was written after a later sync (D3).

#include <understudy/storage/file_names.hpp>
#include <understudy/storage/log_replay.hpp>
#include <understudy/storage/record_reader.hpp>
#include <understudy/storage/segment.hpp>
#include <understudy/storage/synced_mark.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace understudy::storage {

/// A place between two records: in the file, and in the log.
struct record_boundary {
  chain_end in_file = {};
  log_position in_log = {};
};

/// What the segments hold.
struct replayed_segments {
  log_replay log;
  std::vector<segment_header> used = {};   ///< oldest first
  std::vector<segment_name> obsolete = {}; ///< nothing in them counts any more
  open_segment current = {};               ///< the last of those used; none if there is none
  record_boundary synced = {};             ///< in `current`: up to here all was certainly synced
  std::vector<record> unsynced = {};       ///< what verifies behind that
  bool clean = true;                       ///< behind what verifies there are only zeros
};

namespace detail {

[[nodiscard]] inline tl::unexpected<failure> damaged_at(const directory& in,
                                                        const segment_name& segment,
                                                        std::uint64_t offset,
                                                        const std::string& why) {
  return fail(errc::storage_damaged, in.path() + "/" + to_string(segment) + " at byte "
                                         + std::to_string(offset) + ": " + why);
}

/// Follows, in the last segment, what is certain to have been synced.
class sync_tracker {
public:
  explicit sync_tracker(record_boundary start) : synced_{start} {}

  /// A record that begins at `start`. False where it names a sync that ended within a record.
  [[nodiscard]] bool on(const record& r, record_boundary start) {
    unsynced_.push_back(r);
    starts_.push_back(start);
    return r.synced <= synced_.in_file.offset || advance(r.synced, start);
  }

  /// Everything below `offset` was synced; `end` is where the records end for now.
  [[nodiscard]] bool advance(std::uint64_t offset, record_boundary end) {
    const auto at = std::ranges::lower_bound(
        starts_, offset, {}, [](const record_boundary& b) { return b.in_file.offset; });
    const auto reached = at == starts_.end() ? end : *at;
    if (reached.in_file.offset != offset)
      return false;
    synced_ = reached;
    unsynced_.erase(unsynced_.begin(), unsynced_.begin() + (at - starts_.begin()));
    starts_.erase(starts_.begin(), at);
    return true;
  }

  [[nodiscard]] const record_boundary& synced() const { return synced_; }
  [[nodiscard]] std::vector<record> take_unsynced() { return std::move(unsynced_); }

private:
  record_boundary synced_;
  std::vector<record> unsynced_;
  std::vector<record_boundary> starts_; ///< of the same records
};

/// One pass over the segments.
class segment_pass {
public:
  segment_pass(directory& in, const file_owner& owner, log_position base)
      : in_{&in}, owner_{owner}, found_{.log = log_replay{base}} {}

  [[nodiscard]] expected<void> choose(const std::vector<segment_name>& names) {
    auto name = names.rbegin();
    std::vector<open_segment> opened;
    for (; name != names.rend(); ++name) {
      if (!opened.empty() && name->sequence + 1 != opened.back().header.sequence)
        break;
      auto segment = open_segment_named(*in_, *name, owner_);
      if (!segment)
        return tl::unexpected<failure>{segment.error()};
      segment->content.reset(); // there may be more of them than files can be open
      opened.push_back(std::move(*segment));
      if (opened.back().header.restarts) {
        ++name;
        break;
      }
    }
    found_.obsolete.assign(name, names.rend());
    std::ranges::reverse(opened);
    segments_ = std::move(opened);
    return {};
  }

  [[nodiscard]] expected<void> read_all() {
    for (std::size_t i = 0; i < segments_.size(); ++i) {
      const auto& header = segments_[i].header;
      if (i == 0)
        found_.log.begin(header.begins);
      else if (header.begins != found_.log.last())
        return damaged_at(*in_, header.name(), 0, "it does not begin where the one before ends");
      found_.used.push_back(header);
      if (i + 1 < segments_.size())
        if (auto done = read_whole(segments_[i], segments_[i + 1].header.previous); !done)
          return done;
    }
    return {};
  }

  [[nodiscard]] expected<void> read_last(const std::optional<synced_position>& mark) {
    if (segments_.empty())
      return {};
    found_.current = std::move(segments_.back());
    auto& segment = found_.current;
    const auto name = segment.header.name();
    if (mark && mark->segment > name.sequence)
      return damaged_at(*in_, name, 0,
                        "it is the last one, but segment " + std::to_string(mark->segment)
                            + " had been synced, too");
    const auto size = reopen(segment);
    if (!size)
      return tl::unexpected<failure>{size.error()};
    sync_tracker tracker{{segment.first_record(), found_.log.last()}};
    record_reader reader{*segment.content, segment.salt, segment.first_record(), *size};
    if (auto done = read_records(reader, name, &tracker); !done)
      return done;
    const bool marked = mark && mark->segment == name.sequence;
    if (auto done = judge_end(reader, tracker, marked ? &*mark : nullptr, *size); !done)
      return done;
    found_.synced = tracker.synced();
    found_.unsynced = tracker.take_unsynced();
    return {};
  }

  [[nodiscard]] replayed_segments take() { return std::move(found_); }

private:
  expected<void> read_records(record_reader& reader, const segment_name& name,
                              sync_tracker* tracker) {
    for (;;) {
      const record_boundary start{reader.end(), found_.log.last()};
      auto next = reader.next();
      if (!next)
        return tl::unexpected<failure>{next.error()};
      if (!*next)
        return {};
      if (auto done = found_.log.apply(**next); !done)
        return damaged_at(*in_, name, start.in_file.offset, done.error().detail);
      if (tracker != nullptr && !tracker->on(**next, start))
        return damaged_at(*in_, name, start.in_file.offset,
                          "it names a sync that can not have been");
    }
  }

  /// Opens a segment once more, and returns its size.
  expected<std::uint64_t> reopen(open_segment& segment) {
    auto opened = in_->open(to_string(segment.header.name()));
    if (!opened)
      return tl::unexpected<failure>{opened.error()};
    segment.content = std::move(*opened);
    return segment.content->size();
  }

  /// Reads a segment that was left for another one.
  expected<void> read_whole(open_segment& segment, chain_end end) {
    const auto name = segment.header.name();
    const auto size = reopen(segment);
    if (!size)
      return tl::unexpected<failure>{size.error()};
    record_reader reader{*segment.content, segment.salt, segment.first_record(),
                         std::min(end.offset, *size)};
    if (auto done = read_records(reader, name, nullptr); !done)
      return done;
    if (reader.end() != end)
      return damaged_at(*in_, name, reader.end().offset,
                        reader.why().empty() ? "what was synced here is gone" : reader.why());
    segment.content.reset();
    return {};
  }

  /// The last segment verifies up to `reader.end()`: is that where the log ended?
  expected<void> judge_end(const record_reader& reader, sync_tracker& tracker,
                           const synced_position* mark, std::uint64_t size) {
    const auto& segment = found_.current;
    const auto end = reader.end();
    const auto why = reader.why().empty() ? "what was synced here is gone" : reader.why();
    if (mark != nullptr && mark->end.offset > end.offset)
      return damaged_at(*in_, segment.header.name(), end.offset,
                        why + "; the log had been synced up to byte "
                            + std::to_string(mark->end.offset));
    if (mark != nullptr && mark->end.offset > tracker.synced().in_file.offset
        && (!tracker.advance(mark->end.offset, {end, found_.log.last()})
            || tracker.synced().in_file != mark->end))
      return damaged_at(*in_, segment.header.name(), mark->end.offset,
                        "another log than the one that had been synced up to here");
    const auto behind = look_behind(*segment.content, segment.salt, end.offset, size);
    if (!behind)
      return tl::unexpected<failure>{behind.error()};
    if (*behind == log_tail::synced)
      return damaged_at(*in_, segment.header.name(), end.offset,
                        why + "; what follows was written after it had been synced");
    found_.clean = *behind == log_tail::nothing;
    return {};
  }

  directory* in_;
  file_owner owner_;
  replayed_segments found_;
  std::vector<open_segment> segments_;
};

} // namespace detail

/// Reads the log in the segments `names`. `base` is where the newest snapshot stands, and `mark`
/// what was recorded as synced. Changes nothing.
///
/// `storage_damaged` names file, offset and reason.
[[nodiscard]] inline expected<replayed_segments>
replay_segments(directory& in, const std::vector<segment_name>& names, const file_owner& owner,
                log_position base, const std::optional<synced_position>& mark) {
  detail::segment_pass pass{in, owner, base};
  if (auto done = pass.choose(names); !done)
    return tl::unexpected<failure>{done.error()};
  if (auto done = pass.read_all(); !done)
    return tl::unexpected<failure>{done.error()};
  if (auto done = pass.read_last(mark); !done)
    return tl::unexpected<failure>{done.error()};
  return pass.take();
}

} // namespace understudy::storage
