// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// The command line of nodectl.

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "../node/command_line.hpp"
#include "../node/nearest_name.hpp"
#include "../node/program_options.hpp"

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace nodectl {

/// How the program ends. Said in --help, and in docs/operating.md.
enum class exit_code : int {
  done = 0,        ///< done; of `safe-to-stop`: yes
  no = 1,          ///< refused, and nothing was changed; of `safe-to-stop`: no
  bad_options = 2, ///< nobody was asked
  unknown = 3,     ///< nobody who could answer was reached, or the outcome is not known
};

struct options {
  std::vector<std::string> addresses = {}; ///< of the nodes' APIs for operators
  double timeout = 30;
  std::string command = {};
  std::string member = {};             ///< a name or an id; may be empty with some commands
  std::uint32_t version = 0;           ///< of the table
  std::string file = {};               ///< to be written
  std::vector<std::string> paths = {}; ///< of what is left of nodes
  std::vector<std::string> dies = {};
  std::vector<std::string> leaves = {};
  nlohmann::ordered_json settings = {}; ///< what is to be changed; null: nothing
};

/// What came of reading the command line: options, or a last word.
struct command_line {
  nodectl::options options = {};
  bool over = false;
  exit_code status = exit_code::done;
  std::string text = {};
};

namespace detail {

using node_program::detail::in_quotes;

inline constexpr double timeout_max = 60; // as long as a node lets anybody wait

inline constexpr std::string_view footer = R"(
NAME is a member's name, or its id where several members have the name.

EXAMPLES
  nodectl --admin 127.0.0.1:9081,127.0.0.1:9082,127.0.0.1:9083 status
  nodectl --admin 127.0.0.1:9081 leave
  nodectl --admin 127.0.0.1:9081,127.0.0.1:9082 plan --dies a --leaves b
  nodectl --admin 127.0.0.1:9081 settings max_voters=7 evict_after_ms=20000
  nodectl --admin 127.0.0.1:9081,127.0.0.1:9082 safe-to-stop a && systemctl stop node@a
  nodectl --admin 127.0.0.1:9081 use-version 2
  nodectl --admin 127.0.0.1:9084 save d.left
  nodectl recover d.left /var/lib/a /var/lib/b

EXIT STATUS
  0   done; of safe-to-stop: yes
  1   refused, and nothing was changed; of safe-to-stop: no
  2   the options are wrong; nobody was asked
  3   nobody who could do or answer it was reached, or what came of it is not known;
      the text says which. Giving an order again does no harm

Everything else is in docs/operating.md.
)";

/// The value of a setting, as JSON has it; null if it can be none.
[[nodiscard]] inline nlohmann::ordered_json setting_value(const std::string& text) {
  if (text == "true" || text == "false")
    return text == "true";
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (text.empty() || read.ec != std::errc{} || read.ptr != end)
    return nullptr;
  return number;
}

/// `KEY=VALUE` into `to`, or a complaint.
inline void read_setting(const std::string& text, nlohmann::ordered_json& to,
                         std::vector<std::string>& found) {
  const auto at = text.find('=');
  const auto key = text.substr(0, at);
  const auto value = setting_value(at == std::string::npos ? std::string{} : text.substr(at + 1));
  if (key.empty() || at == std::string::npos || value.is_null())
    found.push_back(in_quotes(text) + " is no KEY=VALUE with a number, true or false");
  else if (to.contains(key))
    found.push_back("the setting " + in_quotes(key) + " is there twice");
  else
    to[key] = value;
}

/// Everything that is wrong with the options.
[[nodiscard]] inline std::vector<std::string> complaints(const options& o) {
  std::vector<std::string> found;
  if (o.addresses.empty() && o.command != "recover")
    found.emplace_back("--admin has to say where a node's API for operators is");
  for (const auto& at : o.addresses)
    if (const auto place = node_program::detail::address_of("--admin", at, found);
        place && place->port == 0)
      found.push_back("--admin " + in_quotes(at) + ": port 0 is no port that answers");
  if (!(o.timeout > 0 && o.timeout <= timeout_max))
    found.emplace_back("--timeout must be above 0 and up to 60 seconds");
  const bool at_one = o.command == "leave" || o.command == "snapshot" || o.command == "save";
  if (at_one && o.member.empty() && o.addresses.size() > 1)
    found.push_back("with several addresses " + o.command
                    + " needs the NAME of the node that is meant");
  return found;
}

[[nodiscard]] inline std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(sub->get_name());
  return names;
}

