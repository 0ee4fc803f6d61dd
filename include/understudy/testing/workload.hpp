// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A machine that counts, and a ledger that knows what it may have counted.
///
/// Every caller has a counter of its own, and each command raises it by one and says what it has
/// become. So the replies to one caller tell all: a command applied twice leaves a gap, one that
/// was lost after it was acknowledged gives a number out again, and the order of the numbers is the
/// order in which they were applied.

#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/machine.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

namespace understudy::testing {

/// Counts, for each caller, the commands that were applied.
struct tally {
  /// One more for `who`; the reply is how many there are now.
  struct bump {
    using reply = std::uint64_t;
    std::uint64_t who = 0;
    std::string ballast = {}; ///< to make commands large; counts for nothing

    template <class Archive> void serialize(Archive& archive) { archive(who, ballast); }
  };

  /// How many are there for `who`?
  struct count {
    using reply = std::uint64_t;
    std::uint64_t who = 0;

    template <class Archive> void serialize(Archive& archive) { archive(who); }
  };

  using commands = understudy::commands<bump>;
  using queries = understudy::queries<count>;

  std::uint64_t apply(const bump& c) {
    if (broken && *broken)
      throw std::runtime_error{"the machine was broken"};
    return ++counts[c.who];
  }
  /// Noted where it is compared: nodes that are told at different places are different.
  void use_version(std::uint32_t version) { counts[noted_versions] += version; }

  std::uint64_t query(const count& q) const {
    const auto found = counts.find(q.who);
    return found == counts.end() ? 0 : found->second;
  }

  static constexpr std::uint64_t noted_versions = ~std::uint64_t{0}; ///< nobody is called so
  std::map<std::uint64_t, std::uint64_t> counts = {};
  const bool* broken = nullptr; ///< if it comes to be true, this machine throws from then on

  template <class Archive> void serialize(Archive& archive) { archive(counts); }
};

/// What one caller of a `tally` asked and was told. Each function returns what is wrong, or
/// nothing.
class tally_ledger {
public:
  /// A command or a linearizable query was sent off. Returns the highest number that was known when
  /// it was: what comes back must be above it, or for a query not below it (I7).
  std::uint64_t asked_to_bump() {
    ++asked_;
    return highest_;
  }
  [[nodiscard]] std::uint64_t asked_to_count() const { return highest_; }

  /// A bump that was asked for at `floor` has ended.
  [[nodiscard]] std::optional<std::string> bumped(std::uint64_t floor,
                                                  const expected<std::uint64_t>& count) {
    ++ended_;
    if (!count) {
      (is_uncertain(count.error().code) ? uncertain_ : refused_) += 1;
      return std::nullopt;
    }
    if (*count <= floor)
      return "a command was counted as number " + std::to_string(*count) + ", and number "
             + std::to_string(floor) + " was known before it was sent";
    if (!counted_.insert(*count).second)
      return "two commands were counted as number " + std::to_string(*count);
    highest_ = std::max(highest_, *count);
    return std::nullopt;
  }

  /// A count that was asked for at `floor` has come back.
  [[nodiscard]] std::optional<std::string> counted(std::uint64_t floor, std::uint64_t count) {
    highest_ = std::max(highest_, count);
    if (count < floor)
      return "a read saw " + std::to_string(count) + ", and " + std::to_string(floor)
             + " was known before it was sent";
    if (count > asked_)
      return "a read saw " + std::to_string(count) + ", and only " + std::to_string(asked_)
             + " were ever asked for";
    return std::nullopt;
  }

  /// What the machine holds in the end agrees with what was told: I8.
  [[nodiscard]] std::optional<std::string> wrong_in_the_end(std::uint64_t held) const {
    const auto certain = counted_.size();
    if (held < certain || held > certain + uncertain_)
      return "the machine counted " + std::to_string(held) + ", where " + std::to_string(certain)
             + " were acknowledged and " + std::to_string(uncertain_) + " are uncertain";
    if (!counted_.empty() && *counted_.rbegin() > held)
      return "number " + std::to_string(*counted_.rbegin()) + " was acknowledged, and the machine "
             + "counted only " + std::to_string(held);
    return std::nullopt;
  }

  [[nodiscard]] std::uint64_t asked() const { return asked_; }
  [[nodiscard]] std::uint64_t open() const { return asked_ - ended_; }
  [[nodiscard]] std::uint64_t acknowledged() const { return counted_.size(); }
  [[nodiscard]] std::uint64_t uncertain() const { return uncertain_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

private:
  std::uint64_t asked_ = 0;
  std::uint64_t ended_ = 0;
  std::uint64_t uncertain_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t highest_ = 0;
  std::set<std::uint64_t> counted_;
};

} // namespace understudy::testing
