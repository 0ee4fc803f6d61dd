// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Who belongs to the cluster, who votes, and by which settings: one value, replicated as one
/// entry.
///
/// The roster (all members in join order) and the voters travel together, so that no node can ever
/// see the one without the other. This header is only the data; what it means is in `roster/`.

#include <understudy/core/ids.hpp>
#include <understudy/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace understudy {

/// Why a member of the roster has lost its rank. A mark is never taken back.
enum class standing : std::uint8_t {
  present = 0, ///< has a rank
  leaving = 1, ///< said good-bye, and stays until its successor is seated
  evicted = 2, ///< was found dead, or was sent away
};

/// One incarnation of a node, as the cluster remembers it.
struct member {
  member_id id;
  std::string name = {};    ///< for people; a restarted node keeps it, its id is new
  std::string address = {}; ///< where its links are reached; means something to the transport only
  std::uint64_t start = 0;  ///< drawn at each process start: tells a retry from a namesake (B7)
  log_index entered = {};   ///< the entry that took it in; also its own session (session_id)
  standing status = standing::present;
  bool pinned = false;                ///< stays a listener whatever its place in line
  bool durable = false;               ///< comes back under this id with its log
  std::uint32_t protocol_version = 1; ///< the newest that its build speaks
  std::uint32_t machine_version = 1; ///< the newest that its build knows (core/machine_version.hpp)

  friend bool operator==(const member&, const member&) = default;

  template <class Archive> void serialize(Archive& archive) {
    archive(id, name, address, start, entered, status, pinned, durable, protocol_version,
            machine_version);
  }
};

/// What all nodes must agree on. Set at founding; changed only through the log.
struct settings {
  std::uint32_t max_voters = 5; ///< T, the most members the raft group may have; 1 to 63
  std::uint32_t min_voters = 3; ///< evictions do not take the group below this; 1 to max_voters
  std::int64_t evict_after_ms = 10'000;      ///< silence before a member counts as gone; > 0
  std::uint32_t sessions_max = 100'000;      ///< open sessions in the whole cluster; > 0
  std::int64_t session_expiry_ms = 600'000;  ///< of log time without a request; > 0
  std::uint32_t session_window = 1'024;      ///< unanswered requests a session may have; > 0
  std::uint32_t session_bytes_max = 1 << 20; ///< stored replies a session may hold; > 0
  std::uint32_t command_bytes_max = 1 << 20; ///< largest encoded command; > 0

  /// How long a leader answers reads without asking a quorum, counted from the sending of the last
  /// round that a quorum has echoed; 0: it always asks. A group that has this on elects nobody
  /// before an election timeout has passed since its leader's last message, nor before twice this
  /// and two heartbeats have, broken link or not (raft/read_lease.hpp). 0 to 60,000; more than the
  /// longest election timeout is of no use.
  std::uint32_t lease_ms = 0;

  friend bool operator==(const settings&, const settings&) = default;

  template <class Archive> void save(Archive& archive) const { write(archive, 1); }
  template <class Archive> void load(Archive& archive) {
    if (read(archive) != 1)
      throw std::range_error{"holds a version of the machine, which is no setting"};
  }

private:
  friend struct configuration;

  /// What follows the settings that have always been there.
  enum class rest : std::uint8_t {
    nothing = 0,
    a_switch = 1, ///< no release writes it any more; did nothing
    lease = 2,
    lease_and_version = 3,
  };

  /// Writes the settings, and the version of the machine that goes with them. With neither a lease
  /// nor a version but the first, the last byte is the 0 that it has always been. What is written
  /// where there is one can not be read by releases that know of none: such a node must not count
  /// as one that keeps to it.
  template <class Archive> void write(Archive& archive, std::uint32_t machine_version) const {
    const auto form = machine_version != 1 ? rest::lease_and_version
                      : lease_ms != 0      ? rest::lease
                                           : rest::nothing;
    archive(max_voters, min_voters, evict_after_ms, sessions_max, session_expiry_ms, session_window,
            session_bytes_max, command_bytes_max, form);
    if (form != rest::nothing)
      archive(lease_ms);
    if (form == rest::lease_and_version)
      archive(machine_version);
  }

  /// The version of the machine.
  template <class Archive> std::uint32_t read(Archive& archive) {
    auto form = rest::nothing;
    archive(max_voters, min_voters, evict_after_ms, sessions_max, session_expiry_ms, session_window,
            session_bytes_max, command_bytes_max, form);
    std::uint32_t machine_version = 1;
    lease_ms = 0;
    if (form >= rest::lease)
      archive(lease_ms);
    if (form == rest::lease_and_version)
      archive(machine_version);
    if (form > rest::lease_and_version || (form == rest::lease && lease_ms == 0)
        || (form == rest::lease_and_version && machine_version < 2))
      throw std::range_error{"holds a lease or a version that no release writes"};
    return machine_version;
  }
};

/// One that was in the roster, and is no more.
struct departure {
  member_id who = {};
  log_index at = {}; ///< the entry that took it out

  friend bool operator==(const departure&, const departure&) = default;

  template <class Archive> void serialize(Archive& archive) { archive(who, at); }
};

/// The content of a configuration entry. In force from the moment it stands in a node's log,
/// committed or not (thesis §4.1), and out of force again when it is truncated.
struct configuration {
  cluster_id cluster;
  settings rules = {};
  std::vector<member> members = {};     ///< the roster: join order, oldest first
  std::vector<member_id> voters = {};   ///< the raft group; while joint: the incoming half
  std::vector<member_id> outgoing = {}; ///< while joint: the half on its way out; else empty

  /// Who left last, oldest first: an id is used once, and a request to enter may be very late.
  std::vector<departure> departed = {};
  log_index forgotten = {}; ///< the newest departure that `departed` had no room for any more

  /// The version of the machine whose commands may be used, which every member in line knows; at
  /// least 1. Never goes down.
  std::uint32_t machine_version = 1;

  [[nodiscard]] bool joint() const { return !outgoing.empty(); }

  friend bool operator==(const configuration&, const configuration&) = default;

  template <class Archive> void save(Archive& archive) const {
    archive(cluster);
    rules.write(archive, machine_version);
    archive(members, voters, outgoing, departed, forgotten);
  }
  template <class Archive> void load(Archive& archive) {
    archive(cluster);
    machine_version = rules.read(archive);
    archive(members, voters, outgoing, departed, forgotten);
  }
};

/// Configurations are never changed in place: everyone who holds one may keep it.
using configuration_ptr = std::shared_ptr<const configuration>;

/// A configuration and the entry that brought it; index 0: none yet.
struct placed_configuration {
  log_index index = {};
  configuration_ptr content = nullptr;
};

} // namespace understudy
