// SPDX-License-Identifier: BSL-1.0

// Plays one script, with segments of so many bytes if that is given; tools/play does the same for
// many, and can write anew what is recorded.

#include <understudy/testing/play.hpp>

#include <iostream>
#include <string>

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    std::cerr << "usage: test_scenarios [SEGMENT_BYTES] FILE\n";
    return 2;
  }
  const auto segment_bytes = argc == 3 ? std::stoull(argv[1]) : 0;
  return understudy::testing::play_file(argv[argc - 1], false, std::cout, segment_bytes);
}
