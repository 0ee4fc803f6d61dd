// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "raft/support/entries.hpp"
#include "support/scratch.hpp"
#include <nodectl/commands.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <ios>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nodectl_test {

using namespace nodectl;
using nlohmann::json;

namespace {

command_line read(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "nodectl");
  return read_command_line(static_cast<int>(arguments.size()), arguments.data());
}

std::string refused(std::vector<const char*> arguments) {
  const auto got = read(std::move(arguments));
  CHECK(got.over);
  CHECK(got.status == exit_code::bad_options);
  return got.text;
}

bool says(const std::string& text, std::string_view part) {
  CAPTURE(text);
  return text.find(part) != std::string::npos;
}

/// Nodes that answer what a test has put there, by `ADDRESS METHOD PATH`.
class set_doors final : public door {
public:
  reply ask(const std::string& address, const request& what) override {
    asked.push_back(address + ' ' + what.method + ' ' + what.path);
    last = what;
    const auto found = answers.find(asked.back());
    return found == answers.end()
               ? reply{.how = contact::unreachable, .why = "nobody takes the connection"}
               : found->second;
  }

  void answer(const std::string& what, json body, int status = 200) {
    answers[what] = {.status = status, .body = std::move(body)};
  }
  void fail(const std::string& what, int status, const char* error,
            const char* certainty = "not_applied") {
    answer(what, {{"error", error}, {"detail", "because"}, {"certainty", certainty}}, status);
  }

  std::map<std::string, reply> answers;
  std::vector<std::string> asked;
  request last;
};

/// What node `id` has of four, of which the first three vote.
understudy::remains log_of(std::uint64_t id, std::uint64_t last) {
  understudy::remains all{.node = {id}};
  all.kept.entries.push_back(support::entry_of(1, 1, support::made_of({1, 2, 3, 4}, {1, 2, 3})));
  for (std::uint64_t i = 2; i <= last; ++i)
    all.kept.entries.push_back(support::entry_of(i, 2, "x"));
  return all;
}

struct fixture {
  set_doors nodes;
  std::string out;
  std::string err;

  exit_code run(std::vector<const char*> arguments, const char* places = "a:1,b:2,c:3") {
    arguments.insert(arguments.begin(), {"--admin", places});
    const auto line = read(std::move(arguments));
    REQUIRE_MESSAGE(!line.over, line.text);
    std::ostringstream to_out;
    std::ostringstream to_err;
    const auto status = commands{line.options, nodes, to_out, to_err}.run();
    out = to_out.str();
    err = to_err.str();
    return status;
  }
};

json member(const char* id, const char* name, const char* role, int rank) {
  return {{"id", id},        {"name", name}, {"address", "tcp:10.0.0.1:7000/5f"},
          {"role", role},    {"rank", rank}, {"present", true},
          {"pinned", false}, {"match", 7},   {"machine_version", 2}};
}

/// What node `id` says of a cluster of two that ann leads.
json status_of(const char* id, const char* name, const char* role) {
  return {{"id", id},
          {"name", name},
          {"role", role},
          {"lag", 0},
          {"term", 3},
          {"leader", "11"},
          {"machine_version", 1},
          {"version_in_use", 1},
          {"why_not_voter", ""},
          {"log", {{"commit", 9}}},
          {"voters", {"11", "12"}},
          {"members", {member("11", "ann", "leader", 1), member("12", "bob", "follower", 2)}}};
}

} // namespace

TEST_CASE("addresses come with commas, or one by one, before or behind the command") {
  const auto got = read({"--admin", "a:1,b:2", "pin", "n1", "--admin", "c:3", "--timeout", "5"});
  CAPTURE(got.text);
  REQUIRE_FALSE(got.over);
  CHECK(got.options.addresses == std::vector<std::string>{"a:1", "b:2", "c:3"});
  CHECK(got.options.command == "pin");
  CHECK(got.options.member == "n1");
  CHECK(got.options.timeout == 5);
}

