// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The HTTP API of a node: which routes there are, and what each of them does.
///
/// \code
/// http_api api{store, counters};
/// const auto answer = api.answer({.method = "GET", .path = "/kv/greeting"});
/// \endcode

#include <understudy/core/errors.hpp>

#include "error_answer.hpp"
#include "http_message.hpp"
#include "http_parameters.hpp"
#include "http_routes.hpp"
#include "json_bodies.hpp"
#include "metrics.hpp"
#include "service.hpp"
#include "session_token.hpp"
#include "status_json.hpp"
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace node_program {

/// The API of one node. Answers from any thread, as many at a time as there are.
class http_api {
public:
  http_api(service& of, http_counters& counters) : service_{of}, counters_{counters} {}

  /// From now on /readyz says no, so that nobody new is sent here.
  void begin_to_drain() { draining_ = true; }
  [[nodiscard]] bool draining() const { return draining_; }

  [[nodiscard]] http_answer answer(const http_request& asked) {
    const auto begun = std::chrono::steady_clock::now();
    ++counters_.open;
    auto result = answer_by(routes, *this, asked);
    --counters_.open;
    const auto took = std::chrono::steady_clock::now() - begun;
    counters_.microseconds += static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    ++counters_.answers[static_cast<std::size_t>(result.status / 100) % counters_.answers.size()];
    return result;
  }

  /// The routes as the documentation has them.
  [[nodiscard]] static std::string routes_as_markdown() { return as_markdown(routes); }

private:
  using route = http_route<http_api>;

  static constexpr std::string_view read_parameters
      = "`consistency`, `max_age`, `at_least`, `timeout`";
  static const std::array<route, 15> routes;

  // -- reads
  // ---------------------------------------------------------------------------------------

  /// Reads the parameters of a read, and lets `ask(how, limit)` ask.
  template <class Ask>
  [[nodiscard]] auto read(const http_request& asked, Ask ask)
      -> decltype(ask(understudy::read_options{}, understudy::interval{})) {
    if (auto good = only_parameters(asked, {"consistency", "max_age", "at_least", "timeout"});
        !good)
      return tl::unexpected{std::move(good.error())};
    return freshness_of(asked).and_then([&](const understudy::read_options& how) {
      return limit_of(asked).and_then([&](understudy::interval limit) { return ask(how, limit); });
    });
  }

  static void add_receipt(http_answer& to, const http_request& asked,
                          const understudy::receipt& from) {
    to.headers.emplace_back("Understudy-Index", std::to_string(from.index.value));
    if (asked.parameter("consistency").value_or("linearizable") != "linearizable") {
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(from.age).count();
      const bool known = from.age != understudy::interval::max();
      to.headers.emplace_back("Understudy-Age",
                              known ? detail::short_number(static_cast<double>(ms) / 1'000)
                                    : "unknown");
    }
  }

  http_answer get_value(const http_request& asked, const std::string& key) {
    if (auto no = refuse_key(key))
      return std::move(*no);
    auto got
        = read(asked, [&](const auto& how, auto limit) { return service_.get({key}, how, limit); });
    if (!got)
      return error_answer(got.error());
    auto answer = got->value.value ? http_answer{.type = "application/octet-stream",
                                                 .body = std::move(*got->value.value)}
                                   : error_answer("key_missing");
    add_receipt(answer, asked, got->receipt);
    return answer;
  }

  http_answer get_limits(const http_request& asked, const std::string&) {
    const auto got
        = read(asked, [&](const auto& how, auto limit) { return service_.size(how, limit); });
    if (!got)
      return error_answer(got.error());
    http_answer answer{.body = dump(nlohmann::ordered_json{{"keys", got->value.keys},
                                                           {"bytes", got->value.bytes},
                                                           {"keys_max", got->value.keys_max},
                                                           {"bytes_max", got->value.bytes_max}})};
    add_receipt(answer, asked, got->receipt);
    return answer;
  }

  // -- writes
  // --------------------------------------------------------------------------------------

  /// Says no to a key that can not be one, whatever the table holds.
  [[nodiscard]] static std::optional<http_answer> refuse_key(const std::string& key) {
    const auto why = key_value::check_key(key);
    if (!why)
      return std::nullopt;
    return error_answer(key.empty() ? "invalid_option" : "too_large", *why);
  }

  [[nodiscard]] http_answer submit(const http_request& asked, const table_write& what) {
    const auto done = only_parameters(asked, {"timeout"})
                          .and_then([&] { return limit_of(asked); })
                          .and_then([&](understudy::interval limit) {
                            return write_name_of(asked, service_.status().cluster)
                                .and_then([&](const std::optional<write_name>& name) {
                                  return service_.submit(what, name, limit);
                                });
                          });
    if (!done)
      return error_answer(done.error());
    const auto& [verdict_of, number] = done->value;
    http_answer answer;
    if (verdict_of > verdict::created) {
      answer = error_answer(to_string(verdict_of));
    } else {
      nlohmann::ordered_json body{{"result", to_string(verdict_of)},
                                  {"index", done->receipt.index.value},
                                  {"copies", done->receipt.copies}};
      if (std::holds_alternative<key_value::add>(what))
        body["value"] = number;
      if (std::holds_alternative<key_value::clear>(what))
        body["erased"] = number;
      answer = {.status = verdict_of == verdict::created ? 201 : 200, .body = dump(body)};
    }
    answer.headers.emplace_back("Understudy-Index", std::to_string(done->receipt.index.value));
    return answer;
  }

  http_answer put_value(const http_request& asked, const std::string& key) {
    if (auto no = refuse_key(key))
      return std::move(*no);
    if (auto bad = key_value::check_value("the value", asked.body))
      return error_answer("too_large", *bad);
    return submit(asked, key_value::put{key, asked.body});
  }

  http_answer erase_value(const http_request& asked, const std::string& key) {
    if (auto no = refuse_key(key))
      return std::move(*no);
    return submit(asked, key_value::erase{key});
  }

  /// A write whose key and numbers are in the body.
  template <class Command>
  [[nodiscard]] http_answer submit_read(const http_request& asked,
                                        understudy::expected<Command> what) {
    if (!what)
      return error_answer(what.error());
    if constexpr (requires { what->key; })
      if (auto no = refuse_key(what->key))
        return std::move(*no);
    if constexpr (requires { what->value; })
      if (auto bad = key_value::check(*what))
        return error_answer("too_large", *bad);
    return submit(asked, std::move(*what));
  }
  http_answer compare_and_set(const http_request& asked, const std::string&) {
    return submit_read(asked, read_compare_and_set(asked.body));
  }
  http_answer add(const http_request& asked, const std::string&) {
    return submit_read(asked, read_add(asked.body));
  }
  http_answer clear(const http_request& asked, const std::string&) {
    return submit_read(asked, read_clear(asked.body));
  }
  http_answer put_limits(const http_request& asked, const std::string&) {
    return submit_read(asked, read_limit(asked.body));
  }

  // -- sessions
  // ------------------------------------------------------------------------------------

  http_answer open_session(const http_request& asked, const std::string&) {
    const auto opened
        = only_parameters(asked, {"timeout"})
              .and_then([&] { return limit_of(asked); })
              .and_then([&](understudy::interval limit) { return service_.open_session(limit); });
    if (!opened)
      return error_answer(opened.error());
    const auto token = session_token(service_.status().cluster, opened->value);
    const auto index = opened->receipt.index.value;
    http_answer answer{.status = 201,
                       .body = dump(nlohmann::ordered_json{{"session", token}, {"index", index}})};
    answer.headers.emplace_back("Location", "/sessions/" + token);
    answer.headers.emplace_back("Understudy-Index", std::to_string(index));
    return answer;
  }

  http_answer close_session(const http_request& asked, const std::string& token) {
    const auto session = read_session_token(service_.status().cluster, token);
    if (!session)
      return error_answer("session_unknown",
                          "'" + token.substr(0, 80) + "' is no session of this cluster");
    const auto closed = only_parameters(asked, {"timeout"})
                            .and_then([&] { return limit_of(asked); })
                            .and_then([&](understudy::interval limit) {
                              return service_.close_session(*session, limit);
                            });
    return closed ? http_answer{.status = 204, .type = {}} : error_answer(closed.error());
  }

  // -- how things stand
  // ----------------------------------------------------------------------------

  http_answer get_status(const http_request&, const std::string&) {
    return {.body = dump(status_as_json(service_.status(), draining_))};
  }

  http_answer get_metrics(const http_request&, const std::string&) {
    metrics_view view{.status = service_.status(), .http = &counters_, .draining = draining_};
    // What a scrape shows is the node's own, also when it is cut off; and it does not wait for it.
    if (const auto table
        = service_.size({.consistency = understudy::consistency::local}, std::chrono::seconds{1}))
      view.table = table->value;
    view.uptime_seconds
        = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
    view.resident_bytes = resident_bytes();
    return {.type = "text/plain; version=0.0.4", .body = metrics_as_text(view)};
  }

  [[nodiscard]] static double resident_bytes() {
    std::ifstream pages{"/proc/self/statm"};
    double size = 0;
    double resident = 0;
    return pages >> size >> resident ? resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) : 0;
  }

  http_answer get_live(const http_request&, const std::string&) {
    const auto now = service_.status();
    if (now.trouble.code != understudy::errc::none)
      return error_answer("not_ready",
                          std::string{to_string(now.trouble.code)} + ": " + now.trouble.detail);
    return {.body = dump(nlohmann::ordered_json{{"live", true}})};
  }

  http_answer get_ready(const http_request&, const std::string&) {
    const auto now = service_.status();
    if (draining_)
      return error_answer("draining", "the node is about to leave");
    if (now.ready)
      return {.body = dump(nlohmann::ordered_json{{"ready", true}})};
    if (now.trouble.code != understudy::errc::none)
      return get_live({}, {});
    const bool leaves = now.leaving != understudy::leave_step{} || now.stopped;
    return error_answer("not_ready", leaves         ? "the node is leaving"
                                     : !now.cluster ? now.why_not_voter
                                     : !now.leader  ? "nobody is known to lead"
                                                    : "the node has still to catch up");
  }

  http_answer list_routes(const http_request&, const std::string&) { return list_of(routes); }

  service& service_;
  http_counters& counters_;
  std::atomic<bool> draining_ = false;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

inline const std::array<http_api::route, 15> http_api::routes{{
    {"GET", "/kv/", true, "KEY", &http_api::get_value, read_parameters,
     "the value of a key, as it was put"},
    {"PUT", "/kv/", true, "KEY", &http_api::put_value, "`timeout`", "puts the body"},
    {"DELETE", "/kv/", true, "KEY", &http_api::erase_value, "`timeout`", "erases a key"},
    {"POST", "/cas", false, "", &http_api::compare_and_set, "`timeout`",
     R"(`{"key": K, "expected": V, "value": W}`: puts W if the value is V; )"
     "V null: if there is no such key"},
    {"POST", "/add", false, "", &http_api::add, "`timeout`",
     R"(`{"key": K, "by": N}`: adds to a decimal integer of 64 bits; )"
     "a key that is not there counts as 0"},
    {"POST", "/clear", false, "", &http_api::clear, "`timeout`",
     R"(`{"prefix": P}`: erases every key that begins with P; from version 2 of the table on)"},
    {"POST", "/sessions", false, "", &http_api::open_session, "`timeout`",
     "opens a session, for writes that are applied once wherever they are sent"},
    {"DELETE", "/sessions/", true, "SESSION", &http_api::close_session, "`timeout`", "closes it"},
    {"GET", "/limits", false, "", &http_api::get_limits, read_parameters,
     "how much the table holds, and may hold"},
    {"PUT", "/limits", false, "", &http_api::put_limits, "`timeout`",
     R"(`{"keys_max": N, "bytes_max": N}`: how much it may hold from now on)"},
    {"GET", "/status", false, "", &http_api::get_status, "",
     "how this node sees itself and its cluster"},
    {"GET", "/metrics", false, "", &http_api::get_metrics, "", "numbers for Prometheus"},
    {"GET", "/livez", false, "", &http_api::get_live, "",
     "200 unless the node or its table has stopped for good: then only a new start helps"},
    {"GET", "/readyz", false, "", &http_api::get_ready, "",
     "200 if calls are best sent here: the node has entered, has caught up, knows a leader, and "
     "stays"},
    {"GET", "/", false, "", &http_api::list_routes, "", "this list"},
}};

} // namespace node_program
