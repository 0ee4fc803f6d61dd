// SPDX-License-Identifier: BSL-1.0
#include <doctest/doctest.h>

#include <httplib.h>
#include <netinet/in.h>
#include <node/http_server.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace http_server_test {

using namespace node_program;
using namespace std::chrono_literals;

namespace {

/// A connection that says what no client would. Reads time out long after they should have ended.
class wire {
public:
  explicit wire(std::uint16_t port) : socket_{::socket(AF_INET, SOCK_STREAM, 0)} {
    ::sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_, reinterpret_cast<const ::sockaddr*>(&to), sizeof to) == 0);
    const ::timeval limit{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  wire(const wire&) = delete;
  wire& operator=(const wire&) = delete;
  ~wire() { ::close(socket_); }

  /// Sends until all is sent or the other side has had enough.
  void say(std::string_view what) {
    while (!what.empty()) {
      const auto sent = ::send(socket_, what.data(), what.size(), MSG_NOSIGNAL);
      if (sent <= 0)
        return;
      what.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// All that comes until the other side ends the connection.
  std::string hear() {
    std::string all;
    char part[4'096];
    while (true) {
      const auto got = ::recv(socket_, part, sizeof part, 0);
      if (got <= 0) {
        CHECK((got == 0 || errno == ECONNRESET));
        return all;
      }
      all.append(part, static_cast<std::size_t>(got));
    }
  }

private:
  int socket_;
};

/// A server that answers with what it was asked.
struct fixture {
  http_limits limits{.connections_max = 2, .body_bytes_max = 1'000, .idle_max = 5s};
  http_counters counters;
  http_server server = serve();
  httplib::Client client{"127.0.0.1", server.address().port};

  http_server serve() {
    auto bound = http_server::bind({"127.0.0.1", 0}, limits, counters);
    REQUIRE(bound);
    bound->start([](const http_request& asked) {
      std::string text = asked.method + ' ' + asked.path + ' ' + asked.body;
      for (const auto& [name, value] : asked.query)
        text += ' ' + name + '=' + value;
      if (asked.path == "/throw")
        throw std::runtime_error{"on purpose"};
      return http_answer{.type = "text/plain", .body = text};
    });
    return std::move(*bound);
  }

  std::string raw(std::string_view what) {
    wire w{server.address().port};
    w.say(what);
    return w.hear();
  }
};

bool says(const std::string& text, std::string_view part) {
  CAPTURE(text.substr(0, 500));
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE_FIXTURE(fixture, "a request comes through as it was sent") {
  CHECK(client.Get("/a%2Fb%0A%ff?x=1&y=%20")->body == "GET /a/b\n\xff  x=1 y= ");
  CHECK(client.Put("/a", std::string{"\0b", 2}, "application/x-www-form-urlencoded")->body
        == std::string{"PUT /a \0b", 9});
  CHECK(client.Delete("/a")->body == "DELETE /a ");
  CHECK(client.Post("/a")->body == "POST /a ");
  CHECK(client.Patch("/a")->body == "PATCH /a ");
}

TEST_CASE_FIXTURE(fixture, "a request without a length has no body, and is answered at once") {
  CHECK(says(raw("POST /a HTTP/1.1\r\nConnection: close\r\n\r\n"), "POST /a "));
}

TEST_CASE_FIXTURE(fixture, "a chunked body is read up to the same limit as any other") {
  const std::string head
      = "PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
  CHECK(says(raw(head + "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"), "PUT /a abc"));
  std::string endless = head;
  for (int i = 0; i < 1'000; ++i)
    endless += "3e8\r\n" + std::string(1'000, 'x') + "\r\n";
  const auto refused = raw(endless);
  CHECK(says(refused, "413"));
  CHECK(says(refused, "Connection: close"));
  CHECK(says(refused, "\"too_large\""));
}

TEST_CASE_FIXTURE(fixture, "a body that is announced as too large is refused before it is read") {
  CHECK(says(raw("PUT /a HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\nx"), "413"));
}

TEST_CASE_FIXTURE(fixture,
                  "what is no HTTP, or could be taken for two requests, ends its connection") {
  CHECK(says(raw("\x16\x03\x01 hello\r\n\r\n"), "400"));
  CHECK(says(raw("JUMP /a HTTP/1.1\r\n\r\n"), "400"));
  CHECK(says(raw("PUT /a HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx"),
             "a body has one length"));
  CHECK(
      says(raw("PUT /a HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"), "415"));
  CHECK(says(raw("POST /a HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
                 "Content-Length: 1\r\n\r\nx"),
             "415"));
  CHECK(says(raw("GET /" + std::string(3'000, 'a') + " HTTP/1.1\r\n\r\n"), "413"));
  CHECK(says(raw("GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\n\r\n"), "414"));
}

TEST_CASE_FIXTURE(fixture, "headers without end are cut off") {
  std::string endless = "GET /a HTTP/1.1\r\n";
  for (int i = 0; i < 1'000; ++i)
    endless += "X-" + std::to_string(i) + ": " + std::string(1'000, 'x') + "\r\n";
  CHECK_FALSE(says(raw(endless), "200 OK"));
  CHECK(client.Get("/a")->status == 200);
}

TEST_CASE_FIXTURE(fixture, "an exception is answered as a fault of the server") {
  CHECK(client.Get("/throw")->status == 500);
  CHECK(says(client.Get("/throw")->body, "\"internal\""));
}

TEST_CASE_FIXTURE(fixture, "idle connections make room for those that wait") {
  client.set_keep_alive(true);
  CHECK(client.Get("/a")->status == 200);
  std::vector<std::unique_ptr<wire>> idle;
  for (int i = 0; i < 6; ++i)
    idle.push_back(std::make_unique<wire>(server.address().port));
  httplib::Client late{"127.0.0.1", server.address().port};
  late.set_read_timeout(20s);
  const auto got = late.Get("/a");
  REQUIRE(got);
  CHECK(got->status == 200);
}

TEST_CASE("threads come with the connections that need them") {
  const auto threads
      = [] { return std::distance(std::filesystem::directory_iterator{"/proc/self/task"}, {}); };
  http_counters counters;
  const auto before = threads();
  auto server = http_server::bind({"127.0.0.1", 0}, {.connections_max = 1'000}, counters);
  REQUIRE(server);
  server->start([](const http_request&) { return http_answer{}; });
  const auto port = server->address().port;
  httplib::Client one{"127.0.0.1", port};
  httplib::Client other{"127.0.0.1", port};
  for (auto* client : {&one, &other})
    client->set_keep_alive(true);
  REQUIRE(one.Get("/"));
  CHECK(threads() == before + 2); // one takes connections
  REQUIRE(other.Get("/"));
  CHECK(threads() == before + 3);
}

TEST_CASE_FIXTURE(fixture, "while it drains each answer is the last of its connection") {
  client.set_keep_alive(true);
  CHECK(client.Get("/a")->get_header_value("Connection").empty());
  server.begin_to_drain();
  auto last = client.Get("/a");
  if (!last) // a connection that was idle may have been closed meanwhile
    last = client.Get("/a");
  REQUIRE(last);
  CHECK(last->status == 200);
  CHECK(last->get_header_value("Connection") == "close");
  CHECK_FALSE(last->has_header("Keep-Alive"));
  CHECK(client.Get("/a")->status == 200); // over a new connection
}

TEST_CASE_FIXTURE(fixture, "a closed port takes nobody, and a request that is open is answered") {
  std::atomic<bool> asked = false;
  std::atomic<bool> go_on = false;
  auto slow = http_server::bind({"127.0.0.1", 0}, limits, counters);
  REQUIRE(slow);
  slow->start([&](const http_request&) {
    asked = true;
    asked.notify_all();
    go_on.wait(false);
    return http_answer{.type = "text/plain", .body = "late"};
  });
  const auto port = slow->address().port;
  std::string got;
  std::jthread caller{[&] { got = httplib::Client{"127.0.0.1", port}.Get("/")->body; }};
  asked.wait(false);
  slow->close();
  CHECK_FALSE(httplib::Client("127.0.0.1", port).Get("/"));
  go_on = true;
  go_on.notify_all();
  slow->join();
  caller.join();
  CHECK(got == "late");
  CHECK(counters.connections == 0);
}

TEST_CASE_FIXTURE(fixture, "a port that is taken is refused with a reason, by the address") {
  const auto second = http_server::bind(server.address(), limits, counters);
  REQUIRE_FALSE(second);
  CHECK(says(second.error().detail, understudy::protocol::host_and_port(server.address())));
  CHECK(says(second.error().detail, "in use"));
}

TEST_CASE("a port that nobody ever served on is given back") {
  http_counters counters;
  auto first = http_server::bind({"127.0.0.1", 0}, {}, counters);
  REQUIRE(first);
  const auto at = first->address();
  { const auto gone = std::move(*first); }
  CHECK(http_server::bind(at, {}, counters));
}

} // namespace http_server_test
