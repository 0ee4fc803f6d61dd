# The installed package: headers, targets, and the find modules that the targets rely on.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/understudy")

install(TARGETS understudy_pure EXPORT understudyPureTargets FILE_SET HEADERS)
install(EXPORT understudyPureTargets NAMESPACE understudy:: DESTINATION "${_package_dir}")
if(UNDERSTUDY_CAF)
  # A set of its own: who asks for the pure component alone needs no CAF.
  install(TARGETS understudy EXPORT understudyTargets FILE_SET HEADERS)
  install(EXPORT understudyTargets NAMESPACE understudy:: DESTINATION "${_package_dir}")
endif()

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/understudyConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/understudyConfig.cmake" INSTALL_DESTINATION "${_package_dir}")
# Before 1.0 a minor version may break what came before it.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/understudyConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
  "${PROJECT_BINARY_DIR}/understudyConfig.cmake"
  "${PROJECT_BINARY_DIR}/understudyConfigVersion.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/FindUnderstudyCAF.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/FindUnderstudyXxhash.cmake"
  DESTINATION "${_package_dir}")