/// What CLI11 has to say, with the nearest name where a name is wrong.
[[nodiscard]] inline std::string explain(const CLI::App& app, const CLI::ParseError& e) {
  const auto taken = app.get_subcommands();
  const auto rest = app.remaining(true);
  for (const auto& extra : rest)
    if (extra.starts_with('-')) {
      auto known = node_program::detail::names_of(app, "--");
      for (const auto* sub : taken)
        for (auto& name : node_program::detail::names_of(*sub, "--"))
          known.push_back(std::move(name));
      const auto name = extra.substr(0, extra.find('='));
      return "there is no option " + in_quotes(name) + node_program::hint_at(name, known);
    }
  if (!rest.empty() && taken.empty())
    return "there is no command " + in_quotes(rest.front())
           + node_program::hint_at(rest.front(), commands_of(app));
  if (taken.empty() && dynamic_cast<const CLI::RequiredError*>(&e))
    return "a command is missing";
  if (!rest.empty())
    return taken.front()->get_name() + " has no use for " + in_quotes(rest.front());
  return e.what();
}

inline void add_commands(CLI::App& app, options& o, std::vector<std::string>& settings) {
  const auto add
      = [&](const char* name, const char* what) { return app.add_subcommand(name, what); };
  const auto with_name = [&](CLI::App* sub, bool needed) {
    sub->add_option("NAME", o.member, "of the member, or its id")->required(needed);
  };
  add("status", "the cluster as its nodes see it, a line for each member");
  add("journal", "why the voters changed: the nodes' decisions, oldest first");
  with_name(add("leave", "has a node leave, and its program end"), false);
  with_name(add("evict", "sends a member away, for good"), true);
  with_name(add("pin", "keeps a member a listener"), true);
  with_name(add("unpin", "lets it have a seat again"), true);
  with_name(add("transfer", "hands leadership to a voter; to the one that has most\n"
                            "if none is named"),
            false);
  add("use-version", "has the cluster use a newer version of the table: the last step\n"
                     "of an update, from which there is no way back")
      ->add_option("VERSION", o.version, "that every member knows")
      ->required()
      ->check(CLI::PositiveNumber);
  add("settings", "the cluster's settings, or changes some: KEY=VALUE...")
      ->add_option("CHANGE", settings, "KEY=VALUE");
  auto* plan = add("plan", "who would vote if members died or left");
  plan->add_option("--dies", o.dies, "its process ends; as many as you like")
      ->type_name("NAME")
      ->allow_extra_args(false);
  plan->add_option("--leaves", o.leaves, "it leaves; as many as you like")
      ->type_name("NAME")
      ->allow_extra_args(false);
  with_name(add("safe-to-stop", "whether the rest keeps a majority, and every seat is taken"),
            true);
  with_name(add("snapshot", "has a node write its table down"), false);
  auto* save = add("save", "writes all that a node has into a new file, for recover");
  save->add_option("FILE", o.file, "that is not there yet")->required();
  with_name(save, false);
  add("recover", "with whose data to go on when a majority of the voters is lost\n"
                 "for good, and what is lost then; changes nothing")
      ->add_option("PATH", o.paths, "what is left: files of save, directories of nodes")
      ->required();
}

} // namespace detail

[[nodiscard]] inline command_line read_command_line(int argc, const char* const* argv) {
  command_line result;
  auto& o = result.options;
  std::vector<std::string> settings;
  CLI::App app{"Tells the nodes of a cluster what to do, and asks them how things stand.",
               "nodectl"};
  app.get_formatter()->column_width(33);
  app.set_help_flag("--help", "what there is, and examples");
  app.set_version_flag("--version", node_program::version_text(), "print the version");
  app.fallthrough();
  app.require_subcommand(0, 1); // that it is missing is told apart from its being misspelt below
  app.add_option("--admin", o.addresses,
                 "what nodes were given as --admin, with commas between;\n"
                 "where one does not answer the next is asked")
      ->type_name("HOST:PORT")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--timeout", o.timeout, "how long to wait for each node")
      ->type_name("SECONDS")
      ->capture_default_str();
  detail::add_commands(app, o, settings);
  app.footer(std::string{detail::footer});

  const auto end = [&](exit_code status, std::string text) {
    result.over = true;
    result.status = status;
    result.text = std::move(text);
  };
  try {
    app.parse(argc, argv);
    if (app.get_subcommands().empty())
      throw CLI::RequiredError{"a command"};
  } catch (const CLI::CallForHelp&) {
    end(exit_code::done, app.help());
  } catch (const CLI::CallForVersion&) {
    end(exit_code::done, node_program::version_text() + '\n');
  } catch (const CLI::ParseError& e) {
    end(exit_code::bad_options, "nodectl: " + detail::explain(app, e) + "\nnodectl: see --help\n");
  }
  if (result.over)
    return result;
  o.command = app.get_subcommands().front()->get_name();
  auto found = detail::complaints(o);
  for (const auto& one : settings)
    detail::read_setting(one, o.settings, found);
  std::string text;
  for (const auto& complaint : found)
    text += "nodectl: " + complaint + '\n';
  if (!text.empty())
    end(exit_code::bad_options, text + "nodectl: see --help\n");
  return result;
}

} // namespace nodectl
