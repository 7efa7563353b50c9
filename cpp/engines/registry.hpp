// The engines by their names: building an index, and opening one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "../core/documents/documents.hpp"
#include "build_options.hpp"
#include "index.hpp"

namespace thresher {

std::vector<std::string_view> engine_names();

// Builds an index of the engine of that name, whose rows of `docs` are documents; weights finite. What
// `params` leaves out is the engine's default. Throws std::invalid_argument, also for an engine or a parameter that
// there is not.
std::unique_ptr<Index> build_index(std::string_view engine, const Documents& docs, const NamedValues& params = {},
                                   const BuildOptions& options = {});

// Maps an index file of any engine; `verify` reads it once, to compare its checksums. Throws FormatError and FileError.
std::unique_ptr<Index> open_index(const std::string& path, bool verify = true, Monitor* monitor = nullptr);

}  // namespace thresher
