# What `cmake --install` gives C++ users: headers, the static library and find_package(thresher).
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/thresher")

install(TARGETS thresher EXPORT thresherTargets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development)
# What thresher.hpp includes: all else may change from one version to the next.
foreach(header
    thresher.hpp core/base/error.hpp core/base/monitor.hpp core/base/version.hpp core/documents/csr_view.hpp
    core/documents/documents.hpp
    core/documents/precision.hpp
    core/selection/hits.hpp core/selection/selection.hpp core/storage/named_values.hpp core/storage/words.hpp
    engines/build_options.hpp engines/index.hpp engines/registry.hpp engines/search_options.hpp)
  cmake_path(GET header PARENT_PATH folder)
  install(FILES "cpp/${header}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/thresher/${folder}" COMPONENT development)
endforeach()
install(EXPORT thresherTargets NAMESPACE thresher:: DESTINATION "${package_dir}" COMPONENT development)

configure_package_config_file(cmake/thresherConfig.cmake.in thresherConfig.cmake INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(thresherConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/thresherConfig.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/thresherConfigVersion.cmake"
  DESTINATION "${package_dir}" COMPONENT development)
