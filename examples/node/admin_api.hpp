// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The HTTP API for operators, on a port of its own: which routes there are, and what each does.

#include <understudy/core/errors.hpp>
#include <understudy/membership/whatif.hpp>

#include "admin_json.hpp"
#include "admin_service.hpp"
#include "error_answer.hpp"
#include "http_message.hpp"
#include "http_parameters.hpp"
#include "http_routes.hpp"
#include "member_names.hpp"
#include "settings_json.hpp"
#include "status_json.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace node_program {

/// Answers from any thread, as many at a time as there are.
class admin_api {
public:
  explicit admin_api(admin_service& of) : service_{of} {}

  /// Whoever can connect may give orders, and any page in a browser on this machine can. Those say
  /// where they come from, and have no business here.
  [[nodiscard]] http_answer answer(const http_request& asked) {
    if (asked.header("Origin"))
      return error_answer("invalid_option", "a request with Origin comes from a page in a browser, "
                                            "and pages give no orders");
    return answer_by(routes, *this, asked);
  }

  /// The routes as the documentation has them.
  [[nodiscard]] static std::string routes_as_markdown() { return as_markdown(routes); }

private:
  using route = http_route<admin_api>;
  using member_id = understudy::member_id;
  using interval = understudy::interval;
  template <class T> using expected = understudy::expected<T>;
  using outcome = expected<understudy::log_index>;
  using order = outcome (admin_service::*)(member_id, interval);

  static const std::array<route, 15> routes;

  // -- how things stand
  // ----------------------------------------------------------------------------

  http_answer get_status(const http_request& asked, const std::string&) {
    if (const auto good = only_parameters(asked, {}); !good)
      return refusal(good.error());
    return {.body = dump(status_as_json(service_.status(), service_.draining()))};
  }

  http_answer get_journal(const http_request& asked, const std::string&) {
    const auto limit = only_limit(asked);
    const auto lines = limit.and_then([&](interval most) { return service_.journal(most); });
    if (!lines)
      return refusal(lines.error());
    return {.body = dump({{"lines", journal_as_json(*lines, service_.status())}})};
  }

  http_answer get_settings(const http_request& asked, const std::string&) {
    const auto rules
        = only_limit(asked).and_then([&](interval most) { return service_.settings(most); });
    if (!rules)
      return refusal(rules.error());
    return {.body = dump(settings_as_json(*rules))};
  }

  // -- this node
  // -----------------------------------------------------------------------------------

  http_answer leave(const http_request& asked, const std::string&) {
    const auto gone = only_parameters(asked, {}).and_then([&] { return service_.leave(); });
    if (!gone)
      return refusal(gone.error());
    if (gone->how == understudy::leave_outcome::timed_out)
      return error_answer("not_left", with_names(gone->detail, service_.status()));
    const bool last = gone->how == understudy::leave_outcome::last_member;
    return {.body
            = dump({{"done", "leave"}, {"name", service_.status().name}, {"last_member", last}})};
  }

  http_answer take_snapshot(const http_request& asked, const std::string&) {
    const auto stored
        = only_limit(asked).and_then([&](interval most) { return service_.snapshot(most); });
    if (!stored)
      return refusal(stored.error());
    return {
        .body
        = dump({{"done", "snapshot"}, {"name", service_.status().name}, {"index", stored->value}})};
  }

  http_answer get_remains(const http_request& asked, const std::string&) {
    const auto left
        = only_limit(asked).and_then([&](interval most) { return service_.remains(most); });
    if (!left)
      return refusal(left.error());
    return {.type = "application/octet-stream", .body = std::string{left->text()}};
  }

  // -- orders
  // --------------------------------------------------------------------------------------

  http_answer evict(const http_request& asked, const std::string&) {
    return give(asked, "evict", &admin_service::evict);
  }
  http_answer pin(const http_request& asked, const std::string&) {
    return give(asked, "pin", &admin_service::pin);
  }
  http_answer unpin(const http_request& asked, const std::string&) {
    return give(asked, "unpin", &admin_service::unpin);
  }

  /// An order about the member that the request names.
  http_answer give(const http_request& asked, std::string_view name, order what) {
    const auto limit = only_limit(asked, "member");
    if (!limit)
      return refusal(limit.error());
    const auto now = service_.status();
    const auto who = member_of(asked, now);
    if (!who)
      return who.error();
    return told(name, *who, now, (service_.*what)(*who, *limit));
  }

