// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a script can do to a cluster, and what it can demand of it.
///
/// | to start and end nodes | |
/// | --- | --- |
/// | `options NAME=VALUE...` | before the first node; script_options.hpp |
/// | `nodes N` | `a` founds, `b`, `c` ... enter, each when the one before is at rest |
/// | `found NAME [seeds NODE...]` | |
/// | `enter NAME... [seeds NODE...]` | several at one moment; else all that run are seeds |
/// | `client NAME...` | callers outside the cluster |
/// | `crash`, `restart NODE...` | with `durable=1` `a` comes back as `a`, else as `a.2` |
/// | `wipe NODE...` | its disk is lost, so it comes back as another |
/// | `pause`, `resume NODE...` | |
/// | `hang NODE TIME` | its disk does nothing for so long |
/// | `fill`, `free NODE...` | its disk has no room for anything but ballots; has room again |
/// | `leave NODE... [within TIME]` | as its operator would have it |
///
/// | links and messages (script_rules.hpp) | |
/// | --- | --- |
/// | `partition NODE... \| NODE...`, `heal` | instead of any earlier partition |
/// | `cut A>B`, `mend A>B` | one way; `A,B>*` is several links |
/// | `drop`, `hold`, `duplicate MESSAGES [as NAME]`, `lift NAME` | rules |
/// | `release MESSAGES` | lets what is held go on |
/// | `watch MESSAGES`, `count MESSAGES as NAME` | to show them, or how many there were |
/// | `forge timeout_now A>B`, `forge append_entries A>B` | which A never sent |
///
/// | calls and orders | |
/// | --- | --- |
/// | `submit NODE [as NAME] [times N]` | one more for the tally; does not wait |
/// | `write NODE [times N]` | likewise, and waits for each |
/// | `query NODE as NAME` | what the tally is, linearizably |
/// | `evict`, `pin`, `unpin`, `transfer NODE at NODE` | orders of an operator |
/// | `settings NAME=VALUE... at NODE` | likewise |
/// | `change voters NODE... at NODE` | asks the leader's raft core, past its plan |
///
/// | time and outcome (script_conditions.hpp, script_numbers.hpp) | |
/// | --- | --- |
/// | `run TIME [while CONDITION]` | |
/// | `wait CONDITION [within TIME]` | within a minute, if nothing is said |
/// | `expect CONDITION` | at this moment |
/// | `remember NAME = NUMBER` | for later conditions |
/// | `check` | compares all logs and states with each other |
/// | `show WHAT` | what comes is recorded below it; script_shows.hpp |

#include <understudy/core/ids.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/roster_change.hpp>
#include <understudy/core/time.hpp>
#include <understudy/testing/rest.hpp>
#include <understudy/testing/script_conditions.hpp>
#include <understudy/testing/script_network.hpp>
#include <understudy/testing/script_numbers.hpp>
#include <understudy/testing/script_options.hpp>
#include <understudy/testing/script_stage.hpp>
#include <understudy/testing/script_words.hpp>
#include <understudy/testing/workload.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::testing {

/// The cluster did not do what the script expects; says what was not so.
class expectation_failed : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

namespace detail {

/// How long a script waits for what it does not say within which time.
inline constexpr interval script_patience = std::chrono::minutes{1};

// -- nodes and clients ----------------------------------------------------------------------------

inline void set_options(script_words& words, script_stage& on) {
  auto& setup = on.setup();
  do {
    const auto [name, value] = words.take_setting();
    set_option(setup, name, value);
  } while (!words.done());
  check_setup(setup);
}

/// Waits for something that comes by itself.
template <class Done> void until(script_stage& on, Done done, const std::string& what) {
  if (!on.run().run_until(done, script_patience))
    throw expectation_failed{what};
}

inline void start_nodes(script_words& words, script_stage& on) {
  constexpr std::uint64_t letters = 26;
  const auto count = words.take_count("number of nodes");
  if (count > letters)
    throw bad_script{"there are letters for " + std::to_string(letters) + " nodes"};
  auto& run = on.run();
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    on.add(i == 0 ? run.found(name) : run.enter(name));
    until(
        on, [&run] { return unrest(run).empty(); }, name + " does not come to rest");
  }
}

inline std::vector<member_id> take_seeds(script_words& words, script_stage& on) {
  return words.accept("seeds") ? on.find_all(words.take_list("a seed")) : std::vector<member_id>{};
}

inline void check_new(const script_stage& on, const std::string& name) {
  if (on.knows(name))
    throw bad_script{"there is a " + name + " already; restart starts it again"};
  if (name.find_first_of(".,>|*=\"") != std::string::npos)
    throw bad_script{name + " is no name"};
}

