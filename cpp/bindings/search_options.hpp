// Options of searches, with the names that they have everywhere.
#pragma once

#include <pybind11/pybind11.h>

namespace thresher {

void define_search_options(pybind11::module_& module);

}  // namespace thresher