TEST_CASE("a plan takes as many suppositions as there are") {
  const auto got = read({"--admin", "a:1", "plan", "--dies", "x", "--leaves", "y", "--dies", "z"});
  CAPTURE(got.text);
  REQUIRE_FALSE(got.over);
  CHECK(got.options.dies == std::vector<std::string>{"x", "z"});
  CHECK(got.options.leaves == std::vector<std::string>{"y"});
}

TEST_CASE("settings are numbers and truths") {
  const auto got = read({"--admin", "a:1", "settings", "max_voters=7", "open=true"});
  CAPTURE(got.text);
  REQUIRE_FALSE(got.over);
  CHECK(got.options.settings == nlohmann::ordered_json{{"max_voters", 7}, {"open", true}});
  CHECK(read({"--admin", "a:1", "settings"}).options.settings.is_null());
  for (const auto* bad : {"max_voters", "max_voters=", "=7", "max_voters=many", "max_voters=7x"}) {
    CAPTURE(bad);
    CHECK(says(refused({"--admin", "a:1", "settings", bad}), "is no KEY=VALUE"));
  }
  CHECK(says(refused({"--admin", "a:1", "settings", "a=1", "a=2"}), "twice"));
}

TEST_CASE("what is mistyped is answered with what was meant, and nobody is asked") {
  CHECK(says(refused({"--admin", "a:1", "stauts"}), "no command 'stauts'; did you mean status?"));
  CHECK(says(refused({"--admni", "a:1", "status"}), "'--admni'; did you mean --admin?"));
  CHECK(says(refused({"--admin", "a:1", "plan", "--dise", "x"}), "did you mean --dies?"));
  CHECK(says(refused({"--admin", "a:1"}), "a command is missing"));
  CHECK(says(refused({"--admin", "a:1", "evict"}), "NAME is required"));
  CHECK(says(refused({"--admin", "a:1", "evict", "x", "y"}), "evict has no use for 'y'"));
  CHECK(says(refused({"status"}), "--admin has to say where"));
  CHECK(says(refused({"--admin", "here", "status"}), "'here' is no HOST:PORT"));
  CHECK(says(refused({"--admin", "a:0", "status"}), "port 0"));
  for (const auto* bad : {"0", "61", "nan"})
    CHECK(says(refused({"--admin", "a:1", "--timeout", bad, "status"}), "--timeout must be"));
}

TEST_CASE("with several addresses a node that is to leave has to be named") {
  CHECK(says(refused({"--admin", "a:1,b:2", "leave"}), "leave needs the NAME"));
  CHECK(says(refused({"--admin", "a:1,b:2", "snapshot"}), "snapshot needs the NAME"));
  CHECK_FALSE(read({"--admin", "a:1", "leave"}).over);
}

TEST_CASE("the help has every command and what the exit status means") {
  const auto help = read({"--help"});
  CHECK(help.status == exit_code::done);
  for (const auto* part :
       {"status", "journal", "leave", "evict", "pin", "unpin", "transfer", "use-version",
        "settings", "plan", "safe-to-stop", "snapshot", "save", "recover", "EXIT STATUS"})
    CHECK(says(help.text, part));
  CHECK(says(read({"plan", "--help"}).text, "--dies"));
}

TEST_CASE("columns are as wide as what is in them, and nothing is a dash") {
  CHECK(table({{"a", "long", "x"}, {"wide", "", ""}}) == "a     long  x\nwide  -\n");
  CHECK(table({{"\xc3\xa4", "b"}, {"aa", "b"}}) == "\xc3\xa4   b\naa  b\n");
}

