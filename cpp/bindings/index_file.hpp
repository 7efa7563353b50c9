// Index files: what is in one, and the index in it, of any engine.
#pragma once

#include <pybind11/pybind11.h>

namespace thresher {

void define_index_file(pybind11::module_& module);

}  // namespace thresher
