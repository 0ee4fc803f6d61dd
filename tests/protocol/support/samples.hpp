// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// One message of each kind, with something in every field.

#include <understudy/core/messages.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace protocol_samples {

using namespace understudy;

inline member some_member(std::uint64_t id) {
  return {.id = {id},
          .name = "n" + std::to_string(id),
          .address = "10.0.0.1:7000",
          .start = id * 1'000,
          .entered = {id},
          .status = standing::leaving,
          .pinned = true,
          .durable = true,
          .protocol_version = 1,
          .machine_version = 7};
}

inline configuration_ptr some_configuration() {
  auto made = std::make_shared<configuration>();
  made->cluster = {0x1122334455667788};
  made->rules.max_voters = 3;
  made->members = {some_member(1), some_member(2), some_member(3)};
  made->voters = {{1}, {2}};
  made->outgoing = {{1}, {2}, {3}};
  made->departed = {{{9}, {40}}};
  made->forgotten = {30};
  return made;
}

/// One of each content.
inline std::vector<entry> some_entries() {
  const auto e = [](std::uint64_t index, auto what) {
    return entry{{index}, {4}, {interval{static_cast<std::int64_t>(index) * 100}}, share(what)};
  };
  return {e(50, no_op{}),
          e(51, command{.session = {3}, .number = {8}, .answered_below = {6}, .body = bytes{"do"}}),
          e(52, some_configuration()),
          e(53, open_session{}),
          e(54, close_session{{3}}),
          e(55, settle{{3}, {9}}),
          e(56, expire_sessions{})};
}

inline snapshot_chunk some_chunk() {
  return {.key = {{{70}, {4}}, 0xabcdef},
          .stamp = {interval{123}},
          .members = {{52}, some_configuration()},
          .size = 1'000,
          .offset = 400,
          .data = bytes{"a piece of it"}};
}

inline std::vector<peer_message> of_the_core() {
  return {
      request_vote{.term = {5},
                   .round = round::pre_vote,
                   .last = {{7}, {4}},
                   .entered = {2},
                   .by_transfer = true},
      vote_reply{.term = {5}, .round = round::vote, .asked = {6}, .verdict = verdict::hears_leader},
      append_entries{.term = {5},
                     .previous = {{49}, {3}},
                     .entries = some_entries(),
                     .commit = {48},
                     .stream = {11},
                     .attempt = {12},
                     .read_round = {13}},
      append_reply{.term = {5},
                   .accepted = true,
                   .match = {56},
                   .hint = {{40}, {2}},
                   .stream = {11},
                   .attempt = {12},
                   .read_round = {13},
                   .unfit = true},
      install_snapshot{.term = {5}, .chunk = some_chunk(), .stream = {11}},
      snapshot_reply{.term = {5},
                     .key = {{{70}, {4}}, 0xabcdef},
                     .received = 413,
                     .done = true,
                     .stream = {11}},
      timeout_now{.term = {5}},
      pull_request{.cluster = {77},
                   .ask = {14},
                   .from = {{49}, {3}},
                   .wait = interval{500},
                   .bytes_max = 1'000,
                   .resume = {{{70}, {4}}, 0xabcdef},
                   .received = 413},
      pull_reply{.ask = {14},
                 .verdict = pull_verdict::snapshot,
                 .previous = {{49}, {3}},
                 .entries = some_entries(),
                 .commit = {48},
                 .chunk = some_chunk(),
                 .term = {5},
                 .leader = {2},
                 .leader_silent = interval{9}},
  };
}

inline std::vector<peer_message> of_the_others() {
  return {
      census_request{.founding = true},
      census_reply{.cluster = {77},
                   .members = 3,
                   .leader = {2},
                   .leader_address = "10.0.0.2:7000",
                   .founding = true,
                   .committed = {52}},
      enter_request{.cluster = {77}, .newcomer = some_member(4), .since = {52}},
      enter_reply{.code = errc::not_leader,
                  .detail = "ask another",
                  .roster = {{52}, some_configuration()},
                  .leader = {2},
                  .leader_address = "10.0.0.2:7000"},
      seat_request{.last = {{56}, {4}}},
      presence{},
      order_request{.id = {15}, .what = mark_member{{3}, standing::evicted}},
      order_reply{.id = {15}, .result = fail(errc::busy, "a change is under way", {2})},
      requests{.forwarded = true,
               .batch = {{{16}, command{{3}, {8}, {6}, bytes{"do"}}, interval{1'000}},
                         {{17}, query{bytes{"ask"}, consistency::session, {52}, interval{5}}, {}},
                         {{18}, open_session{}, {}},
                         {{19}, close_session{{3}}, {}},
                         {{20}, settle{{3}, {9}}, {}}}},
      answers{
          .batch
          = {{.id = {16}, .result = reply{bytes{"done"}, {51}, 2, interval{4}}},
             {.id = {17}, .result = fail(errc::overloaded, "later"), .retry_after = interval{7}}}},
  };
}

/// In which a later version of the machine is used.
inline configuration_ptr configuration_of_version_2() {
  auto made = *some_configuration();
  made.machine_version = 2;
  return std::make_shared<const configuration>(std::move(made));
}

/// What later changes have made possible.
inline std::vector<peer_message> of_later() {
  return {
      order_request{.id = {21}, .what = set_rules{{.lease_ms = 100}}},
      order_request{.id = {22}, .what = declare_versions{{3}, 1, 2}},
      order_request{.id = {23}, .what = use_machine_version{2}},
      enter_reply{.roster = {{52}, configuration_of_version_2()}},
  };
}

inline std::vector<peer_message> of_version_1() {
  auto some = of_the_core();
  for (auto& more : of_the_others())
    some.push_back(std::move(more));
  for (auto& more : of_later())
    some.push_back(std::move(more));
  return some;
}

/// What version 2 has added.
inline std::vector<peer_message> of_version_2() {
  return {
      members_request{.cluster = {77}, .known = {52}},
      members_reply{.cluster = {77}, .index = {53}, .members = {{{2}, "10.0.0.2:7000"}, {{3}, ""}}},
  };
}

inline std::vector<peer_message> all() {
  auto some = of_version_1();
  for (auto& more : of_version_2())
    some.push_back(std::move(more));
  return some;
}

} // namespace protocol_samples