TEST_CASE("the status is a line for each member, whether it answers or not") {
  auto ann = status_of("11", "ann", "leader");
  ann["members"].push_back(member("13", "cleo", "listener", 0));
  ann["members"][2]["pinned"] = true;
  ann["members"][2]["match"] = 0;
  auto stale = status_of("12", "bob", "candidate");
  stale["term"] = 2;
  stale["lag"] = 4;
  stale["members"].clear();
  auto stranger = status_of("14", "dan", "joining");
  stranger["members"].clear();
  stranger["why_not_voter"] = "has not entered a cluster";
  const auto text = status_table({stale, ann, stranger});
  CHECK(says(text, "ann   leader     1     0    1        10.0.0.1:7000\n"));
  CHECK(says(text, "bob   candidate  2     4    1 "));
  CHECK(says(text, "cleo  listener   0     -    2        10.0.0.1:7000  not asked; pinned\n"));
  CHECK(says(text, "dan   joining    -     0    1        -              has not entered"));
  CHECK(says(text, "ann leads in term 3, 2 vote, entry 9 is committed, version 1 is used\n"));
}

TEST_CASE("of who does not answer the leader's word counts, and no strange answer stops it") {
  CHECK(says(status_table({status_of("11", "ann", "leader")}),
             "bob   follower  2     2    2        10.0.0.1:7000  not asked\n"));
  CHECK(says(status_table({json{{"members", {1, nullptr, "x"}}, {"log", 3}, {"term", nullptr}}}),
             "nobody leads"));
  CHECK(status_table({}).empty());
}

TEST_CASE_FIXTURE(fixture, "the status shows who answers, and tells of who does not") {
  nodes.answer("b:2 GET /admin/status", status_of("11", "ann", "leader"));
  CHECK(run({"status"}) == exit_code::done);
  CHECK(says(out, "ann leads"));
  CHECK(says(err, "a:1: can not be reached"));
  CHECK(says(err, "c:3: can not be reached"));
  nodes.answers.clear();
  CHECK(run({"status"}) == exit_code::unknown);
}

TEST_CASE_FIXTURE(fixture, "an order goes to the first that can be reached, and to nobody else") {
  nodes.answer("b:2 POST /admin/pin", {{"member", {{"name", "n1"}}}, {"index", 5}});
  CHECK(run({"pin", "n1"}) == exit_code::done);
  CHECK(out == "n1 is pinned: it stays a listener (entry 5)\n");
  CHECK(err.empty());
  CHECK(nodes.asked.size() == 2);
  CHECK(nodes.last.query
        == std::vector<std::pair<std::string, std::string>>{{"timeout", "30.0"}, {"member", "n1"}});
}

TEST_CASE_FIXTURE(fixture, "a version is ordered like anything else") {
  nodes.fail("a:1 POST /admin/use-version", 409, "version_unsupported");
  CHECK(run({"use-version", "2"}) == exit_code::no);
  CHECK(nodes.asked.size() == 1);
  nodes.answer("a:1 POST /admin/use-version", {{"version", 2}, {"index", 5}});
  CHECK(run({"use-version", "2"}) == exit_code::done);
  CHECK(out == "version 2 is used (entry 5)\n");
  CHECK(nodes.last.query
        == std::vector<std::pair<std::string, std::string>>{{"timeout", "30.0"}, {"version", "2"}});
  for (const auto* bad : {"0", "-1", "new"})
    CHECK(says(refused({"--admin", "a:1", "use-version", bad}), "VERSION"));
  CHECK(says(refused({"--admin", "a:1", "use-version"}), "VERSION is required"));
}

TEST_CASE_FIXTURE(fixture, "an order that may have been taken is given to nobody else") {
  nodes.answers["a:1 POST /admin/transfer"] = {.how = contact::silent, .why = "cut"};
  nodes.answer("b:2 POST /admin/transfer", {{"index", 5}});
  CHECK(run({"transfer"}) == exit_code::unknown);
  CHECK(says(err, "it may have been done"));
  nodes.fail("a:1 POST /admin/transfer", 504, "outcome_unknown", "unknown");
  CHECK(run({"transfer"}) == exit_code::unknown);
  CHECK(nodes.asked.size() == 2);
  nodes.fail("a:1 POST /admin/transfer", 504, "timed_out");
  CHECK(run({"transfer"}) == exit_code::no);
  CHECK(nodes.asked.size() == 3);
  nodes.fail("a:1 POST /admin/transfer", 503, "stopped");
  CHECK(run({"transfer"}) == exit_code::done);
}

