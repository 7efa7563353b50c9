# What `cmake --install` gives C++ users: headers, the static library and find_package(thresher).
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/thresher")

install(TARGETS thresher EXPORT thresherTargets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development)
install(DIRECTORY cpp/kernels cpp/core cpp/engines
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/thresher" COMPONENT development
  FILES_MATCHING PATTERN "*.hpp")
install(EXPORT thresherTargets NAMESPACE thresher:: DESTINATION "${package_dir}" COMPONENT development)

configure_package_config_file(cmake/thresherConfig.cmake.in thresherConfig.cmake INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(thresherConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/thresherConfig.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/thresherConfigVersion.cmake"
  DESTINATION "${package_dir}" COMPONENT development)
