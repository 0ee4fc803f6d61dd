// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a node has spent so far: processor time, and bytes sent to other processes.

#include "figures.hpp"
#include "served_store.hpp"
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace benchmarks {

/// Of all threads of a process that run now.
[[nodiscard]] inline seconds processor_time_of(pid_t process) {
  std::int64_t all = 0;
  for (const auto& thread :
       std::filesystem::directory_iterator{"/proc/" + std::to_string(process) + "/task"}) {
    std::int64_t ran = 0;
    if (std::ifstream{thread.path() / "schedstat"} >> ran)
      all += ran;
  }
  return std::chrono::nanoseconds{all};
}

/// What a node tells under this name at /metrics.
[[nodiscard]] inline double metric_of(std::uint16_t door, const std::string& name) {
  auto line = connection_to(door);
  const auto got = line.Get("/metrics");
  const auto at = got ? got->body.find("\n" + name + ' ') : std::string::npos;
  if (at == std::string::npos)
    throw std::runtime_error{"a node tells no " + name};
  return std::stod(got->body.substr(at + name.size() + 2));
}

} // namespace benchmarks