  http_answer transfer(const http_request& asked, const std::string&) {
    if (asked.parameter("member"))
      return give(asked, "transfer", &admin_service::transfer);
    const auto done = only_limit(asked, "member").and_then([&](interval most) {
      return service_.transfer({}, most);
    });
    const auto now = service_.status();
    return told("transfer", now.leader, now, done);
  }

  http_answer use_version(const http_request& asked, const std::string&) {
    const auto limit = only_limit(asked, "version");
    if (!limit)
      return refusal(limit.error());
    const auto version = version_of(asked);
    if (!version)
      return refusal(version.error());
    const auto done = service_.use_version(*version, *limit);
    if (!done)
      return refusal(done.error());
    return {.body = dump({{"done", "use-version"}, {"version", *version}, {"index", done->value}})};
  }

  [[nodiscard]] static expected<std::uint32_t> version_of(const http_request& asked) {
    const auto number = detail::number_of("version", asked.parameter("version").value_or(""));
    if (!number)
      return tl::unexpected{number.error()};
    if (*number == 0 || !std::in_range<std::uint32_t>(*number))
      return understudy::fail(understudy::errc::invalid_option,
                              "the parameter 'version' must be from 1 on, and is "
                                  + std::to_string(*number));
    return static_cast<std::uint32_t>(*number);
  }

  http_answer put_settings(const http_request& asked, const std::string&) {
    const auto limit = only_limit(asked);
    if (!limit)
      return refusal(limit.error());
    const auto rules = service_.settings(*limit).and_then(
        [&](const understudy::settings& now) { return read_settings(asked.body, now); });
    if (!rules)
      return refusal(rules.error());
    const auto done = service_.change(*rules, *limit);
    if (!done)
      return refusal(done.error());
    return {.body = dump({{"done", "settings"},
                          {"index", done->value},
                          {"settings", settings_as_json(*rules)}})};
  }

  // -- questions
  // -----------------------------------------------------------------------------------

  http_answer get_plan(const http_request& asked, const std::string&) {
    const auto now = service_.status();
    std::vector<understudy::supposed> what;
    auto rest = asked;
    std::erase_if(rest.query, [](const name_value& p) { // those may be there more than once
      return p.first == "dies" || p.first == "leaves";
    });
    const auto limit = only_limit(rest, "dies", "leaves");
    if (!limit)
      return refusal(limit.error());
    for (const auto& [name, value] : asked.query)
      if (name == "dies" || name == "leaves") {
        const auto who = member_called(value, now);
        if (!who)
          return who.error();
        what.push_back({*who, name == "dies" ? understudy::fate::dies : understudy::fate::leaves});
      }
    const auto seen = service_.plan_if(what, *limit);
    if (!seen)
      return refusal(seen.error());
    return {.body = dump(forecast_as_json(*seen, now))};
  }

  http_answer get_safe_to_stop(const http_request& asked, const std::string&) {
    const auto limit = only_limit(asked, "member");
    if (!limit)
      return refusal(limit.error());
    const auto now = service_.status();
    const auto who = member_of(asked, now);
    if (!who)
      return who.error();
    const auto safe = service_.safe_to_stop(*who, *limit);
    if (!safe)
      return refusal(safe.error());
    nlohmann::ordered_json body{{"member", member_as_json(*who, now)}, {"safe", *safe}};
    if (!*safe)
      body["why"] = why_not_safe(*who, *limit);
    return {.body = dump(body)};
  }

  /// Things may have changed since the question was answered; so this is for people.
  std::string why_not_safe(member_id who, interval limit) {
    const auto then = service_.plan_if({{who, understudy::fate::leaves}}, limit);
    if (!then)
      return "it is not known why";
    if (!then->majority)
      return "too few of the voters that are left answer";
    if (std::ranges::find(then->voters, who) != then->voters.end())
      return "nobody can take its vote";
    if (!then->complete)
      return "a seat would be left open";
    return "it was not safe a moment ago, and is now";
  }

  http_answer list_routes(const http_request&, const std::string&) { return list_of(routes); }

