// Sets of an index's documents.
#pragma once

#include <pybind11/pybind11.h>

namespace thresher {

void define_selection(pybind11::module_& module);

}  // namespace thresher
