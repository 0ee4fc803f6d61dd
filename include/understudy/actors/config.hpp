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
class config : private detail::caf_prepared, public caf::actor_system_config {};

} // namespace understudy
