// SPDX-License-Identifier: BSL-1.0
#include <understudy/actors/node_faults.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <httplib.h>
#include <node/http_api.hpp>
#include <node/http_server.hpp>
#include <node/node_options.hpp>
#include <node/node_service.hpp>

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <utility>

namespace node_service_test {

using namespace node_program;
using namespace std::chrono_literals;

namespace {

constexpr understudy::interval patience = 30s;

/// One node with its API on a port of its own: what the program is made of.
struct served_node {
  explicit served_node(understudy::node<key_value> of)
      : node{of}, table{of}, api{table, counters},
        server{http_server::bind({"127.0.0.1", 0}, {.connections_max = 4}, counters).value()},
        client{"127.0.0.1", server.address().port} {
    server.start([this](const http_request& asked) { return api.answer(asked); });
    client.set_read_timeout(patience);
  }

  understudy::node<key_value> node;
  node_service table;
  http_counters counters;
  http_api api;
  http_server server;
  httplib::Client client;
};

/// Three voters and a listener.
struct fixture {
  understudy::config prepared;
  caf::actor_system system{prepared};
  std::list<served_node> nodes;

  fixture() {
    for (const auto* name : {"a", "b", "c", "d"}) {
      auto made
          = make_node_options({.name = name, .found = nodes.empty(), .max_voters = 3}, {}).value();
      if (!nodes.empty())
        made.seeds = {nodes.front().node};
      nodes.emplace_back(understudy::spawn_node<key_value>(system, std::move(made)).value());
      wait(nodes.back(), [](const auto& now) { return now.ready; });
    }
    for (const auto& n : nodes)
      wait(n, [](const auto& now) {
        return now.ready && now.members.size() == 4 && now.voters.size() == 3 && !now.changing;
      });
  }
  ~fixture() {
    for (auto& n : nodes)
      n.node.stop().wait(); // what still waits in a request is answered by that
  }

  template <class Condition> static void wait(const served_node& n, Condition condition) {
    const auto seen = n.node.wait_until(condition, patience);
    REQUIRE_MESSAGE(seen, seen.error());
  }

