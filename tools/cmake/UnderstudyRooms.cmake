# Lists the headers, split by what they may know: understudy_pure_headers, understudy_caf_headers.
# Also understudy_rooms, and understudy_<room>_kind for each, from the table in rooms.txt.

set(_include "${PROJECT_SOURCE_DIR}/include/understudy")

file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/rooms.txt" _rows REGEX "^[a-z]")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  "${CMAKE_CURRENT_LIST_DIR}/rooms.txt" "${_include}/version.hpp")

set(understudy_rooms "")
foreach(_row IN LISTS _rows)
  if(NOT _row MATCHES "^([a-z_.]+) +(pure|caf)( |$)")
    message(FATAL_ERROR "tools/cmake/rooms.txt: not 'room pure|caf rooms...': ${_row}")
  endif()
  list(APPEND understudy_rooms ${CMAKE_MATCH_1})
  set(understudy_${CMAKE_MATCH_1}_kind ${CMAKE_MATCH_2})
endforeach()

file(GLOB_RECURSE _headers CONFIGURE_DEPENDS RELATIVE "${_include}" "${_include}/*.hpp")
set(understudy_pure_headers "")
set(understudy_caf_headers "")
foreach(_header IN LISTS _headers)
  string(REGEX REPLACE "/.*" "" _room "${_header}")
  # A room that the table does not know is free to use CAF until the style test asks for its row.
  if(understudy_${_room}_kind STREQUAL "pure")
    list(APPEND understudy_pure_headers "${_include}/${_header}")
  else()
    list(APPEND understudy_caf_headers "${_include}/${_header}")
  endif()
endforeach()
