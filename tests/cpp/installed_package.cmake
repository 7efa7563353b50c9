# Installs the build into an empty prefix: the public headers are there, and no others, and each compiles by itself. Then
# configures, builds and runs the C++ example against what it finds there.
set(prefix "${BUILD}/installed_package/prefix")
set(example_build "${BUILD}/installed_package/example")
file(REMOVE_RECURSE "${BUILD}/installed_package")

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
run("${CMAKE_COMMAND}" --install "${BUILD}" --component development --prefix "${prefix}")

set(public
  core/base/error.hpp core/base/monitor.hpp core/base/version.hpp core/documents/csr_view.hpp core/documents/documents.hpp
  core/documents/precision.hpp core/selection/hits.hpp core/selection/selection.hpp core/storage/named_values.hpp
  core/storage/words.hpp engines/build_options.hpp engines/index.hpp engines/registry.hpp engines/search_options.hpp
  thresher.hpp)
file(GLOB_RECURSE installed RELATIVE "${prefix}/include/thresher" "${prefix}/include/thresher/*")
list(SORT installed)
if(NOT installed STREQUAL public)
  message(FATAL_ERROR "installed headers are ${installed}, not ${public}")
endif()
foreach(header ${installed})
  file(WRITE "${BUILD}/installed_package/alone.cpp" "#include <thresher/${header}>\n")
  run("${COMPILER}" -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Werror "-DTHRESHER_VERSION=\"0\""
    -I "${prefix}/include" "${BUILD}/installed_package/alone.cpp")
endforeach()

run("${CMAKE_COMMAND}" -S "${EXAMPLE}" -B "${example_build}" -G "${GENERATOR}"
  "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_PREFIX_PATH=${prefix}")
run("${CMAKE_COMMAND}" --build "${example_build}")
run("${example_build}/search")
