// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What this machine's loopback TCP can do at most: a process that sends back what it gets.

#include <understudy/core/descriptor.hpp>

#include "write_load.hpp"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace benchmarks {

/// One thread, all connections. Made before there are threads in this process: it is forked.
class echo_process {
public:
  echo_process() {
    understudy::descriptor door{::socket(AF_INET, SOCK_STREAM, 0)};
    sockaddr_in at = loopback(0);
    socklen_t size = sizeof at;
    if (!door || ::bind(door.get(), as_address(at), size) != 0 || ::listen(door.get(), 1'024) != 0
        || ::getsockname(door.get(), as_address(at), &size) != 0)
      throw std::runtime_error{"the echo can not listen"};
    port_ = ntohs(at.sin_port);
    process_ = ::fork();
    if (process_ < 0)
      throw std::runtime_error{"the echo can not be forked"};
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL); // goes with who has made it, however that ends
      echo(door.get());
    }
  }
  echo_process(const echo_process&) = delete;
  echo_process& operator=(const echo_process&) = delete;
  ~echo_process() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

  /// Sends 256 bytes on a connection of its own, and waits until they are back.
  [[nodiscard]] one_write caller() const {
    auto line = std::make_shared<understudy::descriptor>(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in at = loopback(port_);
    if (!*line || ::connect(line->get(), as_address(at), sizeof at) != 0)
      throw std::runtime_error{"the echo can not be reached"};
    keep_small(line->get());
    return [line] {
      std::array<char, 256> data{};
      if (::send(line->get(), data.data(), data.size(), MSG_NOSIGNAL)
          != static_cast<ssize_t>(data.size()))
        return false;
      return ::recv(line->get(), data.data(), data.size(), MSG_WAITALL)
             == static_cast<ssize_t>(data.size());
    };
  }

private:
  [[nodiscard]] static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    return at;
  }

  [[nodiscard]] static sockaddr* as_address(sockaddr_in& at) {
    return reinterpret_cast<sockaddr*>(&at);
  }

  static void keep_small(int socket) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  [[noreturn]] static void echo(int door) noexcept {
    std::vector<pollfd> all{{.fd = door, .events = POLLIN, .revents = 0}};
    std::array<char, 4'096> data{};
    while (::poll(all.data(), all.size(), -1) > 0) {
      for (std::size_t i = all.size(); i-- > 1;) {
        if (all[i].revents == 0)
          continue;
        const auto got = ::recv(all[i].fd, data.data(), data.size(), 0);
        if (got > 0
            && ::send(all[i].fd, data.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) == got)
          continue;
        ::close(all[i].fd);
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
      }
      if (all[0].revents != 0)
        if (const int line = ::accept(door, nullptr, nullptr); line >= 0) {
          keep_small(line);
          all.push_back({.fd = line, .events = POLLIN, .revents = 0});
        }
    }
    ::_exit(0);
  }

  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

} // namespace benchmarks
