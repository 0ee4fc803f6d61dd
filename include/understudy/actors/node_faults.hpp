// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Faults for tests and demos: what a node in its own process would suffer, for one among many.

#include <understudy/actors/cast.hpp>

namespace understudy::testing {

/// Ends a node as `kill -9` would: no word to anybody, what is in its mailboxes is lost. Its peers
/// see that its actors are gone. Callers in this process still get an answer: `outcome_unknown`
/// where the request was on its way.
template <class Node> void crash(const Node& node) {
  const node_body& body = node.body();
  body.stage->frozen = true;
  body.stop(true);
  for (const auto& actor : body.actors)
    kill(actor);
}

/// Stops a node as `kill -STOP` would, for good: it is there, but neither hears nor says anything.
/// Calls to it wait until it is stopped or crashed.
template <class Node> void freeze(const Node& node) {
  node.body().stage->frozen = true;
}

} // namespace understudy::testing
