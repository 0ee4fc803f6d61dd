// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <understudy/actors/caf_errors.hpp>
#include <understudy/actors/caf_version.hpp>
#include <understudy/actors/message_types.hpp>

#if UNDERSTUDY_CAF_1
#include <caf/io/middleman.hpp>
#endif

namespace understudy {

namespace detail {

/// CAF 1.x wants to know all message types before anything of it is made. Our own, and those of
/// `UNDERSTUDY_MESSAGES`, make themselves known before main; CAF's own do it here.
struct caf_prepared {
  caf_prepared() {
#if UNDERSTUDY_CAF_1
    caf::core::init_global_meta_objects();
    caf::io::middleman::init_global_meta_objects();
#endif
  }
};

} // namespace detail

/// A `caf::actor_system_config` that is ready for nodes, on every version of CAF. An application
/// that has a configuration of its own derives it from this one.
class config : private detail::caf_prepared, public caf::actor_system_config {
protected:
  /// The threads for actors take their work from one queue, and sleep while there is none. By CAF's
  /// default each has a queue of its own and looks at the others' now and then: an actor that gets
  /// a message may wait for milliseconds until its thread looks, and an idle process never sleeps.
  void share_work() {
#if UNDERSTUDY_CAF_1
    set("caf.scheduler.policy", "sharing");
#else
    set("scheduler.policy", caf::atom("sharing"));
#endif
  }
};

} // namespace understudy
