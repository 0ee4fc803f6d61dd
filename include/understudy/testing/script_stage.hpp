// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A cluster on which a script is played, and all that the script has given a name.

#include <understudy/core/ids.hpp>
#include <understudy/testing/membership_rules.hpp>
#include <understudy/testing/network.hpp>
#include <understudy/testing/rest.hpp>
#include <understudy/testing/script.hpp>
#include <understudy/testing/script_options.hpp>
#include <understudy/testing/simulation.hpp>
#include <understudy/testing/workload.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace understudy::testing {

/// What a play works on. Names mean what they mean at the moment at which they are looked up.
class script_stage {
public:
  using cluster = simulation<tally>;

  /// The options; none can be set any more once the first node has started.
  script_setup& setup() {
    if (run_)
      throw bad_script{"options come before the first node"};
    return setup_;
  }

  /// The run, which begins when it is first asked for.
  cluster& run() {
    if (!run_)
      run_.emplace(setup_.options, setup_.seed);
    return *run_;
  }

  // -- nodes and clients -----------------------------------------------------------------------

  /// Takes in a node that was just started: "a", and when it is started again "a.2".
  void add(member_id id) { names_[run().name_of(id)] = id; }

  void add_client(member_id id) {
    add(id);
    clients_.push_back(id);
  }

  [[nodiscard]] bool knows(std::string_view name) const {
    return name == leader_word || names_.contains(std::string{name});
  }

  /// A node or a client, whether it runs or not; `leader`: whoever leads.
  member_id find(const std::string& name) {
    if (name == leader_word) {
      if (const auto id = run().leader())
        return id;
      throw bad_script{"nobody leads, and leader names nobody"};
    }
    if (const auto known = names_.find(name); known != names_.end())
      return known->second;
    throw bad_script{"there is no node " + name};
  }

  /// A node or a client that runs.
  member_id running(const std::string& name) {
    const auto id = find(name);
    if (!run().runs(id))
      throw bad_script{name + " does not run"};
    return id;
  }

  /// A node, whether it runs or not.
  member_id find_node(const std::string& name) {
    const auto id = find(name);
    if (detail::contains(clients_, id))
      throw bad_script{name + " is a client, and no node"};
    return id;
  }

  /// A node that runs, to look into.
  member_id node(const std::string& name) {
    static_cast<void>(find_node(name));
    return running(name);
  }

  std::vector<member_id> find_all(const std::vector<std::string>& names) {
    std::vector<member_id> ids;
    if (names != std::vector<std::string>{"none"})
      for (const auto& name : names)
        ids.push_back(find(name));
    return ids;
  }

  /// A text in which nodes are called by their names instead of their numbers.
  [[nodiscard]] std::string with_names(std::string text) const {
    for (const auto& [name, id] : names_) {
      const auto number = std::to_string(id.value);
      for (auto at = text.find(number); at != std::string::npos; at = text.find(number))
        text.replace(at, number.size(), name);
    }
    return text;
  }

  // -- what has a name ---------------------------------------------------------------------------

  std::map<std::string, ticket> calls = {};
  std::map<std::string, network::rule_id> rules = {};
  std::map<std::string, std::int64_t> remembered = {};
  std::map<std::string, std::shared_ptr<std::uint64_t>> counted = {};
  std::vector<std::string> watched = {}; ///< the messages that were to be watched, a line each

  // -- looking -----------------------------------------------------------------------------------

  /// How each node stands, for a report.
  [[nodiscard]] std::string standing_of_all() {
    std::string text;
    for (const auto& row : run().status())
      text += "\n  " + row;
    if (const auto wrong = unrest(run()); !wrong.empty())
      text += "\n  " + wrong;
    return text;
  }

private:
  static constexpr std::string_view leader_word = "leader";

  script_setup setup_;
  std::optional<cluster> run_;
  std::map<std::string, member_id> names_;
  std::vector<member_id> clients_;
};

} // namespace understudy::testing
