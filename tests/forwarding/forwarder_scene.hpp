// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/forwarding/forwarder.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

/// A stage for one forwarder.
namespace forwarder_stage {

using namespace understudy;
using namespace std::chrono_literals;

inline constexpr member_id self{100};
inline constexpr member_id a{1}, b{2}, outsider{9};

inline placed_configuration placed(std::uint64_t index, std::vector<member> members,
                                   settings rules = {}, std::vector<member_id> voters = {}) {
  configuration content{
      .cluster = {77}, .rules = rules, .members = std::move(members), .voters = std::move(voters)};
  return {log_index{index}, std::make_shared<const configuration>(std::move(content))};
}

/// A forwarder with all its siblings and peers played by hand.
struct forwarder_scene {
  forwarder_options options = {};
  node_life life = node_life::first;
  settings rules = {};
  forwarder it{self, options, random_source{1}, life};
  instant now{100s};
  outbox out = {};

  template <class N> void notice(N n) {
    it.on(n, now, out);
    it.settle(now, out);
  }

  void view(core_view v) {
    v.leader_heard = v.fresh_at = now;
    if (!v.committed.content)
      v.committed = placed(5, {{.id = self, .entered = {4}}}, rules);
    v.newest = v.committed;
    notice(v);
  }

  void leads(std::uint64_t term = 3) {
    view({.term = {term}, .leader = self, .leads = true, .term_committed = true});
  }

  void follows(member_id leader, std::uint64_t term = 3) {
    view({.term = {term}, .leader = leader});
  }

  void call(std::uint64_t id, request_body body, interval patience = 10s) {
    notice(local_call{{id}, std::move(body), now + patience});
  }

  void request_from(member_id from, requests m) {
    it.on(from, m, now, out);
    it.settle(now, out);
  }

  void answer_from(member_id from, ticket id, expected<reply> result, interval retry = 0ms) {
    answers m{{{id, std::move(result), retry}}};
    it.on(from, m, now, out);
    it.settle(now, out);
  }

  void pass(interval time) {
    now += time;
    out.wake_at.reset();
    it.wake(now, out);
    it.settle(now, out);
  }

  template <class T> std::vector<T> told() {
    std::vector<T> found;
    for (auto& n : out.notices)
      if (auto* t = std::get_if<T>(&n))
        found.push_back(std::move(*t));
    std::erase_if(out.notices, [](auto& n) { return std::holds_alternative<T>(n); });
    return found;
  }

  template <class T> std::vector<T> sent(member_id to) {
    std::vector<T> found;
    for (auto& l : out.letters)
      if (auto* t = std::get_if<T>(&l.what); t && l.to == to)
        found.push_back(std::move(*t));
    std::erase_if(out.letters,
                  [&](auto& l) { return std::holds_alternative<T>(l.what) && l.to == to; });
    return found;
  }

  /// The only request sent to `to`.
  request forwarded(member_id to) {
    const auto messages = sent<requests>(to);
    REQUIRE(messages.size() == 1);
    REQUIRE(messages[0].batch.size() == 1);
    CHECK(messages[0].forwarded);
    return messages[0].batch[0];
  }

  propose proposal() {
    const auto all = told<propose>();
    REQUIRE(all.size() == 1);
    return all[0];
  }

  void applied(std::uint64_t index, expected<bytes> result = bytes{"done"}) {
    notice(applied_outcomes{{{{index}, std::move(result)}}, 3});
  }

  expected<reply> answer_to(std::uint64_t id) {
    const auto all = told<local_answer>();
    REQUIRE(all.size() == 1);
    CHECK(all[0].id == ticket{id});
    return all[0].result;
  }

  bool silent() const { return out.letters.empty() && out.notices.empty(); }
};

inline errc code_of(const expected<reply>& r) {
  return r ? errc::none : r.error().code;
}

inline command portable(std::uint64_t session, std::uint64_t number, std::string_view data = "x") {
  return {{session}, {number}, {}, bytes{data}};
}

inline requests from_client(std::vector<request> batch) {
  return {false, std::move(batch)};
}

inline requests from_node(std::vector<request> batch) {
  return {true, std::move(batch)};
}

} // namespace forwarder_stage
