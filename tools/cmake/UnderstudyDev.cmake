# understudy_dev: how we compile our own programs; never installed. Warnings are errors in the
# presets that test (CMAKE_COMPILE_WARNING_AS_ERROR), and not where a compiler that we have not met
# builds the demo.

add_library(understudy_dev INTERFACE)
target_compile_options(understudy_dev INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
  # g++ 12 sees overlapping copies in std::string's own concatenation (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)

if(UNDERSTUDY_SANITIZE)
  list(JOIN UNDERSTUDY_SANITIZE "," _sanitizers)
  target_compile_options(understudy_dev INTERFACE
    -fsanitize=${_sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer
    # The instrumentation itself confuses this warning, as GCC's manual says.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(understudy_dev INTERFACE -fsanitize=${_sanitizers})
  if("undefined" IN_LIST UNDERSTUDY_SANITIZE)
    # CAF 0.17 spawns a function actor through a reference to nothing, in a header of its own.
    target_compile_options(understudy_dev INTERFACE -fno-sanitize=null)
  endif()
endif()
