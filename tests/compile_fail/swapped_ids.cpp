// expect: swapped_ids.cpp:15:[0-9]+: error: .*(term_number|log_index)
//
// A term and an index are both numbers; the paper's favourite mistake is to swap them.

#include <understudy/core/ids.hpp>

bool newer(understudy::term_number term, understudy::log_index index);

bool newer(understudy::term_number, understudy::log_index) {
  return true;
}

int main() {
  // Swapped.
  return newer(understudy::log_index{7}, understudy::term_number{2}) ? 1 : 0;
}
