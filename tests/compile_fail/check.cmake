# cmake -DSOURCE=... -DCOMPILER=... -DINCLUDES=... -P check.cmake
#
# Passes if SOURCE does not compile and the compiler's words match the regular expression in its
# first line, `// expect: <regex>`. The expression has to fit every compiler we use, so it names
# our types, concepts and messages, not a compiler's phrases. It is CMake's dialect, and the
# output is searched as one text.

file(STRINGS "${SOURCE}" first LIMIT_COUNT 1)
if(NOT first MATCHES "^// expect: (.+)$")
  message(FATAL_ERROR "${SOURCE}:1: the first line must read `// expect: <regex>`")
endif()
set(expected "${CMAKE_MATCH_1}")

list(REMOVE_DUPLICATES INCLUDES)
list(TRANSFORM INCLUDES PREPEND -I)
# C locale, or quotes around names in the output depend on who runs the test.
execute_process(
  COMMAND "${CMAKE_COMMAND}" -E env LC_ALL=C
    "${COMPILER}" -std=c++20 -fsyntax-only ${INCLUDES} "${SOURCE}"
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)

if(result EQUAL 0)
  message(FATAL_ERROR "${SOURCE}: compiles, and must not")
elseif(NOT output MATCHES "${expected}")
  message(FATAL_ERROR "${SOURCE}: fails for another reason than `${expected}`:\n${output}")
endif()
