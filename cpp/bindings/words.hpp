// Dictionaries of words: from Python's strings and back.
#pragma once

#include <pybind11/pybind11.h>

namespace thresher {

void define_words(const pybind11::module_& module);

}  // namespace thresher
