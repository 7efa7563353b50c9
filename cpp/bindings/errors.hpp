// Errors of the core as exceptions of Python.
#pragma once

#include <pybind11/pybind11.h>

namespace thresher {

void define_errors(pybind11::module_& module);

}  // namespace thresher
