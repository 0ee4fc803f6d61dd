// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What the operators' API needs of a node: as `service`, it keeps the two apart.

#include <understudy/actors/status.hpp>
#include <understudy/core/bytes.hpp>
#include <understudy/core/configuration.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/core/notices.hpp>
#include <understudy/membership/journal.hpp>
#include <understudy/membership/whatif.hpp>

#include <cstdint>
#include <vector>

namespace node_program {

/// A node, as its operators see it. Calls block until there is an answer, those with a limit no
/// longer than that; all may be made from any thread.
class admin_service {
public:
  using interval = understudy::interval;
  using member_id = understudy::member_id;
  template <class T> using expected = understudy::expected<T>;

  admin_service() = default;
  admin_service(const admin_service&) = delete;
  admin_service& operator=(const admin_service&) = delete;
  virtual ~admin_service() = default;

  [[nodiscard]] virtual understudy::node_status status() const = 0;
  /// Whether the node takes no new callers any more, because it is about to leave.
  [[nodiscard]] virtual bool draining() const = 0;
  [[nodiscard]] virtual expected<std::vector<understudy::journal_line>> journal(interval limit) = 0;

  /// Drains, leaves, and has the program end. Asking twice is asking once.
  [[nodiscard]] virtual expected<understudy::leave_ended> leave() = 0;
  [[nodiscard]] virtual expected<understudy::log_index> snapshot(interval limit) = 0;
  /// What the node has of the cluster's data, as `understudy::encode_remains` writes it.
  [[nodiscard]] virtual expected<understudy::bytes> remains(interval limit) = 0;

  // Orders: the leader carries them out. What is answered is the entry that shows it.
  [[nodiscard]] virtual expected<understudy::log_index> evict(member_id who, interval limit) = 0;
  [[nodiscard]] virtual expected<understudy::log_index> pin(member_id who, interval limit) = 0;
  [[nodiscard]] virtual expected<understudy::log_index> unpin(member_id who, interval limit) = 0;
  /// To nobody: to the voter that has most.
  [[nodiscard]] virtual expected<understudy::log_index> transfer(member_id to, interval limit) = 0;
  [[nodiscard]] virtual expected<understudy::log_index> use_version(std::uint32_t version,
                                                                    interval limit)
      = 0;
  [[nodiscard]] virtual expected<understudy::settings> settings(interval limit) = 0;
  [[nodiscard]] virtual expected<understudy::log_index> change(const understudy::settings& to,
                                                               interval limit)
      = 0;

  // Questions: the leader alone can answer, and any other node names it.
  [[nodiscard]] virtual expected<understudy::forecast>
  plan_if(const std::vector<understudy::supposed>& what, interval limit) = 0;
  [[nodiscard]] virtual expected<bool> safe_to_stop(member_id who, interval limit) = 0;
};

} // namespace node_program
