// What an index keeps of the weights that it is given.
#pragma once

#include <pybind11/pybind11.h>

namespace thresher {

void define_precision(pybind11::module_& module);

}  // namespace thresher
