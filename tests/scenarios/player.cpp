// SPDX-License-Identifier: BSL-1.0

// Plays one script; tools/play does the same for many, and can write anew what is recorded.

#include <understudy/testing/play.hpp>

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: test_scenarios FILE\n";
    return 2;
  }
  return understudy::testing::play_file(argv[1], false, std::cout);
}
