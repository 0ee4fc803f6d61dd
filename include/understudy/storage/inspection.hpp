// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Looks at a node's directory without changing it: what is in it, and whether a node would start.

#include <understudy/core/configuration.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/storage/ballot_pair.hpp>
#include <understudy/storage/directory.hpp>
#include <understudy/storage/entry_record.hpp>
#include <understudy/storage/file_names.hpp>
#include <understudy/storage/log_replay.hpp>
#include <understudy/storage/record_reader.hpp>
#include <understudy/storage/segment.hpp>
#include <understudy/storage/snapshot_file.hpp>
#include <understudy/storage/store_recovery.hpp>
#include <understudy/storage/synced_mark.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::storage {

/// One file, in words.
struct inspected_file {
  std::string name = {};
  std::string content = {}; ///< as far as it verifies
  std::string damage = {};  ///< empty: there is none
};

/// A directory, in words.
struct inspection {
  file_owner owner = {};
  std::vector<inspected_file> files = {};
  std::vector<std::string> log = {};   ///< what a start would make of it, a line each
  std::optional<failure> refusal = {}; ///< why a node would not start
};

/// Called with segment, record and entry in words, for every record of the log that verifies.
using record_listener
    = std::function<void(const std::string& segment, const record& at, const std::string& content)>;