  // -- what they have in common
  // --------------------------------------------------------------------

  /// `timeout`, and complaints about parameters that are not among `others`.
  template <class... Names>
  [[nodiscard]] static expected<interval> only_limit(const http_request& asked, Names... others) {
    return only_parameters(asked, {others..., "timeout"}).and_then([&] { return limit_of(asked); });
  }

  [[nodiscard]] static tl::expected<member_id, http_answer>
  member_of(const http_request& asked, const understudy::node_status& now) {
    const auto text = asked.parameter("member");
    if (!text || text->empty())
      return tl::unexpected{
          error_answer("invalid_option", "the parameter 'member' is missing: a name or an id")};
    return member_called(*text, now);
  }

  [[nodiscard]] http_answer told(std::string_view name, member_id who,
                                 const understudy::node_status& now, const outcome& done) const {
    if (!done)
      return refusal(done.error());
    return {.body
            = dump({{"done", name}, {"member", member_as_json(who, now)}, {"index", done->value}})};
  }

  /// What went wrong, with names for people; and who leads, if that is where to ask.
  [[nodiscard]] http_answer refusal(understudy::failure why) const {
    const auto now = service_.status();
    const auto leader = member_as_json(why.leader, now);
    if (why.code == understudy::errc::not_leader && why.detail.empty())
      why.detail = why.leader ? "only the leader can tell, and that is "
                                    + with_names(std::to_string(why.leader.value), now)
                              : "only the leader can tell, and nobody is known to lead";
    why.detail = with_names(why.detail, now);
    auto answer = error_answer(why);
    if (!leader.is_null()) {
      auto body = nlohmann::ordered_json::parse(answer.body);
      body["leader"] = leader;
      answer.body = dump(body);
    }
    return answer;
  }

  admin_service& service_;
};

inline const std::array<admin_api::route, 15> admin_api::routes{{
    {"GET", "/admin/status", false, "", &admin_api::get_status, "",
     "how this node sees itself and its cluster, as `/status`"},
    {"GET", "/admin/journal", false, "", &admin_api::get_journal, "`timeout`",
     "this node's newest decisions about seats, each with its reason, oldest first"},
    {"POST", "/admin/leave", false, "", &admin_api::leave, "",
     "as SIGTERM: this node drains, leaves and ends; answered when it has left"},
    {"POST", "/admin/snapshot", false, "", &admin_api::take_snapshot, "`timeout`",
     "this node writes its table down; answered when it is stored"},
    {"GET", "/admin/remains", false, "", &admin_api::get_remains, "`timeout`",
     "all that this node has of the cluster's data, as a file that `nodectl recover` and `node "
     "--recover` read"},
    {"POST", "/admin/evict", false, "", &admin_api::evict, "`member`, `timeout`",
     "sends a member away, for good"},
    {"POST", "/admin/pin", false, "", &admin_api::pin, "`member`, `timeout`",
     "keeps a member a listener"},
    {"POST", "/admin/unpin", false, "", &admin_api::unpin, "`member`, `timeout`",
     "lets it have a seat again"},
    {"POST", "/admin/transfer", false, "", &admin_api::transfer, "`member`, `timeout`",
     "hands leadership to a voter; without `member` to the one that has most"},
    {"POST", "/admin/use-version", false, "", &admin_api::use_version, "`version`, `timeout`",
     "has the cluster use a newer version of the table, for good; refused while a member knows "
     "less"},
    {"GET", "/admin/settings", false, "", &admin_api::get_settings, "`timeout`",
     "the settings of the cluster, as far as this node knows"},
    {"PUT", "/admin/settings", false, "", &admin_api::put_settings, "`timeout`",
     R"(`{"max_voters": N, ...}`: changes those that are named, in the whole cluster)"},
    {"GET", "/admin/plan", false, "", &admin_api::get_plan, "`dies`, `leaves`, `timeout`",
     "who would vote if all of this happened; each may be there several times. Of the leader"},
    {"GET", "/admin/safe-to-stop", false, "", &admin_api::get_safe_to_stop, "`member`, `timeout`",
     "whether the rest would keep a majority, and every seat be taken. Of the leader"},
    {"GET", "/", false, "", &admin_api::list_routes, "", "this list"},
}};

} // namespace node_program
