// SPDX-License-Identifier: BSL-1.0
//
// One node of a replicated key-value store, as a program: served over HTTP by every node, looked
// after by signals, /readyz and /metrics. docs/operating.md is its manual; `--help` a short one.

#include <understudy/node.hpp>

#include "node/admin_api.hpp"
#include "node/command_line.hpp"
#include "node/http_api.hpp"
#include "node/http_server.hpp"
#include "node/leave_wish.hpp"
#include "node/log.hpp"
#include "node/node_admin.hpp"
#include "node/node_options.hpp"
#include "node/node_service.hpp"
#include "node/wake_up.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace node_program {

namespace {

using clock = std::chrono::steady_clock;
using understudy::node_event;
using understudy::protocol::endpoint;

[[nodiscard]] level level_of(node_event::kind what) {
  using enum node_event::kind;
  if (what == machine_failed || what == node_stopped)
    return level::error;
  if (what == source_changed)
    return level::debug;
  return understudy::is_warning(what) ? level::warning : level::info;
}

/// From the start of the node to its end, and which end it was.
class life {
public:
  explicit life(const program_options& options)
      : options_{options}, log_{level_named(options.log_level).value_or(level::info)} {}

  exit_code live() {
    auto trusted = read_trust(options_);
    if (!trusted)
      return refuse(exit_code::bad_options, "can_not_start", trusted.error());
    trusted_ = std::move(*trusted);
    auto made = make_node_options(options_, trusted_);
    if (!made)
      return refuse(exit_code::bad_options, "can_not_start", made.error());
    auto server
        = bind(options_.http, static_cast<std::size_t>(options_.http_connections), counters_);
    if (!server)
      return refuse(exit_code::cannot_start, "can_not_start", server.error());
    http_counters admin_counters; // what operators ask is no traffic
    auto admin_server = bind(options_.admin, admin_connections, admin_counters);
    if (!admin_server && !options_.admin.empty())
      return refuse(exit_code::cannot_start, "can_not_start", admin_server.error());

    made->on_event = [this](const node_event& what) { hear(what); };
    if (made->network)
      made->network = with_log(std::move(made->network));
    understudy::networked_config config;
    caf::actor_system system{config};
    auto node = understudy::spawn_node<key_value>(system, std::move(*made));
    if (!node)
      return refuse(exit_code::cannot_start, "can_not_start", node.error());
    const std::jthread watch{[&] {
      node->body().over.wait();
      over_ = true;
      wake_.notify();
    }};

    node_service table{*node};
    http_api api{table, counters_};
    server->start([&](const http_request& asked) { return api.answer(asked); });
    node_admin orders{*node, api, wish_};
    admin_api operators{orders};
    if (admin_server)
      admin_server->start([&](const http_request& asked) { return operators.answer(asked); });
    log_.line(level::info, "serving",
              {{"name", options_.name},
               {"id", std::to_string(node->id().value)},
               {"http", host_and_port(server->address())},
               {"admin", admin_server ? host_and_port(admin_server->address()) : "none"},
               {"data", options_.data.empty() ? "none" : options_.data}});

    const auto end = go_on_until_told(*node, api, *server);
    node->stop();
    wish_.answer(understudy::fail(understudy::errc::stopped, "the node stops, and has not left"));
    if (!wait_until_over(std::chrono::seconds{10}))
      stop_at_once("the node does not stop");
    server->close();
    server->join();
    if (admin_server) {
      admin_server->close();
      admin_server->join();
    }
    log_.line(level::info, "stopped", {{"exit_status", std::to_string(static_cast<int>(end))}});
    return end;
  }

private:
  static constexpr std::size_t admin_connections = 16;
  static constexpr understudy::interval leave_limit_default = std::chrono::seconds{10};

  static understudy::expected<http_server> bind(const std::string& place, std::size_t connections,
                                                http_counters& counters) {
    return understudy::protocol::parse_host_and_port(place).and_then([&](const endpoint& at) {
      return http_server::bind(at, {.connections_max = connections}, counters);
    });
  }

  exit_code refuse(exit_code status, std::string_view event, const understudy::failure& why) {
    log_.line(level::error, event,
              {{"error", std::string{to_string(why.code)}}, {"detail", why.detail}});
    return status;
  }

  /// What is wrong with those that connect is no event of the node, and is to be read all the same.
  [[nodiscard]] understudy::network_opener with_log(understudy::network_opener open) {
    return
        [this, open = std::move(open)](caf::actor_system& system, understudy::network_wish wish) {
          wish.log = [this](std::string_view text) {
            constexpr std::string_view what = ": "; // behind the node's name for itself
            const auto at = text.find(what, text.find(what) + what.size());
            log_.line(
                level::warning, "connection_trouble",
                {{"detail", std::string{at == text.npos ? text : text.substr(at + what.size())}}});
          };
          return open(system, std::move(wish));
        };
  }

