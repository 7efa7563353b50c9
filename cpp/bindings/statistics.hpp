// What the size of an index depends on. Before `define_engine_entries`, which takes it.
#pragma once

#include <pybind11/pybind11.h>

namespace thresher {

void define_statistics(pybind11::module_& module);

}  // namespace thresher
