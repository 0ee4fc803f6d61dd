// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/ballot.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/testing/history.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace understudy::testing {

/// Every vote that was given in a cluster, as the messages say it.
class vote_ledger {
public:
  /// `voter` told `candidate` that it has its vote. In one term it says so to one candidate only,
  /// and only once the vote is stored (I1b); `stored` is what its store holds.
  void granted(member_id voter, member_id candidate, term_number term, ballot stored) {
    auto& here = votes_[term];
    for (const auto& given : here)
      if (given.voter == voter && given.candidate != candidate)
        throw invariant_violated{"I1b", voter,
                                 "a second vote in term " + std::to_string(term.value)};
    if (stored != ballot{term, candidate})
      throw invariant_violated{"I1b", voter,
                               "a vote in term " + std::to_string(term.value)
                                   + " is answered before it is stored"};
    here.push_back({voter, candidate});
  }

  /// Whether `voter` has said so.
  [[nodiscard]] bool has(member_id voter, member_id candidate, term_number term) const {
    const auto here = votes_.find(term);
    return here != votes_.end() && std::ranges::any_of(here->second, [&](const vote& v) {
             return v.voter == voter && v.candidate == candidate;
           });
  }

private:
  struct vote {
    member_id voter;
    member_id candidate;
  };

  std::map<term_number, std::vector<vote>> votes_;
};

} // namespace understudy::testing
