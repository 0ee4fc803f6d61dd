// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Entries and configurations in few words.

#include <understudy/core/configuration.hpp>
#include <understudy/core/entry.hpp>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <vector>

namespace support {

using namespace understudy;

inline std::vector<member_id> ids(std::initializer_list<std::uint64_t> all) {
  std::vector<member_id> out;
  for (auto id : all)
    out.push_back({id});
  return out;
}

/// A configuration of `members` in join order, of whom `voters` vote.
inline configuration made_of(std::initializer_list<std::uint64_t> members,
                             std::initializer_list<std::uint64_t> voters) {
  configuration made{.cluster = {77}};
  for (auto id : members)
    made.members.push_back({.id = {id}, .entered = {1}});
  made.voters = ids(voters);
  return made;
}

inline entry entry_of(std::uint64_t index, std::uint64_t term, const char* body = "") {
  return {{index},
          {term},
          {},
          share(command{.session = {}, .number = {}, .answered_below = {}, .body = bytes{body}})};
}

inline entry entry_of(std::uint64_t index, std::uint64_t term, const configuration& content) {
  return {{index}, {term}, {}, share(configuration_ptr{std::make_shared<configuration>(content)})};
}

} // namespace support
