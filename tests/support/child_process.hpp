// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A program that a test starts, looks at, and does bad things to. What can not be done is thrown.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace test_support {

/// Its standard error stream is read line by line. Killed when this goes.
class child_process {
public:
  explicit child_process(std::vector<std::string> command) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
      throw std::system_error{errno, std::generic_category(), "a pipe"};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    std::vector<char*> arguments;
    for (auto& word : command)
      arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const int problem
        = ::posix_spawn(&id_, arguments[0], &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (problem != 0) {
      ::close(ends[0]);
      throw std::system_error{problem, std::generic_category(), command.front()};
    }
    reader_ = std::thread{[this, from = ends[0]] { read_lines(from); }};
  }
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;
  ~child_process() {
    if (!status_) {
      signal(SIGKILL);
      static_cast<void>(wait());
    }
    reader_.join();
  }

  void signal(int what) const { ::kill(id_, what); }

  [[nodiscard]] pid_t id() const { return id_; }

  /// Whether it runs still. Does not wait.
  [[nodiscard]] bool is_running() const {
    siginfo_t ended{};
    return !status_
           && ::waitid(P_PID, static_cast<id_t>(id_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0
           && ended.si_pid == 0;
  }

  /// Its exit status; 128 and the signal, if one has ended it.
  [[nodiscard]] int wait() {
    while (!status_) {
      int how = 0;
      if (::waitpid(id_, &how, 0) == id_)
        status_ = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
      else if (errno != EINTR)
        throw std::system_error{errno, std::generic_category(), "waiting for a process"};
    }
    return *status_;
  }

  /// Waits until it has written a line with this in it. False: its stream has ended, or it took too
  /// long.
  [[nodiscard]] bool says(std::string_view text,
                          std::chrono::seconds limit = std::chrono::seconds{30}) {
    std::unique_lock lock{mutex_};
    const auto has = [&] {
      return std::ranges::any_of(
          lines_, [&](const std::string& l) { return l.find(text) != std::string::npos; });
    };
    changed_.wait_for(lock, limit, [&] { return over_ || has(); });
    return has();
  }

  /// What stands behind `key` in the first line that has it, up to a blank; empty: there is none.
  [[nodiscard]] std::string said(const std::string& key) {
    const std::lock_guard lock{mutex_};
    for (const auto& l : lines_)
      if (const auto at = l.find(' ' + key + '='); at != std::string::npos) {
        const auto from = at + key.size() + 2;
        return l.substr(from, l.find(' ', from) - from);
      }
    return {};
  }

  /// The last lines, for a failed test.
  [[nodiscard]] std::string last_words() {
    const std::lock_guard lock{mutex_};
    std::string all;
    for (auto i = lines_.size() - std::min<std::size_t>(lines_.size(), 40); i < lines_.size(); ++i)
      all += lines_[i] + '\n';
    return all;
  }

private:
  void read_lines(int from) {
    std::string line;
    char some[4'096];
    for (;;) {
      const auto got = ::read(from, some, sizeof some);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        break;
      const std::lock_guard lock{mutex_};
      for (ssize_t i = 0; i < got; ++i) {
        if (some[i] != '\n')
          line += some[i];
        else
          lines_.push_back(std::exchange(line, {}));
      }
      changed_.notify_all();
    }
    ::close(from);
    const std::lock_guard lock{mutex_};
    over_ = true;
    changed_.notify_all();
  }

  pid_t id_ = 0;
  std::optional<int> status_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  bool over_ = false;
  std::thread reader_;
};

} // namespace test_support
