// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>

#include <node/command_line.hpp>
#include <support/scratch.hpp>

#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace command_line_test {

using node_program::command_line;
using node_program::exit_code;

namespace {

command_line read(std::initializer_list<const char*> arguments) {
  std::vector<const char*> argv{"node"};
  argv.insert(argv.end(), arguments);
  return node_program::read_command_line(static_cast<int>(argv.size()), argv.data());
}

/// What a command line that is refused is told.
std::string refused(std::initializer_list<const char*> arguments) {
  const auto got = read(arguments);
  CHECK(got.over);
  CHECK(got.status == exit_code::bad_options);
  return got.text;
}

/// Likewise of a file.
std::string refused_file(const test_support::scratch& place, std::string_view content) {
  const auto path = place.path("node.toml");
  std::ofstream{path} << content;
  return refused({"--found", "--config", path.c_str()});
}

bool says(const std::string& text, std::string_view part) {
  CAPTURE(text);
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a founder needs no more than to be told so") {
  const auto got = read({"--found"});
  CHECK_FALSE(got.over);
  CHECK(got.options.found);
  CHECK_FALSE(got.options.name.empty());
  CHECK(got.options.http == "127.0.0.1:8080");
  CHECK(got.options.max_voters == 5);
}

TEST_CASE("options come from the command line first, and then from the file") {
  const test_support::scratch place;
  const auto path = place.path("node.toml");
  std::ofstream{path} << "name = \"a\"\nfound = true\ndrain = 2.5\nhttp = \"[::1]:9\"\n"
                         "seed = [\"b:1\", \"c:2\"]\nlisten = \"d:3\"\ninsecure = true\n";
  const auto got = read({"--config", path.c_str(), "--name", "b"});
  CAPTURE(got.text);
  REQUIRE_FALSE(got.over);
  CHECK(got.options.name == "b");
  CHECK(got.options.drain == 2.5);
  CHECK(got.options.http == "[::1]:9");
  CHECK(got.options.seeds == std::vector<std::string>{"b:1", "c:2"});
}

TEST_CASE("a wrong name is answered with the nearest right one") {
  CHECK(says(refused({"--fuond"}), "'--fuond'; did you mean --found?"));
  CHECK(says(refused({"--found", "--http-conections=3"}), "did you mean --http-connections?"));
  CHECK(says(refused({"--found", "--sed", "a:1"}), "did you mean --seed?"));
  const auto far = refused({"--found", "--quantum-entanglement"});
  CHECK(says(far, "'--quantum-entanglement'"));
  CHECK_FALSE(says(far, "did you mean"));
  CHECK(says(refused({"--found", "stray"}), "no use for 'stray'"));
}

TEST_CASE("a wrong key of the file is answered likewise") {
  const test_support::scratch place;
  CHECK(says(refused_file(place, "nmae = \"a\"\n"), "key 'nmae'; did you mean name?"));
  CHECK(says(refused_file(place, "leave_limit = 3\n"), "did you mean leave-limit?"));
  CHECK(says(refused_file(place, "[http]\nport = 3\n"), "section 'http'"));
  CHECK_FALSE(says(refused_file(place, "nope = 3\n"), "did you mean"));
  CHECK(says(refused_file(place, "drain = \"soon\"\n"), "drain"));
  CHECK(says(refused({"--found", "--config", "/no/such/file"}), "/no/such/file"));
}

TEST_CASE("each complaint names the option and its value") {
  CHECK(says(refused({}), "either --found"));
  CHECK(says(refused({"--found", "--max-voters", "64"}), "--max-voters must be from 1 to 63, and "
                                                         "is 64"));
  CHECK(says(refused({"--found", "--max-voters", "-1"}), "and is -1"));
  CHECK(says(refused({"--found", "--http-connections", "0"}), "--http-connections"));
  CHECK(says(refused({"--found", "--drain", "-1"}), "--drain must be from 0 to 3600 seconds"));
  CHECK(says(refused({"--found", "--drain", "nan"}), "--drain must be"));
  CHECK(says(refused({"--found", "--leave-limit", "1e9"}), "--leave-limit must be"));
  CHECK(says(refused({"--found", "--leave-limit", "long"}), "--leave-limit = long"));
  CHECK(says(refused({"--found", "--log-level", "loud"}), "and is 'loud'"));
  const std::string name(256, 'n');
  CHECK(says(refused({"--found", "--name", name.c_str()}), "--name takes 256 bytes"));
}

TEST_CASE("what goes on with what is left makes a cluster, and joins none") {
  CHECK_FALSE(read({"--recover", "/"}).over);
  CHECK(says(refused({"--recover", "/", "--found"}), "--recover makes a new cluster"));
  CHECK(says(refused({"--recover", "/", "--listen", "127.0.0.1:1", "--seed", "127.0.0.1:2"}),
             "neither --found nor --seed"));
  CHECK(says(refused({"--recover", "/tmp", "--data", "/tmp/../tmp"}), "the same directory"));
  CHECK(says(refused({"--recover", "/no/such/file"}), "no file or directory '/no/such/file'"));
}

TEST_CASE("all complaints come at once") {
  const auto text = refused({"--drain", "-1", "--log-level", "loud"});
  CHECK(says(text, "--found"));
  CHECK(says(text, "--drain"));
  CHECK(says(text, "--log-level"));
}

TEST_CASE("addresses are read as people write them") {
  for (const auto* good : {"a:1", "[::1]:65535", "[::1]:0", "10.0.0.1:8080"})
    CHECK_FALSE_MESSAGE(read({"--found", "--http", good}).over, good);
  for (const auto* bad : {":", "a", "a:", ":1", "a:65536", "a:-1", "a:+1", "a:1x", "::1:5", "[]:1",
                          "a b:1", "http://a:1", "a:99999999999999999999"}) {
    CAPTURE(bad);
    CHECK(says(refused({"--found", "--http", bad}), "is no HOST:PORT"));
  }
  CHECK(says(refused({"--found", "--http", "here"}),
             "--http: 'here' is no HOST:PORT: the port is missing"));
}

TEST_CASE("who may connect has to be said") {
  CHECK(says(refused({"--seed", "a:1"}), "--seed needs --listen"));
  CHECK(says(refused({"--found", "--listen", "a:1"}), "--insecure lets everybody in"));
  CHECK(says(refused({"--found", "--listen", "a:1", "--key", "/no/key"}), "go together"));
  CHECK(says(refused({"--found", "--listen", "a:1", "--cluster-key", "/no/key"}),
             "--cluster-key: there is no file '/no/key'"));
  CHECK(says(refused({"--found", "--listen", "0.0.0.0:1", "--insecure"}), "--advertise"));
  CHECK(says(refused({"--found", "--advertise", "a:1"}), "--advertise needs --listen"));
  CHECK(says(refused({"--seed", "a:0", "--listen", "b:1", "--insecure"}), "port 0"));
  CHECK_FALSE(read({"--seed", "a:1", "--listen", "b:1", "--insecure"}).over);
  CHECK_FALSE(read({"--seed", "a:1", "--listen", "127.0.0.1:1"}).over); // only this machine
  CHECK(says(refused({"--found", "--listen", "127.0.0.1:1", "--cluster-name", "c"}),
             "--cluster-name needs --certificate"));
}

TEST_CASE("operators' calls are taken from this machine alone, unless everybody is let in") {
  CHECK(read({"--found"}).options.admin.empty());
  for (const auto* own : {"127.0.0.1:1", "[::1]:1", "localhost:0"})
    CHECK_FALSE_MESSAGE(read({"--found", "--admin", own}).over, own);
  for (const auto* wide : {"10.0.0.1:1", "0.0.0.0:1", "[::]:1", "example.org:1"}) {
    CAPTURE(wide);
    CHECK(says(refused({"--found", "--admin", wide}), "--insecure lets everybody in"));
    CHECK_FALSE(read({"--found", "--admin", wide, "--insecure"}).over);
  }
  CHECK(says(refused({"--found", "--admin", "here"}), "--admin: 'here' is no HOST:PORT"));
}

TEST_CASE("a complaint stays on its line, and within reason") {
  const std::string nasty = "--" + std::string(1'000, 'x') + "\n\033[2J";
  const auto text = refused({"--found", nasty.c_str()});
  CHECK(text.size() < 300);
  CHECK(text.find('\033') == std::string::npos);
}

TEST_CASE("the help names every option, and teaches with examples") {
  const auto got = read({"--help"});
  CHECK(got.over);
  CHECK(got.status == exit_code::left);
  for (const auto* part : {"--name",        "--listen",      "--advertise",    "--seed",
                           "--found",       "--data",        "--http",         "--max-voters",
                           "--certificate", "--key",         "--authority",    "--cluster-key",
                           "--insecure",    "--leave-limit", "--drain",        "--http-connections",
                           "--log-level",   "--config",      "--metrics-help", "--version",
                           "--admin",       "EXAMPLES",      "SIGNALS",        "EXIT STATUS"})
    CHECK(says(got.text, part));
  CHECK(read({"--version"}).over);
  CHECK(read({"--metrics-help"}).metrics_help);
}

TEST_CASE("edits are counted one by one, and a swap of neighbours is one") {
  CHECK(node_program::edit_distance("", "") == 0);
  CHECK(node_program::edit_distance("", "abc") == 3);
  CHECK(node_program::edit_distance("found", "fuond") == 1);
  CHECK(node_program::edit_distance("kitten", "sitting") == 3);
}

} // namespace command_line_test
