// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What happened in a run: one number for all of it, and the last events for reading.
///
/// Two runs with the same seed have the same hash, or something in them reads what it must not: a
/// clock, an address, the order of a hash table (I16).

#include <understudy/core/ids.hpp>
#include <understudy/core/time.hpp>
#include <understudy/testing/message_text.hpp>
#include <understudy/testing/random.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::testing {

/// What kind of thing happened.
enum class step : std::uint8_t {
  arrival = 0, ///< a message arrived
  lost = 1,    ///< a message arrived nowhere: its receiver is gone or cut off
  notice = 2,  ///< a component was told something late, or by the driver
  wake = 3,    ///< a timer
  settle = 4,  ///< the end of a batch
  fault = 5,   ///< the run did something to a node or to the network
  event = 6,   ///< a node said that something happened
};

/// One thing that happened.
struct traced {
  instant at = {};
  enum step step = step::arrival;
  member_id who = {};   ///< to whom
  member_id other = {}; ///< from whom; none where that means nothing
  summary what = {};
  std::string text = {}; ///< more, where numbers do not say it
};

/// The hash of all events, and the last of them.
class trace {
public:
  using naming = std::function<std::string(member_id)>;

  explicit trace(std::size_t kept) : ring_(kept) {}

  void add(traced what) {
    ++count_;
    hash_ = mixed(hash_, static_cast<std::uint64_t>(what.at.time_since_epoch().count()));
    hash_ = mixed(hash_, (what.who.value << 3) ^ static_cast<std::uint64_t>(what.step));
    if (what.other)
      hash_ = mixed(hash_, what.other.value);
    for (const auto value : what.what.values)
      hash_ = mixed(hash_, value);
    if (!ring_.empty())
      ring_[count_ % ring_.size()] = std::move(what);
  }

  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }

  /// The last events, oldest first, one line each.
  [[nodiscard]] std::vector<std::string> last(const naming& name) const {
    const auto lines = std::min<std::size_t>(ring_.size(), count_);
    std::vector<std::string> text;
    text.reserve(lines);
    for (auto number = count_ - lines + 1; number <= count_; ++number)
      text.push_back(line(ring_[number % ring_.size()], name));
    return text;
  }

private:
  static std::string line(const traced& t, const naming& name) {
    static constexpr std::string_view arrows[]
        = {" <- ", " x- ", " :: ", " @ ", " . ", " !! ", " ** "};
    auto text = clock_text(t.at) + "  " + name(t.who);
    text += arrows[static_cast<std::size_t>(t.step)];
    if (t.other)
      text += name(t.other) + " ";
    text += t.what.name;
    for (std::size_t i = 0; i < t.what.labels.size() && !t.what.labels[i].empty(); ++i)
      text += " " + std::string{t.what.labels[i]} + "=" + std::to_string(t.what.values[i]);
    return t.text.empty() ? text : text + " " + t.text;
  }

  /// Seconds since the start of the run, to the microsecond.
  static std::string clock_text(instant at) {
    const auto us
        = std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
    auto fraction = std::to_string(us % 1'000'000);
    fraction.insert(0, 6 - fraction.size(), '0');
    auto whole = std::to_string(us / 1'000'000);
    if (whole.size() < 4)
      whole.insert(0, 4 - whole.size(), ' ');
    return whole + "." + fraction;
  }

  std::uint64_t hash_ = 0;
  std::uint64_t count_ = 0;
  std::vector<traced> ring_;
};

} // namespace understudy::testing
