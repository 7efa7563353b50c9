// The core's one list of engines.
#pragma once

#include <memory>
#include <string>

#include "index.hpp"

namespace thresher {

// Opens an index of any engine. Throws FormatError and FileError.
std::unique_ptr<Index> open_index(const std::string& path, bool verify, Monitor* monitor);

}  // namespace thresher