inline void found(script_words& words, script_stage& on) {
  const auto name = words.take("a name");
  check_new(on, name);
  on.add(on.run().found(name, take_seeds(words, on)));
}

inline void enter(script_words& words, script_stage& on) {
  const auto names = words.take_list("a name");
  const auto seeds = take_seeds(words, on);
  for (const auto& name : names) {
    check_new(on, name);
    if (seeds.empty() && on.run().nodes().empty())
      throw bad_script{name + " has nobody to ask"};
    on.add(on.run().enter(name, seeds));
  }
}

inline void add_clients(script_words& words, script_stage& on) {
  for (const auto& name : words.take_list("a name")) {
    check_new(on, name);
    on.add_client(on.run().add_client(name));
  }
}

/// Does something to each of the nodes that a command names.
template <class F> void each_node(script_words& words, script_stage& on, F&& f) {
  for (const auto& name : words.take_list("a node"))
    f(on.node(name));
}

inline void crash(script_words& words, script_stage& on) {
  each_node(words, on, [&](member_id id) { on.run().crash(id); });
}

inline void restart(script_words& words, script_stage& on) {
  for (const auto& name : words.take_list("a node")) {
    const auto id = on.find_node(name);
    if (!on.run().sleeps(id)
        && std::ranges::all_of(on.run().nodes(), [id](member_id other) { return other == id; }))
      throw bad_script{name + " has nobody to ask when it starts again"};
    on.add(on.run().restart(id));
  }
}

inline void wipe(script_words& words, script_stage& on) {
  for (const auto& name : words.take_list("a node")) {
    const auto id = on.find_node(name);
    if (on.run().runs(id))
      throw bad_script{name + " runs: its disk can be wiped when it has crashed"};
    on.run().wipe(id);
  }
}

inline void pause(script_words& words, script_stage& on) {
  each_node(words, on, [&](member_id id) { on.run().pause(id); });
}

inline void resume(script_words& words, script_stage& on) {
  each_node(words, on, [&](member_id id) { on.run().resume(id); });
}

inline void hang(script_words& words, script_stage& on) {
  const auto id = on.node(words.take("a node"));
  on.run().stall(id, place_of::writer, words.take_time());
}

template <bool Full> void fill(script_words& words, script_stage& on) {
  for (const auto& name : words.take_list("a node"))
    on.run().fill_disk(on.find_node(name), Full);
}

inline void leave(script_words& words, script_stage& on) {
  const auto names = words.take_list("a node");
  const auto limit = words.accept("within") ? words.take_time() : interval{};
  for (const auto& name : names)
    on.run().leave(on.node(name), limit);
}

// -- calls and orders -----------------------------------------------------------------------------

inline void name_call(script_words& words, script_stage& on, ticket id) {
  const auto name = words.take("a name for the call");
  if (on.knows(name) || !on.calls.emplace(name, id).second)
    throw bad_script{"there is a " + name + " already"};
}

inline void submit(script_words& words, script_stage& on) {
  auto& run = on.run();
  const auto at = on.running(words.take("a node"));
  if (words.accept("as"))
    return name_call(words, on, run.submit(at, tally::bump{.who = 1}));
  const auto times = words.accept("times") ? words.take_count("number of times") : 1;
  for (std::uint64_t i = 0; i < times; ++i)
    run.submit(at, tally::bump{.who = 1});
}

inline void ask(script_words& words, script_stage& on) {
  const auto at = on.running(words.take("a node"));
  words.require("as");
  name_call(words, on, on.run().ask(at, tally::count{.who = 1}));
}

inline void write(script_words& words, script_stage& on) {
  auto& run = on.run();
  const auto at = on.running(words.take("a node"));
  const auto times = words.accept("times") ? words.take_count("number of times") : 1;
  for (std::uint64_t i = 0; i < times; ++i) {
    const auto id = run.submit(at, tally::bump{.who = 1});
    until(
        on, [&] { return run.answer(id).has_value(); }, "the write is not answered");
    if (const auto got = run.answer(id); !*got)
      throw expectation_failed{"the write fails: " + std::string{to_string(got->error().code)}};
  }
}

inline void give_order(script_words& words, script_stage& on, order what) {
  words.require("at");
  on.run().give_order(on.node(words.take("a node")), std::move(what));
}

inline void evict(script_words& words, script_stage& on) {
  const auto who = on.find(words.take("a node"));
  give_order(words, on, mark_member{.who = who, .status = standing::evicted});
}

