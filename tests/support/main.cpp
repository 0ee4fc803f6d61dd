// SPDX-License-Identifier: BSL-1.0
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
/// CAF's network layer does not free a connection that is still closing when its system ends. Not
/// in a namespace, and under this name, because LeakSanitizer looks for it there.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libcaf_io.so\n";
}
#endif
#endif
