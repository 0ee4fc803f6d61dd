// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a script does to links and messages. Of several rules about one message the oldest decides;
/// what is watched or counted has not been taken by an older one.

#include <understudy/core/ids.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/testing/message_text.hpp>
#include <understudy/testing/network.hpp>
#include <understudy/testing/script_rules.hpp>
#include <understudy/testing/script_stage.hpp>
#include <understudy/testing/script_words.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace understudy::testing::detail {

inline void partition(script_words& words, script_stage& on) {
  std::vector<std::vector<member_id>> sides(1);
  for (const auto& name : words.take_list("a node")) {
    if (name == "|")
      sides.emplace_back();
    else
      sides.back().push_back(on.find(name));
  }
  if (std::ranges::any_of(sides, [](const auto& side) { return side.empty(); }))
    throw bad_script{"a side of the partition is empty"};
  on.run().partition(sides);
}

/// Does something to every link from one of the first side to one of the second.
template <class F> void each_link(script_words& words, script_stage& on, F&& f) {
  auto& run = on.run();
  do {
    const auto [from, to] = read_link(words.take("a link"), on);
    for (const auto a : from.value_or(run.nodes()))
      for (const auto b : to.value_or(run.nodes()))
        if (a != b)
          f(a, b);
  } while (!words.done());
}

inline void cut(script_words& words, script_stage& on) {
  each_link(words, on, [&](member_id a, member_id b) { on.run().net().cut(a, b); });
}

inline void mend(script_words& words, script_stage& on) {
  each_link(words, on, [&](member_id a, member_id b) { on.run().net().mend(a, b); });
}

inline void heal(script_words&, script_stage& on) {
  on.run().heal();
}

template <network::rule_id (network::*Add)(network::predicate)>
void add_rule(script_words& words, script_stage& on) {
  auto about = read_messages(words, on);
  const auto name = words.accept("as") ? words.take("a name for the rule") : std::string{};
  if (on.rules.contains(name))
    throw bad_script{"there is a rule " + name + " already"};
  const auto rule = (on.run().net().*Add)(std::move(about));
  if (!name.empty())
    on.rules.emplace(name, rule);
}

inline void lift(script_words& words, script_stage& on) {
  const auto known = on.rules.find(words.take("the name of a rule"));
  if (known == on.rules.end())
    throw bad_script{"there is no such rule"};
  on.run().net().lift(known->second);
  on.rules.erase(known);
}

inline void release(script_words& words, script_stage& on) {
  on.run().release(read_messages(words, on));
}

/// Sees messages and lets them pass: a rule to drop them that never says yes.
template <class See> void look_on(script_stage& on, network::predicate about, See see) {
  on.run().net().drop([about = std::move(about), see = std::move(see)](member_id from, member_id to,
                                                                       const peer_message& what) {
    if (about(from, to, what))
      see(from, to, what);
    return false;
  });
}

inline void watch(script_words& words, script_stage& on) {
  look_on(on, read_messages(words, on),
          [&on](member_id from, member_id to, const peer_message& what) {
            const auto seen = summary_of(what);
            auto line = on.run().name_of(from) + " -> " + on.run().name_of(to) + "  "
                        + std::string{seen.name};
            for (std::size_t i = 0; i < seen.labels.size() && !seen.labels[i].empty(); ++i)
              line += " " + std::string{seen.labels[i]} + "=" + std::to_string(seen.values[i]);
            on.watched.push_back(std::move(line));
          });
}

inline void count(script_words& words, script_stage& on) {
  auto about = read_messages(words, on);
  words.require("as");
  const auto name = read_number_name(words);
  const auto total = std::make_shared<std::uint64_t>(0);
  on.counted[name] = total;
  look_on(on, std::move(about), [total](member_id, member_id, const peer_message&) { ++*total; });
}

/// A message that its sender never sent: that it is the receiver's turn to lead, in the sender's
/// term, or that the sender leads in the receiver's.
inline void forge(script_words& words, script_stage& on) {
  const auto kind = words.take("a kind of message");
  if (kind != "timeout_now" && kind != "append_entries")
    throw bad_script{kind + " can not be forged; timeout_now and append_entries can"};
  const auto [from, to] = read_link(words.take("a link"), on);
  if (!from || from->size() != 1 || !to || to->size() != 1)
    throw bad_script{"a forged message goes from one node to one other"};
  auto& run = on.run();
  const auto whose = kind == "timeout_now" ? from->front() : to->front();
  if (!contains(run.nodes(), whose))
    throw bad_script{"the node whose term is forged does not run"};
  const auto term = run.look(whose).vote.term;
  if (kind == "timeout_now")
    run.forge(from->front(), to->front(), timeout_now{term});
  else
    run.forge(from->front(), to->front(), append_entries{term});
}

} // namespace understudy::testing::detail
