// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a raft core asks of its log store, at random: everything that it may ask, and nothing else.

#include <understudy/core/configuration.hpp>
#include <understudy/core/digest.hpp>
#include <understudy/core/entry.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/core/snapshot.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/store_model.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace understudy::testing {

/// What a workload has asked for so far.
struct workload_counts {
  std::size_t truncations = 0;
  std::size_t snapshots = 0; ///< of the store's own log
  std::size_t installs = 0;  ///< of another one
  std::size_t terms = 0;
};

/// Draws writes one after the other, for a store of the node `self`. What is committed is never
/// truncated.
class store_workload {
public:
  explicit store_workload(std::uint64_t seed, member_id self = {7},
                          std::size_t body_bytes_max = 300)
      : self_{self}, random_{seed}, body_bytes_max_{body_bytes_max} {}

  /// The next write; the model has it already.
  store_write next() {
    auto what = draw();
    what.write = (generation_ = generation_.next());
    model_.write(what);
    return what;
  }

  /// Tells the model what somebody else tells the store.
  void also(const store_write& what) { model_.write(what); }

  /// Another process has found this in the store, and goes on from there.
  void go_on_from(const recovered_state& found) {
    model_.go_on_from(found);
    committed_ = std::clamp(committed_, found.base ? found.base->at.index : log_index{},
                            model_.now().last().index);
  }

  [[nodiscard]] const store_model& model() const { return model_; }
  [[nodiscard]] const workload_counts& counts() const { return counts_; }

private:
  store_write draw() {
    const auto last = model_.now().last();
    if (last.index.value == 0)
      return {.entries = {first_entry()}, .vote = ballot{term_ = {1}, self_}};
    committed_ = {random_.between(committed_.value, last.index.value)};
    switch (random_.below(24)) {
    case 0:
      ++counts_.terms;
      term_ = term_.next();
      return {.vote = ballot{term_, {random_.below(3)}}};
    case 1:
      return {.vote = ballot{term_, self_}};
    case 2:
    case 3:
      return cut_back(last);
    case 4:
      return own_snapshot();
    case 5:
      return random_.chance(0.5) ? foreign_snapshot(last) : own_snapshot();
    default:
      return {.entries = entries_behind(last.index)};
    }
  }

  store_write cut_back(log_position last) {
    if (last.index == committed_)
      return {.entries = entries_behind(last.index)};
    ++counts_.truncations;
    ++counts_.terms;
    term_ = term_.next();
    const log_index keep{random_.between(committed_.value, last.index.value - 1)};
    return {.keep = keep, .entries = entries_behind(keep), .vote = ballot{term_, {}}};
  }

  store_write own_snapshot() {
    const auto found = model_.now().recover();
    const auto at = std::ranges::find(found->entries, committed_, &entry::index);
    if (at == found->entries.end())
      return {.entries = entries_behind(model_.now().last().index)};
    ++counts_.snapshots;
    return {.base = image_at(at->position())};
  }

  store_write foreign_snapshot(log_position last) {
    ++counts_.installs;
    term_ = term_.next();
    committed_ = last.index + random_.between<std::uint64_t>(1, 9);
    store_write what{.base = image_at({committed_, term_}), .vote = ballot{term_, {}}};
    if (counts_.installs % 2 == 1) // as the raft core says it; the store sees it by itself
      what.keep = committed_;
    if (random_.chance(0.5))
      what.entries = entries_behind(committed_);
    return what;
  }

  [[nodiscard]] configuration_ptr members() const {
    configuration made{.cluster = {77}, .voters = {self_}};
    made.members.push_back({.id = self_, .name = "a", .entered = {1}});
    return std::make_shared<configuration>(std::move(made));
  }

  [[nodiscard]] entry first_entry() const { return {{1}, {1}, {}, share(members())}; }

  std::shared_ptr<const snapshot> image_at(log_position at) {
    auto made = std::make_shared<snapshot>();
    made->at = at;
    made->members = {{1}, members()};
    made->image = bytes{body(4'000)};
    made->digest = digest_of(made->image.view());
    return made;
  }

  std::vector<entry> entries_behind(log_index before) {
    std::vector<entry> all;
    for (auto left = random_.between(1, 4); left > 0; --left) {
      before = before.next();
      all.push_back({before, term_, {}, share(content())});
    }
    return all;
  }

  payload content() {
    switch (random_.below(12)) {
    case 0:
      return no_op{};
    case 1:
      return open_session{};
    case 2:
      return close_session{{random_.next()}};
    case 3:
      return settle{{random_.next()}, {random_.next()}};
    case 4:
      return expire_sessions{};
    default:
      return command{
          .session = {1}, .number = {random_.next()}, .body = bytes{body(body_bytes_max_)}};
    }
  }

  std::string body(std::size_t bytes_max) {
    std::string text(static_cast<std::size_t>(random_.below(bytes_max + 1)), ' ');
    for (auto& c : text)
      c = static_cast<char>(random_.below(256));
    return text;
  }

  member_id self_;
  random_stream random_;
  std::size_t body_bytes_max_;
  store_model model_;
  workload_counts counts_;
  generation generation_;
  term_number term_;
  log_index committed_;
};

} // namespace understudy::testing
