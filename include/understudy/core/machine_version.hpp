// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// How a machine changes from one release to the next.
///
/// While a cluster is updated node by node, old builds and new ones must make the same of the same
/// log. So a build that brings new commands raises the machine's version, and says of each command
/// since when there is one:
///
/// \code
///   static constexpr std::uint32_t machine_version = 2; // absent: 1
///   struct discontinue {
///     static constexpr std::uint32_t since = 2; // absent: 1
///     ...
///   };
/// \endcode
///
/// The leader refuses such a command with `version_not_in_use` until
/// `node::use_machine_version(2)` was ordered, which is refused as long as a member knows less.
/// From then on no build that knows less is let in, and one that meets the new version stops
/// applying. What a new build does in another way than the old one, and the form in which it writes
/// snapshots, may change at that moment only. If the machine has a `use_version(2)`, that is called
/// for it: at the same place in the log on every node, and before a snapshot is read that was
/// written behind that place. A new cluster uses what its founder knows from the start. Queries
/// have no version: a node that does not know one says `undecodable`.

#include <cstdint>
#include <type_traits>

namespace understudy {

/// The newest version of the machine that this build knows: `M::machine_version`; 1 without one.
template <class M>
inline constexpr std::uint32_t version_of = [] {
  if constexpr (requires { requires std::is_pointer_v<decltype(&M::machine_version)>; })
    return std::uint32_t{M::machine_version};
  else
    return std::uint32_t{1};
}();

/// The version of the machine that brought the command: `C::since`; 1 without one.
template <class C>
inline constexpr std::uint32_t since_of = [] {
  if constexpr (requires { requires std::is_pointer_v<decltype(&C::since)>; }) // no plain field
    return std::uint32_t{C::since};
  else
    return std::uint32_t{1};
}();

} // namespace understudy
