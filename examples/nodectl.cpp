// SPDX-License-Identifier: BSL-1.0
//
// Gives orders to the nodes of the program `node`, from a command line: what an operator calls, and
// scripts do. docs/operating.md is its manual; `--help` a short one.

#include <understudy/protocol/endpoint.hpp>

#include "nodectl/commands.hpp"
#include "nodectl/door.hpp"
#include "nodectl/options.hpp"
#include <httplib.h>

#include <chrono>
#include <iostream>
#include <string>
#include <utility>

namespace nodectl {

namespace {

/// Nodes as they are reached over HTTP.
class http_door final : public door {
public:
  explicit http_door(double timeout)
      : limit_{std::chrono::duration_cast<std::chrono::milliseconds>(
          std::chrono::duration<double>{timeout})} {}

  reply ask(const std::string& address, const request& what) override {
    const auto at = understudy::protocol::parse_host_and_port(address);
    if (!at)
      return {.how = contact::unreachable, .why = at.error().detail};
    httplib::Client client{at->host, at->port};
    client.set_connection_timeout(limit_);
    // A little more than what the node itself is told to wait, so that it can say so.
    client.set_read_timeout(limit_ + std::chrono::seconds{5});
    client.set_write_timeout(limit_);
    httplib::Request sent;
    sent.method = what.method;
    sent.path = httplib::append_query_params(what.path, {what.query.begin(), what.query.end()});
    sent.body = what.body;
    sent.set_header("Content-Type", "application/json");
    auto got = client.send(sent);
    if (!got)
      return {.how = is_unsent(got.error()) ? contact::unreachable : contact::silent,
              .why = reason_for(got.error())};
    if (got->status == 200 && got->get_header_value("Content-Type") == "application/octet-stream")
      return {.status = got->status, .body = nlohmann::json::object(), .raw = std::move(got->body)};
    auto body = nlohmann::json::parse(got->body, nullptr, false);
    if (!body.is_object())
      return {.how = contact::silent, .why = "what answers there is no node's API for operators"};
    return {.status = got->status, .body = std::move(body)};
  }

private:
  static bool is_unsent(httplib::Error why) {
    return why == httplib::Error::Connection || why == httplib::Error::ConnectionTimeout;
  }

  static std::string reason_for(httplib::Error why) {
    if (why == httplib::Error::Connection)
      return "nobody takes the connection";
    if (why == httplib::Error::ConnectionTimeout)
      return "nobody took the connection in time";
    if (why == httplib::Error::Read)
      return "the connection ended, or the time was up";
    return httplib::to_string(why);
  }

  std::chrono::milliseconds limit_;
};

} // namespace

} // namespace nodectl

int main(int argc, char** argv) {
  using namespace nodectl;
  const auto line = read_command_line(argc, argv);
  if (line.over) {
    (line.status == exit_code::done ? std::cout : std::cerr) << line.text << std::flush;
    return static_cast<int>(line.status);
  }
  http_door nodes{line.options.timeout};
  commands all{line.options, nodes, std::cout, std::cerr};
  return static_cast<int>(all.run());
}
