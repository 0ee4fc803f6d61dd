// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A machine for tests of whole nodes.

#include <understudy/actors/caf_version.hpp>
#include <understudy/core/routing.hpp>
#include <understudy/machine.hpp>

#include <map>
#include <optional>
#include <stdexcept>
#include <string>

namespace test_support {

/// So many of each thing.
struct inventory {
  struct restock {
    using reply = int; ///< how many there are now
    std::string sku = {};
    int by = 0;
    template <class Archive> void serialize(Archive& archive) { archive(sku, by); }
  };
  /// Makes the machine throw.
  struct drop_everything {
    using reply = int;
    template <class Archive> void serialize(Archive&) {}
  };
  struct in_stock {
    using reply = int;
    std::string sku = {};
    template <class Archive> void serialize(Archive& archive) { archive(sku); }
  };
  using commands = understudy::commands<restock, drop_everything>;
  using queries = understudy::queries<in_stock>;

  static std::optional<std::string> check(const restock& c) {
    if (c.sku.empty())
      return "a thing needs a name";
    return std::nullopt;
  }

  int apply(const restock& c) { return stock[c.sku] += c.by; }
  int apply(const drop_everything&) { throw std::runtime_error{"butterfingers"}; }
  int query(const in_stock& q) const {
    const auto found = stock.find(q.sku);
    return found == stock.end() ? 0 : found->second;
  }

  std::map<std::string, int> stock;
  template <class Archive> void serialize(Archive& archive) { archive(stock); }
};

} // namespace test_support

UNDERSTUDY_MESSAGES(test_inventory, test_support::inventory::restock,
                    test_support::inventory::drop_everything, test_support::inventory::in_stock)
