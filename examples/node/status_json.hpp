// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A node's status as JSON. Ids are strings: they are 64 bits wide, and the numbers of many JSON
/// readers are not.

#include <understudy/actors/status.hpp>
#include <understudy/membership/leaving.hpp>

#include <nlohmann/json.hpp>

#include "key_value.hpp"

#include <string>

namespace node_program {

namespace detail {

[[nodiscard]] inline std::string as_text(understudy::member_id id) {
  return id ? std::to_string(id.value) : std::string{};
}

[[nodiscard]] inline nlohmann::ordered_json as_json(const understudy::member_status& m) {
  return {{"id", as_text(m.id)},
          {"name", m.name},
          {"address", m.address},
          {"rank", m.rank},
          {"role", to_string(m.role)},
          {"present", m.status == understudy::standing::present},
          {"pinned", m.pinned},
          {"protocol_version", m.protocol_version},
          {"machine_version", m.machine_version},
          {"match", m.match.value},
          {"in_contact", m.in_contact}};
}

[[nodiscard]] inline nlohmann::ordered_json as_json(const understudy::failure& f) {
  if (f.code == understudy::errc::none)
    return nullptr;
  return {{"error", to_string(f.code)}, {"detail", f.detail}};
}

} // namespace detail

[[nodiscard]] inline nlohmann::ordered_json status_as_json(const understudy::node_status& s,
                                                           bool draining) {
  auto members = nlohmann::ordered_json::array();
  for (const auto& m : s.members)
    members.push_back(detail::as_json(m));
  auto voters = nlohmann::ordered_json::array();
  for (const auto v : s.voters)
    voters.push_back(detail::as_text(v));
  return {
      {"id", detail::as_text(s.id)},
      {"name", s.name},
      {"cluster", s.cluster ? std::to_string(s.cluster.value) : std::string{}},
      {"machine_version", key_value::machine_version},
      {"version_in_use", s.machine_version},
      {"ready", s.ready && !draining},
      {"draining", draining},
      {"leaving", to_string(s.leaving)},
      {"stopped", s.stopped},
      {"trouble", detail::as_json(s.trouble)},
      {"obstacle", detail::as_json(s.obstacle)},
      {"role", to_string(s.role)},
      {"rank", s.rank},
      {"why_not_voter", s.why_not_voter},
      {"leader", detail::as_text(s.leader)},
      {"term", s.term.value},
      {"log", {{"last", s.last.value}, {"commit", s.commit.value}, {"applied", s.applied.value}}},
      {"lag", s.lag},
      {"copies", s.copies},
      {"voters", std::move(voters)},
      {"changing", s.changing},
      {"plan", s.plan},
      {"plan_settled", s.plan_settled},
      {"members", std::move(members)},
      {"source", detail::as_text(s.source)},
      {"sessions", s.sessions},
      {"open_calls", s.open_calls},
      {"retries", s.retries}};
}

} // namespace node_program
