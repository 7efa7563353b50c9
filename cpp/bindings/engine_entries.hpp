// What engines say of themselves, for whoever builds and searches them by name.
#pragma once

#include <pybind11/pybind11.h>

namespace thresher {

void define_engine_entries(pybind11::module_& module);

}  // namespace thresher
