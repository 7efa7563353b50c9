// What indexes of all engines have.
#pragma once

#include <pybind11/pybind11.h>

namespace thresher {

void define_index(pybind11::module_& module);

}  // namespace thresher
