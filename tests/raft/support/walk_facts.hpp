// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a random walk of raft cores has shown to be so, and how far it has come.

#include <understudy/core/entry.hpp>
#include <understudy/core/ids.hpp>

#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

namespace support {

using namespace understudy;

/// What was broken, in the words of reliability.md.
class violation : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What all nodes together have shown to be so.
struct known_facts {
  std::map<term_number, member_id> leaders;
  std::set<term_number> led_from_outside; ///< by a node without a vote (S5)
  std::map<std::pair<log_index, term_number>, std::pair<term_number, const payload*>> entries;
  std::vector<term_number> committed{term_number{}};
};

struct coverage {
  std::uint64_t elections = 0;
  std::uint64_t from_outside = 0;
  std::uint64_t truncations = 0;
  std::uint64_t installs = 0;
  std::uint64_t committed = 0;
  std::uint64_t joint = 0;
  std::uint64_t returns = 0;
};

} // namespace support
