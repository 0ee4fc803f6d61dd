// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/core/ids.hpp>
#include <understudy/testing/observation.hpp>

namespace understudy::testing {

/// What an onlooker sees of a whole cluster. `Run` has `nodes()`, those that run, and `look(id)`,
/// an `observation` of one of them.
template <class Run> class overview {
public:
  /// The node that leads in the highest term; none if nobody does.
  [[nodiscard]] member_id leader() {
    member_id found;
    term_number highest;
    for (const auto id : run().nodes())
      if (const auto o = run().look(id); o.leads && o.vote.term >= highest) {
        found = id;
        highest = o.vote.term;
      }
    return found;
  }

  /// Whether there is one leader, and everybody has committed and applied all that it has.
  [[nodiscard]] bool settled() {
    const auto first = leader();
    if (!first)
      return false;
    const auto lead = run().look(first);
    for (const auto id : run().nodes()) {
      const auto o = run().look(id);
      if (o.leads != (id == first) || o.log.last() != lead.log.last()
          || o.commit != o.log.last().index || o.applied != o.commit)
        return false;
    }
    return true;
  }

private:
  [[nodiscard]] Run& run() { return *static_cast<Run*>(this); }
};

} // namespace understudy::testing
