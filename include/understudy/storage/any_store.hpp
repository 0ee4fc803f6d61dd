// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A node's log store, whatever kind it is, and how a node comes by it.
///
/// A node is the same program on every store, so its type does not show which one it has. An own
/// store is plugged in by a `store_opener` that makes it:
///
/// \code
/// options.store = [](const store_wish& wish) { return open_any(my_store::open("data.db", wish));
/// }; \endcode

#include <understudy/core/errors.hpp>
#include <understudy/core/ids.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/core/recovered_state.hpp>
#include <understudy/storage/log_store.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace understudy {

/// Holds a `node_store` of any type.
class any_store {
public:
  // In this order: whether a holder may be moved must not depend on whether it is a store.
  template <class S>
    requires(!std::same_as<S, any_store> && node_store<S>)
  explicit any_store(S store) : held_{std::make_unique<model<S>>(std::move(store))} {}

  [[nodiscard]] expected<void> write(const store_write& what) { return held_->write(what); }
  [[nodiscard]] expected<void> sync() { return held_->sync(); }
  /// `storage_full` without a try, if the store has none.
  [[nodiscard]] expected<void> sync_ballot() { return held_->sync_ballot(); }
  /// Nothing, if the store leaves none out.
  [[nodiscard]] log_index left_out() const { return held_->left_out(); }
  [[nodiscard]] expected<recovered_state> recover() { return held_->recover(); }
  [[nodiscard]] node_identity identity() const { return held_->identity(); }
  [[nodiscard]] expected<void> close() { return held_->close(); }
  [[nodiscard]] expected<void> retire() { return held_->retire(); }

  /// None, if the store has none.
  [[nodiscard]] snapshot_stager stager() { return held_->stager(); }

  /// Lets go of the store as a killed process would. It is not to be used any more.
  void abandon() { held_.reset(); }

private:
  struct base {
    base() = default;
    base(const base&) = delete;
    base& operator=(const base&) = delete;
    virtual ~base() = default;
    virtual expected<void> write(const store_write& what) = 0;
    virtual expected<void> sync() = 0;
    virtual expected<void> sync_ballot() = 0;
    virtual log_index left_out() const = 0;
    virtual expected<recovered_state> recover() = 0;
    virtual node_identity identity() = 0;
    virtual expected<void> close() = 0;
    virtual expected<void> retire() = 0;
    virtual snapshot_stager stager() = 0;
  };

  template <class S> struct model final : base {
    explicit model(S s) : store{std::move(s)} {}
    expected<void> write(const store_write& what) override { return store.write(what); }
    expected<void> sync() override { return store.sync(); }
    expected<void> sync_ballot() override {
      if constexpr (ballot_keeper<S>)
        return store.sync_ballot();
      else
        return fail(errc::storage_full, "the store keeps ballots with the log");
    }
    log_index left_out() const override {
      if constexpr (snapshot_leaver<S>)
        return store.left_out();
      else
        return {};
    }
    expected<recovered_state> recover() override { return store.recover(); }
    node_identity identity() override { return store.identity(); }
    expected<void> close() override { return store.close(); }
    expected<void> retire() override { return store.retire(); }
    snapshot_stager stager() override {
      if constexpr (requires { store.stager(); })
        return store.stager();
      else
        return {};
    }

    S store;
  };

  std::unique_ptr<base> held_;
};

static_assert(node_store<any_store>);

/// What a node that starts wants of its store.
struct store_wish {
  node_identity newcomer = {}; ///< whose it becomes if there is none yet
  bool anew = false;           ///< puts what is there aside, and makes a new one
  std::uint64_t seed = 0;      ///< for whatever has to be drawn
};

/// Opens a node's store, or makes it.
using store_opener = std::function<expected<any_store>(const store_wish&)>;

/// Passes on a store, or why there is none.
template <node_store S> [[nodiscard]] expected<any_store> open_any(expected<S> store) {
  if (!store)
    return tl::unexpected<failure>{std::move(store.error())};
  return any_store{std::move(*store)};
}

} // namespace understudy