template <bool Pinned> void pin(script_words& words, script_stage& on) {
  const auto who = on.find(words.take("a node"));
  give_order(words, on, pin_member{.who = who, .pinned = Pinned});
}

inline void transfer(script_words& words, script_stage& on) {
  const auto to = on.find(words.take("a node"));
  give_order(words, on, transfer_leadership{.to = to});
}

inline void change_settings(script_words& words, script_stage& on) {
  auto changed = words;
  while (!words.done() && words.peek() != "at")
    static_cast<void>(words.take_setting());
  words.require("at");
  const auto at = on.node(words.take("a node"));
  const auto* in = newest(on.run(), at);
  if (!in)
    throw bad_script{"the node at which settings are changed knows none yet"};
  auto rules = in->rules;
  do {
    const auto [name, value] = changed.take_setting();
    set_rule(rules, name, value);
  } while (changed.peek() != "at");
  refuse(complaints(rules));
  on.run().give_order(at, set_rules{.rules = rules});
}

inline void change_voters_at(script_words& words, script_stage& on) {
  words.require("voters");
  auto voters = on.find_all(words.take_list("a node"));
  words.require("at");
  const auto at = on.node(words.take("a node"));
  auto& run = on.run();
  run.tell(at, change_voters{.base = run.look(at).newest.index,
                             .voters = std::move(voters),
                             .id = ticket{1}});
}

// -- time and expectations ------------------------------------------------------------------------

inline void remember(script_words& words, script_stage& on) {
  const auto name = read_number_name(words);
  words.require("=");
  on.remembered[name] = read_number(words, on)();
}

inline void run(script_words& words, script_stage& on) {
  const auto time = words.take_time();
  if (!words.accept("while"))
    return on.run().run_for(time);
  const auto holds = read_condition(words, on);
  words.end();
  const auto end = on.run().now() + time;
  if (on.run().run_until([&] { return !holds(); }, time))
    throw expectation_failed{"it does not stay so: " + holds.complaint()};
  on.run().run_for(end - on.run().now());
}

inline void wait(script_words& words, script_stage& on) {
  const auto done = read_condition(words, on);
  const auto limit = words.accept("within") ? words.take_time() : script_patience;
  words.end();
  if (!on.run().run_until(done, limit))
    throw expectation_failed{"it does not come to be: " + done.complaint()};
}

inline void expect(script_words& words, script_stage& on) {
  const auto holds = read_condition(words, on);
  words.end();
  if (!holds())
    throw expectation_failed{"it is not so: " + holds.complaint()};
}

inline void check(script_words&, script_stage& on) {
  on.run().check_all();
}

struct command_row {
  std::string_view name;
  void (*carry_out)(script_words&, script_stage&);
};

inline constexpr command_row command_rows[]{
    {"options", set_options},
    {"nodes", start_nodes},
    {"found", found},
    {"enter", enter},
    {"client", add_clients},
    {"crash", crash},
    {"restart", restart},
    {"wipe", wipe},
    {"pause", pause},
    {"resume", resume},
    {"hang", hang},
    {"fill", fill<true>},
    {"free", fill<false>},
    {"leave", leave},
    {"partition", partition},
    {"cut", cut},
    {"mend", mend},
    {"heal", heal},
    {"drop", add_rule<&network::drop>},
    {"hold", add_rule<&network::hold>},
    {"duplicate", add_rule<&network::duplicate>},
    {"lift", lift},
    {"release", release},
    {"watch", watch},
    {"count", count},
    {"forge", forge},
    {"submit", submit},
    {"query", ask},
    {"write", write},
    {"evict", evict},
    {"pin", pin<true>},
    {"unpin", pin<false>},
    {"transfer", transfer},
    {"settings", change_settings},
    {"change", change_voters_at},
    {"remember", remember},
    {"run", run},
    {"wait", wait},
    {"expect", expect},
    {"check", check},
};

inline const command_row* command_named(std::string_view name) {
  const auto* row = std::ranges::find(command_rows, name, &command_row::name);
  return row == std::end(command_rows) ? nullptr : row;
}

} // namespace detail

/// Whether scripts have this command, besides `show`.
[[nodiscard]] inline bool is_command(std::string_view name) {
  return detail::command_named(name) != nullptr;
}

/// Carries out a command of `is_command`. Throws `bad_script` if it can not be carried out as it is
/// written, and `expectation_failed` if it demands what is not so.
inline void carry_out(std::string_view name, script_words& words, script_stage& on) {
  detail::command_named(name)->carry_out(words, on);
  words.end();
}

} // namespace understudy::testing