namespace detail {

[[nodiscard]] inline std::string name_of(member_id id) {
  return id ? std::to_string(id.value) : "nobody";
}

[[nodiscard]] inline std::string text_of(const configuration& c) {
  std::string text = std::to_string(c.members.size()) + " members, voters";
  for (const auto id : c.voters)
    text += ' ' + name_of(id);
  if (c.joint())
    text += ", on the way from";
  for (const auto id : c.outgoing)
    text += ' ' + name_of(id);
  return text;
}

/// "entry 7 of term 2: command 4 of session 3, 120 bytes"
[[nodiscard]] inline std::string text_of(const entry& e) {
  constexpr std::array<std::string_view, std::variant_size_v<payload>> kinds{
      "no_op",         "command", "configuration",  "open_session",
      "close_session", "settle",  "expire_sessions"};
  auto text = "entry " + std::to_string(e.index.value) + " of term " + std::to_string(e.term.value)
              + ": " + std::string{kinds.at(e.what->index())};
  if (const auto* c = e.as<command>())
    text += ' ' + std::to_string(c->number.value) + " of session "
            + std::to_string(c->session.value) + ", " + std::to_string(c->body.size()) + " bytes";
  if (const auto* c = e.as<configuration_ptr>())
    text += ", " + text_of(**c);
  return text;
}

[[nodiscard]] inline std::string text_of(const record& r) {
  if (r.kind == record_kind::truncation && r.payload.size() == truncation_image{}.size())
    return "truncation above entry " + std::to_string(get<std::uint64_t>(r.payload.view().data()));
  const auto read = entry_from(r.payload);
  return read ? text_of(*read) : read.error().detail;
}

[[nodiscard]] inline inspected_file inspect_ballot(const expected<stored_ballot>& copy,
                                                   std::string_view name) {
  if (!copy)
    return {.name = std::string{name}, .damage = copy.error().detail};
  return {.name = std::string{name},
          .content = "term " + std::to_string(copy->vote.term.value) + ", vote for "
                     + name_of(copy->vote.vote) + ", written " + std::to_string(copy->writes)
                     + " times"};
}

[[nodiscard]] inline inspected_file inspect_mark(const std::optional<synced_position>& mark) {
  inspected_file file{.name = std::string{mark_name}};
  if (mark)
    file.content = "segment " + std::to_string(mark->segment) + " up to byte "
                   + std::to_string(mark->end.offset) + ", entry "
                   + std::to_string(mark->last.value);
  else
    file.content = "nothing that can be read; nothing is lost by that";
  return file;
}

[[nodiscard]] inline inspected_file inspect_snapshot(directory& in, log_position at,
                                                     const file_owner& owner) {
  inspected_file file{.name = snapshot_name(at)};
  const auto read = read_snapshot(in, at, owner);
  if (!read) {
    file.damage = read.error().detail;
    return file;
  }
  file.content = std::to_string(read->content->image.size()) + " bytes";
  if (const auto& members = read->content->members.content)
    file.content += ", configuration of entry " + std::to_string(read->content->members.index.value)
                    + ": " + text_of(*members);
  return file;
}

[[nodiscard]] inline inspected_file inspect_segment(directory& in, const segment_name& name,
                                                    const file_owner& owner,
                                                    const record_listener& each) {
  inspected_file file{.name = to_string(name)};
  auto segment = open_segment_named(in, name, owner);
  const auto size = segment ? segment->content->size() : expected<std::uint64_t>{0};
  if (!segment || !size) {
    file.damage = segment ? size.error().detail : segment.error().detail;
    return file;
  }
  record_reader reader{*segment->content, segment->salt, segment->first_record(), *size};
  std::size_t records = 0;
  for (;; ++records) {
    const auto next = reader.next();
    if (!next) {
      file.damage = next.error().detail;
      break;
    }
    if (!*next)
      break;
    if (each)
      each(file.name, **next, text_of(**next));
  }
  file.content = std::to_string(records) + " records up to byte "
                 + std::to_string(reader.end().offset) + " of " + std::to_string(*size);
  if (segment->header.restarts && segment->header.begins.index.value != 0)
    file.content += ", begins behind a snapshot";
  if (!reader.why().empty()) // not all that does not verify is damage: see the verdict
    file.content += "; behind that " + reader.why();
  return file;
}

[[nodiscard]] inline std::vector<std::string> lines_about(found_store& found) {
  std::vector<std::string> lines;
  const auto& base = found.base.content;
  const auto last = found.segments.log.last();
  const auto entries = found.segments.log.take_entries();
  if (base)
    lines.push_back("the snapshot covers everything up to entry "
                    + std::to_string(base->at.index.value));
  lines.push_back(entries.empty() ? std::string{"no entries behind that"}
                                  : "entries " + std::to_string(entries.front().index.value)
                                        + " to " + std::to_string(last.index.value)
                                        + ", the last of term " + std::to_string(last.term.value));
  placed_configuration newest = base ? base->members : placed_configuration{};
  for (const auto& e : entries)
    if (const auto* c = e.as<configuration_ptr>())
      newest = {e.index, *c};
  if (newest.content) {
    lines.push_back("newest configuration, of entry " + std::to_string(newest.index.value) + ": "
                    + text_of(*newest.content));
    for (const auto& m : newest.content->members)
      lines.push_back("  " + name_of(m.id) + " " + m.name + ", entered by entry "
                      + std::to_string(m.entered.value)
                      + (m.status == standing::leaving   ? ", leaving"
                         : m.status == standing::evicted ? ", evicted"
                                                         : ""));
  }
  if (const auto torn = found.segments.unsynced.size(); torn > 0)
    lines.push_back("the last " + std::to_string(torn) + " records need not have been confirmed");
  if (!found.segments.clean)
    lines.push_back("behind the last record stands what a crash has torn");
  return lines;
}

} // namespace detail

/// Looks at everything in `in`; each record of the log is shown to `each`, if there is one.
[[nodiscard]] inline inspection inspect(directory& in, const record_listener& each = {}) {
  inspection result;
  const auto files = survey_of(in);
  if (!files) {
    result.refusal = files.error();
    return result;
  }
  const auto copies = read_ballots(in);
  if (const auto newest = newest_of(copies))
    result.owner = newest->owner;
  for (std::size_t i = 0; i < copies.size() && !files->empty(); ++i)
    result.files.push_back(detail::inspect_ballot(copies[i], ballot_names[i]));
  if (files->mark)
    result.files.push_back(detail::inspect_mark(synced_mark::read(in, result.owner)));
  for (const auto& at : files->snapshots)
    result.files.push_back(detail::inspect_snapshot(in, at, result.owner));
  for (const auto& name : files->segments)
    result.files.push_back(detail::inspect_segment(in, name, result.owner, each));
  for (const auto& name : files->unfinished)
    result.files.push_back({.name = name, .content = "was never finished"});
  if (files->empty())
    return result;
  auto found = recover_store(in, {});
  if (found)
    result.log = detail::lines_about(*found);
  else
    result.refusal = std::move(found.error());
  return result;
}

} // namespace understudy::storage
