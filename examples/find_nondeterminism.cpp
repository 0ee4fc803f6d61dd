// SPDX-License-Identifier: BSL-1.0

// A machine with a bug that no unit test shows: it rounds by something of its own node. The
// simulator runs it on three nodes, under load, and compares their states.

#include <understudy/testing/simulation.hpp>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <map>
#include <string>

namespace {

using namespace std::chrono_literals;

/// Pays interest, and gives what can not be divided to one of the accounts.
struct bank {
  struct deposit {
    using reply = std::int64_t;
    std::string account;
    std::int64_t cents = 0;
    template <class Archive> void serialize(Archive& archive) { archive(account, cents); }
  };
  struct balance {
    using reply = std::int64_t;
    std::string account;
    template <class Archive> void serialize(Archive& archive) { archive(account); }
  };
  using commands = understudy::commands<deposit>;
  using queries = understudy::queries<balance>;

  std::int64_t apply(const deposit& what) {
    auto& held = accounts[what.account];
    held += what.cents;
    held += held * 3 / 100 + rounding; // the bug: `rounding` is not part of what is replicated
    return held;
  }
  std::int64_t query(const balance& of) const {
    const auto found = accounts.find(of.account);
    return found == accounts.end() ? 0 : found->second;
  }

  std::map<std::string, std::int64_t> accounts;
  std::int64_t rounding = 0; ///< from each node's own configuration file, let us say
  template <class Archive> void serialize(Archive& archive) { archive(accounts); }
};

} // namespace

int main() {
  using namespace understudy::testing;
  simulation<bank> run{{.digest_every = 1}, 42};
  run.prepare = [&](understudy::member_id, bank& machine) {
    machine.rounding = run.nodes().size() == 2 ? 1 : 0; // the third node has another file
  };
  try {
    const auto a = run.found("a");
    run.enter("b");
    run.enter("c");
    run.run_for(1s);
    for (int i = 0; i < 10; ++i) {
      run.submit(a, bank::deposit{"ann", 100});
      run.run_for(50ms);
    }
    run.check_all();
    std::cout << "all nodes hold the same\n";
  } catch (const run_failed& found) {
    const std::string report = found.what();
    std::cout << "rule " << found.rule() << ": " << report.substr(0, report.find('\n')) << "\n";
  }
}
