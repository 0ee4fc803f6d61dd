// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What each kind of component has to say for its node's status, after each batch.

#include <understudy/actors/status.hpp>
#include <understudy/forwarding/client.hpp>
#include <understudy/forwarding/forwarder.hpp>
#include <understudy/listener/puller.hpp>
#include <understudy/membership/monitor.hpp>
#include <understudy/raft/core.hpp>
#include <understudy/replica/replica.hpp>

namespace understudy {

/// Most components say nothing.
template <class Component> void report(const Component&, status_board&) {}

inline void report(const puller& from, status_board& board) {
  board.update([&](status_notes& notes) {
    notes.source = from.source();
    notes.pull_lag = from.lag();
    notes.pulls = from.counters();
  });
}

template <class M> void report(const replica<M>& from, status_board& board) {
  board.update([&](status_notes& notes) {
    notes.applied = from.applied();
    notes.sessions = from.sessions().open_count();
  });
}

/// A `core_view` may trail by a heartbeat; where the log stands is told at once.
inline void report(const raft_core& from, status_board& board) {
  board.update([&](status_notes& notes) {
    notes.last = from.log().last().index;
    notes.commit = from.commit();
  });
}

inline void report(const monitor& from, status_board& board) {
  board.update([&](status_notes& notes) {
    const auto own = from.status();
    notes.plan = own.plan;
    notes.leaving = own.leaving;
  });
}

inline void report(const forwarder& from, status_board& board) {
  board.update([&](status_notes& notes) {
    notes.open_calls = from.open_calls();
    notes.retries = from.retries();
    notes.reconciled = from.reconciled();
  });
}

inline void report(const client& from, status_board& board) {
  board.update([&](status_notes& notes) {
    notes.source = from.node();
    notes.open_calls = from.open_calls();
    notes.retries = from.retries();
  });
}

} // namespace understudy
