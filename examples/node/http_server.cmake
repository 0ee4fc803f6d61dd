# node_http_server: the HTTP server of the node program, compiled once for it and its tests.
include_guard(GLOBAL)

find_package(UnderstudyHttplib REQUIRED)
find_package(nlohmann_json REQUIRED)

add_library(node_http_server STATIC EXCLUDE_FROM_ALL "${CMAKE_CURRENT_LIST_DIR}/http_server.cpp")
target_compile_options(node_http_server PRIVATE "$<$<NOT:$<CONFIG:Release>>:-O0>")
target_link_libraries(node_http_server
  PRIVATE understudy_dev
  PUBLIC understudy::pure understudy::httplib nlohmann_json::nlohmann_json)
