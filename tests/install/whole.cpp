// SPDX-License-Identifier: BSL-1.0
#include <understudy/actors/config.hpp>
#include <understudy/version.hpp>

#include <iostream>

int main() {
  const understudy::config config;
  std::cout << "understudy " << UNDERSTUDY_VERSION_MAJOR << '.' << UNDERSTUDY_VERSION_MINOR
            << " on CAF " << CAF_VERSION << '\n';
  // A call into the library shows that it is linked, not only found.
  std::cout << caf::to_string(caf::make_message(1)) << '\n';
}
