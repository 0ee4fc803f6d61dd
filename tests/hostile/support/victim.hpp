// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A process of the node program that is attacked, and what must hold meanwhile: it runs, others
/// are served, and its memory stays within a bound.

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "hostile/support/stranger.hpp"
#include "support/child_process.hpp"
#include "support/free_port.hpp"
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace hostile {

inline constexpr std::size_t mebibyte = std::size_t{1} << 20;

[[nodiscard]] inline bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// A node that has founded its cluster, or has entered that of `seed`.
class victim {
public:
  using options = std::vector<std::string>;

  /// `files_max`: how many files it may have open; 0: as many as this process.
  explicit victim(const options& more = {}, const victim* seed = nullptr,
                  const std::string& name = "a", int files_max = 0)
      : port_{test_support::free_port()}, process_{command(more, seed, name, files_max)} {
    REQUIRE_MESSAGE(process_.says("event=serving"), process_.last_words());
    REQUIRE_MESSAGE(process_.says("event=entered"), process_.last_words());
    const auto http = process_.said("http");
    http_ = static_cast<std::uint16_t>(std::stoul(http.substr(http.rfind(':') + 1)));
    id_ = std::stoull(process_.said("id"));
    must_serve();
    at_rest_ = resident_bytes();
  }

  [[nodiscard]] std::uint16_t port() const { return port_; } ///< where nodes and clients connect
  [[nodiscard]] std::uint16_t http() const { return http_; }
  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] test_support::child_process& process() { return process_; }

  /// The answer to a request over HTTP, head and body; empty: there is none in time.
  [[nodiscard]] std::string ask(const std::string& what, const std::string& body = {}) const {
    stranger caller{http_};
    caller.say(what + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: "
               + std::to_string(body.size()) + "\r\n\r\n" + body);
    return caller.hear_all();
  }

  /// Takes a write, and reads it back. Both go through the leader and the log.
  void must_serve() {
    const auto value = std::to_string(++served_);
    const auto put = ask("PUT /kv/served", value);
    CHECK_MESSAGE((has(put, " 201 ") || has(put, " 200 ")), put, process_.last_words());
    CHECK(has(ask("GET /kv/served"), "\r\n\r\n" + value));
  }

  /// What it says of itself.
  [[nodiscard]] nlohmann::json status() const {
    const auto answer = ask("GET /status");
    const auto body = answer.find("\r\n\r\n");
    REQUIRE(body != std::string::npos);
    return nlohmann::json::parse(answer.substr(body));
  }

  /// How many files it has open, sockets among them.
  [[nodiscard]] std::ptrdiff_t open_files() const {
    namespace fs = std::filesystem;
    const fs::directory_iterator all{"/proc/" + std::to_string(process_.id()) + "/fd"};
    return std::distance(begin(all), end(all));
  }

  /// As /proc has it.
  [[nodiscard]] std::size_t resident_bytes() const {
    std::ifstream from{"/proc/" + std::to_string(process_.id()) + "/statm"};
    std::size_t all = 0;
    std::size_t resident = 0;
    from >> all >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  }

  /// More than it had before anybody did anything to it.
  [[nodiscard]] std::size_t grown_bytes() const {
    return std::max(resident_bytes(), at_rest_) - at_rest_;
  }

  /// No connection has been ended for its silence, by what is left of the log.
  [[nodiscard]] bool has_timed_nobody_out() {
    return !has(process_.last_words(), "has not said who it is");
  }

  void must_be_well() {
    REQUIRE_MESSAGE(process_.is_running(), process_.last_words());
    must_serve();
    CHECK(has(ask("GET /livez"), " 200 "));
  }

  /// It runs still, leaves its cluster in order, and ends as a node does that nothing happened to.
  void must_end_well() {
    must_be_well();
    process_.signal(SIGTERM);
    CHECK_MESSAGE(process_.wait() == 0, process_.last_words());
  }

private:
  [[nodiscard]] std::vector<std::string> command(const options& more, const victim* seed,
                                                 const std::string& name, int files_max) const {
    const std::string here = "127.0.0.1:";
    options all{UNDERSTUDY_NODE_PROGRAM,
                "--name",
                name,
                "--listen",
                here + std::to_string(port_),
                "--http",
                here + "0",
                "--drain",
                "0"};
    if (seed)
      all.insert(all.end(), {"--seed", here + std::to_string(seed->port())});
    else
      all.emplace_back("--found");
    all.insert(all.end(), more.begin(), more.end());
    if (files_max > 0)
      all.insert(all.begin(), {"/usr/bin/prlimit", "--nofile=" + std::to_string(files_max)});
    return all;
  }

  std::uint16_t port_;
  test_support::child_process process_;
  std::uint16_t http_ = 0;
  std::uint64_t id_ = 0;
  std::size_t at_rest_ = 0;
  std::uint64_t served_ = 0;
};

/// Looks at a victim all the time while something is done to it: the most memory that it has, and
/// how long it takes at most to serve somebody else.
class watch {
public:
  explicit watch(victim& of) : of_{&of}, thread_{[this] { look(); }} {}
  watch(const watch&) = delete;
  watch& operator=(const watch&) = delete;
  ~watch() { end(); }

  void end() {
    over_ = true;
    if (thread_.joinable())
      thread_.join();
  }

  /// After `end`.
  [[nodiscard]] std::size_t grown_bytes_max() const { return grown_; }
  [[nodiscard]] std::chrono::milliseconds slowest() const { return slowest_; }
  [[nodiscard]] int served() const { return served_; }

private:
  void look() {
    do
      try {
        const auto begun = std::chrono::steady_clock::now();
        of_->must_serve();
        ++served_;
        slowest_ = std::max(slowest_, std::chrono::duration_cast<std::chrono::milliseconds>(
                                          std::chrono::steady_clock::now() - begun));
        grown_ = std::max(grown_, of_->grown_bytes());
      } catch (...) {
        return; // what was required is not so, and is reported; this thread must not end the test
      }
    while (!over_);
  }

  victim* of_;
  std::size_t grown_ = 0;
  std::chrono::milliseconds slowest_{0};
  int served_ = 0;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

} // namespace hostile
