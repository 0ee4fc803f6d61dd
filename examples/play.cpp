// SPDX-License-Identifier: BSL-1.0

// Plays scenarios on simulated clusters: text files of commands, with what is to come of them.
//
//   play tests/scenarios/*.script       each is ok, or what came instead is shown
//   play --rewrite FILE                 what came is recorded in the file: look at the diff

#include <understudy/testing/play.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  std::vector<std::string> files;
  bool rewrite = false;
  std::uint64_t segment_bytes = 0;
  CLI::App app{"Plays scenarios on simulated clusters. Exits with 1 if an outcome is another than "
               "the recorded one, or a rule broke; with 2 if a script can not be played."};
  app.add_option("file", files, "the scripts");
  app.add_flag("--rewrite", rewrite, "records what came in the files");
  app.add_option("--segments", segment_bytes,
                 "keeps logs in the durable store, on files in memory: bytes of a segment")
      ->check(CLI::Range(std::uint64_t{4'096}, std::uint64_t{1} << 30));
  try {
    app.parse(argc, argv);
    if (files.empty()) // here, or it would be missed before a wrong option is named
      throw CLI::RequiredError{"file"};
  } catch (const CLI::ParseError& wrong) {
    return app.exit(wrong) == 0 ? 0 : 2;
  }
  int worst = 0;
  for (const auto& file : files)
    worst
        = std::max(worst, understudy::testing::play_file(file, rewrite, std::cout, segment_bytes));
  return worst;
}
