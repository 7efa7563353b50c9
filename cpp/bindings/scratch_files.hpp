// Folders for temporary files, and the scopes in which builds use them.
#pragma once

#include <pybind11/pybind11.h>

namespace thresher {

void define_scratch_files(pybind11::module_& module);

}  // namespace thresher
