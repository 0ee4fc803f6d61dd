// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Numbers that a script can ask for: `a.term + 1`, `elections`, what it remembered or counts.

#include <understudy/listener/puller.hpp>
#include <understudy/membership/monitor.hpp>
#include <understudy/raft/core.hpp>
#include <understudy/testing/node_counters.hpp>
#include <understudy/testing/script_stage.hpp>
#include <understudy/testing/script_words.hpp>
#include <understudy/testing/seen_counters.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace understudy::testing {

/// A number, to be looked up again whenever it is wanted.
using script_number = std::function<std::int64_t()>;

namespace detail {

using cluster = script_stage::cluster;

/// What can be counted in the run as a whole.
struct counter_row {
  std::string_view name;
  std::uint64_t (*of)(cluster&);
};

template <auto Member> std::uint64_t seen(cluster& run) {
  return run.rules().counters().*Member;
}
template <auto Member> std::uint64_t told(cluster& run) {
  return run.counters().*Member;
}

inline constexpr counter_row counter_rows[]{
    {"elections", seen<&seen_counters::elections>},
    {"contested", seen<&seen_counters::contested>},
    {"truncations", seen<&seen_counters::truncations>},
    {"installs", seen<&seen_counters::installs>},
    {"lease_reads", seen<&seen_counters::lease_reads>},
    {"swaps", seen<&seen_counters::swaps>},
    {"abandoned", seen<&seen_counters::abandoned>},
    {"listener_elections", seen<&seen_counters::listener_elections>},
    {"listener_campaigns", seen<&seen_counters::listener_campaigns>},
    {"founded", told<&node_counters::founded>},
    {"entered", told<&node_counters::entered>},
    {"left", told<&node_counters::left>},
    {"leaves_cut_off", told<&node_counters::leaves_cut_off>},
    {"last_members", told<&node_counters::last_members>},
    {"sent_away", told<&node_counters::sent_away>},
    {"evictions", told<&node_counters::evictions>},
    {"hand_backs", told<&node_counters::hand_backs>},
    {"orders", told<&node_counters::orders>},
    {"orders_refused", told<&node_counters::orders_refused>},
    {"reconciled", told<&node_counters::reconciled>},
    {"source_switches", told<&node_counters::source_switches>},
    {"clusters", [](cluster& run) { return std::uint64_t{run.rules().clusters().size()}; }},
    {"configurations",
     [](cluster& run) {
       std::uint64_t all = 0;
       for (const auto id : run.rules().clusters())
         all += run.rules().past(id).configurations().size();
       return all;
     }},
    {"now",
     [](cluster& run) {
       const auto since = run.now().time_since_epoch();
       return static_cast<std::uint64_t>(
           std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
     }},
};

/// What can be asked of one node.
struct field_row {
  std::string_view name;
  std::uint64_t (*of)(cluster&, member_id);
};

inline constexpr field_row field_rows[]{
    {"term", [](cluster& run, member_id id) { return run.look(id).vote.term.value; }},
    {"base", [](cluster& run, member_id id) { return run.look(id).log.base().index.value; }},
    {"end", [](cluster& run, member_id id) { return run.look(id).log.last().index.value; }},
    {"last_term", [](cluster& run, member_id id) { return run.look(id).log.last().term.value; }},
    {"durable", [](cluster& run, member_id id) { return run.look(id).durable.value; }},
    {"commit", [](cluster& run, member_id id) { return run.look(id).commit.value; }},
    {"applied", [](cluster& run, member_id id) { return run.look(id).applied.value; }},
    {"config", [](cluster& run, member_id id) { return run.look(id).newest.index.value; }},
    {"count",
     [](cluster& run, member_id id) { return run.machine(id).query(tally::count{.who = 1}); }},
    {"installs",
     [](cluster& run, member_id id) { return run.part<raft_core>(id).state().counts.installs; }},
    {"lease_reads", [](cluster& run, member_id id) { return run.look(id).lease_reads; }},
    {"pulls",
     [](cluster& run, member_id id) {
       const auto& pulled = run.part<puller>(id).counters();
       return pulled.from_leader + pulled.from_followers;
     }},
};

/// A name for a number: one that no counter has.
inline std::string read_number_name(script_words& words) {
  auto name = words.take("a name");
  if (std::ranges::find(counter_rows, name, &counter_row::name) != std::end(counter_rows)
      || number_of<std::int64_t>(name) || name.find('.') != std::string::npos)
    throw bad_script{name + " is the name of another number"};
  return name;
}

inline script_number read_operand(script_words& words, script_stage& on) {
  const auto word = words.take("a number");
  if (const auto value = number_of<std::int64_t>(word))
    return [value = *value] { return value; };
  if (const auto known = on.remembered.find(word); known != on.remembered.end())
    return [value = known->second] { return value; };
  if (const auto known = on.counted.find(word); known != on.counted.end())
    return [count = known->second] { return static_cast<std::int64_t>(*count); };
  if (const auto* row = std::ranges::find(counter_rows, word, &counter_row::name);
      row != std::end(counter_rows))
    return [row, &on] { return static_cast<std::int64_t>(row->of(on.run())); };
  const auto dot = word.rfind('.');
  if (dot == std::string::npos)
    throw bad_script{"there is no number " + word};
  const auto* row
      = std::ranges::find(field_rows, std::string_view{word}.substr(dot + 1), &field_row::name);
  if (row == std::end(field_rows))
    throw bad_script{"a node has no " + word.substr(dot + 1)};
  return [row, &on, name = word.substr(0, dot), id = on.node(word.substr(0, dot))] {
    if (!on.run().runs(id))
      throw bad_script{name + " does not run any more"};
    return static_cast<std::int64_t>(row->of(on.run(), id));
  };
}

} // namespace detail

/// Reads a number, or a sum of some: `a.term + 1`.
inline script_number read_number(script_words& words, script_stage& on) {
  auto sum = detail::read_operand(words, on);
  while (words.peek() == "+" || words.peek() == "-") {
    const std::int64_t sign = words.take("a sign") == "+" ? 1 : -1;
    sum = [left = std::move(sum), sign, right = detail::read_operand(words, on)] {
      return left() + sign * right();
    };
  }
  return sum;
}

/// Whether two numbers stand to each other as an operator says.
using script_comparison = bool (*)(std::int64_t, std::int64_t);

namespace detail {

struct comparison_row {
  std::string_view sign;
  script_comparison holds;
};

inline constexpr comparison_row comparison_rows[]{
    {"=", [](std::int64_t a, std::int64_t b) { return a == b; }},
    {"!=", [](std::int64_t a, std::int64_t b) { return a != b; }},
    {"<", [](std::int64_t a, std::int64_t b) { return a < b; }},
    {"<=", [](std::int64_t a, std::int64_t b) { return a <= b; }},
    {">", [](std::int64_t a, std::int64_t b) { return a > b; }},
    {">=", [](std::int64_t a, std::int64_t b) { return a >= b; }},
};

} // namespace detail

/// Reads an operator such as `<=`.
inline script_comparison read_comparison(script_words& words) {
  const auto word = words.take("a comparison");
  const auto* row = std::ranges::find(detail::comparison_rows, word, &detail::comparison_row::sign);
  if (row == std::end(detail::comparison_rows))
    throw bad_script{word + " is no comparison"};
  return row->holds;
}

} // namespace understudy::testing
