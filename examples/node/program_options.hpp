// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What the node program is told, and what is wrong with it.

#include <understudy/protocol/endpoint.hpp>
#include <understudy/roster/settings.hpp>

#include "log.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace node_program {

/// As written on the command line or in the configuration file. Numbers are wide and signed, so
/// that a complaint can say what was written.
struct program_options {
  std::string name = {};

  bool found = false;
  std::string recover = {};
  std::vector<std::string> seeds = {};
  std::int64_t max_voters = 5;

  std::string listen = {};
  std::string advertise = {};
  std::string certificate = {};
  std::string key = {};
  std::string authority = {};
  std::string cluster_name = {};
  std::string cluster_key = {};
  bool insecure = false;

  std::string data = {};

  std::string http = "127.0.0.1:8080";
  std::int64_t http_connections = 64;
  std::string admin = {};

  double leave_limit = 10;
  double drain = 5;

  std::string log_level = "info";
};

inline constexpr std::int64_t http_connections_limit = 512;
inline constexpr double seconds_limit = 3'600;

namespace detail {

using complaint_list = std::vector<std::string>;

/// Text that came from outside, short enough for one line of a complaint.
[[nodiscard]] inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t shown_max = 80;
  std::string result{"'"};
  for (const char c : text.substr(0, shown_max))
    result += c >= ' ' && c != 0x7f ? c : '?';
  return result + (text.size() > shown_max ? "...'" : "'");
}

/// Reads an address, or complains; nothing if the option was not given.
[[nodiscard]] inline std::optional<understudy::protocol::endpoint>
address_of(std::string_view option, const std::string& text, complaint_list& found) {
  if (text.empty())
    return std::nullopt;
  auto read = understudy::protocol::parse_host_and_port(text);
  if (read)
    return std::move(*read);
  found.push_back(std::string{option} + ": " + read.error().detail);
  return std::nullopt;
}

inline void check_seconds(std::string_view option, double value, complaint_list& found) {
  // Written so that a value that is no number does not pass either.
  if (!(value >= 0 && value <= seconds_limit))
    found.push_back(std::string{option} + " must be from 0 to 3600 seconds, and is "
                    + std::to_string(value));
}

inline void check_file(std::string_view option, const std::string& path, complaint_list& found) {
  std::error_code why;
  if (!path.empty() && !std::filesystem::is_regular_file(path, why))
    found.push_back(std::string{option} + ": there is no file " + in_quotes(path));
}

/// How the node comes to its cluster.
inline void check_beginning(const program_options& o, complaint_list& found) {
  if (!o.found && o.seeds.empty() && o.recover.empty())
    found.emplace_back("either --found, for the first node of a cluster, or --seed HOST:PORT, for "
                       "every other one, has to be given");
  if (!o.recover.empty() && (o.found || !o.seeds.empty()))
    found.emplace_back("--recover makes a new cluster: neither --found nor --seed goes with it");
  std::error_code why;
  if (!o.recover.empty() && !std::filesystem::exists(o.recover, why))
    found.push_back("--recover: there is no file or directory " + in_quotes(o.recover));
  // Started once more, the node would take its new life for what is left of an old one.
  if (!o.recover.empty() && std::filesystem::equivalent(o.recover, o.data, why))
    found.emplace_back("--recover and --data are the same directory: the new cluster's data needs "
                       "another one, that is empty");
}

/// Who may connect to the node, and whether it can tell.
inline void check_links(const program_options& o, complaint_list& found) {
  const auto listen = address_of("--listen", o.listen, found);
  const auto advertise = address_of("--advertise", o.advertise, found);
  for (const auto& seed : o.seeds)
    if (const auto at = address_of("--seed", seed, found); at && at->port == 0)
      found.push_back("--seed " + in_quotes(seed) + ": port 0 is no port that answers");
  if (!o.seeds.empty() && o.listen.empty())
    found.emplace_back("--seed needs --listen: nodes of a cluster connect to each other");
  if (!o.advertise.empty() && o.listen.empty())
    found.emplace_back("--advertise needs --listen");
  if (advertise && advertise->port == 0)
    found.push_back("--advertise " + in_quotes(o.advertise) + ": port 0 is no port that answers");
  if (listen && o.advertise.empty() && understudy::protocol::is_any_address(listen->host))
    found.push_back("--listen " + in_quotes(o.listen)
                    + " is every address of this host: --advertise has to say which of them the "
                      "others are to use");

  const bool any = !o.certificate.empty() || !o.key.empty() || !o.authority.empty();
  if (any && (o.certificate.empty() || o.key.empty() || o.authority.empty()))
    found.emplace_back("--certificate, --key and --authority go together");
  if (o.insecure && (any || !o.cluster_key.empty()))
    found.emplace_back("--insecure excludes --certificate and --cluster-key");
  if (!o.cluster_name.empty() && !any)
    found.emplace_back("--cluster-name needs --certificate: it is a name in certificates");
  if (listen && !understudy::protocol::is_loopback(listen->host) && !any && o.cluster_key.empty()
      && !o.insecure)
    found.push_back("--listen " + in_quotes(o.listen)
                    + " can be reached from other machines: it needs --certificate, --key and "
                      "--authority, or --cluster-key; --insecure lets everybody in who can "
                      "connect");
  check_file("--certificate", o.certificate, found);
  check_file("--key", o.key, found);
  check_file("--authority", o.authority, found);
  check_file("--cluster-key", o.cluster_key, found);
}

/// The API for operators asks nobody who they are.
inline void check_admin(const program_options& o, complaint_list& found) {
  const auto admin = address_of("--admin", o.admin, found);
  if (admin && !understudy::protocol::is_loopback(admin->host) && !o.insecure)
    found.push_back("--admin " + in_quotes(o.admin)
                    + " can be reached from other machines, and whoever reaches it may send nodes "
                      "away: it has to be an address of this machine alone, such as "
                      "127.0.0.1:9080; --insecure lets everybody in who can connect");
}

} // namespace detail

/// Everything that is wrong with the options, each with its name and value; empty if they can be
/// used.
[[nodiscard]] inline std::vector<std::string> complaints(const program_options& o) {
  std::vector<std::string> found;
  constexpr std::size_t name_max = 255;
  const auto within = [&](std::string_view option, std::int64_t value, std::int64_t most) {
    if (value < 1 || value > most)
      found.push_back(std::string{option} + " must be from 1 to " + std::to_string(most)
                      + ", and is " + std::to_string(value));
  };
  if (o.name.empty())
    found.emplace_back("--name must not be empty");
  if (o.name.size() > name_max)
    found.push_back("--name takes " + std::to_string(o.name.size())
                    + " bytes, and at most 255 are allowed");
  detail::check_beginning(o, found);
  within("--max-voters", o.max_voters, understudy::voters_limit);
  detail::check_links(o, found);
  if (o.http.empty())
    found.emplace_back("--http must not be empty");
  static_cast<void>(detail::address_of("--http", o.http, found));
  detail::check_admin(o, found);
  within("--http-connections", o.http_connections, http_connections_limit);
  detail::check_seconds("--leave-limit", o.leave_limit, found);
  detail::check_seconds("--drain", o.drain, found);
  if (!level_named(o.log_level))
    found.push_back("--log-level must be debug, info, warning or error, and is "
                    + detail::in_quotes(o.log_level));
  return found;
}

} // namespace node_program
