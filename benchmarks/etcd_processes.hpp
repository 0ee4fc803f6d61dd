// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Members of an etcd cluster, each a process, written to over etcd's JSON gateway.

#include <nlohmann/json.hpp>

#include "scratch_directory.hpp"
#include "served_store.hpp"
#include "support/child_process.hpp"
#include "support/free_port.hpp"
#include <openssl/evp.h>
#include <signal.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace benchmarks {

/// All settings are as they are by default, but for what would stop it when it is full.
class etcd_processes final : public served_store {
public:
  /// Where the program is, if it is installed (Debian: etcd-server).
  [[nodiscard]] static std::optional<std::string> program() {
    for (const std::filesystem::path at : {"/usr/bin/etcd", "/usr/local/bin/etcd"})
      if (std::filesystem::exists(at))
        return at.string();
    return std::nullopt;
  }

  etcd_processes(const std::string& program, std::size_t count,
                 const std::filesystem::path& directory)
      : program_{program}, data_{directory} {
    for (std::size_t i = 0; i < count; ++i)
      members_.push_back(make_member());
    for (auto& m : members_)
      start(m, "new");
    settle();
  }

  /// Starts another member: it learns first, and votes when it has caught up.
  void add() {
    members_.push_back(make_member());
    auto& one = members_.back();
    const auto& tell = members_.front();
    nlohmann::json added; // not before all have been connected for five seconds
    await("etcd does not take a member in", [&] {
      added = ask(tell, "/v3/cluster/member/add",
                  {{"peerURLs", {place(one.link)}}, {"isLearner", true}});
      return added.is_object();
    });
    start(one, "existing");
    await("a learner is not promoted", [&] {
      return ask(tell, "/v3/cluster/member/promote", {{"ID", added["member"]["ID"]}}).is_object();
    });
    settle();
  }

  /// Ends one for good: its process, and then its membership.
  void end(std::size_t which, int signal) {
    members_[which].process->signal(signal);
    static_cast<void>(members_[which].process->wait());
    const auto name = members_[which].name;
    members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(which));
    await("a member is not removed", [&] { return remove(name); });
    settle();
  }

  std::vector<std::uint16_t> doors() const override {
    std::vector<std::uint16_t> all;
    for (const auto& m : members_)
      all.push_back(m.door);
    return all;
  }

  std::size_t leader() override {
    std::size_t found = 0;
    await("no member leads", [&] {
      for (found = 0; found < members_.size(); ++found)
        if (const auto seen = status_of(members_[found]);
            seen.is_object()
            && seen.value("leader", "0") == seen.at("header").value("member_id", ""))
          return true;
      return false;
    });
    return found;
  }

  void freeze(std::size_t which) override { members_[which].process->signal(SIGSTOP); }

  void kill(std::size_t which) override {
    members_[which].process->signal(SIGKILL);
    killed_.push_back(which);
  }

  void restore() override {
    for (auto which : std::exchange(killed_, {})) {
      auto& m = members_[which];
      m.process.reset(); // waits for its end
      m.process = std::make_unique<test_support::child_process>(m.command);
    }
    settle();
  }

  bool put(httplib::Client& at, const std::string& key, const std::string& value) const override {
    const auto got
        = at.Post("/v3/kv/put",
                  R"({"key":")" + as_base64(key) + R"(","value":")" + as_base64(value) + R"("})",
                  "application/json");
    return got && got->status == 200;
  }

private:
  struct member {
    std::string name;
    std::uint16_t link = 0;
    std::uint16_t door = 0;
    std::vector<std::string> command;
    std::unique_ptr<test_support::child_process> process;
  };

  /// One that was never started.
  [[nodiscard]] member make_member() {
    return {"m" + std::to_string(++made_),
            test_support::free_port(),
            test_support::free_port(),
            {},
            nullptr};
  }

  /// `state`: whether the cluster is "new", or "existing".
  void start(member& one, const std::string& state) {
    std::string all;
    for (const auto& m : members_)
      all += (all.empty() ? "" : ",") + m.name + '=' + place(m.link);
    one.command = {program_,
                   "--name",
                   one.name,
                   "--data-dir",
                   data_.make(one.name) + "/data",
                   "--listen-client-urls",
                   place(one.door),
                   "--advertise-client-urls",
                   place(one.door),
                   "--listen-peer-urls",
                   place(one.link),
                   "--initial-advertise-peer-urls",
                   place(one.link),
                   "--initial-cluster",
                   all,
                   "--initial-cluster-state",
                   state,
                   "--log-level",
                   "error",
                   "--quota-backend-bytes",
                   "8589934592"};
    one.process = std::make_unique<test_support::child_process>(one.command);
  }

  /// What a member answers, or null if it does not do what it is asked.
  [[nodiscard]] static nlohmann::json ask(const member& one, const std::string& what,
                                          const nlohmann::json& how) {
    auto line = connection_to(one.door);
    const auto got = line.Post(what, how.dump(), "application/json");
    return got && got->status == 200 ? nlohmann::json::parse(got->body, nullptr, false)
                                     : nlohmann::json{};
  }

  [[nodiscard]] bool remove(const std::string& name) const {
    const auto listed = ask(members_.front(), "/v3/cluster/member/list", nlohmann::json::object());
    if (!listed.is_object())
      return false;
    for (const auto& m : listed["members"])
      if (m.value("name", "") == name)
        return ask(members_.front(), "/v3/cluster/member/remove", {{"ID", m["ID"]}}).is_object();
    return true;
  }

  [[nodiscard]] static std::string as_base64(const std::string& plain) {
    std::string text((plain.size() + 2) / 3 * 4 + 1, '\0'); // it ends with a zero
    const auto size = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                        reinterpret_cast<const unsigned char*>(plain.data()),
                                        static_cast<int>(plain.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
  }

  [[nodiscard]] static std::string place(std::uint16_t port) {
    return "http://127.0.0.1:" + std::to_string(port);
  }

  [[nodiscard]] static nlohmann::json status_of(const member& one) {
    auto line = connection_to(one.door, std::chrono::seconds{1});
    const auto got = line.Post("/v3/maintenance/status", "{}", "application/json");
    return got && got->status == 200 ? nlohmann::json::parse(got->body, nullptr, false)
                                     : nlohmann::json{};
  }

  /// Until all know one leader, and each of them has a write acknowledged.
  void settle() const {
    await("the members do not come to rest", [this] {
      return std::ranges::all_of(members_, [&](const member& m) {
        const auto seen = status_of(m);
        auto line = connection_to(m.door, std::chrono::seconds{1});
        return seen.is_object() && seen.value("leader", "0") != "0" && put(line, "settle", m.name);
      });
    });
  }

  std::string program_;
  scratch_directory data_;
  std::size_t made_ = 0;
  std::vector<member> members_;     ///< in the order in which they were started
  std::vector<std::size_t> killed_; ///< and not started again yet
};

} // namespace benchmarks