  /// Called by the node, for each of its events.
  void hear(const node_event& what) {
    const auto text
        = [](std::uint64_t number) { return number ? std::to_string(number) : std::string{}; };
    log_.line(
        level_of(what.what), to_string(what.what),
        {{"who", text(what.who.value)},
         {"index", text(what.index.value)},
         {"error", std::string{what.code == understudy::errc::none ? "" : to_string(what.code)}},
         {"detail", what.detail}});
    if (what.what == node_event::kind::evicted) {
      evicted_ = true;
      wake_.notify();
    }
    if (what.what == node_event::kind::left
        && (what.detail == "left" || what.detail.starts_with("last member")))
      left_ = true;
  }

  exit_code go_on_until_told(const understudy::node<key_value>& node, http_api& api,
                             http_server& server) {
    while (!over_ && !evicted_) {
      const auto why = wake_.wait();
      if (why == woken_by::signal || wish_.is_made())
        return leave(node, api, server);
      if (why == woken_by::reload)
        read_certificates_again();
    }
    api.begin_to_drain();
    log_.line(level::warning, "ended_unasked",
              {{"detail", evicted_ ? "the cluster has sent this node away"
                          : left_  ? "an operator had this node leave"
                                   : "the node has stopped; the lines above say why"}});
    return left_ && !evicted_ ? exit_code::left : exit_code::undone;
  }

  /// Connections that begin from now on use what is in the files now.
  void read_certificates_again() const {
    if (!trusted_.certificates)
      return log_.line(level::warning, "nothing_to_reload",
                       {{"detail", "--certificate is not set"}});
    if (const auto done = trusted_.certificates->reload(); !done)
      return log_.line(level::error, "not_reloaded", {{"detail", done.error().detail}});
    log_.line(level::info, "certificates_reloaded");
  }

  exit_code leave(const understudy::node<key_value>& node, http_api& api, http_server& server) {
    api.begin_to_drain();
    server.begin_to_drain();
    // Only now: whoever reads this line may ask at once, and is told that the node drains.
    log_.line(level::info, "draining", {{"seconds", detail::short_number(options_.drain)}});
    const auto until = clock::now() + seconds(options_.drain);
    while (clock::now() < until && !over_)
      if (wake_.wait(until) == woken_by::signal)
        stop_at_once("a second signal");
    server.close();
    log_.line(level::info, "http_closed");
    // Who wishes that it leave wants more than that it stops.
    const bool only_stop = options_.leave_limit <= 0;
    if (only_stop && !wish_.is_made())
      return exit_code::left;

    const auto limit = only_stop ? leave_limit_default : seconds(options_.leave_limit);
    auto left = node.leave(limit);
    // The node stops when it has left, or when the time is up: `over_` tells of both.
    if (!wait_until_over(limit + std::chrono::seconds{5}))
      stop_at_once("leaving does not end");
    const auto how = left.get();
    wish_.answer(how.map([](const understudy::leave_result& end) {
      return understudy::leave_ended{end.how, end.detail};
    }));
    if (!how)
      return refuse(exit_code::undone, "not_left", how.error());
    if (how->how == understudy::leave_outcome::timed_out)
      return refuse(exit_code::undone, "not_left", {understudy::errc::timed_out, how->detail});
    return exit_code::left;
  }

  /// Whether the node ends within `limit`.
  bool wait_until_over(understudy::interval limit) {
    const auto until = clock::now() + limit;
    while (!over_ && clock::now() < until)
      if (wake_.wait(until) == woken_by::signal)
        stop_at_once("a second signal");
    return over_;
  }

  /// What a node has confirmed is on the disk, so it may end at any moment. Nothing is waited for,
  /// not even destructors: this is for when something does not end.
  [[noreturn]] void stop_at_once(const std::string& why) {
    log_.line(level::warning, "stopped_at_once", {{"detail", why}, {"exit_status", "1"}});
    std::_Exit(static_cast<int>(exit_code::undone));
  }

  const program_options& options_;
  trust trusted_;
  const wake_up wake_; ///< before anything that has a thread
  leave_wish wish_{wake_};
  const event_log log_;
  http_counters counters_;
  std::atomic<bool> over_ = false;
  std::atomic<bool> evicted_ = false;
  std::atomic<bool> left_ = false;
};

} // namespace

} // namespace node_program

int main(int argc, char** argv) {
  using namespace node_program;
  const auto line = read_command_line(argc, argv);
  if (line.over) {
    (line.status == exit_code::left ? std::cout : std::cerr) << line.text << std::flush;
    return static_cast<int>(line.status);
  }
  if (line.metrics_help) {
    std::cout << metrics_as_markdown() << std::flush;
    return static_cast<int>(exit_code::left);
  }
  return static_cast<int>(life{line.options}.live());
}
