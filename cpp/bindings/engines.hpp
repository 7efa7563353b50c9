// The engines: each one's class, its parameters, building and searching.
#pragma once

#include <pybind11/pybind11.h>

namespace thresher {

void define_engines(pybind11::module_& module);

}  // namespace thresher
