// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Nodes of the example program, each a process.

#include <nlohmann/json.hpp>

#include "scratch_directory.hpp"
#include "served_store.hpp"
#include "support/child_process.hpp"
#include "support/free_port.hpp"
#include <signal.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace benchmarks {

/// Three vote, and whoever else is there listens. All settings are as they are by default.
///
/// Those without a directory are gone when they are killed, and others enter in their place; those
/// with one are started again.
class node_processes final : public served_store {
public:
  static constexpr std::size_t seats = 3;

  /// `program` is the node program. The nodes keep their data in `directory`, if there is one.
  node_processes(std::string program, std::size_t count,
                 const std::optional<std::filesystem::path>& directory = std::nullopt)
      : program_{std::move(program)}, wanted_{count} {
    if (directory)
      data_.emplace(*directory);
    while (nodes_.size() < wanted_)
      enter();
    settle();
  }

  std::vector<std::uint16_t> doors() const override {
    std::vector<std::uint16_t> all;
    for (const auto& n : nodes_)
      all.push_back(n.door);
    return all;
  }

  /// Where a client of the library finds them.
  [[nodiscard]] std::vector<std::string> places() const {
    std::vector<std::string> all;
    for (const auto& n : nodes_)
      all.push_back(place(n.link));
    return all;
  }

  std::size_t leader() override {
    std::size_t found = 0;
    await("nobody leads", [&] {
      for (found = 0; found < nodes_.size(); ++found) {
        const auto seen = status_of(nodes_[found]);
        if (seen.is_object() && seen["id"] == seen["leader"])
          return true;
      }
      return false;
    });
    return found;
  }

  [[nodiscard]] pid_t process_of(std::size_t which) const { return nodes_[which].process->id(); }

  /// Starts another node.
  void add() {
    enter();
    settle();
  }

  /// Ends one for good.
  void end(std::size_t which, int signal) {
    nodes_[which].process->signal(signal);
    static_cast<void>(nodes_[which].process->wait());
    nodes_.erase(nodes_.begin() + static_cast<std::ptrdiff_t>(which));
    settle();
  }

  void freeze(std::size_t which) override { nodes_[which].process->signal(SIGSTOP); }

  void kill(std::size_t which) override {
    nodes_[which].process->signal(SIGKILL);
    killed_.push_back(std::move(nodes_[which]));
    nodes_.erase(nodes_.begin() + static_cast<std::ptrdiff_t>(which));
  }

  void restore() override {
    for (auto& n : std::exchange(killed_, {})) {
      static_cast<void>(n.process->wait());
      if (!data_)
        continue;
      start(n);
      nodes_.push_back(std::move(n));
    }
    while (nodes_.size() < wanted_)
      enter();
    settle();
  }

  bool put(httplib::Client& at, const std::string& key, const std::string& value) const override {
    const auto got = at.Put("/kv/" + key, value, "application/octet-stream");
    return got && got->status / 100 == 2;
  }

private:
  struct running_node {
    std::string name;
    std::uint16_t link;
    std::uint16_t door;
    std::vector<std::string> command;
    std::unique_ptr<test_support::child_process> process;
  };

  [[nodiscard]] static std::string place(std::uint16_t port) {
    return "127.0.0.1:" + std::to_string(port);
  }

  void enter() {
    running_node one{"n" + std::to_string(++started_),
                     test_support::free_port(),
                     test_support::free_port(),
                     {},
                     nullptr};
    one.command = {program_,
                   "--name",
                   one.name,
                   "--listen",
                   place(one.link),
                   "--http",
                   place(one.door),
                   "--max-voters",
                   std::to_string(seats),
                   "--http-connections",
                   "512"};
    if (data_)
      one.command.insert(one.command.end(), {"--data", data_->make(one.name)});
    if (nodes_.empty())
      one.command.emplace_back("--found");
    for (const auto& n : nodes_)
      one.command.insert(one.command.end(), {"--seed", place(n.link)});
    start(one);
    nodes_.push_back(std::move(one));
  }

  static void start(running_node& one) {
    one.process.reset();
    one.process = std::make_unique<test_support::child_process>(one.command);
    if (!one.process->says("event=serving"))
      throw std::runtime_error{"a node does not come up: " + one.process->last_words()};
  }

  /// What a node says of itself, or null if it says nothing.
  [[nodiscard]] static nlohmann::json status_of(const running_node& one) {
    auto line = connection_to(one.door, std::chrono::seconds{1});
    const auto got = line.Get("/status");
    return got && got->status == 200 ? nlohmann::json::parse(got->body) : nlohmann::json{};
  }

  void settle() const {
    await("the nodes do not come to rest", [this] {
      return std::ranges::all_of(nodes_, [&](const running_node& n) {
        const auto seen = status_of(n);
        return seen.is_object() && seen["ready"] == true && seen["changing"] == false
               && seen["members"].size() == nodes_.size()
               && seen["voters"].size() == std::min(seats, nodes_.size());
      });
    });
  }

  std::string program_;
  std::size_t wanted_;
  std::size_t started_ = 0;
  std::optional<scratch_directory> data_;
  std::vector<running_node> nodes_;
  std::vector<running_node> killed_; ///< and not made up for yet
};

} // namespace benchmarks
