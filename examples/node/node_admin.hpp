// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The node behind the operators' API.

#include <understudy/node.hpp>
#include <understudy/recovery/remains_image.hpp>

#include "admin_service.hpp"
#include "http_api.hpp"
#include "key_value_messages.hpp"
#include "leave_wish.hpp"

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace node_program {

class node_admin final : public admin_service {
public:
  using node = understudy::node<key_value>;
  using log_index = understudy::log_index;

  node_admin(node of, const http_api& api, leave_wish& leaving)
      : node_{std::move(of)}, api_{api}, leaving_{leaving} {}

  understudy::node_status status() const override { return node_.status(); }
  bool draining() const override { return api_.draining(); }

  expected<std::vector<understudy::journal_line>> journal(interval limit) override {
    return answer_to(node_.journal(), limit);
  }

  expected<understudy::leave_ended> leave() override { return leaving_.make(); }

  expected<log_index> snapshot(interval limit) override {
    return outcome_of(node_.snapshot_now(), limit, "the snapshot may still be stored");
  }

  expected<understudy::bytes> remains(interval limit) override {
    return answer_to(node_.look_at_remains(), limit).map([](const understudy::remains& left) {
      return understudy::encode_remains(left);
    });
  }

  expected<log_index> evict(member_id who, interval limit) override {
    return outcome_of(node_.evict(who), limit);
  }
  expected<log_index> pin(member_id who, interval limit) override {
    return outcome_of(node_.pin(who), limit);
  }
  expected<log_index> unpin(member_id who, interval limit) override {
    return outcome_of(node_.unpin(who), limit);
  }
  expected<log_index> transfer(member_id to, interval limit) override {
    return outcome_of(node_.transfer_leadership(to), limit);
  }
  expected<log_index> use_version(std::uint32_t version, interval limit) override {
    return outcome_of(node_.use_machine_version(version), limit);
  }
  expected<log_index> change(const understudy::settings& to, interval limit) override {
    return outcome_of(node_.change_settings(to), limit);
  }

  /// They travel with the roster, and a status does not have them.
  expected<understudy::settings> settings(interval limit) override {
    using rules = understudy::settings;
    auto slot = std::make_shared<understudy::result_slot<rules>>(
        understudy::failure{understudy::errc::stopped, "the node is stopped"});
    auto result = slot->future();
    const auto& body = node_.body();
    if (!body.stage->closed)
      understudy::post_from_outside(
          body.doors.core,
          understudy::core_look_from_outside{
              [slot = std::move(slot)](const understudy::raft_core& core) {
                const auto& known = core.committed().content;
                slot->answer(known ? expected<rules>{known->rules}
                                   : understudy::fail(understudy::errc::no_leader,
                                                      "the node has not entered a cluster"));
              }});
    return answer_to(std::move(result), limit);
  }

  expected<understudy::forecast> plan_if(const std::vector<understudy::supposed>& what,
                                         interval limit) override {
    return answer_to(node_.plan_if(what), limit);
  }
  expected<bool> safe_to_stop(member_id who, interval limit) override {
    return answer_to(node_.safe_to_stop(who), limit);
  }

private:
  template <class T>
  static expected<T> answer_to(std::future<expected<T>> question, interval limit) {
    if (question.wait_for(limit) == std::future_status::timeout)
      return understudy::fail(understudy::errc::timed_out, "the node does not answer in time");
    return question.get();
  }

  static expected<log_index> outcome_of(std::future<expected<log_index>> order, interval limit,
                                        const char* late = "the order may still be carried out") {
    if (order.wait_for(limit) == std::future_status::timeout)
      return understudy::fail(understudy::errc::outcome_unknown, late);
    return order.get();
  }

  node node_;
  const http_api& api_;
  leave_wish& leaving_;
};

} // namespace node_program
