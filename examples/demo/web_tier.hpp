// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The demo's business: a web tier that counts and limits requests per client address.
///
/// Every node of the tier takes requests, so the counts have to be the same on all of them: two
/// nodes that count for themselves would let twice the limit pass.

#include <understudy/core/digest.hpp>
#include <understudy/machine.hpp>
#include <understudy/wire/codec.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace demo {

struct web_tier {
  /// What a client address has used so far.
  struct usage {
    std::uint64_t requests = 0;
    std::uint64_t bytes = 0;

    template <class Archive> void serialize(Archive& archive) { archive(requests, bytes); }
  };

  /// The answer to a request: which one it is of its address, and whether that is one too many.
  struct verdict {
    std::uint64_t count = 0;
    bool over_limit = false;

    template <class Archive> void serialize(Archive& archive) { archive(count, over_limit); }
  };

  /// One request of a client.
  struct hit {
    using reply = verdict;
    std::string address;
    std::uint64_t bytes = 0;

    template <class Archive> void serialize(Archive& archive) { archive(address, bytes); }
  };

  /// How much an address has used.
  struct lookup {
    using reply = usage;
    std::string address;

    template <class Archive> void serialize(Archive& archive) { archive(address); }
  };

  /// Everything at a glance: what two nodes must agree on, and who is busiest.
  struct summary {
    std::uint64_t digest = 0; ///< of the whole state
    std::vector<std::pair<std::string, std::uint64_t>> busiest;

    template <class Archive> void serialize(Archive& archive) { archive(digest, busiest); }
  };

  /// Asks for it.
  struct summarize {
    using reply = summary;
    std::uint32_t most = 0; ///< so many of the busiest addresses

    template <class Archive> void serialize(Archive& archive) { archive(most); }
  };

  using commands = understudy::commands<hit>;
  using queries = understudy::queries<lookup, summarize>;

  static constexpr std::uint64_t limit = 100;

  verdict apply(const hit& h) {
    auto& used = by_address[h.address];
    used.bytes += h.bytes;
    ++used.requests;
    return {used.requests, used.requests > limit};
  }

  usage query(const lookup& l) const {
    const auto found = by_address.find(l.address);
    return found == by_address.end() ? usage{} : found->second;
  }

  summary query(const summarize& s) const {
    summary result{.digest = understudy::digest_of(understudy::wire::encode(*this).view()),
                   .busiest = {}};
    for (const auto& [address, used] : by_address)
      result.busiest.emplace_back(address, used.requests);
    std::ranges::stable_sort(result.busiest, std::greater{},
                             [](const auto& a) { return a.second; });
    if (result.busiest.size() > s.most)
      result.busiest.resize(s.most);
    return result;
  }

  std::map<std::string, usage> by_address;

  template <class Archive> void serialize(Archive& archive) { archive(by_address); }
};

} // namespace demo