  served_node& leader() {
    const auto who = listener().node.status().leader;
    return *std::ranges::find_if(nodes, [&](const auto& n) { return n.node.id() == who; });
  }
  served_node& listener() { return nodes.back(); }
};

nlohmann::json json_of(const httplib::Result& got) {
  REQUIRE(got);
  CAPTURE(got->body);
  auto read = nlohmann::json::parse(got->body, nullptr, false);
  REQUIRE_FALSE(read.is_discarded());
  return read;
}

httplib::Result add(served_node& at, const httplib::Headers& headers, int by = 1) {
  return at.client.Post("/add", headers, R"({"key": "n", "by": )" + std::to_string(by) + '}',
                        "application/json");
}

} // namespace

TEST_CASE_FIXTURE(fixture, "every node takes writes and answers reads, a listener as well") {
  int expected = 0;
  for (auto& writer : nodes) {
    CHECK(json_of(add(writer, {})).at("value") == ++expected);
    for (auto& reader : nodes)
      CHECK(reader.client.Get("/kv/n")->body == std::to_string(expected));
  }
}

TEST_CASE_FIXTURE(fixture, "a write that is sent again to another node is applied once") {
  const auto opened = listener().client.Post("/sessions");
  REQUIRE(opened->status == 201);
  const auto token = json_of(opened).at("session").get<std::string>();
  const httplib::Headers first{{"Understudy-Session", token}, {"Understudy-Number", "1"}};
  const httplib::Headers second{{"Understudy-Session", token}, {"Understudy-Number", "2"}};

  const auto told = add(listener(), first);
  CHECK(json_of(told).at("value") == 1);
  for (auto& n : nodes) {
    const auto again = add(n, first);
    CHECK(again->status == told->status);
    CHECK(json_of(again).at("value") == 1);
    // The entry is another one: as a commit token it is as good.
    CHECK(json_of(again).at("index") > json_of(told).at("index"));
  }
  CHECK(json_of(add(leader(), first, 2)).at("error") == "sequence_reused");

  understudy::testing::crash(leader().node);
  CHECK(json_of(add(listener(), second)).at("value") == 2);
  CHECK(json_of(add(listener(), second)).at("value") == 2);
  CHECK(json_of(add(listener(), first)).at("error") == "already_answered");

  CHECK(listener().client.Delete("/sessions/" + token)->status == 204);
  CHECK(add(listener(), second)->status == 404);
}

TEST_CASE_FIXTURE(fixture, "a read with a commit token sees that write, at any node") {
  const auto put = leader().client.Put("/kv/a", "1", "text/plain");
  REQUIRE(put->status == 201);
  const auto index = put->get_header_value("Understudy-Index");
  for (auto& n : nodes)
    CHECK(n.client.Get("/kv/a?consistency=session&at_least=" + index)->body == "1");
}

TEST_CASE_FIXTURE(fixture, "a node that is cut off answers local reads, and no others") {
  CHECK(listener().client.Put("/kv/a", "1", "text/plain")->status == 201);
  const auto index = listener().client.Get("/kv/a")->get_header_value("Understudy-Index");
  CHECK(listener().client.Get("/kv/a?consistency=session&at_least=" + index)->status == 200);
  for (auto& n : nodes)
    if (&n != &listener())
      understudy::testing::crash(n.node);
  const auto local = listener().client.Get("/kv/a?consistency=local");
  CHECK(local->body == "1");
  CHECK(local->has_header("Understudy-Age"));
  CHECK(json_of(listener().client.Get("/kv/a?consistency=local&max_age=0.000001")).at("error")
        == "stale");
  const auto strong = listener().client.Get("/kv/a?timeout=0.2");
  CHECK((strong->status == 503 || strong->status == 504));
  const auto lost = listener().client.Put("/kv/a?timeout=0.2", "2", "text/plain");
  CHECK((lost->status == 503 || lost->status == 504));
  CHECK(listener().client.Get("/livez")->status == 200);
}

TEST_CASE_FIXTURE(fixture, "the largest value goes through, and one byte more does not") {
  const std::string most(key_value::value_bytes_max, 'v');
  CHECK(listener().client.Put("/kv/large", most, "text/plain")->status == 201);
  CHECK(leader().client.Get("/kv/large")->body == most);
  const nlohmann::json swap{{"key", "large"}, {"expected", most}, {"value", most}};
  CHECK(listener().client.Post("/cas", swap.dump(), "application/json")->status == 200);
  CHECK(listener().client.Put("/kv/large", most + 'v', "text/plain")->status == 413);
}

TEST_CASE_FIXTURE(fixture, "status and metrics tell of the node that is asked") {
  const auto status = json_of(listener().client.Get("/status"));
  CHECK(status.at("role") == "listener");
  CHECK(status.at("members").size() == 4);
  CHECK(status.at("leader") == std::to_string(leader().node.id().value));
  CHECK(leader().client.Get("/metrics")->body.find("\nunderstudy_leads 1\n") != std::string::npos);
  CHECK(listener().client.Get("/metrics")->body.find("\nunderstudy_votes 0\n")
        != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "a node that has left says so, and is not ready") {
  auto& gone = nodes.front();
  CHECK(gone.client.Get("/readyz")->status == 200);
  const auto left = gone.node.leave().get();
  REQUIRE(left);
  CHECK(left->how == understudy::leave_outcome::left);
  CHECK(gone.client.Get("/readyz")->status == 503);
  const auto refused = gone.client.Put("/kv/a", "1", "text/plain");
  CHECK(json_of(refused).at("error") == "stopped");
  CHECK(json_of(refused).at("certainty") == "not_applied");
  CHECK(listener().client.Put("/kv/a", "1", "text/plain")->status == 201);
}

TEST_CASE("options for other processes are passed on, and a file that is of no use is named") {
  const auto made = make_node_options({.seeds = {"a:1", "b:2"}, .listen = "127.0.0.1:0"}, {});
  REQUIRE(made);
  CHECK(made->network);
  REQUIRE(made->seeds.size() == 2);
  CHECK(made->seeds[1].address == "tcp:b:2");
  const auto refused = read_trust({.cluster_key = "/no/such/key"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().detail.find("/no/such/key") != std::string::npos);
}

} // namespace node_service_test
