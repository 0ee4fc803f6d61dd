// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a script can wait for and expect: `a leads`, `voters a b d and c is failed`,
/// `a.term = before + 1`.

#include <understudy/core/configuration.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/membership/monitor.hpp>
#include <understudy/testing/observation.hpp>
#include <understudy/testing/rest.hpp>
#include <understudy/testing/script_numbers.hpp>
#include <understudy/testing/script_stage.hpp>
#include <understudy/testing/script_words.hpp>
#include <understudy/testing/workload.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::testing {

namespace detail {

/// Something that holds at a moment, or does not.
using script_fact = std::function<bool()>;

inline bool leads(cluster& run, member_id id) {
  return run.runs(id) && run.look(id).leads;
}

inline bool nobody_leads(cluster& run) {
  return !run.leader();
}

/// The newest configuration at a node; none: it has none yet.
inline const configuration* newest(cluster& run, member_id id) {
  return run.runs(id) ? run.look(id).newest.content : nullptr;
}

/// Whether a node stands in a state that a script has a word for.
struct state_row {
  std::string_view name;
  bool (*holds)(cluster&, member_id);
};

template <membership State> bool stands(cluster& run, member_id id) {
  return run.runs(id) && run.part<monitor>(id).status().state == State;
}

inline bool has_vote(cluster& run, member_id id) {
  const auto* in = newest(run, id);
  return in && (contains(in->voters, id) || contains(in->outgoing, id));
}

inline constexpr state_row state_rows[]{
    {"crashed", [](cluster& run, member_id id) { return !run.runs(id); }},
    {"paused", [](cluster& run, member_id id) { return run.runs(id) && run.paused(id); }},
    {"candidate",
     [](cluster& run, member_id id) { return run.runs(id) && run.look(id).campaigning; }},
    {"voter", has_vote},
    {"listener",
     [](cluster& run, member_id id) {
       return stands<membership::member>(run, id) && !has_vote(run, id);
     }},
    {"founding", stands<membership::founding>},
    {"entering", stands<membership::entering>},
    {"member", stands<membership::member>},
    {"failed", stands<membership::failed>},
};

/// Whether a member is listed as a script has a word for.
struct listing_row {
  std::string_view name;
  bool (*holds)(const member*);
};

template <standing Status> bool is_marked(const member* m) {
  return m && m->status == Status;
}

inline constexpr listing_row listing_rows[]{
    {"present", is_marked<standing::present>},
    {"leaving", is_marked<standing::leaving>},
    {"evicted", is_marked<standing::evicted>},
    {"pinned", [](const member* m) { return m && m->pinned; }},
    {"gone", [](const member* m) { return !m; }},
};

template <class Rows> auto row_named(const Rows& rows, const std::string& name) {
  const auto row = std::ranges::find_if(rows, [&](const auto& r) { return r.name == name; });
  if (row != std::end(rows))
    return row;
  std::string all;
  for (const auto& r : rows)
    all += (all.empty() ? "" : ", ") + std::string{r.name};
  throw bad_script{name + " is none of " + all};
}

inline std::vector<member_id> sorted(std::vector<member_id> ids) {
  std::ranges::sort(ids);
  return ids;
}

/// Which list of a configuration a script means; the roster is in order, the others are sets.
inline std::vector<member_id> list_named(const configuration& in, std::string_view name) {
  if (name == "voters")
    return sorted(in.voters);
  if (name == "outgoing")
    return sorted(in.outgoing);
  std::vector<member_id> roster;
  for (const auto& m : in.members)
    roster.push_back(m.id);
  return roster;
}

inline bool is_list(std::string_view name) {
  return name == "voters" || name == "outgoing" || name == "roster";
}

/// `voters a b c`, at the leader and committed, or as the node `at` sees them.
inline script_fact read_list(script_words& words, script_stage& on, std::optional<member_id> at) {
  const auto name = words.take("voters, outgoing or roster");
  auto ids = on.find_all(words.take_list("a node"));
  if (name != "roster")
    ids = sorted(std::move(ids));
  return [&run = on.run(), name, ids, at] {
    const auto whose = at ? *at : run.leader();
    const auto* in = whose ? newest(run, whose) : nullptr;
    if (!in || list_named(*in, name) != ids)
      return false;
    const auto seen = run.look(whose);
    return at || (!in->joint() && seen.newest.index == seen.committed.index);
  };
}

/// Behind `NODE sees`: a list, `joint`, or how a member is listed.
inline script_fact read_sight(script_words& words, script_stage& on, member_id at) {
  auto& run = on.run();
  if (is_list(words.peek()))
    return read_list(words, on, at);
  if (words.accept("joint"))
    return [&run, at] {
      const auto* in = newest(run, at);
      return in && in->joint();
    };
  const auto who = on.find(words.take("what it sees"));
  const auto row = row_named(listing_rows, words.take("how it is listed"));
  return [&run, at, who, row] {
    const auto* in = newest(run, at);
    return in && row->holds(look_up(*in, who));
  };
}

inline bool ever_voted(cluster& run, member_id who) {
  return std::ranges::any_of(run.rules().clusters(), [&](cluster_id id) {
    return std::ranges::any_of(
        run.rules().past(id).configurations(),
        [&](const committed_configuration& c) { return contains(c.content->voters, who); });
  });
}

/// The error that has this name.
inline errc read_error(script_words& words) {
  const auto word = words.take("an error");
  for (int code = 0; code <= static_cast<int>(errc::outcome_unknown); ++code)
    if (to_string(static_cast<errc>(code)) == word)
      return static_cast<errc>(code);
  throw bad_script{"there is no error " + word};
}

/// Whether a decision about seats in a node's journal has this in its text.
inline bool has_decided(script_stage& on, member_id id, const std::string& text) {
  auto& run = on.run();
  const auto has = [&](const journal_line& line) {
    const auto all = std::string{to_string(line.what)} + ": " + on.with_names(line.text);
    return all.find(text) != std::string::npos;
  };
  return run.runs(id) && std::ranges::any_of(run.part<monitor>(id).journal().lines(), has);
}

/// What is said of a node.
inline script_fact read_node(script_words& words, script_stage& on) {
  auto& run = on.run();
  const auto id = on.find_node(words.take("a node"));
  const auto verb = words.take("what is said of it");
  if (verb == "leads")
    return [&run, id] { return leads(run, id); };
  if (verb == "runs")
    return [&run, id] { return run.runs(id); };
  if (verb == "is")
    return [&run, id, row = row_named(state_rows, words.take("how it is"))] {
      return row->holds(run, id);
    };
  if (verb == "sees")
    return read_sight(words, on, id);
  if (verb == "ever") {
    words.require("voted");
    return [&run, id] { return ever_voted(run, id); };
  }
  if (verb == "obstacle")
    return [&run, id, code = read_error(words)] {
      return run.runs(id) && run.part<monitor>(id).status().obstacle.code == code;
    };
  if (verb == "journal")
    return [&on, id, text = words.take("a text")] { return has_decided(on, id, text); };
  throw bad_script{"of a node one can not say " + verb};
}

/// What became of a call.
inline script_fact read_call(script_words& words, script_stage& on) {
  auto& run = on.run();
  const auto id = on.calls.at(words.take("a call"));
  const auto verb = words.take("what became of it");
  if (verb == "answered")
    return [&run, id] { return run.answer(id).has_value(); };
  if (verb == "answers")
    return [&run, id, number = read_number(words, on)] {
      if (const auto got = run.answer(id); !got || !*got)
        return false;
      const auto count = run.result<tally::bump>(id);
      return count && static_cast<std::int64_t>(*count) == number();
    };
  if (verb == "fails")
    return [&run, id, code = read_error(words)] {
      const auto got = run.answer(id);
      return got && !*got && got->error().code == code;
    };
  throw bad_script{"a call is answered, answers or fails; it does not " + verb};
}

/// All of these nodes have the same log, committed as far, and the same state.
inline script_fact read_same(script_words& words, script_stage& on) {
  std::vector<member_id> ids;
  for (const auto& name : words.take_list("a node"))
    ids.push_back(on.node(name));
  return [&run = on.run(), ids] {
    return std::ranges::all_of(ids, [&](member_id id) {
      if (!run.runs(id) || !run.runs(ids.front()))
        return false;
      const auto one = run.look(id);
      const auto first = run.look(ids.front());
      return one.log.last() == first.log.last() && one.commit == first.commit
             && one.applied == one.commit
             && run.machine(id).counts == run.machine(ids.front()).counts;
    });
  };
}

/// A part of a condition, as it is written.
struct condition_part {
  std::string text;
  script_fact holds;
  script_number left = {};  ///< of a comparison
  script_number right = {}; ///< likewise

