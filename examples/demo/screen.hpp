// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What a person sees while the demo runs: a live table on a terminal, plain lines elsewhere.

#include "feed.hpp"
#include "stage.hpp"
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace demo {

class screen {
public:
  explicit screen(bool plain) : live_{!plain && isatty(STDOUT_FILENO) == 1} {}

  /// A line that stays.
  void say(const std::string& line) {
    erase();
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  }

  /// Draws the table anew, a few times a second; nothing where there is no terminal.
  void draw(const std::string& step, const stage& stage, const feed& feed) {
    const auto now = std::chrono::steady_clock::now();
    if (!live_ || now - drawn_at_ < std::chrono::milliseconds{100})
      return;
    erase();
    const std::chrono::duration<double> passed = now - drawn_at_;
    drawn_at_ = now;
    line(step);
    draw_row({"node", "role", "rank", "term", "commit", "lag", "req/s"});
    for (const auto& p : stage.players())
      draw_player(p, passed.count());
    draw_bar(feed);
    std::fflush(stdout);
  }

private:
  /// One row of the table; the first two columns are words, the others numbers.
  void draw_row(const std::vector<std::string>& cells) {
    constexpr std::size_t widths[] = {8, 19, 5, 6, 10, 7, 9};
    std::string row;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto& cell = cells[i];
      const std::string gap(widths[i] > cell.size() ? widths[i] - cell.size() : 1, ' ');
      row += i < 2 ? cell + gap : gap + cell;
    }
    line(row);
  }

  void draw_player(const player& p, double seconds) {
    const auto answered = p.answered->load();
    const auto before = std::exchange(answered_[p.name], answered);
    const auto rate = std::to_string(
        static_cast<std::uint64_t>(static_cast<double>(answered - before) / seconds));
    if (!p.alive)
      return draw_row({p.name, "gone", "", "", "", "", rate});
    const auto s = p.node.status();
    draw_row({p.name, std::string{to_string(s.role)}, std::to_string(s.rank),
              std::to_string(s.term.value), std::to_string(s.commit.value), std::to_string(s.lag),
              rate});
  }

  void draw_bar(const feed& feed) {
    constexpr std::size_t width = 50;
    const auto done = static_cast<std::size_t>(feed.progress() * width);
    line('[' + std::string(done, '#') + std::string(width - done, '.') + "] pass "
         + std::to_string(feed.passes()));
  }

  void line(const std::string& text) {
    std::printf("%s\n", text.c_str());
    ++height_;
  }

  void erase() {
    if (height_ > 0)
      std::printf("\033[%zuA\033[J", height_);
    height_ = 0;
  }

  bool live_;
  std::size_t height_ = 0;
  std::chrono::steady_clock::time_point drawn_at_ = {};
  std::map<std::string, std::uint64_t> answered_;
};

} // namespace demo
