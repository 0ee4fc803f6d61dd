// SPDX-License-Identifier: BSL-1.0
//
// The HTTP server on cpp-httplib, as Debian has it (0.11), with limits of its own where that has
// none: on headers, on chunked bodies, on the time that a request may take to come in, and on
// connections that wait. It is no program but a part of one: the node's, and its test's.

#include "http_server.hpp"

#include "error_answer.hpp"
#include <httplib.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace node_program {

namespace {

using steady = std::chrono::steady_clock;

/// How much time is left, as poll wants it.
int left_ms(steady::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

bool ready(int socket, short what, steady::time_point until) {
  while (true) {
    ::pollfd one{socket, what, 0};
    const auto found = ::poll(&one, 1, left_ms(until));
    if (found > 0)
      return true;
    if (found == 0 && left_ms(until) == 0)
      return false;
    if (found < 0 && errno != EINTR)
      return false;
  }
}

/// One connection. Reads and writes end at a moment and not with a pause, so that nobody holds a
/// thread by sending a byte now and then; and a request has a size beyond which it ends.
class limited_stream final : public httplib::Stream {
public:
  limited_stream(int socket, const http_limits& limits) : socket_{socket}, limits_{limits} {}

  void begin_request() {
    left_ = limits_.header_bytes_max + limits_.body_bytes_max;
    read_until_ = steady::now() + limits_.request_max;
    write_until_ = {};
    close_after_ = false;
  }

  /// What is left of the request is not read, so nothing more can be understood.
  void close_after() { close_after_ = true; }
  [[nodiscard]] bool must_close() const { return close_after_; }

  bool is_readable() const override { return !buffered_.empty() || !spent(); }
  bool is_writable() const override { return true; }

  ssize_t read(char* to, std::size_t size) override {
    if (taken_ == buffered_.size() && !fill())
      return -1;
    const auto count = std::min(size, buffered_.size() - taken_);
    std::memcpy(to, buffered_.data() + taken_, count);
    taken_ += count;
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* from, std::size_t size) override {
    if (write_until_ == steady::time_point{})
      write_until_ = steady::now() + limits_.answer_max;
    while (ready(socket_, POLLOUT, write_until_)) {
      const auto sent = ::send(socket_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent >= 0 || (errno != EINTR && errno != EAGAIN)) {
        close_after_ = close_after_ || sent < 0;
        return sent;
      }
    }
    close_after_ = true;
    return -1;
  }

  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_; }

  /// Waits for the first byte of the next request, until the connection has been idle for too long,
  /// or for long enough for `enough(how long)`.
  template <class Enough> bool next_request(Enough enough) {
    const auto begun = steady::now();
    while (taken_ == buffered_.size()) {
      if (ready(socket_, POLLIN, steady::now() + std::chrono::milliseconds{20}))
        return true;
      const auto idle = steady::now() - begun;
      if (idle >= limits_.idle_max || enough(idle))
        return false;
    }
    return true;
  }

  /// Ends the connection. What the caller still sends is read for a moment: were it not, the kernel
  /// would throw away the answer together with it.
  void end() {
    ::shutdown(socket_, SHUT_WR);
    std::array<char, 4'096> ignored{};
    const auto until = steady::now() + std::chrono::seconds{1};
    while (close_after_ && ready(socket_, POLLIN, until)
           && ::recv(socket_, ignored.data(), ignored.size(), MSG_DONTWAIT) > 0)
      ;
    ::close(socket_);
  }

private:
  [[nodiscard]] bool spent() const { return left_ == 0; }

  bool fill() {
    while (!spent() && ready(socket_, POLLIN, read_until_)) {
      buffered_.resize(std::min(left_, std::size_t{16} << 10));
      const auto got = ::recv(socket_, buffered_.data(), buffered_.size(), MSG_DONTWAIT);
      buffered_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
      taken_ = 0;
      if (got > 0) {
        left_ -= buffered_.size();
        return true;
      }
      if (got == 0 || (errno != EINTR && errno != EAGAIN))
        break;
    }
    close_after_ = true;
    return false;
  }

  int socket_;
  const http_limits& limits_;
  std::string buffered_;
  std::size_t taken_ = 0;
  std::size_t left_ = 0;
  steady::time_point read_until_ = {};
  steady::time_point write_until_ = {};
  bool close_after_ = false;
};

/// The connection that this thread serves: httplib hands a handler no way to it.
thread_local limited_stream* connection = nullptr;

/// A thread for each connection that is served; who comes when all are taken waits, and with it the
/// acceptor. So what waits is in the kernel's queue, which has a limit, and not in ours. Threads
/// are made when they are needed, and kept: all of them have to end before the kernel closes the
/// sockets of a process that was killed, and the other nodes wait for that.
class connection_threads final : public httplib::TaskQueue {
public:
  connection_threads(std::size_t most, std::atomic<bool>& crowded)
      : crowded_{crowded}, most_{most} {}