  /// What is not so: its text, with the numbers of a comparison.
  [[nodiscard]] std::string complaint() const {
    if (!left)
      return text;
    return text + " (" + std::to_string(left()) + " and " + std::to_string(right()) + ")";
  }
};

inline condition_part read_comparison_of(script_words& words, script_stage& on) {
  condition_part part;
  part.left = read_number(words, on);
  const auto holds = read_comparison(words);
  part.right = read_number(words, on);
  part.holds = [holds, left = part.left, right = part.right] { return holds(left(), right()); };
  return part;
}

inline bool compares(std::string_view sign) {
  return sign == "+" || sign == "-"
         || std::ranges::find(comparison_rows, sign, &comparison_row::sign)
                != std::end(comparison_rows);
}

inline script_fact read_one(script_words& words, script_stage& on) {
  auto& run = on.run();
  if (words.accept("not"))
    return [inner = read_one(words, on)] { return !inner(); };
  if (words.accept("nobody")) {
    words.require("leads");
    return [&run] { return nobody_leads(run); };
  }
  if (words.accept("somebody")) {
    words.require("leads");
    const auto besides = words.accept("besides") ? on.find_all(words.take_list("a node"))
                                                 : std::vector<member_id>{};
    return [&run, besides] {
      const auto id = run.leader();
      return id && !contains(besides, id);
    };
  }
  if (words.accept("settled"))
    return [&run] { return run.settled(); };
  if (words.accept("rest"))
    return [&run] { return unrest(run).empty(); };
  if (words.accept("all")) {
    words.require("answered");
    return [&run] { return run.open_calls() == 0; };
  }
  if (words.accept("same"))
    return read_same(words, on);
  if (is_list(words.peek()))
    return read_list(words, on, std::nullopt);
  if (on.calls.contains(std::string{words.peek()}))
    return read_call(words, on);
  return read_node(words, on);
}

} // namespace detail

/// What holds or does not, in one or several parts.
class script_condition {
public:
  explicit script_condition(std::vector<detail::condition_part> parts) : parts_{std::move(parts)} {}

  [[nodiscard]] bool operator()() const {
    return std::ranges::all_of(parts_, [](const auto& part) { return part.holds(); });
  }

  /// The parts that do not hold at the moment.
  [[nodiscard]] std::string complaint() const {
    std::string text;
    for (const auto& part : parts_)
      if (!part.holds())
        text += (text.empty() ? "" : ", and ") + part.complaint();
    return text;
  }

private:
  std::vector<detail::condition_part> parts_;
};

/// Reads a condition, or several with `and` between them.
inline script_condition read_condition(script_words& words, script_stage& on) {
  std::vector<detail::condition_part> parts;
  do {
    const auto since = words.read();
    if (detail::compares(words.peek(1)))
      parts.push_back(detail::read_comparison_of(words, on));
    else
      parts.push_back({.text = {}, .holds = detail::read_one(words, on)});
    parts.back().text = words.text(since);
  } while (words.accept("and"));
  return script_condition{std::move(parts)};
}

} // namespace understudy::testing