TEST_CASE_FIXTURE(fixture, "what is refused is refused by all") {
  nodes.fail("a:1 POST /admin/evict", 404, "member_unknown");
  nodes.answer("b:2 POST /admin/evict", {{"index", 5}});
  CHECK(run({"evict", "x"}) == exit_code::no);
  CHECK(says(err, "a:1: member_unknown: because"));
  CHECK(nodes.asked.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "a question for the leader is asked until the leader is found") {
  nodes.fail("a:1 GET /admin/safe-to-stop", 503, "not_leader");
  nodes.answers["b:2 GET /admin/safe-to-stop"] = {.how = contact::silent, .why = "cut"};
  nodes.answer("c:3 GET /admin/safe-to-stop", {{"member", {{"name", "n1"}}}, {"safe", true}});
  CHECK(run({"safe-to-stop", "n1"}) == exit_code::done);
  CHECK(out == "n1 can be stopped\n");
  nodes.answer("c:3 GET /admin/safe-to-stop",
               {{"member", {{"name", "n1"}}}, {"safe", false}, {"why", "of this"}});
  CHECK(run({"safe-to-stop", "n1"}) == exit_code::no);
  CHECK(out == "n1 should not be stopped: of this\n");
  nodes.fail("c:3 GET /admin/safe-to-stop", 503, "not_leader");
  CHECK(run({"safe-to-stop", "n1"}) == exit_code::unknown);
  CHECK(says(err, "a:1: not_leader"));
}

TEST_CASE_FIXTURE(fixture, "a plan is asked with all suppositions, and told step by step") {
  nodes.answer(
      "a:1 GET /admin/plan",
      {{"steps",
        {{{"reason", "change"}, {"voters", {{{"id", "5"}, {"name", "n4"}}}}, {"detail", "1 sit"}}}},
       {"voters", {{{"id", "5"}, {"name", "n4"}}}},
       {"majority", true},
       {"complete", false}});
  CHECK(run({"plan", "--dies", "n1", "--leaves", "n2"}) == exit_code::done);
  CHECK(out
        == "change to n4: 1 sit\nvoters: n4\na majority of them answers, and a seat is left "
           "open\n");
  CHECK(nodes.last.query
        == std::vector<std::pair<std::string, std::string>>{
            {"timeout", "30.0"}, {"dies", "n1"}, {"leaves", "n2"}});
}

TEST_CASE_FIXTURE(fixture, "a node that is to leave is found by its name") {
  nodes.answer("a:1 GET /admin/status", status_of("11", "ann", "leader"));
  nodes.answer("c:3 GET /admin/status", status_of("12", "bob", "follower"));
  nodes.answer("c:3 POST /admin/leave", {{"name", "bob"}, {"last_member", false}});
  CHECK(run({"leave", "bob"}) == exit_code::done);
  CHECK(out == "bob has left\n");
  CHECK(run({"leave", "bop"}) == exit_code::unknown); // it may be the one that does not answer
  CHECK(says(err, "none of the nodes that answer is 'bop'; did you mean bob?"));
  CHECK(run({"leave", "bop"}, "a:1,c:3") == exit_code::no);
  nodes.fail("c:3 POST /admin/leave", 500, "not_left", "unknown");
  CHECK(run({"leave", "12"}, "a:1,c:3") == exit_code::unknown);
  nodes.answer("a:1 GET /admin/status", status_of("11", "bob", "leader"));
  CHECK(run({"leave", "bob"}, "a:1,c:3") == exit_code::no);
  CHECK(says(err, "more than one"));
}

TEST_CASE_FIXTURE(fixture, "what a node has is saved to a new file, and to no other") {
  const test_support::scratch disk;
  const auto file = disk.path("left");
  const auto image = understudy::encode_remains(log_of(4, 8));
  nodes.answers["a:1 GET /admin/remains"] = {.status = 200, .raw = std::string{image.text()}};
  CHECK(run({"save", file.c_str()}, "a:1") == exit_code::done);
  CHECK(says(out, "up to entry 8 of term 2\n"));
  CHECK(understudy::remains_at(file).value().node == understudy::member_id{4});
  CHECK(run({"save", file.c_str()}, "a:1") == exit_code::no);
  CHECK(says(err, "is there already"));
  CHECK(run({"save", disk.path("no/where").c_str()}, "a:1") == exit_code::no);
  CHECK(says(err, "storage_missing"));
  nodes.answers["a:1 GET /admin/remains"].raw.pop_back();
  const auto other = disk.path("other");
  CHECK(run({"save", other.c_str()}, "a:1") == exit_code::unknown);
  CHECK(says(err, "damaged, or missing"));
  CHECK_FALSE(std::filesystem::exists(other));
  CHECK(run({"save", other.c_str()}, "b:2") == exit_code::unknown);
  CHECK(says(err, "b:2: can not be reached"));
  CHECK(says(refused({"--admin", "a:1,b:2", "save", "x"}), "save needs the NAME"));
}

TEST_CASE_FIXTURE(fixture, "of what is left the newest is named, with what is lost") {
  const test_support::scratch disk;
  const auto save = [&](const char* name, const understudy::remains& what) {
    std::ofstream{disk.path(name), std::ios::binary} << understudy::encode_remains(what).text();
    return disk.path(name);
  };
  const auto d = save("d", log_of(4, 8));
  const auto c = save("c", log_of(3, 9));
  CHECK(run({"recover", d.c_str(), c.c_str()}) == exit_code::done);
  CHECK(nodes.asked.empty());
  CHECK(says(out, "Of 3 voters these are missing"));
  CHECK(says(out, "start node --recover " + c + " --data DIR"));
  const auto b = save("b", log_of(2, 9));
  CHECK(run({"recover", b.c_str(), c.c_str()}) == exit_code::no);
  CHECK(says(err, "quorum_intact"));
  CHECK(run({"recover", disk.path("none").c_str()}) == exit_code::no);
  CHECK(says(err, "storage_missing: " + disk.path("none")));
  CHECK_FALSE(read({"recover", "x"}).over); // nobody has to be asked
  CHECK(says(refused({"recover"}), "PATH is required"));
}

TEST_CASE_FIXTURE(fixture, "settings are shown, or changed") {
  nodes.answer("a:1 GET /admin/settings", {{"max_voters", 5}, {"lease_ms", 0}});
  CHECK(run({"settings"}) == exit_code::done);
  CHECK(out == "lease_ms    0\nmax_voters  5\n");
  nodes.answer("a:1 PUT /admin/settings", {{"settings", {{"max_voters", 7}}}});
  CHECK(run({"settings", "max_voters=7"}) == exit_code::done);
  CHECK(nodes.last.body == R"({"max_voters":7})");
  CHECK(out == "max_voters  7\n");
}

TEST_CASE_FIXTURE(fixture, "the journals of all nodes are one, in the order of their clocks") {
  const auto line = [](const char* when, const char* text) {
    return json{{"when", when}, {"term", 1}, {"what", "plan"}, {"text", text}};
  };
  nodes.answer("a:1 GET /admin/status", status_of("11", "ann", "leader"));
  nodes.answer("b:2 GET /admin/status", status_of("12", "bob", "follower"));
  nodes.answer("a:1 GET /admin/journal", {{"lines", {line("T1", "one"), line("T3", "three")}}});
  nodes.answer("b:2 GET /admin/journal", {{"lines", {line("T2", "two\n\033[2J")}}});
  CHECK(run({"journal"}) == exit_code::done);
  CHECK(out
        == "when  node  term  what  reason\nT1    ann   1     plan  one\n"
           "T2    bob   1     plan  two??[2J\nT3    ann   1     plan  three\n");
  CHECK(says(err, "c:3: can not be reached"));
}

} // namespace nodectl_test
