// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/play.hpp>
#include <understudy/testing/script.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace script_test {

using namespace understudy;
using namespace understudy::testing;

namespace {

/// What is wrong with a script that can not be played, and where.
std::string wrong_with(std::string_view text) {
  const auto result = play(text);
  CHECK(result.verdict == play_verdict::bad);
  CHECK(result.text.empty());
  return std::to_string(result.line) + ": " + result.report;
}

/// A script of some lines that ends with something to expect.
std::string expecting(const std::string& lines) {
  return lines + "\nexpect a leads\n";
}

/// A file that is gone at the end.
class temporary_file {
public:
  explicit temporary_file(std::string_view text)
      : path_{std::filesystem::temp_directory_path()
              / ("understudy_script_" + std::to_string(std::random_device{}()))} {
    std::ofstream{path_} << text;
  }
  ~temporary_file() { std::filesystem::remove(path_); }
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;

  [[nodiscard]] std::string path() const { return path_.string(); }
  [[nodiscard]] std::string text() const {
    std::ifstream file{path_};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

private:
  std::filesystem::path path_;
};

constexpr std::string_view told_wrong = "# Two enter.\n"
                                        "nodes 3\n"
                                        "show voters\n"
                                        "  a\n"
                                        "  a,b\n"
                                        "\n"
                                        "write b\n"
                                        "query c as seen\n"
                                        "wait seen answered\n"
                                        "show answers\n";

constexpr std::string_view told_right = "# Two enter.\n"
                                        "nodes 3\n"
                                        "show voters\n"
                                        "  a\n"
                                        "  a>a,b,c\n"
                                        "  a,b,c\n"
                                        "\n"
                                        "write b\n"
                                        "query c as seen\n"
                                        "wait seen answered\n"
                                        "show answers\n"
                                        "  seen: 1\n";

} // namespace

TEST_CASE("a script is read line by line, and its text comes back as it was") {
  constexpr std::string_view text = "# E6: nobody is disturbed\n"
                                    "\n"
                                    "nodes 3   # and a comment\n"
                                    "wait a journal \"two words\"\n"
                                    "show status\n"
                                    "  / a  t1\n"
                                    "    indented\n";
  const auto what = script::parse(text);
  REQUIRE(what.lines().size() == 5);
  CHECK(what.lines()[0].words.empty());
  CHECK(what.lines()[2].words == std::vector<std::string>{"nodes", "3"});
  CHECK(what.lines()[3].words == std::vector<std::string>{"wait", "a", "journal", "two words"});
  CHECK(what.lines()[4].number == 5);
  CHECK(what.lines()[4].outcome == std::vector<std::string>{"/ a  t1", "  indented"});
  CHECK(what.text() == text);
}

TEST_CASE("a script that expects nothing is none") {
  CHECK(wrong_with("").starts_with("1: nothing is expected"));
  CHECK(wrong_with("nodes 3\nrun 5s\n").starts_with("2: nothing is expected"));
  CHECK(play("nodes 1\nrun 1s while a leads\n").verdict == play_verdict::ok);
}

TEST_CASE("what can not be read is named, with its line") {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 31> cases{{
      {"nodes 3\ndance a", "2: there is no command dance"},
      {"nodes", "1: number of nodes is missing"},
      {"nodes none", "1: none is no number of nodes"},
      {"nodes 27", "1: there are letters for 26 nodes"},
      {"options max_votes=3", "1: there is no option max_votes"},
      {"options max_voters", "1: max_voters is no name=value"},
      {"options max_voters=many", "1: max_voters must be a whole number that fits, and is many"},
      {"options drop=2", "1: drop must be a number from 0 to 1, and is 2"},
      {"options evict_after=5", "1: evict_after must be a time, such as 20ms or 5s, and is 5"},
      {"options max_voters=0", "1: max_voters must be from 1 to 63, and is 0"},
      {"nodes 1\noptions seed=3", "2: options come before the first node"},
      {"nodes 1\nfound a", "2: there is a a already; restart starts it again"},
      {"enter a", "1: a has nobody to ask"},
      {"options evict_after=500ms", "1: presence_every (1000000000 ns) must be less than "
                                    "rules.evict_after_ms (500 ms)"},
      {"nodes 1\nremember elections = 1", "2: elections is the name of another number"},
      {"nodes 1\ndrop any where volume > 1", "2: no message has a number volume"},
      {"nodes 1\ncount any", "2: \"as\" is missing"},
      {"nodes 1\nrestart a", "2: a has nobody to ask when it starts again"},
      {"nodes 1\nenter x.y", "2: x.y is no name"},
      {"nodes 1\nforge presence a>a",
       "2: presence can not be forged; timeout_now and append_entries can"},
      {"nodes 1\ncrash b", "2: there is no node b"},
      {"nodes 2\ncrash b\npause b", "3: b does not run"},
      {"nodes 2\ncut a-b", "2: a-b is no link, such as a>b or *>a,b"},
      {"nodes 2\npartition a |", "2: a side of the partition is empty"},
      {"nodes 2\ndrop mails a>b", "2: there is no message mails"},
      {"nodes 2\ndrop presence where term = 1", "2: presence has no term"},
      {"nodes 2\nlift it", "2: there is no such rule"},
      {"nodes 2\nrun 5", "2: 5 is no time, such as 20ms or 5s"},
      {"nodes 2\nheal a", "2: nothing more is expected at a"},
      {"nodes 2\nwait \"a leads", "2: a quote is not closed"},
      {"nodes 2\n  a leads", "2: an outcome stands below a show"},
  }};
  for (const auto& [lines, complaint] : cases)
    CHECK(wrong_with(expecting(std::string{lines})) == complaint);
}

TEST_CASE("a condition that can not be read is named, with its line") {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 11> cases{{
      {"b leads", "2: there is no node b"},
      {"a wins", "2: of a node one can not say wins"},
      {"a is fine", "2: fine is none of crashed, paused, candidate, voter, listener, founding, "
                    "entering, member, failed"},
      {"a sees a lost", "2: lost is none of present, leaving, evicted, pinned, gone"},
      {"a.size = 1", "2: a node has no size"},
      {"votes = 1", "2: there is no number votes"},
      {"a.term =", "2: a number is missing"},
      {"a.term > x", "2: there is no number x"},
      {"a obstacle tired", "2: there is no error tired"},
      {"voters", "2: a node is missing"},
      {"a leads and", "2: a node is missing"},
  }};
  for (const auto& [condition, complaint] : cases)
    CHECK(wrong_with("nodes 1\nexpect " + std::string{condition} + "\n") == complaint);
}

TEST_CASE("all commands are known before the first one is carried out") {
  CHECK(wrong_with("nodes 3\nexpect b leads\nforget it\n") == "3: there is no command forget");
}

TEST_CASE("an expectation that does not hold is reported with its line, and how all stand") {
  const auto result = play("nodes 3\nexpect a leads\nexpect a leads and b leads and a.term = 7\n");
  CHECK(result.verdict == play_verdict::differs);
  CHECK(result.line == 3);
  CHECK(result.report.starts_with("it is not so: b leads, and a.term = 7 (1 and 7)\n  / a "));
  CHECK(result.text.empty());
}

TEST_CASE("what does not come, or does not stay, is reported") {
  const auto never = play("nodes 3\nwait b leads within 5s\nexpect b leads\n");
  CHECK(never.verdict == play_verdict::differs);
  CHECK(never.line == 2);
  CHECK(never.report.starts_with("it does not come to be: b leads"));
  const auto gone = play("nodes 3\npartition a | b c\nrun 5s while a leads\n");
  CHECK(gone.verdict == play_verdict::differs);
  CHECK(gone.line == 3);
  CHECK(gone.report.starts_with("it does not stay so: a leads"));
}

TEST_CASE("what is shown is compared with what is recorded, and the play goes on") {
  const auto wrong = play(told_wrong);
  CHECK(wrong.verdict == play_verdict::differs);
  CHECK(wrong.line == 3);
  CHECK(wrong.report
        == "the outcome is another than the recorded one\n"
           "    a\n"
           "  - a,b\n"
           "  + a>a,b,c\n"
           "  + a,b,c");
  CHECK(wrong.text == told_right);
  const auto right = play(told_right);
  CHECK(right.verdict == play_verdict::ok);
  CHECK(right.text == told_right);
}

TEST_CASE("of two things that are wrong the first one is reported first") {
  const auto result = play("nodes 1\nshow voters\nexpect a.term = 2\n");
  CHECK(result.verdict == play_verdict::differs);
  CHECK(result.line == 2);
  CHECK(result.report.starts_with("the outcome is another than the recorded one\n"
                                  "  + a\n"
                                  "and in line 3 it is not so: a.term = 2 (1 and 2)"));
}

TEST_CASE("a broken rule ends the play, and is reported as one") {
  const auto result = play("nodes 3\n"
                           "forge append_entries b>a\n"
                           "run 1s while a leads\n"
                           "expect b leads\n");
  CHECK(result.verdict == play_verdict::differs);
  CHECK(result.line == 3);
  CHECK(result.report.starts_with("rule assertion is broken\nseed 5: "));
  CHECK(result.report.find("last events:") != std::string::npos);
}

TEST_CASE("a file is played, and only rewritten if that is wanted") {
  const temporary_file file{told_wrong};
  std::ostringstream out;
  CHECK(play_file(file.path(), false, out) == 1);
  CHECK(out.str().starts_with(file.path() + ":3: the outcome is another"));
  CHECK(file.text() == told_wrong);
  out.str({});
  CHECK(play_file(file.path(), true, out) == 0);
  CHECK(out.str() == file.path() + ": rewritten\n");
  CHECK(file.text() == told_right);
  out.str({});
  CHECK(play_file(file.path(), false, out) == 0);
  CHECK(out.str() == file.path() + ": ok\n");
}

TEST_CASE("a script that fails is never rewritten") {
  const std::string text = "nodes 1\nshow voters\nexpect a.term = 2\n";
  const temporary_file file{text};
  std::ostringstream out;
  CHECK(play_file(file.path(), true, out) == 1);
  CHECK(out.str().starts_with(file.path() + ":2: the outcome is another"));
  CHECK(file.text() == text);
}

TEST_CASE("a file that is not there, or no script, is bad") {
  std::ostringstream out;
  CHECK(play_file("/no/such.script", false, out) == 2);
  CHECK(out.str() == "/no/such.script: can not be read\n");
  const temporary_file file{"nodes 3\nhop\nexpect a leads\n"};
  out.str({});
  CHECK(play_file(file.path(), true, out) == 2);
  CHECK(out.str() == file.path() + ":2: there is no command hop\n");
}

TEST_CASE("nodes that start again are new ones, and both keep their names") {
  const auto result = play("nodes 3\n"
                           "restart c\n"
                           "wait rest\n"
                           "expect c is crashed and c.2 is voter and voters a b c.2\n"
                           "expect roster a b c.2\n");
  CHECK_MESSAGE(result.verdict == play_verdict::ok, result.report);
}

TEST_CASE("what a leader decided about seats is told with names") {
  const auto result = play("nodes 3\n"
                           "expect a journal \"plan: change a b c\" and not a journal evict\n"
                           "evict c at b\n"
                           "wait c is failed\n"
                           "expect a journal \"orders: evict member c\" and a sees c evicted\n");
  CHECK_MESSAGE(result.verdict == play_verdict::ok, result.report);
}

TEST_CASE("a client calls, and is no node") {
  constexpr std::string_view calls = "nodes 3\n"
                                     "client outside\n"
                                     "write outside times 2\n"
                                     "query outside as seen\n"
                                     "wait seen answered\n"
                                     "expect seen answers 2\n";
  const auto result = play(calls);
  CHECK_MESSAGE(result.verdict == play_verdict::ok, result.report);
  CHECK(wrong_with(std::string{calls} + "expect outside leads\n")
        == "7: outside is a client, and no node");
}

TEST_CASE("messages are dropped, held, doubled and counted by kind, link and content") {
  const auto result = play("nodes 3\n"
                           "count append_entries a>* with commands as sent\n"
                           "count append_entries b,c>a as back\n"
                           "write a\n"
                           "wait settled\n"
                           "expect sent = 2 and back = 0\n"
                           "hold append_reply *>a as slow\n"
                           "submit a as late\n"
                           "run 100ms while not late answered\n"
                           "lift slow\n"
                           "release append_reply b>a\n"
                           "wait late answered within 10ms\n"
                           "expect late answers 2\n"
                           "drop any b>* as lost\n"
                           "duplicate append_entries where commit >= a.commit + 1\n"
                           "write a times 2\n"
                           "expect a.count = 4 and a.end = a.commit\n");
  CHECK_MESSAGE(result.verdict == play_verdict::ok, result.report);
}

TEST_CASE("the same script has the same outcome each time it is played") {
  constexpr std::string_view text = "options drop=0.1 duplicate=0.1\n"
                                    "nodes 4\n"
                                    "watch any\n"
                                    "crash a\n"
                                    "wait rest\n"
                                    "show messages\n";
  const auto once = play(text);
  CHECK(once.verdict == play_verdict::differs);
  CHECK(once.text.size() > 1'000);
  CHECK(play(once.text).verdict == play_verdict::ok);
}

} // namespace script_test
