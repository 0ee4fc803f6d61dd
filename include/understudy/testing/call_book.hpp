// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/messages.hpp>
#include <understudy/testing/history.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace understudy::testing {

/// The calls of a run: who was asked, and what came back.
class call_book {
public:
  /// What to do with an answer.
  using then = std::function<void(const expected<reply>&)>;

  ticket open(member_id at, then next) {
    const ticket id{++last_.value};
    open_.emplace(id, open_call{at, std::move(next)});
    return id;
  }

  /// A call ends once, and only if it was open (I8). The answer is kept if nobody takes it.
  void close(ticket id, expected<reply> result) {
    const auto found = open_.find(id);
    if (found == open_.end())
      throw invariant_violated{"I8", {}, "an answer for a call that is not open"};
    const auto next = std::move(found->second.next);
    open_.erase(found);
    if (next)
      next(result);
    else
      answers_.emplace(id, std::move(result));
  }

  /// Whoever called a node that crashed learns nothing more.
  void lose(member_id at) {
    std::vector<ticket> lost;
    for (const auto& [id, c] : open_)
      if (c.at == at)
        lost.push_back(id);
    for (const auto id : lost)
      close(id, fail(errc::outcome_unknown, "the node crashed"));
  }

  [[nodiscard]] std::size_t open_count() const { return open_.size(); }

  [[nodiscard]] const expected<reply>* answer(ticket id) const {
    const auto found = answers_.find(id);
    return found == answers_.end() ? nullptr : &found->second;
  }

private:
  struct open_call {
    member_id at;
    then next;
  };

  ticket last_;
  std::map<ticket, open_call> open_;
  std::map<ticket, expected<reply>> answers_;
};

} // namespace understudy::testing
