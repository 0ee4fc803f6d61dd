// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a node that starts makes of what its store kept.

#include <understudy/core/assert.hpp>
#include <understudy/core/configuration.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/storage/any_store.hpp>

#include <optional>
#include <utility>

namespace understudy {

/// An opened store, and the life that it lets its node go on with.
struct earlier_life {
  any_store store;
  node_identity self = {};
  recovered_state found = {};
  std::optional<own_record> returning = {}; ///< none: a new incarnation
};

/// Opens a node's store. Where its log shows the node as a member, the node goes on under its id.
/// Else what is there is put aside, and the node is a newcomer: without its log it must not vote
/// under an id that may have voted (B4), and a mark is never taken back.
[[nodiscard]] inline expected<earlier_life> open_life(const store_opener& opener, store_wish wish) {
  auto opened = opener(wish);
  if (!opened)
    return tl::unexpected<failure>{std::move(opened.error())};
  auto found = opened->recover();
  if (!found)
    return tl::unexpected<failure>{std::move(found.error())};
  const auto self = opened->identity();
  auto own = find_own_record(*found, self.id);
  const bool goes_on = own && own->self.status == standing::present;
  if (goes_on || self == wish.newcomer)
    return earlier_life{std::move(*opened), self, std::move(*found),
                        goes_on ? std::move(own) : std::nullopt};
  UNDERSTUDY_ASSERT(!wish.anew, "a store that was put aside is not opened again");
  if (auto done = opened->close(); !done)
    return tl::unexpected<failure>{std::move(done.error())};
  wish.anew = true;
  return open_life(opener, wish);
}

} // namespace understudy
