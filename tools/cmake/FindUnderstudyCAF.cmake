# Finds the CAF that understudy is built on, and says which one it took.
#
#   CAF_ROOT   CMake or environment variable: a prefix. When set, CAF comes from there or not at
#              all, so that a distribution's CAF never stands in for the one that was asked for.
#
# Defines the target understudy::caf (core and io), and CAF::core and CAF::io unless they exist;
# sets UnderstudyCAF_VERSION (0.17.6), UnderstudyCAF_INCLUDE_DIRS and UnderstudyCAF_ORIGIN, which
# says in words where it was found.
#
# Two lines of CAF are supported: 0.17, which Debian and Ubuntu ship without any CMake package,
# and 1.x, which brings its own. 0.18 and 0.19 are neither: their interface was a way station.

set(_ucaf_root "${CAF_ROOT}")
if(NOT _ucaf_root)
  set(_ucaf_root "$ENV{CAF_ROOT}")
endif()

# Reads the version from whichever header states it: as a number in caf/config.hpp in 0.17, as text
# in the generated caf/detail/build_config.hpp since. (That has a number too; in 1.1.0 it is 0100.)
# An empty answer means that neither does.
function(_ucaf_read_version dirs out)
  set(${out} "" PARENT_SCOPE)
  foreach(dir IN LISTS dirs)
    set(text "${dir}/caf/detail/build_config.hpp")
    if(EXISTS "${text}")
      file(STRINGS "${text}" line REGEX "^#[ ]*define[ ]+CAF_VERSION_STR[ ]+\"[0-9.]+\"")
      if(line MATCHES "\"([0-9.]+)\"")
        set(${out} "${CMAKE_MATCH_1}" PARENT_SCOPE)
        return()
      endif()
    endif()
    set(number "${dir}/caf/config.hpp")
    if(EXISTS "${number}")
      file(STRINGS "${number}" line REGEX "^#[ ]*define[ ]+CAF_VERSION[ ]+[0-9]+")
      if(line MATCHES "CAF_VERSION[ ]+([0-9]+)")
        math(EXPR major "${CMAKE_MATCH_1} / 10000")
        math(EXPR minor "${CMAKE_MATCH_1} / 100 % 100")
        math(EXPR patch "${CMAKE_MATCH_1} % 100")
        set(${out} "${major}.${minor}.${patch}" PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
endfunction()

set(_ucaf_reason "")
set(UnderstudyCAF_ORIGIN "")
set(UnderstudyCAF_INCLUDE_DIRS "")
set(UnderstudyCAF_VERSION "")

# 1. Targets that the enclosing project made already.
if(TARGET CAF::core AND TARGET CAF::io)
  set(UnderstudyCAF_ORIGIN "the targets CAF::core and CAF::io of this build")
elseif(_ucaf_root)
  # 2. The package of the prefix that was named. Only there: an unguided search for a CAF package
  #    takes a 1.x from anywhere it looks, even when 0.17 was meant.
  find_package(CAF CONFIG QUIET PATHS "${_ucaf_root}" NO_DEFAULT_PATH)
  if(TARGET CAF::core AND TARGET CAF::io)
    set(UnderstudyCAF_ORIGIN "the package in ${CAF_DIR}")
  endif()
endif()

if(UnderstudyCAF_ORIGIN)
  get_target_property(UnderstudyCAF_INCLUDE_DIRS CAF::core INTERFACE_INCLUDE_DIRECTORIES)
  # A CAF that is part of the same build names its directories in generator expressions.
  list(TRANSFORM UnderstudyCAF_INCLUDE_DIRS REPLACE "^\\$<BUILD_INTERFACE:(.*)>$" "\\1")
  list(FILTER UnderstudyCAF_INCLUDE_DIRS EXCLUDE REGEX "\\$<")
else()
  # 3. Bare headers and libraries, in the named prefix or where the compiler would look.
  if(_ucaf_root)
    set(_ucaf_where PATHS "${_ucaf_root}" NO_DEFAULT_PATH)
  else()
    set(_ucaf_where)
  endif()
  # Not cached: a changed CAF_ROOT must not leave half of the former CAF behind.
  find_path(UnderstudyCAF_INCLUDE_DIR caf/config.hpp ${_ucaf_where} PATH_SUFFIXES include NO_CACHE)
  foreach(_ucaf_part IN ITEMS core io)
    find_library(UnderstudyCAF_${_ucaf_part}_LIBRARY caf_${_ucaf_part} ${_ucaf_where}
      PATH_SUFFIXES lib lib64 "lib/${CMAKE_LIBRARY_ARCHITECTURE}" NO_CACHE)
  endforeach()
  if(UnderstudyCAF_INCLUDE_DIR AND UnderstudyCAF_core_LIBRARY AND UnderstudyCAF_io_LIBRARY)
    string(REGEX REPLACE "/$" "" UnderstudyCAF_INCLUDE_DIRS "${UnderstudyCAF_INCLUDE_DIR}")
    set(UnderstudyCAF_ORIGIN "${UnderstudyCAF_INCLUDE_DIRS} and ${UnderstudyCAF_core_LIBRARY}")
  elseif(_ucaf_root)
    set(_ucaf_reason "CAF_ROOT names ${_ucaf_root}, which lacks CAF's headers, caf_core or caf_io")
  else()
    set(_ucaf_reason "CAF is missing (Debian: libcaf-dev); CAF_ROOT may name a prefix that has it")
  endif()
endif()

if(UnderstudyCAF_ORIGIN)
  _ucaf_read_version("${UnderstudyCAF_INCLUDE_DIRS}" UnderstudyCAF_VERSION)
  if(UnderstudyCAF_VERSION MATCHES "^(0\\.17|1)\\.")
    if(NOT UnderstudyCAF_FIND_QUIETLY)
      message(STATUS "CAF ${UnderstudyCAF_VERSION} from ${UnderstudyCAF_ORIGIN}")
      set(UnderstudyCAF_FIND_QUIETLY TRUE) # All is said.
    endif()
  else()
    if(NOT UnderstudyCAF_VERSION)
      set(UnderstudyCAF_VERSION "of an unknown version")
    endif()
    string(CONCAT _ucaf_reason "CAF 0.17 or 1.x is needed, and this is CAF "
      "${UnderstudyCAF_VERSION}: ${UnderstudyCAF_ORIGIN}. CAF_ROOT may name another prefix")
    set(UnderstudyCAF_ORIGIN "")
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(UnderstudyCAF
  REQUIRED_VARS UnderstudyCAF_ORIGIN UnderstudyCAF_INCLUDE_DIRS
  REASON_FAILURE_MESSAGE "${_ucaf_reason}")

if(UnderstudyCAF_FOUND AND NOT TARGET understudy::caf)
  set(THREADS_PREFER_PTHREAD_FLAG ON)
  find_package(Threads REQUIRED)
  foreach(_ucaf_part IN ITEMS core io)
    if(NOT TARGET CAF::${_ucaf_part})
      add_library(CAF::${_ucaf_part} UNKNOWN IMPORTED)
      set_target_properties(CAF::${_ucaf_part} PROPERTIES
        IMPORTED_LOCATION "${UnderstudyCAF_${_ucaf_part}_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${UnderstudyCAF_INCLUDE_DIRS}"
        INTERFACE_LINK_LIBRARIES Threads::Threads)
      if(_ucaf_part STREQUAL "io")
        set_property(TARGET CAF::io APPEND PROPERTY INTERFACE_LINK_LIBRARIES CAF::core)
      endif()
    endif()
  endforeach()
  add_library(understudy::caf INTERFACE IMPORTED)
  target_link_libraries(understudy::caf INTERFACE CAF::io CAF::core Threads::Threads)
endif()
