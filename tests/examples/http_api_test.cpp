// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <node/http_api.hpp>

#include <chrono>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace http_api_test {

using namespace node_program;
using namespace std::chrono_literals;
using understudy::errc;
using understudy::interval;

namespace {

/// A table without a cluster: it answers at once, or with the failure that a test wants.
class lone_table final : public service {
public:
  answer_of<key_value::written>
  submit(const table_write& what, const std::optional<write_name>& name, interval limit) override {
    asked_limit = limit;
    asked_name = name;
    if (wanted.code != errc::none)
      return tl::unexpected{wanted};
    return understudy::answered<key_value::written>{
        std::visit([&](const auto& c) { return table.apply(c); }, what), {{++index}, 2}};
  }
  answer_of<key_value::lookup> get(const key_value::get& what, const understudy::read_options& how,
                                   interval limit) override {
    asked_limit = limit;
    asked_how = how;
    if (wanted.code != errc::none)
      return tl::unexpected{wanted};
    return understudy::answered<key_value::lookup>{table.query(what), {{index}, 0, 1'500ms}};
  }
  answer_of<key_value::totals> size(const understudy::read_options&, interval) override {
    if (wanted.code != errc::none)
      return tl::unexpected{wanted};
    return understudy::answered<key_value::totals>{table.query(key_value::size{}), {{index}}};
  }
  answer_of<understudy::session_id> open_session(interval) override {
    if (wanted.code != errc::none)
      return tl::unexpected{wanted};
    return understudy::answered<understudy::session_id>{{17}, {{17}}};
  }
  understudy::expected<void> close_session(understudy::session_id which, interval) override {
    closed = which;
    return {};
  }
  understudy::node_status status() const override { return now; }

  key_value table;
  understudy::failure wanted;
  understudy::node_status now{
      .id = {1}, .name = "a\xff", .cluster = {5}, .leader = {1}, .ready = true};
  std::uint64_t index = 10;
  interval asked_limit{0};
  understudy::read_options asked_how;
  std::optional<write_name> asked_name;
  understudy::session_id closed;
};

struct fixture {
  lone_table store;
  http_counters counters;
  http_api api{store, counters};

  http_answer ask(std::string method, std::string path, std::string body = {},
                  std::vector<name_value> query = {}, std::vector<name_value> headers = {}) {
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

/// The error and the status of an answer, as `404 key_missing not_applied`.
std::string error_of(const http_answer& answer) {
  const auto body = json_of(answer);
  CHECK_FALSE(body.at("detail").get<std::string>().empty());
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

std::string document(const std::string& name) {
  std::ifstream file{UNDERSTUDY_DOCS "/" + name};
  REQUIRE(file);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

} // namespace

TEST_CASE_FIXTURE(fixture, "a value is put, read back byte by byte, and erased") {
  const std::string value{"\0\xff\r\n", 4};
  const auto put = ask("PUT", "/kv/a/b", value);
  CHECK(put.status == 201);
  CHECK(put.header("understudy-index") == "11");
  CHECK(json_of(put) == nlohmann::json{{"result", "created"}, {"index", 11}, {"copies", 2}});
  CHECK(ask("PUT", "/kv/a/b", value).status == 200);

  const auto got = ask("GET", "/kv/a/b");
  CHECK(got.status == 200);
  CHECK(got.body == value);
  CHECK(got.type == "application/octet-stream");
  CHECK(got.header("Understudy-Index") == "12");
  CHECK(got.header("Understudy-Age").empty());
  CHECK(ask("HEAD", "/kv/a/b").status == 200);

  CHECK(ask("DELETE", "/kv/a/b").status == 200);
  CHECK(error_of(ask("DELETE", "/kv/a/b")) == "404 key_missing not_applied");
  const auto gone = ask("GET", "/kv/a/b");
  CHECK(error_of(gone) == "404 key_missing not_applied");
  CHECK(gone.header("Understudy-Index") == "14");
}

TEST_CASE_FIXTURE(fixture, "compare-and-set says which of the two went wrong") {
  const std::string fresh = R"({"key": "a", "expected": null, "value": "1"})";
  CHECK(ask("POST", "/cas", fresh).status == 201);
  CHECK(error_of(ask("POST", "/cas", fresh)) == "412 key_exists not_applied");
  CHECK(ask("POST", "/cas", R"({"key": "a", "expected": "1", "value": "2"})").status == 200);
  CHECK(error_of(ask("POST", "/cas", R"({"key": "a", "expected": "1", "value": "3"})"))
        == "412 value_differs not_applied");
  CHECK(error_of(ask("POST", "/cas", R"({"key": "b", "expected": "1", "value": "3"})"))
        == "404 key_missing not_applied");
}

TEST_CASE_FIXTURE(fixture, "adding answers the sum, and refuses what has none") {
  CHECK(json_of(ask("POST", "/add", R"({"key": "n", "by": 5})")).at("value") == 5);
  CHECK(json_of(ask("POST", "/add", R"({"key": "n", "by": -7})")).at("value") == -2);
  CHECK(error_of(ask("POST", "/add", R"({"key": "n", "by": -9223372036854775807})"))
        == "409 overflow not_applied");
  store.table.apply(key_value::put{"n", "ten"});
  CHECK(error_of(ask("POST", "/add", R"({"key": "n", "by": 1})"))
        == "409 not_a_number not_applied");
}

TEST_CASE_FIXTURE(fixture, "a prefix is cleared, once the cluster uses what can") {
  CHECK(ask("PUT", "/kv/a", "1").status == 201);
  CHECK(ask("PUT", "/kv/b", "1").status == 201);
  const auto cleared = ask("POST", "/clear", R"({"prefix": "a"})");
  CHECK(cleared.status == 200);
  CHECK(json_of(cleared)["erased"] == 1);
  CHECK(ask("GET", "/kv/a").status == 404);
  CHECK(ask("GET", "/kv/b").status == 200);
  CHECK(says(detail_of(ask("POST", "/clear", R"({"prefx": "a"})")), "did you mean prefix?"));
  store.wanted = {errc::version_not_in_use, "not yet"};
  CHECK(ask("POST", "/clear", R"({"prefix": "a"})").status == 409);
}

TEST_CASE_FIXTURE(fixture, "the table's limits are read, set and kept") {
  CHECK(ask("PUT", "/limits", R"({"keys_max": 1, "bytes_max": 3})").status == 200);
  CHECK(ask("PUT", "/kv/a", "12").status == 201);
  CHECK(error_of(ask("PUT", "/kv/b", "1")) == "507 too_many_keys not_applied");
  CHECK(error_of(ask("PUT", "/kv/a", "123")) == "507 too_many_bytes not_applied");
  CHECK(json_of(ask("GET", "/limits"))
        == nlohmann::json{{"keys", 1}, {"bytes", 3}, {"keys_max", 1}, {"bytes_max", 3}});
}

TEST_CASE_FIXTURE(fixture, "malformed JSON is answered with its line and column") {
  const auto refused = ask("POST", "/add", "{\"key\": \"n\",\n \"by\": 1x}");
  CHECK(error_of(refused) == "400 undecodable not_applied");
  CHECK(says(detail_of(refused), "line 2, column 9: "));
  CHECK_FALSE(says(detail_of(refused), "json.exception"));
  CHECK(detail_of(ask("POST", "/add", '"' + std::string(10'000, 'x'))).size() < 300);
  for (const auto* bad : {"", "{", "[1]", "3", "{\"key\": \"\xff\", \"by\": 1}", "{}{}"}) {
    CAPTURE(bad);
    CHECK(error_of(ask("POST", "/add", bad)) == "400 undecodable not_applied");
  }
  CHECK(error_of(ask("POST", "/add", std::string(100'000, '['))) == "400 undecodable not_applied");
}

TEST_CASE_FIXTURE(fixture, "a member that is missing, superfluous or of a wrong type is named") {
  CHECK(says(detail_of(ask("POST", "/add", R"({"by": 1})")), "'key' is missing"));
  CHECK(says(detail_of(ask("POST", "/add", R"({"key": 1, "by": 1})")), "'key' must be a string"));
  CHECK(says(detail_of(ask("POST", "/add", R"({"key": "n", "by": 1.5})")), "must be an integer"));
  CHECK(says(detail_of(ask("POST", "/add", R"({"key": "n", "by": 9223372036854775808})")),
             "and is 9223372036854775808"));
  CHECK(says(detail_of(ask("POST", "/add", R"({"key": "n", "by": 1e999})")), "number overflow"));
  CHECK(says(detail_of(ask("POST", "/cas", R"({"key": "a", "expcted": "1", "value": "2"})")),
             "'expcted'; did you mean expected?"));
  CHECK(says(detail_of(ask("POST", "/cas", R"({"key": "a", "value": "2"})")), "'expected'"));
  CHECK(says(detail_of(ask("PUT", "/limits", R"({"keys_max": -1, "bytes_max": 1})")), "keys_max"));
}

TEST_CASE_FIXTURE(fixture, "keys and values that can not be are refused without asking the node") {
  store.wanted = {errc::no_leader, ""};
  CHECK(error_of(ask("GET", "/kv/")) == "400 invalid_option not_applied");
  CHECK(error_of(ask("PUT", "/kv/" + std::string(257, 'k'), "1")) == "413 too_large not_applied");
  CHECK(error_of(ask("PUT", "/kv/a", std::string((1 << 20) + 1, 'v')))
        == "413 too_large not_applied");
  CHECK(error_of(ask("POST", "/add", R"({"key": "", "by": 1})"))
        == "400 invalid_option not_applied");
  const nlohmann::json large{
      {"key", "a"}, {"expected", nullptr}, {"value", std::string((1 << 20) + 1, 'v')}};
  CHECK(error_of(ask("POST", "/cas", large.dump())) == "413 too_large not_applied");
}

TEST_CASE_FIXTURE(fixture, "reads are as fresh as was asked for") {
  using understudy::consistency;
  ask("GET", "/kv/a");
  CHECK(store.asked_how.consistency == consistency::linearizable);
  CHECK(store.asked_limit == limit_default);
  const auto local
      = ask("GET", "/kv/a", {}, {{"consistency", "local"}, {"max_age", "0.5"}, {"timeout", "2"}});
  CHECK(store.asked_how.consistency == consistency::local);
  CHECK(store.asked_how.age_max == 500ms);
  CHECK(store.asked_limit == 2s);
  CHECK(says(local.header("Understudy-Age"), "1.5"));
  ask("GET", "/kv/a", {}, {{"consistency", "session"}, {"at_least", "12"}});
  CHECK(store.asked_how.consistency == consistency::session);
  CHECK(store.asked_how.at_least == understudy::log_index{12});
}

TEST_CASE_FIXTURE(fixture, "a parameter that can not be kept is refused by name") {
  const auto refused = [&](std::vector<name_value> query) {
    const auto answer = ask("GET", "/kv/a", {}, std::move(query));
    CHECK(error_of(answer) == "400 invalid_option not_applied");
    return detail_of(answer);
  };
  CHECK(says(refused({{"consistancy", "local"}}), "did you mean consistency?"));
  CHECK(says(refused({{"consistency", "strong"}}), "'strong'"));
  CHECK(says(refused({{"max_age", "1"}}), "max_age goes with consistency=local"));
  CHECK(says(refused({{"at_least", "1"}}), "go together"));
  CHECK(says(refused({{"consistency", "session"}}), "go together"));
  CHECK(says(refused({{"consistency", "session"}, {"at_least", "-1"}}), "'-1'"));
  for (const auto* bad : {"", "0", "-1", "nan", "inf", "61", "1s", "1e400"})
    CHECK(says(refused({{"timeout", bad}}), "timeout must be seconds"));
  CHECK(says(refused({{"timeout", "1"}, {"timeout", "2"}}), "twice"));
  CHECK(error_of(ask("PUT", "/kv/a", "1", {{"consistency", "local"}}))
        == "400 invalid_option not_applied");
}

TEST_CASE_FIXTURE(fixture, "a write goes under the name that its headers give it") {
  const auto opened = ask("POST", "/sessions");
  CHECK(opened.status == 201);
  const auto token = json_of(opened).at("session").get<std::string>();
  CHECK(opened.header("Location") == "/sessions/" + token);

  ask("PUT", "/kv/a", "1", {}, {{"understudy-session", token}, {"understudy-number", "3"}});
  REQUIRE(store.asked_name);
  CHECK(store.asked_name->session == understudy::session_id{17});
  CHECK(store.asked_name->number == understudy::request_number{3});
  CHECK(store.asked_name->answered_below == understudy::request_number{3});
  ask("DELETE", "/kv/a", {}, {},
      {{"Understudy-Session", token},
       {"Understudy-Number", "9"},
       {"Understudy-Answered-Below", "4"}});
  CHECK(store.asked_name->answered_below == understudy::request_number{4});
  ask("PUT", "/kv/a", "1");
  CHECK_FALSE(store.asked_name);

  CHECK(ask("DELETE", "/sessions/" + token).status == 204);
  CHECK(store.closed == understudy::session_id{17});
}

TEST_CASE_FIXTURE(fixture, "a name that is half, wrong or of another cluster is refused") {
  const auto put = [&](std::vector<name_value> headers) {
    return error_of(ask("PUT", "/kv/a", "1", {}, std::move(headers)));
  };
  const auto token = session_token({5}, {17});
  const std::string bad = "400 invalid_option not_applied";
  const std::string unknown = "404 session_unknown not_applied";
  CHECK(put({{"Understudy-Session", token}}) == bad);
  CHECK(put({{"Understudy-Number", "1"}}) == bad);
  CHECK(put({{"Understudy-Answered-Below", "1"}}) == bad);
  CHECK(put({{"Understudy-Session", token}, {"Understudy-Number", "0"}}) == bad);
  CHECK(put({{"Understudy-Session", token}, {"Understudy-Number", "x"}}) == bad);
  CHECK(put({{"Understudy-Session", token},
             {"Understudy-Number", "1"},
             {"Understudy-Answered-Below", "2"}})
        == bad);
  CHECK(put({{"Understudy-Session", "17"}, {"Understudy-Number", "1"}}) == unknown);
  CHECK(put({{"Understudy-Session", session_token({6}, {17})}, {"Understudy-Number", "1"}})
        == unknown);
  CHECK(error_of(ask("DELETE", "/sessions/0-0")) == unknown);
}

TEST_CASE_FIXTURE(fixture, "each failure has its status, its certainty and a text") {
  const auto put = [&](errc code) {
    store.wanted = {code, ""};
    return ask("PUT", "/kv/a", "1");
  };
  CHECK(error_of(put(errc::undecodable)) == "400 undecodable not_applied");
  CHECK(error_of(put(errc::rejected)) == "409 rejected not_applied");
  CHECK(error_of(put(errc::too_large)) == "413 too_large not_applied");
  CHECK(error_of(put(errc::no_leader)) == "503 no_leader not_applied");
  CHECK(error_of(put(errc::overloaded)) == "503 overloaded not_applied");
  CHECK(error_of(put(errc::outcome_unknown)) == "504 outcome_unknown unknown");
  CHECK(error_of(put(errc::already_answered)) == "410 already_answered unknown");
  CHECK(error_of(put(errc::reply_too_large)) == "500 reply_too_large applied");
  CHECK(put(errc::overloaded).header("Retry-After") == "1");
  CHECK(put(errc::outcome_unknown).header("Retry-After").empty());
  const auto odd = put(errc::quorum_intact);
  CHECK(error_of(odd) == "500 internal unknown");
  CHECK(says(detail_of(odd), "quorum_intact"));
}

TEST_CASE("no row of the table of errors is without an error, and none is there twice") {
  std::vector<std::string_view> seen;
  each_http_error([&](const http_error& line) {
    CHECK(std::ranges::find(seen, line.name) == seen.end());
    seen.push_back(line.name);
    CHECK(line.status >= 400);
    CHECK_FALSE(line.meaning.empty());
  });
  // What the framework calls uncertain is not told as certain.
  for (const auto& [code, name] : understudy::detail::errc_names)
    if (understudy::is_uncertain(code))
      CHECK(http_error_named(name).certainty == certainty::unknown);
  for (auto v = verdict::key_missing; v <= verdict::too_many_bytes;
       v = static_cast<verdict>(static_cast<int>(v) + 1))
    CHECK(http_error_named(to_string(v)).name == to_string(v));
}

TEST_CASE_FIXTURE(fixture, "unknown paths and methods are told apart") {
  CHECK(error_of(ask("GET", "/nothing")) == "404 no_such_route not_applied");
  CHECK(error_of(ask("GET", "/sessions")) == "405 method_not_allowed not_applied");
  const auto refused = ask("PATCH", "/kv/a");
  CHECK(error_of(refused) == "405 method_not_allowed not_applied");
  CHECK(refused.header("Allow") == "GET, PUT, DELETE");
  CHECK(says(ask("GET", "/").body, "PUT /kv/KEY"));
}

TEST_CASE_FIXTURE(fixture, "readiness ends with draining, liveness with the node") {
  CHECK(ask("GET", "/readyz").status == 200);
  CHECK(ask("GET", "/livez").status == 200);
  store.now.ready = false;
  store.now.leader = {};
  CHECK(says(detail_of(ask("GET", "/readyz")), "nobody is known to lead"));
  store.now.ready = true;
  api.begin_to_drain();
  CHECK(error_of(ask("GET", "/readyz")) == "503 draining not_applied");
  CHECK(ask("GET", "/livez").status == 200);
  CHECK(json_of(ask("GET", "/status")).at("ready") == false);
  CHECK(ask("PUT", "/kv/a", "1").status == 201); // calls are taken still
  store.now.trouble = {errc::machine_stopped, "why"};
  CHECK(error_of(ask("GET", "/livez")) == "503 not_ready not_applied");
}

TEST_CASE_FIXTURE(fixture, "the status is JSON, whatever bytes a name has") {
  store.now.members = {{.id = {1}, .name = "a", .rank = 1, .role = understudy::role::leader}};
  store.now.voters = {{1}};
  const auto status = json_of(ask("GET", "/status"));
  CHECK(status.at("id") == "1");
  CHECK(status.at("members").at(0).at("role") == "leader");
  CHECK(status.at("voters").at(0) == "1");
  CHECK(status.at("trouble").is_null());
}

TEST_CASE_FIXTURE(fixture, "a scrape has a type and a help for each name, and numbers only") {
  ask("GET", "/kv/a");
  ask("PUT", "/kv/a", "1");
  std::istringstream text{ask("GET", "/metrics").body};
  std::string line;
  std::string typed;
  std::size_t values = 0;
  while (std::getline(text, line)) {
    CAPTURE(line);
    std::istringstream words{line};
    std::string first, second, third;
    words >> first >> second >> third;
    if (first == "#") {
      typed = second == "TYPE" ? third : typed;
      continue;
    }
    CHECK(first.substr(0, first.find('{')) == typed);
    CHECK_NOTHROW(static_cast<void>(std::stod(second)));
    CHECK(third.empty());
    ++values;
  }
  CHECK(values == metrics().size());
  const auto all = ask("GET", "/metrics").body;
  CHECK(says(all, "\nunderstudy_http_answers_total{class=\"4xx\"} 1\n"));
  CHECK(says(all, "\nunderstudy_table_keys 1\n"));
  CHECK(says(all, "\nunderstudy_ready 1\n"));
  store.wanted = {errc::stopped, ""};
  CHECK(says(ask("GET", "/metrics").body, "\nunderstudy_table_keys NaN\n"));
}

TEST_CASE("counters are called so, and gauges are not") {
  for (const auto& m : metrics()) {
    CAPTURE(m.name);
    CHECK((m.kind == metric_kind::counter) == m.name.ends_with("_total"));
  }
}

TEST_CASE("the documentation has the tables of this build") {
  CHECK(says(document("metrics.md"), metrics_as_markdown()));
  CHECK(says(document("operating.md"), http_errors_as_markdown()));
  CHECK(says(document("operating.md"), http_api::routes_as_markdown()));
}

} // namespace http_api_test
