// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A machine with as much state as one likes.

#include <understudy/understudy.hpp>

#include "checked.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace benchmarks {

/// Parcels by number.
struct parcel_store {
  struct put {
    using reply = std::uint64_t; ///< how many parcels there are now
    std::uint64_t first = 0;     ///< the number of the first one; the others follow
    std::vector<std::string> parcels = {};
    template <class Archive> void serialize(Archive& archive) { archive(first, parcels); }
  };
  using commands = understudy::commands<put>;

  std::uint64_t apply(const put& what) {
    auto number = what.first;
    for (const auto& parcel : what.parcels)
      parcels.insert_or_assign(number++, parcel);
    return parcels.size();
  }

  std::map<std::uint64_t, std::string> parcels;
  template <class Archive> void serialize(Archive& archive) { archive(parcels); }
};

/// To a writer, from itself: a moment for the next write.
struct writer_beat {};

} // namespace benchmarks

UNDERSTUDY_MESSAGES(parcel_store_messages, benchmarks::writer_beat, benchmarks::parcel_store::put)

namespace benchmarks {

/// The result of a call that ought to end within `limit`.
template <class T>
[[nodiscard]] T checked(std::future<understudy::expected<T>> result,
                        std::chrono::milliseconds limit) {
  if (result.wait_for(limit) != std::future_status::ready)
    throw std::runtime_error{"a call was not answered within " + std::to_string(limit.count())
                             + " ms"};
  return checked(result.get());
}

/// Puts `megabytes` of parcels of 1 KiB into the cluster of `at`, through the log as always.
template <class Caller> void fill(const Caller& at, std::size_t megabytes) {
  constexpr std::size_t in_one = 256; // a quarter of the largest command
  constexpr std::size_t outstanding = 8;
  constexpr std::chrono::seconds limit{30};
  std::deque<std::future<understudy::expected<std::uint64_t>>> open;
  const auto await_first = [&] {
    static_cast<void>(checked(std::move(open.front()), limit));
    open.pop_front();
  };
  for (std::size_t first = 0; first < megabytes * 1'024; first += in_one) {
    parcel_store::put next{.first = first};
    for (std::size_t i = 0; i < in_one; ++i)
      next.parcels.emplace_back(1'024, static_cast<char>('a' + (first + i) % 26));
    open.push_back(at.submit(next, limit));
    if (open.size() == outstanding)
      await_first();
  }
  while (!open.empty())
    await_first();
}

} // namespace benchmarks
