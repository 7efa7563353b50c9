// Rows that are collected batch by batch, in memory or in temporary files.
#pragma once

#include <pybind11/pybind11.h>

namespace thresher {

void define_collected_rows(pybind11::module_& module);

}  // namespace thresher
