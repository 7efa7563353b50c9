# Installs the build into an empty prefix, then configures, builds and runs the C++ example against what it finds there.
set(prefix "${BUILD}/installed_package/prefix")
set(example_build "${BUILD}/installed_package/example")
file(REMOVE_RECURSE "${BUILD}/installed_package")

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${prefix}")
run("${CMAKE_COMMAND}" -S "${EXAMPLE}" -B "${example_build}" -G "${GENERATOR}"
  "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_PREFIX_PATH=${prefix}")
run("${CMAKE_COMMAND}" --build "${example_build}")
run("${example_build}/search")
