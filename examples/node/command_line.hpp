// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The node program's command line and configuration file.

#include <understudy/version.hpp>

#include <CLI/CLI.hpp>

#include "nearest_name.hpp"
#include "program_options.hpp"
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace node_program {

/// How the program ends. Said in --help, and in docs/operating.md.
enum class exit_code : int {
  left = 0,         ///< it has left its cluster, or did as it was asked (--help)
  undone = 1,       ///< it stopped with something undone; the log says what
  bad_options = 2,  ///< nothing was begun
  cannot_start = 3, ///< the options are good, but a port, a directory or the like is not
};

[[nodiscard]] inline std::string version_text() {
  return std::to_string(UNDERSTUDY_VERSION_MAJOR) + '.' + std::to_string(UNDERSTUDY_VERSION_MINOR)
         + '.' + std::to_string(UNDERSTUDY_VERSION_PATCH);
}

/// What came of reading the command line: options, or a last word.
struct command_line {
  program_options options = {};
  bool metrics_help = false;
  bool over = false; ///< nothing is to be run: `text` is all there is to say
  exit_code status = exit_code::left;
  std::string text = {};
};

namespace detail {

inline constexpr std::string_view footer = R"(
EXAMPLES
  A single node that keeps its data, to try it out:
    mkdir -p /var/tmp/a
    node --name a --found --data /var/tmp/a --http 127.0.0.1:8080
    curl -X PUT --data hello http://127.0.0.1:8080/kv/greeting
    curl http://127.0.0.1:8080/kv/greeting

  The same from a file, in which options have their names without the dashes:
    node --config a.toml
      name  = "a"
      found = true
      data  = "/var/tmp/a"
      drain = 10
  What the command line says goes before what the file says.

  The next node of a cluster names one that is in it:
    node --name b --seed 10.0.0.1:7000 --listen 10.0.0.2:7000 --cluster-key /etc/cluster.key

  Three nodes on one machine:
    node --name a --found --listen 127.0.0.1:7001 --http 127.0.0.1:8001 &
    node --name b --seed 127.0.0.1:7001 --listen 127.0.0.1:7002 --http 127.0.0.1:8002 &
    node --name c --seed 127.0.0.1:7001 --listen 127.0.0.1:7003 --http 127.0.0.1:8003 &

  One that operators can give orders to:
    node --name a --found --admin 127.0.0.1:9080
    nodectl --admin 127.0.0.1:9080 status

SIGNALS
  SIGTERM, SIGINT   leave: for --drain seconds /readyz answers 503 and each connection is closed
                    after its answer; then the HTTP port is closed, and the node hands over what it
                    holds and leaves its cluster, within --leave-limit seconds
  a second one      stop at once
  SIGHUP            read --certificate, --key and --authority again, for new connections

EXIT STATUS
  0   left its cluster, or was the last of it; or only printed what was asked for
  1   stopped with something undone; the last lines of the log say what
  2   the options are wrong; nothing was begun
  3   it can not start: a port, a directory or the like can not be used

Everything else is in docs/operating.md.
)";

[[nodiscard]] inline std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "node";
}

inline void add_cluster_options(CLI::App& app, program_options& o) {
  const std::string group = "The cluster";
  app.add_option("--name", o.name, "for people: logs and /status show it; else the host's name")
      ->type_name("NAME")
      ->group(group);
  app.add_flag("--found", o.found, "make a new cluster, unless a seed belongs to one")
      ->group(group);
  app.add_option("--recover", o.recover,
                 "make a new cluster with what is left of a lost one: a file\n"
                 "of nodectl save, or a node's directory; see nodectl recover")
      ->type_name("PATH")
      ->group(group);
  app.add_option("--seed", o.seeds, "a node to ask for the cluster; as many as you like")
      ->type_name("HOST:PORT")
      ->group(group);
  app.add_option("--max-voters", o.max_voters,
                 "how many nodes vote at most, those behind them listen;\n"
                 "counts where a cluster is founded")
      ->type_name("N")
      ->capture_default_str()
      ->group(group);
  app.add_option("--data", o.data,
                 "keep the data in this directory, which has to be there;\n"
                 "without it the data ends with the process")
      ->type_name("DIR")
      ->group(group);
}

inline void add_link_options(CLI::App& app, program_options& o) {
  const std::string group = "Between nodes";
  app.add_option("--listen", o.listen, "where the other nodes connect to this one")
      ->type_name("HOST:PORT")
      ->group(group);
  app.add_option("--advertise", o.advertise, "what they are told to connect to, if not --listen")
      ->type_name("HOST:PORT")
      ->group(group);
  app.add_option("--certificate", o.certificate, "this node's certificate (PEM)")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--key", o.key, "its private key (PEM)")->type_name("FILE")->group(group);
  app.add_option("--authority", o.authority, "who signs the nodes' certificates (PEM)")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--cluster-name", o.cluster_name,
                 "a certificate with this name will do for any node")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--cluster-key", o.cluster_key, "a secret that all nodes have a copy of")
      ->type_name("FILE")
      ->group(group);
  app.add_flag("--insecure", o.insecure, "let everybody in who can connect")->group(group);
}

