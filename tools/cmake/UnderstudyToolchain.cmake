# What makes our own builds quick. Only for top-level builds: a user's choices are the user's.

set(CMAKE_CXX_EXTENSIONS OFF)

find_program(UNDERSTUDY_CCACHE ccache)
mark_as_advanced(UNDERSTUDY_CCACHE)
if(UNDERSTUDY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${UNDERSTUDY_CCACHE}")
endif()

include(CheckLinkerFlag)
check_linker_flag(CXX -fuse-ld=mold UNDERSTUDY_HAS_MOLD)
if(UNDERSTUDY_HAS_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
