# understudy_warnings: how we want our code to be looked at. Warnings are errors in the presets that
# test (CMAKE_COMPILE_WARNING_AS_ERROR), and not where a compiler that we have not met builds the
# demo. understudy_dev: how we compile our own programs, that is, with the sanitizers that are asked
# for as well. Neither is ever installed.

add_library(understudy_warnings INTERFACE)
target_compile_options(understudy_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
  # g++ 12 sees overlapping copies in std::string's own concatenation (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)

add_library(understudy_dev INTERFACE)
target_link_libraries(understudy_dev INTERFACE understudy_warnings)
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

# understudy_program(<target> <library>): an example or a benchmark. The release preset builds it
# for speed; the others for speed of building: the framework's headers, a third of what there is to
# compile, are read once for all of them. Without ccache, which precompiled headers defeat.
function(understudy_program target library)
  target_link_libraries(${target} PRIVATE understudy_dev ${library})
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    return()
  endif()
  target_compile_options(${target} PRIVATE -O0 -g0)
  if(NOT library STREQUAL "understudy::understudy")
    return()
  endif()
  if(NOT TARGET understudy_programs_precompiled)
    add_library(understudy_programs_precompiled OBJECT EXCLUDE_FROM_ALL
      "${PROJECT_SOURCE_DIR}/tests/support/caf_precompiled.cpp")
    target_link_libraries(understudy_programs_precompiled
      PRIVATE understudy_dev understudy::understudy)
    target_compile_options(understudy_programs_precompiled PRIVATE -O0 -g0)
    target_precompile_headers(understudy_programs_precompiled PRIVATE
      <understudy/understudy.hpp>)
    set_target_properties(understudy_programs_precompiled PROPERTIES CXX_COMPILER_LAUNCHER "")
  endif()
  target_precompile_headers(${target} REUSE_FROM understudy_programs_precompiled)
  set_target_properties(${target} PROPERTIES CXX_COMPILER_LAUNCHER "")
endfunction()