inline void add_service_options(CLI::App& app, program_options& o) {
  app.add_option("--http", o.http, "where the HTTP API is; port 0: any that is free")
      ->type_name("HOST:PORT")
      ->capture_default_str()
      ->group("HTTP");
  app.add_option("--http-connections", o.http_connections,
                 "how many are served at a time; others wait")
      ->type_name("N")
      ->capture_default_str()
      ->group("HTTP");
  app.add_option("--admin", o.admin,
                 "where the API for operators is, for nodectl; none if not given")
      ->type_name("HOST:PORT")
      ->group("HTTP");
  app.add_option("--drain", o.drain, "from the signal to the closing of the HTTP port")
      ->type_name("SECONDS")
      ->capture_default_str()
      ->group("Stopping");
  app.add_option("--leave-limit", o.leave_limit,
                 "how long leaving may take; 0: do not leave, only stop,\n"
                 "for a node with --data that comes back soon")
      ->type_name("SECONDS")
      ->capture_default_str()
      ->group("Stopping");
  app.add_option("--log-level", o.log_level, "debug, info, warning or error, on stderr")
      ->type_name("LEVEL")
      ->capture_default_str()
      ->group("The program");
}

[[nodiscard]] inline std::vector<std::string> names_of(const CLI::App& app,
                                                       std::string_view dashes) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames())
      names.push_back(std::string{dashes} + name);
  return names;
}

/// What CLI11 has to say, with the nearest name where a name is wrong.
[[nodiscard]] inline std::string explain(const CLI::App& app, const CLI::ParseError& e) {
  constexpr std::string_view unknown_key = "INI was not able to parse ";
  const std::string_view said = e.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&e)) {
    for (const auto& extra : app.remaining())
      if (extra.starts_with('-')) {
        const auto name = extra.substr(0, extra.find('='));
        return "there is no option " + in_quotes(name) + hint_at(name, names_of(app, "--"));
      }
    return "there is no use for "
           + in_quotes(app.remaining().empty() ? "" : app.remaining().front());
  }
  if (said.starts_with(unknown_key)) {
    const auto name = said.substr(unknown_key.size());
    // CLI11 marks the beginning of a section so.
    if (name.ends_with(".++"))
      return "the configuration file has the section " + in_quotes(name.substr(0, name.size() - 3))
             + ", and there are none";
    return "the configuration file has no use for the key " + in_quotes(name)
           + hint_at(name, names_of(app, ""));
  }
  return std::string{said};
}

} // namespace detail

/// Reads the command line, and the configuration file that it may name.
[[nodiscard]] inline command_line read_command_line(int argc, const char* const* argv) {
  command_line result;
  auto& o = result.options;
  CLI::App app{"One node of a replicated key-value store, served over HTTP by every node.", "node"};
  app.get_formatter()->column_width(33);
  app.set_help_flag(""); // added again below, so that its group is the last one
  detail::add_cluster_options(app, o);
  detail::add_link_options(app, o);
  detail::add_service_options(app, o);
  app.set_help_flag("--help", "what there is, and examples")->group("The program");
  app.set_config("--config", "", "read options from this file (TOML or INI)")
      ->type_name("FILE")
      ->group("The program");
  app.allow_config_extras(false);
  app.add_flag("--metrics-help", result.metrics_help, "print what /metrics tells, as a table")
      ->configurable(false)
      ->group("The program");
  app.set_version_flag("--version", version_text(), "print the version")->group("The program");
  app.footer(std::string{detail::footer});

  const auto end = [&](exit_code status, std::string text) {
    result.over = true;
    result.status = status;
    result.text = std::move(text);
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    end(exit_code::left, app.help());
  } catch (const CLI::CallForVersion&) {
    end(exit_code::left, version_text() + '\n');
  } catch (const CLI::ParseError& e) {
    end(exit_code::bad_options, "node: " + detail::explain(app, e) + "\nnode: see --help\n");
  }
  if (result.over || result.metrics_help)
    return result;
  if (o.name.empty())
    o.name = detail::host_name();
  std::string text;
  for (const auto& complaint : complaints(o))
    text += "node: " + complaint + '\n';
  if (!text.empty())
    end(exit_code::bad_options, text + "node: see --help\n");
  return result;
}

} // namespace node_program
