// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Plays a script: carries out its commands in order, and compares what comes of them with what is
/// recorded. Every rule of the simulator is checked after every event meanwhile.

#include <understudy/testing/run_failed.hpp>
#include <understudy/testing/script.hpp>
#include <understudy/testing/script_commands.hpp>
#include <understudy/testing/script_shows.hpp>
#include <understudy/testing/script_stage.hpp>
#include <understudy/testing/script_words.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::testing {

/// How a play went. The numbers are exit codes.
enum class play_verdict : std::uint8_t {
  ok = 0,
  differs = 1, ///< something did not come as it is written, or a rule broke
  bad = 2,     ///< the script can not be played as it is written
};

/// What became of a play.
struct played {
  play_verdict verdict = play_verdict::ok;
  std::size_t line = 0;    ///< of the first thing that is wrong
  std::string report = {}; ///< what is wrong there
  std::string text = {};   ///< `ok`, or only recorded lines differ: the script as it should read
};

namespace detail {

/// The recorded lines against those that came: `-` is missing, `+` was not expected.
[[nodiscard]] inline std::string difference(const std::vector<std::string>& recorded,
                                            const std::vector<std::string>& came) {
  std::string text = "the outcome is another than the recorded one";
  for (std::size_t i = 0; i < std::max(recorded.size(), came.size()); ++i) {
    const auto* old = i < recorded.size() ? &recorded[i] : nullptr;
    const auto* now = i < came.size() ? &came[i] : nullptr;
    if (old && now && *old == *now)
      text += "\n    " + *old;
    else {
      text += old ? "\n  - " + *old : "";
      text += now ? "\n  + " + *now : "";
    }
  }
  return text;
}

/// All commands are known, before the first one is carried out.
inline void check_commands(const script& what) {
  for (const auto& line : what.lines())
    if (!line.words.empty() && line.words.front() != "show" && !is_command(line.words.front()))
      throw bad_script{"there is no command " + line.words.front(), line.number};
}

/// Plays one line. Of what is shown the first difference is kept; the play goes on behind it.
inline void play_line(script& what, std::size_t at, script_stage& on, played& result) {
  const auto& line = what.lines()[at];
  if (line.words.empty())
    return;
  script_words words{line.words};
  const auto name = words.take("a command");
  if (name != "show")
    return carry_out(name, words, on);
  auto came = show(words, on);
  if (came == line.outcome)
    return;
  if (result.verdict == play_verdict::ok)
    result = {play_verdict::differs, line.number, difference(line.outcome, came), {}};
  what.record(at, std::move(came));
}

/// Plays all lines; `line` is the one that is being played. Throws what ends the play.
inline void play_lines(script& what, script_stage& on, std::size_t& line, played& result) {
  check_commands(what);
  for (std::size_t at = 0; at < what.lines().size(); ++at) {
    line = what.lines()[at].number;
    play_line(what, at, on, result);
  }
  result.text = what.text();
}

/// A play that ends at `line`. What was wrong before that comes first.
[[nodiscard]] inline played ended_at(std::size_t line, const std::string& report,
                                     const played& before) {
  if (before.verdict == play_verdict::ok)
    return {play_verdict::differs, line, report, {}};
  return {before.verdict,
          before.line,
          before.report + "\nand in line " + std::to_string(line) + " " + report,
          {}};
}

} // namespace detail

/// Plays a script to its end, or to the first thing that can not be or is not as it is written.
/// With `segment_bytes` what its nodes store lies in the durable store, see `simulation_options`.
[[nodiscard]] inline played play(std::string_view text, std::uint64_t segment_bytes = 0) {
  played result;
  std::size_t line = 0;
  script_stage on;
  on.setup().options.segment_bytes = segment_bytes;
  try {
    auto what = script::parse(text);
    detail::play_lines(what, on, line, result);
    return result;
  } catch (const bad_script& wrong) {
    return {play_verdict::bad, wrong.line() != 0 ? wrong.line() : line, wrong.what(), {}};
  } catch (const expectation_failed& wrong) {
    return detail::ended_at(line, wrong.what() + on.standing_of_all(), result);
  } catch (const run_failed& broken) {
    return detail::ended_at(line, "rule " + broken.rule() + " is broken\n" + broken.what(), result);
  }
}

/// Plays the script in a file, and says on `out` how it went; with `rewrite` what is recorded in
/// the file becomes what came. `segment_bytes` as above. Returns the exit code of a program that
/// plays it.
[[nodiscard]] inline int play_file(const std::string& path, bool rewrite, std::ostream& out,
                                   std::uint64_t segment_bytes = 0) {
  std::ifstream file{path};
  if (!file || std::filesystem::is_directory(path)) {
    out << path << ": can not be read\n";
    return static_cast<int>(play_verdict::bad);
  }
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto result = play(text, segment_bytes);
  if (result.verdict == play_verdict::ok) {
    out << path << ": ok\n";
    return 0;
  }
  if (rewrite && !result.text.empty()) {
    std::ofstream rewritten{path};
    rewritten << result.text << std::flush;
    out << path << (rewritten ? ": rewritten\n" : ": can not be written\n");
    return rewritten ? 0 : static_cast<int>(play_verdict::bad);
  }
  out << path << ":" << result.line << ": " << result.report << "\n";
  return static_cast<int>(result.verdict);
}

} // namespace understudy::testing
