// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Short ways to write a configuration down, and to repeat a random case.

#include <understudy/core/configuration.hpp>

#include "support/environment.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <vector>

namespace membership_test {

using namespace understudy;

inline std::vector<member_id> ids(std::initializer_list<std::uint64_t> numbers) {
  std::vector<member_id> result;
  for (auto n : numbers)
    result.push_back({n});
  return result;
}

/// Members 1 to `members` of cluster 42, of which `voters` vote.
inline configuration group(std::uint64_t members, std::initializer_list<std::uint64_t> voters,
                           std::uint32_t max_voters = 5) {
  configuration c{.cluster = {42},
                  .rules = {.max_voters = max_voters, .min_voters = std::min(3u, max_voters)},
                  .voters = ids(voters)};
  for (std::uint64_t id = 1; id <= members; ++id)
    c.members.push_back({.id = {id}, .start = 100 + id, .entered = {id}});
  return c;
}

/// Where random tests begin; UNDERSTUDY_SEED repeats one of their cases.
inline std::uint64_t first_seed() {
  const char* text = std::getenv("UNDERSTUDY_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 1;
}

/// How many of `usual` cases to run: one when a seed was named.
inline std::uint64_t cases(std::uint64_t usual) {
  return std::getenv("UNDERSTUDY_SEED") ? 1 : test_support::walks(usual);
}

inline member& at(configuration& c, std::uint64_t id) {
  return *std::ranges::find(c.members, member_id{id}, &member::id);
}

} // namespace membership_test
