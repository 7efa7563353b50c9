// One search over the segments of a collection.
#pragma once

#include <pybind11/pybind11.h>

namespace thresher {

void define_segments(pybind11::module_& module);

}  // namespace thresher
