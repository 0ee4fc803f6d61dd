# Finds cpp-httplib as Debian 12 has it: a header and a library, built with everything that can be
# built in. Only the node program uses it; it is never installed.
#
# Defines the target understudy::httplib.

find_path(UNDERSTUDY_HTTPLIB_INCLUDE_DIR httplib.h)
find_library(UNDERSTUDY_HTTPLIB_LIBRARY cpp-httplib)
mark_as_advanced(UNDERSTUDY_HTTPLIB_INCLUDE_DIR UNDERSTUDY_HTTPLIB_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(UnderstudyHttplib
  REQUIRED_VARS UNDERSTUDY_HTTPLIB_LIBRARY UNDERSTUDY_HTTPLIB_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "cpp-httplib is missing (Debian: libcpp-httplib-dev)")

if(UnderstudyHttplib_FOUND AND NOT TARGET understudy::httplib)
  add_library(understudy::httplib INTERFACE IMPORTED)
  target_include_directories(understudy::httplib INTERFACE "${UNDERSTUDY_HTTPLIB_INCLUDE_DIR}")
  target_link_libraries(understudy::httplib INTERFACE "${UNDERSTUDY_HTTPLIB_LIBRARY}")
  # What a class looks like depends on these: the header has to agree with the library.
  target_compile_definitions(understudy::httplib INTERFACE
    CPPHTTPLIB_OPENSSL_SUPPORT CPPHTTPLIB_ZLIB_SUPPORT CPPHTTPLIB_BROTLI_SUPPORT)
endif()
