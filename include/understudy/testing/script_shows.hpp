// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a script can show, each as lines for its recorded outcome.

#include <understudy/core/configuration.hpp>
#include <understudy/membership/journal.hpp>
#include <understudy/membership/monitor.hpp>
#include <understudy/roster/seats.hpp>
#include <understudy/testing/observation.hpp>
#include <understudy/testing/script_stage.hpp>
#include <understudy/testing/script_words.hpp>
#include <understudy/testing/workload.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::testing {

namespace detail {

using shown = std::vector<std::string>;

inline shown show_status(script_words&, script_stage& on) {
  return on.run().status();
}

/// The term of each entry of each log, as the Raft paper draws them; `|` stands behind what is
/// committed.
inline shown show_logs(script_words&, script_stage& on) {
  auto& run = on.run();
  shown rows;
  for (const auto id : run.nodes()) {
    const auto seen = run.look(id);
    auto row = run.name_of(id);
    pad(row, 5);
    if (const auto base = seen.log.base().index; base != log_index{})
      row += " .." + std::to_string(base.value) + (base == seen.commit ? " |" : "");
    for (auto i = seen.log.base().index.next(); i <= seen.log.last().index; ++i)
      row += " " + std::to_string(seen.log.at(i).term.value) + (i == seen.commit ? " |" : "");
    rows.push_back(std::move(row));
  }
  return rows;
}

/// The members in join order: rank, name, claim, and how they are marked.
inline shown show_roster(script_words& words, script_stage& on) {
  auto& run = on.run();
  const auto at = words.accept("at") ? on.node(words.take("a node")) : on.find("leader");
  const auto in = run.look(at).newest.content;
  shown rows;
  if (!in)
    return rows;
  const auto places = seats(*in);
  for (std::size_t i = 0; i < in->members.size(); ++i) {
    const auto& m = in->members[i];
    const auto& place = places.places[i];
    auto row = place.rank == 0 ? std::string{"-"} : std::to_string(place.rank);
    row += " " + run.name_of(m.id) + " " + std::string{to_string(place.claim)};
    row += m.status == standing::leaving   ? ", leaving"
           : m.status == standing::evicted ? ", evicted"
           : m.pinned                      ? ", pinned"
                                           : "";
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Who has voted, one committed change after the other.
inline shown show_voters(script_words&, script_stage& on) {
  auto& run = on.run();
  const auto name = [&](member_id id) { return run.name_of(id); };
  shown rows;
  for (const auto home : run.rules().clusters())
    for (const auto& past : run.rules().past(home).configurations()) {
      const auto& in = *past.content;
      auto row = (in.joint() ? names_of(in.outgoing, name) + ">" : "") + names_of(in.voters, name);
      if (rows.empty() || rows.back() != row)
        rows.push_back(std::move(row));
    }
  return rows;
}

/// What a node decided about seats.
inline shown show_journal(script_words& words, script_stage& on) {
  auto& run = on.run();
  shown rows;
  for (const auto& line : run.part<monitor>(on.node(words.take("a node"))).journal().lines())
    rows.push_back(std::string{to_string(line.what)} + (line.who ? " " + run.name_of(line.who) : "")
                   + ": " + on.with_names(line.text));
  return rows;
}

/// The messages that were to be watched since they were shown last.
inline shown show_messages(script_words&, script_stage& on) {
  return std::exchange(on.watched, {});
}

/// What became of the calls that have a name.
inline shown show_answers(script_words&, script_stage& on) {
  auto& run = on.run();
  shown rows;
  for (const auto& [name, id] : on.calls) {
    const auto got = run.answer(id);
    std::string text = "open";
    if (got && *got)
      text = std::to_string(run.result<tally::bump>(id).value_or(0));
    else if (got)
      text = to_string(got->error().code);
    rows.push_back(name + ": " + text);
  }
  return rows;
}

struct show_row {
  std::string_view name;
  shown (*lines)(script_words&, script_stage&);
};

inline constexpr show_row show_rows[]{
    {"status", show_status},   {"logs", show_logs},       {"roster", show_roster},
    {"voters", show_voters},   {"journal", show_journal}, {"messages", show_messages},
    {"answers", show_answers},
};

} // namespace detail

/// Reads what is to be shown, and shows it.
inline std::vector<std::string> show(script_words& words, script_stage& on) {
  const auto what = words.take("what to show");
  const auto* row = std::ranges::find(detail::show_rows, what, &detail::show_row::name);
  if (row == std::end(detail::show_rows))
    throw bad_script{what + " can not be shown"};
  auto rows = row->lines(words, on);
  words.end();
  for (auto& line : rows)
    line.erase(line.find_last_not_of(' ') + 1);
  return rows;
}

} // namespace understudy::testing
