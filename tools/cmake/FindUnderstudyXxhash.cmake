# Finds xxHash for use from its header alone; no library is linked.
#
# Defines the target understudy::xxhash. Most distributions ship xxHash without a CMake package,
# hence this file, which is installed beside the package that needs it.

find_path(UNDERSTUDY_XXHASH_INCLUDE_DIR xxhash.h)
mark_as_advanced(UNDERSTUDY_XXHASH_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(UnderstudyXxhash
  REQUIRED_VARS UNDERSTUDY_XXHASH_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "xxhash.h is missing (Debian: libxxhash-dev)")

if(UnderstudyXxhash_FOUND AND NOT TARGET understudy::xxhash)
  add_library(understudy::xxhash INTERFACE IMPORTED)
  target_include_directories(understudy::xxhash INTERFACE "${UNDERSTUDY_XXHASH_INCLUDE_DIR}")
endif()
