// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <node/admin_api.hpp>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace admin_api_test {

using namespace node_program;
using namespace std::chrono_literals;
using understudy::errc;
using understudy::log_index;
using understudy::member_id;

namespace {

constexpr member_id ann{1'000'000'001};
constexpr member_id bob{1'000'000'002};
constexpr member_id old_bob{1'000'000'003};

/// A node that notes what it is told, and does it, or fails as a test wants.
class told_node final : public admin_service {
public:
  understudy::node_status status() const override { return now; }
  bool draining() const override { return false; }
  expected<std::vector<understudy::journal_line>> journal(interval limit) override {
    return note("journal", {}, limit).map([&](log_index) { return lines; });
  }
  expected<understudy::leave_ended> leave() override {
    return note("leave", {}, 0s).map([&](log_index) { return end; });
  }
  expected<log_index> snapshot(interval limit) override { return note("snapshot", {}, limit); }
  expected<understudy::bytes> remains(interval limit) override {
    return note("remains", {}, limit).map([](log_index) { return understudy::bytes{"all"}; });
  }
  expected<log_index> evict(member_id who, interval limit) override {
    return note("evict", who, limit);
  }
  expected<log_index> pin(member_id who, interval limit) override {
    return note("pin", who, limit);
  }
  expected<log_index> unpin(member_id who, interval limit) override {
    return note("unpin", who, limit);
  }
  expected<log_index> transfer(member_id to, interval limit) override {
    return note("transfer", to, limit);
  }
  expected<log_index> use_version(std::uint32_t version, interval limit) override {
    wanted_version = version;
    return note("version", {}, limit);
  }
  expected<understudy::settings> settings(interval) override { return rules; }
  expected<log_index> change(const understudy::settings& to, interval limit) override {
    rules = to;
    return note("change", {}, limit);
  }
  expected<understudy::forecast> plan_if(const std::vector<understudy::supposed>& what,
                                         interval limit) override {
    supposed = what;
    return note("plan", {}, limit).map([&](log_index) { return then; });
  }
  expected<bool> safe_to_stop(member_id who, interval limit) override {
    return note("safe", who, limit).map([&](log_index) { return safe; });
  }

  understudy::node_status now{
      .id = ann,
      .name = "ann",
      .leader = ann,
      .members = {{.id = ann, .name = "ann", .address = "tcp:h:1/2"}, {.id = bob, .name = "bob"}}};
  understudy::failure wanted;
  std::vector<understudy::journal_line> lines;
  understudy::leave_ended end;
  understudy::settings rules;
  understudy::forecast then;
  bool safe = true;
  std::uint32_t wanted_version = 0;

  std::string told; ///< the calls, each with the member it was about
  interval asked_limit{0};
  std::vector<understudy::supposed> supposed;

private:
  expected<log_index> note(const char* what, member_id who, interval most) {
    told += (told.empty() ? "" : " ") + std::string{what};
    if (const auto* m = now.member(who))
      told += ':' + m->name;
    asked_limit = most;
    if (wanted.code != errc::none)
      return tl::unexpected{wanted};
    return log_index{7};
  }
};

struct fixture {
  told_node node;
  admin_api api{node};

  http_answer ask(std::string method, std::string path, std::vector<name_value> query = {},
                  std::string body = {}, std::vector<name_value> headers = {}) {
    return api.answer({std::move(method), std::move(path), std::move(query), std::move(headers),
                       std::move(body)});
  }
};

nlohmann::json json_of(const http_answer& answer) {
  CAPTURE(answer.body);
  CHECK(answer.type == "application/json");
  auto read = nlohmann::json::parse(answer.body, nullptr, false);
  REQUIRE_FALSE(read.is_discarded());
  return read;
}

/// The error and the status of an answer, as `404 member_unknown not_applied`.
std::string error_of(const http_answer& answer) {
  const auto body = json_of(answer);
  return std::to_string(answer.status) + ' ' + body.at("error").get<std::string>() + ' '
         + body.at("certainty").get<std::string>();
}

std::string detail_of(const http_answer& answer) {
  return json_of(answer).at("detail").get<std::string>();
}

bool says(const std::string& text, std::string_view part) {
  CAPTURE(text);
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE_FIXTURE(fixture, "what a node has is handed out as it is") {
  const auto got = ask("GET", "/admin/remains", {{"timeout", "2"}});
  CHECK(got.status == 200);
  CHECK(got.type == "application/octet-stream");
  CHECK(got.body == "all");
  CHECK(node.told == "remains");
  CHECK(node.asked_limit == 2s);
  node.wanted = {errc::timed_out, "late"};
  CHECK(ask("GET", "/admin/remains").status == 504);
}

TEST_CASE_FIXTURE(fixture, "a version to be used is a number from 1 on") {
  const auto used = ask("POST", "/admin/use-version", {{"version", "2"}, {"timeout", "2"}});
  CHECK(used.status == 200);
  CHECK(node.wanted_version == 2);
  CHECK(json_of(used) == nlohmann::json{{"done", "use-version"}, {"version", 2}, {"index", 7}});
  for (const auto* bad : {"0", "4294967296", "x", ""})
    CHECK(error_of(ask("POST", "/admin/use-version", {{"version", bad}}))
          == "400 invalid_option not_applied");
  CHECK(ask("POST", "/admin/use-version").status == 400);
  node.wanted = {errc::version_unsupported, "member 1000000002 knows version 1"};
  const auto refused = ask("POST", "/admin/use-version", {{"version", "2"}});
  CHECK(error_of(refused) == "409 version_unsupported not_applied");
  CHECK(says(detail_of(refused), "bob knows version 1"));
}

TEST_CASE_FIXTURE(fixture, "an order is about the member that has the name, or the id") {
  const auto pinned = ask("POST", "/admin/pin", {{"member", "bob"}, {"timeout", "2"}});
  CHECK(pinned.status == 200);
  CHECK(node.asked_limit == 2s);
  CHECK(json_of(pinned)
        == nlohmann::json{{"done", "pin"},
                          {"member", {{"id", std::to_string(bob.value)}, {"name", "bob"}}},
                          {"index", 7}});
  CHECK(ask("POST", "/admin/unpin", {{"member", std::to_string(bob.value)}}).status == 200);
  CHECK(ask("POST", "/admin/evict", {{"member", "bob"}}).status == 200);
  CHECK(ask("POST", "/admin/transfer", {{"member", "bob"}}).status == 200);
  CHECK(ask("POST", "/admin/transfer").status == 200);
  CHECK(node.told == "pin:bob unpin:bob evict:bob transfer:bob transfer");
}

TEST_CASE_FIXTURE(fixture, "a member that is not there, or not told apart, is not guessed") {
  const auto evict = [&](std::vector<name_value> query) {
    return ask("POST", "/admin/evict", std::move(query));
  };
  CHECK(error_of(evict({{"member", "bop"}})) == "404 member_unknown not_applied");
  CHECK(says(detail_of(evict({{"member", "bop"}})), "did you mean bob?"));
  CHECK(error_of(evict({})) == "400 invalid_option not_applied");
  CHECK(says(detail_of(evict({})), "'member' is missing"));
  CHECK(error_of(evict({{"member", ""}})) == "400 invalid_option not_applied");
  CHECK(says(detail_of(evict({{"memebr", "bob"}})), "did you mean member?"));
  CHECK(says(detail_of(evict({{"member", "ann"}, {"member", "bob"}})), "twice"));
  node.now.members.push_back({.id = old_bob, .name = "bob"});
  CHECK(error_of(evict({{"member", "bob"}})) == "409 member_ambiguous not_applied");
  CHECK(says(detail_of(evict({{"member", "bob"}})), std::to_string(old_bob.value)));
  CHECK(node.told.empty());
  CHECK(evict({{"member", std::to_string(old_bob.value)}}).status == 200);
}

TEST_CASE_FIXTURE(fixture, "what only the leader knows is answered elsewhere with who that is") {
  node.wanted = {errc::not_leader, "", bob};
  for (const auto* path : {"/admin/plan", "/admin/safe-to-stop"}) {
    CAPTURE(path);
    const auto told
        = ask("GET", path,
              path == std::string{"/admin/plan"} ? std::vector<name_value>{}
                                                 : std::vector<name_value>{{"member", "ann"}});
    CHECK(error_of(told) == "503 not_leader not_applied");
    CHECK(says(detail_of(told), "that is bob"));
    CHECK(json_of(told).at("leader").at("name") == "bob");
  }
  node.wanted.leader = {};
  CHECK(says(detail_of(ask("GET", "/admin/plan")), "nobody is known to lead"));
  CHECK_FALSE(json_of(ask("GET", "/admin/plan")).contains("leader"));
}

TEST_CASE_FIXTURE(fixture, "a plan supposes all that is asked, and its answer has names") {
  node.then = {.steps = {{.reason = understudy::plan_reason::change,
                          .voters = {bob},
                          .detail = "vacant 1000000001"}},
               .voters = {bob},
               .majority = true,
               .complete = false};
  const auto seen
      = json_of(ask("GET", "/admin/plan", {{"dies", "ann"}, {"dies", "bob"}, {"leaves", "bob"}}));
  REQUIRE(node.supposed.size() == 3);
  CHECK(node.supposed[0].who == ann);
  CHECK(node.supposed[1].fate == understudy::fate::dies);
  CHECK(node.supposed[2].fate == understudy::fate::leaves);
  CHECK(seen.at("voters").at(0).at("name") == "bob");
  CHECK(seen.at("majority") == true);
  CHECK(seen.at("complete") == false);
  CHECK(seen.at("steps").at(0).at("detail") == "vacant ann");
  CHECK(error_of(ask("GET", "/admin/plan", {{"dies", "eva"}})) == "404 member_unknown not_applied");
  CHECK(says(detail_of(ask("GET", "/admin/plan", {{"dise", "ann"}})), "did you mean dies?"));
}

TEST_CASE_FIXTURE(fixture, "whether a node can be stopped is a truth, and a no has a reason") {
  const auto asked = [&] {
    return json_of(ask("GET", "/admin/safe-to-stop", {{"member", "bob"}}));
  };
  CHECK(asked().at("safe") == true);
  CHECK_FALSE(asked().contains("why"));
  node.safe = false;
  node.then = {.voters = {ann}, .majority = false, .complete = true};
  CHECK(asked().at("safe") == false);
  CHECK(says(asked().at("why"), "too few"));
  node.then.majority = true;
  node.then.complete = false;
  CHECK(says(asked().at("why"), "seat"));
  node.then.voters = {bob};
  CHECK(says(asked().at("why"), "nobody can take its vote"));
}

TEST_CASE_FIXTURE(fixture, "settings are changed one by one, and the others stay") {
  node.rules.sessions_max = 42;
  CHECK(json_of(ask("GET", "/admin/settings")).at("sessions_max") == 42);
  const auto done = ask("PUT", "/admin/settings", {}, R"({"max_voters": 7, "lease_ms": 100})");
  CHECK(done.status == 200);
  CHECK(json_of(done).at("settings").at("max_voters") == 7);
  CHECK(node.rules.max_voters == 7);
  CHECK(node.rules.lease_ms == 100);
  CHECK(node.rules.sessions_max == 42);
  std::size_t count = 0;
  each_setting(node.rules, [&](const char*, const auto&) { ++count; });
  CHECK(json_of(ask("GET", "/admin/settings")).size() == count);
}

TEST_CASE_FIXTURE(fixture, "settings that are unknown or make no sense change nothing") {
  const auto put
      = [&](std::string body) { return ask("PUT", "/admin/settings", {}, std::move(body)); };
  CHECK(error_of(put(R"({"max_votrs": 7})")) == "400 undecodable not_applied");
  CHECK(says(detail_of(put(R"({"max_votrs": 7})")), "did you mean max_voters?"));
  CHECK(says(detail_of(put(R"({"max_voters": -1})")), "'max_voters' must be from"));
  CHECK(says(detail_of(put(R"({"lease_ms": true})")), "'lease_ms' must be"));
  CHECK(error_of(put(R"({"max_voters": 64})")) == "400 invalid_option not_applied");
  CHECK(says(detail_of(put(R"({"min_voters": 9})")), "max_voters (5)"));
  CHECK(error_of(put("max_voters=7")) == "400 undecodable not_applied");
  CHECK(node.told.empty());
}

TEST_CASE_FIXTURE(fixture, "the journal is told in order, with the time of day and names") {
  const auto now = std::chrono::steady_clock::now();
  node.lines = {{.when = now - 10s,
                 .term = {2},
                 .base = {5},
                 .what = understudy::decision::eviction,
                 .who = bob,
                 .text = "member 1000000002 was silent"},
                {.when = now, .what = understudy::decision::plan, .text = "settled"}};
  const auto lines = json_of(ask("GET", "/admin/journal")).at("lines");
  REQUIRE(lines.size() == 2);
  CHECK(lines.at(0).at("what") == "eviction");
  CHECK(lines.at(0).at("who").at("name") == "bob");
  CHECK(lines.at(0).at("text") == "bob was silent");
  CHECK(lines.at(0).at("when").get<std::string>() < lines.at(1).at("when").get<std::string>());
  CHECK(lines.at(1).at("who").is_null());
}

TEST_CASE_FIXTURE(fixture, "leaving is answered with how it ended") {
  CHECK(json_of(ask("POST", "/admin/leave")).at("last_member") == false);
  node.end.how = understudy::leave_outcome::last_member;
  CHECK(json_of(ask("POST", "/admin/leave")).at("last_member") == true);
  node.end = {understudy::leave_outcome::timed_out, "hand over: member 1000000002 is behind"};
  const auto late = ask("POST", "/admin/leave");
  CHECK(error_of(late) == "500 not_left unknown");
  CHECK(detail_of(late) == "hand over: bob is behind");
  CHECK(error_of(ask("POST", "/admin/leave", {{"timeout", "1"}}))
        == "400 invalid_option not_applied");
}

TEST_CASE_FIXTURE(fixture,
                  "each failure has its status and its certainty, and its text has names") {
  const auto pin = [&](errc code) {
    node.wanted = {code, "member 1000000002 did not"};
    return ask("POST", "/admin/pin", {{"member", "bob"}});
  };
  CHECK(error_of(pin(errc::no_leader)) == "503 no_leader not_applied");
  CHECK(error_of(pin(errc::stopped)) == "503 stopped not_applied");
  CHECK(error_of(pin(errc::invalid_option)) == "400 invalid_option not_applied");
  CHECK(error_of(pin(errc::outcome_unknown)) == "504 outcome_unknown unknown");
  CHECK(detail_of(pin(errc::outcome_unknown)) == "bob did not");
  node.wanted = {errc::storage_full, ""};
  CHECK(error_of(ask("POST", "/admin/snapshot")) == "507 storage_full not_applied");
}

TEST_CASE_FIXTURE(fixture, "a page in a browser gives no orders") {
  const auto refused
      = ask("POST", "/admin/leave", {}, {}, {{"origin", "http://elsewhere.example"}});
  CHECK(error_of(refused) == "400 invalid_option not_applied");
  CHECK(node.told.empty());
}

TEST_CASE_FIXTURE(fixture, "the status is that of the other API, and its routes are not here") {
  const auto status = json_of(ask("GET", "/admin/status"));
  CHECK(status.at("name") == "ann");
  CHECK(status.at("members").at(0).at("address") == "tcp:h:1/2");
  CHECK(error_of(ask("GET", "/kv/a")) == "404 no_such_route not_applied");
  const auto refused = ask("GET", "/admin/evict");
  CHECK(error_of(refused) == "405 method_not_allowed not_applied");
  CHECK(refused.header("Allow") == "POST");
  CHECK(says(ask("GET", "/").body, "PUT /admin/settings"));
}

TEST_CASE("the documentation has the routes for operators of this build") {
  std::ifstream file{UNDERSTUDY_DOCS "/operating.md"};
  REQUIRE(file);
  std::stringstream text;
  text << file.rdbuf();
  CHECK(says(text.str(), admin_api::routes_as_markdown()));
}

} // namespace admin_api_test
