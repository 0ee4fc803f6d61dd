// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/ids.hpp>
#include <understudy/testing/random.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace understudy::testing {

/// Ids are random, so that nothing can depend on their order; people go by names.
class name_book {
public:
  /// Draws an id for another start of `name`. The second start of "a" is shown as "a.2".
  member_id add(const std::string& name, random_stream& random) {
    const member_id id{random.next() | 1};
    const auto start = ++starts_[name];
    entries_[id] = {name, start == 1 ? name : name + "." + std::to_string(start)};
    return id;
  }

  /// How a member is shown.
  [[nodiscard]] std::string of(member_id id) const {
    const auto found = entries_.find(id);
    return found == entries_.end() ? "m" + std::to_string(id.value) : found->second.shown;
  }

  /// The name that all its starts have in common.
  [[nodiscard]] const std::string& plain(member_id id) const { return entries_.at(id).plain; }

private:
  struct names {
    std::string plain;
    std::string shown;
  };

  std::map<member_id, names> entries_;
  std::map<std::string, std::uint64_t> starts_;
};

} // namespace understudy::testing