  void enqueue(std::function<void()> job) override {
    std::unique_lock lock{mutex_};
    const auto has_room = [this] { return busy_ + jobs_.size() < most_; };
    crowded_ = !has_room();
    room_.wait(lock, has_room);
    crowded_ = false;
    jobs_.push_back(std::move(job));
    if (busy_ + jobs_.size() > threads_.size())
      add_thread();
    work_.notify_one();
  }

  void shutdown() override {
    {
      const std::lock_guard lock{mutex_};
      over_ = true;
    }
    work_.notify_all();
    for (auto& t : threads_)
      t.join();
  }

private:
  void add_thread() {
    try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      if (threads_.empty())
        throw;
      most_ = threads_.size(); // the system has no more of them: those that there are have to do
    }
  }

  void work() {
    std::unique_lock lock{mutex_};
    while (true) {
      work_.wait(lock, [&] { return !jobs_.empty() || over_; });
      if (jobs_.empty())
        return;
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      ++busy_;
      lock.unlock();
      job();
      lock.lock();
      --busy_;
      room_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable work_; ///< there is a job
  std::condition_variable room_; ///< there may be room for another
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  std::atomic<bool>& crowded_; ///< somebody waits
  std::size_t most_;
  std::size_t busy_ = 0;
  bool over_ = false;
};

/// httplib's server with connections of ours.
class limited_server final : public httplib::Server {
public:
  limited_server(const http_limits& limits, http_counters& counters)
      : limits_{limits}, counters_{counters} {
    set_payload_max_length(limits.body_bytes_max);
    new_task_queue = [this] { return new connection_threads{limits_.connections_max, crowded_}; };
    // Not SO_REUSEPORT, which is its default: two nodes on one port would share their callers.
    set_socket_options([](socket_t socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    set_tcp_nodelay(true);
    // Only what answers say of it: connections are kept by our own loop.
    set_keep_alive_timeout(limits.idle_max.count());
    set_keep_alive_max_count(limits.requests_max);
    set_pre_routing_handler([this](const auto& asked, auto& answer) {
      return screen(asked, answer) ? HandlerResponse::Unhandled : HandlerResponse::Handled;
    });
    set_error_handler([](const httplib::Request&, httplib::Response& answer) {
      if (answer.body.empty())
        explain(answer);
    });
    set_exception_handler([](const auto&, auto& answer, const std::exception_ptr&) {
      fill(answer, error_answer("internal"));
    });
    set_post_routing_handler([](const auto&, auto& answer) {
      answer.headers.erase("Accept-Ranges");
      if (!connection->must_close())
        return;
      answer.headers.erase("Keep-Alive");
      answer.headers.erase("Connection");
      answer.set_header("Connection", "close");
    });
  }

  void serve(http_server::answerer answer) {
    answer_ = std::move(answer);
    // Longer paths have been refused by then, so that the expression ends soon.
    const std::string any = R"([\s\S]*)";
    const auto plain = [this](const httplib::Request& asked, httplib::Response& to) {
      fill(to, answer_(translated(asked, {})));
    };
    const auto with_body = [this](const httplib::Request& asked, httplib::Response& to,
                                  const httplib::ContentReader& reader) {
      std::string body;
      if (!has_body(asked) || read_body(reader, body))
        fill(to, answer_(translated(asked, std::move(body))));
      else
        refuse_body(to);
    };
    Get(any, plain).Options(any, plain);
    Put(any, with_body).Post(any, with_body).Delete(any, with_body).Patch(any, with_body);
  }

  /// httplib's own queue of five would make callers wait for seconds when many come at once.
  void lengthen_queue() { ::listen(svr_sock_, 128); }

  /// Gives the port back if nobody has ever listened.
  void abandon() {
    if (const auto socket = svr_sock_.exchange(INVALID_SOCKET); socket != INVALID_SOCKET)
      ::close(socket);
  }

  std::atomic<bool> draining = false;

private:
  bool process_and_close_socket(socket_t socket) override {
    ++counters_.connections;
    limited_stream stream{socket, limits_};
    connection = &stream;
    bool good = true;
    for (std::size_t i = 1; good; ++i) {
      // Who has been answered makes room for who waits; who is new gets the time to ask.
      const auto patience = std::chrono::milliseconds{i == 1 ? 1'000 : 0};
      if (!stream.next_request(
              [&](auto idle) { return (draining || crowded_) && idle >= patience; }))
        break;
      stream.begin_request();
      bool caller_closes = false;
      const bool last = draining || i == limits_.requests_max;
      good = process_request(stream, last, caller_closes, [](httplib::Request& asked) {
        asked.ranges.clear(); // a range may be ignored, and answers are whole
      });
      // Draining may have begun while the request was under way; the answer did not say so then.
      if (last || caller_closes || stream.must_close())
        break;
    }
    connection = nullptr;
    stream.end();
    --counters_.connections;
    return good;
  }

  /// Whether a request can be routed and its body be read, as far as its head tells.
  bool screen(const httplib::Request& asked, httplib::Response& answer) const {
    if (asked.path.size() > limits_.path_bytes_max) {
      connection->close_after();
      fill(answer, error_answer("too_large",
                                "the path takes " + std::to_string(asked.path.size()) + " bytes"));
      return false;
    }
    // Two lengths are how one caller's request is made to look like another's.
    if (asked.has_header("Content-Length") && asked.has_header("Transfer-Encoding")) {
      connection->close_after();
      fill(answer, error_answer("undecodable", "a body has one length"));
      return false;
    }
    // httplib would read all of it first, to throw it away.
    if (asked.get_header_value<std::uint64_t>("Content-Length") > limits_.body_bytes_max) {
      refuse_body(answer);
      return false;
    }
    const auto type = asked.get_header_value("Content-Type");
    if (asked.has_header("Content-Encoding") || type.starts_with("multipart/")) {
      connection->close_after();
      fill(answer, error_answer("unsupported_media_type"));
      return false;
    }
    return true;
  }

  /// httplib waits for the end of the connection where no length is given.
  static bool has_body(const httplib::Request& asked) {
    return asked.has_header("Content-Length") || asked.has_header("Transfer-Encoding");
  }

  bool read_body(const httplib::ContentReader& reader, std::string& body) const {
    return reader([&](const char* data, std::size_t size) {
      if (body.size() + size > limits_.body_bytes_max)
        return false;
      body.append(data, size);
      return true;
    });
  }

  void refuse_body(httplib::Response& to) const {
    connection->close_after();
    fill(to, error_answer("too_large", "the body can not be read; it may take up to "
                                           + std::to_string(limits_.body_bytes_max) + " bytes"));
  }

  [[nodiscard]] static http_request translated(const httplib::Request& asked, std::string body) {
    return {.method = asked.method,
            .path = asked.path,
            .query = {asked.params.begin(), asked.params.end()},
            .headers = {asked.headers.begin(), asked.headers.end()},
            .body = std::move(body)};
  }

  static void fill(httplib::Response& to, http_answer from) {
    to.status = from.status;
    for (auto& [name, value] : from.headers)
      to.set_header(name.c_str(), value);
    if (!from.type.empty())
      to.set_content(std::move(from.body), from.type);
  }

  /// Gives a body to what httplib answers by itself.
  static void explain(httplib::Response& answer) {
    connection->close_after();
    const auto status = answer.status;
    fill(answer, error_answer(status == 413 || status == 414 ? "too_large" : "undecodable",
                              "the request can not be read as HTTP"));
    answer.status = status;
  }

  const http_limits limits_;
  http_counters& counters_;
  http_server::answerer answer_;
  std::atomic<bool> crowded_ = false;
};

/// Why a port can not be had: httplib does not say.
std::string reason_for(const understudy::protocol::endpoint& at) {
  ::addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  ::addrinfo* found = nullptr;
  const auto failed
      = ::getaddrinfo(at.host.c_str(), std::to_string(at.port).c_str(), &hints, &found);
  if (failed != 0)
    return ::gai_strerror(failed);
  int why = EADDRINUSE;
  const auto socket = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (socket < 0 || ::bind(socket, found->ai_addr, found->ai_addrlen) != 0)
    why = errno;
  if (socket >= 0)
    ::close(socket);
  ::freeaddrinfo(found);
  return std::generic_category().message(why);
}

} // namespace

struct http_server::parts {
  parts(const http_limits& limits, http_counters& counters) : server{limits, counters} {}
  parts(const parts&) = delete;
  parts& operator=(const parts&) = delete;
  ~parts() {
    close();
    join();
  }

  void close() {
    server.draining = true;
    if (!thread.joinable())
      return server.abandon();
    // httplib loses a stop that comes before it listens.
    while (!server.is_running() && !ended)
      std::this_thread::yield();
    if (!std::exchange(closed, true))
      server.stop();
  }

  void join() {
    if (thread.joinable())
      thread.join();
  }

  limited_server server;
  understudy::protocol::endpoint at = {};
  std::thread thread;
  std::atomic<bool> ended = false;
  bool closed = false;
};

http_server::http_server(std::unique_ptr<parts> all) : parts_{std::move(all)} {}
http_server::http_server(http_server&&) noexcept = default;
http_server& http_server::operator=(http_server&&) noexcept = default;
http_server::~http_server() = default;

understudy::expected<http_server> http_server::bind(const understudy::protocol::endpoint& at,
                                                    const http_limits& limits,
                                                    http_counters& counters) {
  auto all = std::make_unique<parts>(limits, counters);
  all->at = at;
  const auto port = at.port == 0 ? all->server.bind_to_any_port(at.host)
                                 : (all->server.bind_to_port(at.host, at.port) ? int{at.port} : -1);
  if (port < 0)
    return understudy::fail(understudy::errc::invalid_option,
                            "can not listen at " + host_and_port(at) + ": " + reason_for(at));
  all->at.port = static_cast<std::uint16_t>(port);
  all->server.lengthen_queue();
  return http_server{std::move(all)};
}

understudy::protocol::endpoint http_server::address() const {
  return parts_->at;
}

void http_server::start(answerer answer) {
  parts_->server.serve(std::move(answer));
  parts_->thread = std::thread{[all = parts_.get()] {
    all->server.listen_after_bind();
    all->ended = true;
  }};
}

void http_server::begin_to_drain() {
  parts_->server.draining = true;
}

void http_server::close() {
  parts_->close();
}

void http_server::join() {
  parts_->join();
}

} // namespace node_program
