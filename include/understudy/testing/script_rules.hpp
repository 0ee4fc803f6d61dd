// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Which messages a script means: `append_entries,install_snapshot a,b>* with joint where term =
/// 2`.

#include <understudy/core/configuration.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/testing/membership_rules.hpp>
#include <understudy/testing/message_text.hpp>
#include <understudy/testing/network.hpp>
#include <understudy/testing/script_numbers.hpp>
#include <understudy/testing/script_stage.hpp>
#include <understudy/testing/script_words.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace understudy::testing {

namespace detail {

/// Every kind of message as a trace shows it, with the labels of its numbers.
[[nodiscard]] inline std::vector<summary> message_kinds() {
  std::vector<summary> kinds;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (kinds.push_back(summary_of(peer_message{std::in_place_index<I>})), ...);
  }(std::make_index_sequence<std::variant_size_v<peer_message>>{});
  kinds.push_back(summary_of(peer_message{request_vote{.term = {}, .round = round::pre_vote}}));
  kinds.push_back(summary_of(peer_message{vote_reply{.term = {}, .round = round::pre_vote}}));
  kinds.push_back(summary_of(peer_message{append_reply{.term = {}, .accepted = true}}));
  return kinds;
}

[[nodiscard]] inline std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  while (true) {
    const auto end = std::min(text.find(at), text.size());
    parts.emplace_back(text.substr(0, end));
    if (end == text.size())
      return parts;
    text.remove_prefix(end + 1);
  }
}

/// A side of a link; none: everybody.
using link_side = std::optional<std::vector<member_id>>;

/// `a,b>*`: from whom, and to whom.
[[nodiscard]] inline std::pair<link_side, link_side> read_link(const std::string& word,
                                                               script_stage& on) {
  const auto sides = split(word, '>');
  if (sides.size() != 2)
    throw bad_script{word + " is no link, such as a>b or *>a,b"};
  const auto side = [&](const std::string& names) {
    return names == "*" ? link_side{} : link_side{on.find_all(split(names, ','))};
  };
  return {side(sides[0]), side(sides[1])};
}

/// A number of a message, and what it is to be.
struct message_number {
  std::string label;
  script_comparison holds;
  std::int64_t value;

  [[nodiscard]] bool operator()(const summary& of) const {
    const auto* at = std::ranges::find(of.labels, label);
    return at != of.labels.end()
           && holds(static_cast<std::int64_t>(
                        of.values[static_cast<std::size_t>(std::distance(of.labels.begin(), at))]),
                    value);
  }
};

/// What entries may carry.
enum class cargo : std::uint8_t { any, configuration, joint, commands };

[[nodiscard]] inline bool carries(const entry& e, cargo what) {
  if (what == cargo::commands)
    return e.as<command>() != nullptr;
  const auto* in = e.as<configuration_ptr>();
  return in && (what == cargo::configuration || (*in)->joint());
}

/// The messages of some kinds, between some nodes, with some content.
struct message_filter {
  std::vector<std::string> kinds = {}; ///< none: all
  link_side from = {};
  link_side to = {};
  enum cargo cargo = cargo::any;
  std::vector<message_number> numbers = {};

  [[nodiscard]] bool operator()(member_id sender, member_id receiver,
                                const peer_message& what) const {
    if ((from && !contains(*from, sender)) || (to && !contains(*to, receiver)))
      return false;
    const auto seen = summary_of(what);
    if (!kinds.empty() && std::ranges::find(kinds, seen.name) == kinds.end())
      return false;
    if (cargo != cargo::any) {
      const auto* m = std::get_if<append_entries>(&what);
      if (!m || std::ranges::none_of(m->entries, [&](const entry& e) { return carries(e, cargo); }))
        return false;
    }
    return std::ranges::all_of(numbers, [&](const message_number& n) { return n(seen); });
  }
};

inline std::vector<std::string> read_kinds(const std::string& word) {
  if (word == "any")
    return {};
  auto kinds = split(word, ',');
  const auto known = message_kinds();
  for (const auto& kind : kinds)
    if (std::ranges::find(known, kind, &summary::name) == known.end())
      throw bad_script{"there is no message " + kind};
  return kinds;
}

inline message_number read_message_number(script_words& words, script_stage& on,
                                          const std::vector<std::string>& kinds) {
  const auto label = words.take("the name of a number");
  bool known_to_any = false;
  for (const auto& known : message_kinds()) {
    const bool has = std::ranges::find(known.labels, label) != known.labels.end();
    known_to_any = known_to_any || has;
    if (!has && std::ranges::find(kinds, known.name) != kinds.end())
      throw bad_script{std::string{known.name} + " has no " + label};
  }
  if (!known_to_any)
    throw bad_script{"no message has a number " + label};
  const auto holds = read_comparison(words);
  return {label, holds, read_number(words, on)()};
}

} // namespace detail

/// Reads which messages are meant: the kinds, then a link, `with` what and `where` what holds, all
/// but the kinds as wanted.
inline network::predicate read_messages(script_words& words, script_stage& on) {
  detail::message_filter filter{.kinds = detail::read_kinds(words.take("a kind of message"))};
  if (words.peek().find('>') != std::string_view::npos)
    std::tie(filter.from, filter.to) = detail::read_link(words.take("a link"), on);
  if (words.accept("with")) {
    const auto what = words.take("joint, configuration or commands");
    filter.cargo = what == "joint"           ? detail::cargo::joint
                   : what == "configuration" ? detail::cargo::configuration
                   : what == "commands"      ? detail::cargo::commands
                                             : detail::cargo::any;
    if (filter.cargo == detail::cargo::any)
      throw bad_script{what + " is neither joint, configuration nor commands"};
  }
  if (words.accept("where"))
    do
      filter.numbers.push_back(detail::read_message_number(words, on, filter.kinds));
    while (words.accept("and"));
  return filter;
}

} // namespace understudy::testing
