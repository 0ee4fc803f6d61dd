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
      : data_{directory} {
    members_.resize(count);
    for (std::size_t i = 0; i < count; ++i)
      members_[i] = {"m" + std::to_string(i + 1),
                     test_support::free_port(),
                     test_support::free_port(),
                     {},
                     nullptr};
    std::string all;
    for (const auto& m : members_)
      all += (all.empty() ? "" : ",") + m.name + '=' + place(m.link);
    for (auto& m : members_) {
      m.command = {program,
                   "--name",
                   m.name,
                   "--data-dir",
                   data_.make(m.name) + "/data",
                   "--listen-client-urls",
                   place(m.door),
                   "--advertise-client-urls",
                   place(m.door),
                   "--listen-peer-urls",
                   place(m.link),
                   "--initial-advertise-peer-urls",
                   place(m.link),
                   "--initial-cluster",
                   all,
                   "--log-level",
                   "error",
                   "--quota-backend-bytes",
                   "8589934592"};
      m.process = std::make_unique<test_support::child_process>(m.command);
    }
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
    return got && got->status == 200 ? nlohmann::json::parse(got->body) : nlohmann::json{};
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

  scratch_directory data_;
  std::vector<member> members_;
  std::vector<std::size_t> killed_; ///< and not started again yet
};

} // namespace benchmarks
