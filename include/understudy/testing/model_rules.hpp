// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a model tells the search about the operations of one history.
///
/// A model turns each operation into a type, which is what was asked together with what was
/// answered, and each state that matters into a number. The search knows nothing else: two
/// operations of one type are the same to it but for their times. That is what keeps crashed
/// operations cheap, of which a run has many and of few types.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace understudy::testing {

/// A type of operations of one history, numbered from 0.
using operation_type = std::uint32_t;

/// A state of the model; equal states have equal numbers.
using model_state = std::uint64_t;

/// What an operation has to do with the state. The less it depends on, the less has to be searched.
enum class influence : std::uint8_t {
  observes,   ///< it never changes the state, and happens only in some states
  depends,    ///< it may change the state, and may need one
  adds,       ///< it happens in any state, and the new one depends on the old
  overwrites, ///< it happens in any state, and the new one is always the same
};

/// The rules of one history. `classify` is called for each operation, then `close` once, then the
/// rest.
template <class R>
concept model_rules
    = requires(R rules, const R known, const typename R::call& asked,
               const typename R::reply* answer, model_state s, operation_type t, bool succeeded) {
        // What was asked, what was answered (null if not known), and whether it is certain to have
        // taken effect. Nothing for an operation that any state explains and that changes none.
        { rules.classify(asked, answer, succeeded) } -> std::same_as<std::optional<operation_type>>;
        rules.close();
        { known.type_count() } -> std::convertible_to<std::size_t>;
        { known.initial() } -> std::same_as<model_state>;
        { known.influence_of(t) } -> std::same_as<influence>;
        // For those that do not observe: the next state, if this one allows the operation.
        { rules.step(s, t) } -> std::same_as<std::optional<model_state>>;
        // For those that observe: whether this state explains the answer.
        { rules.holds(s, t) } -> std::same_as<bool>;
        // For those that observe or depend: whether they might happen in this state or in one after
        // it, before the next operation of those that `restarts` lists. Those lists may say more
        // than is true, and never less; true for all states is always right.
        { rules.leads(s, t) } -> std::same_as<bool>;
        { known.restarts(t) } -> std::same_as<std::span<const operation_type>>;
        // Whether no operation can tell what this state is, until one overwrites it.
        { known.spent(s) } -> std::same_as<bool>;
        // Whether all states of the history can be listed, and then each of them.
        { known.can_begin_anywhere() } -> std::same_as<bool>;
        known.for_each_state([](model_state) {});
        // What the rules hold that grows while the search goes on, in bytes.
        { known.memory() } -> std::same_as<std::size_t>;
      };

/// A model: what its operations look like, and the rules for a history of them.
template <class M>
concept history_model = requires(const M model) {
  typename M::call;
  typename M::reply;
  { model.start() } -> model_rules;
};

} // namespace understudy::testing
