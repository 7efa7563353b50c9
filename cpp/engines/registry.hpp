// The core's one list of engines.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine_entry.hpp"
#include "index.hpp"

namespace thresher {

std::vector<std::string_view> engine_names();

// Throws std::invalid_argument if there is no engine of that name. The entry stays for good.
const EngineEntry& engine_named(std::string_view name);

// Adds an engine to those of the library. Throws std::invalid_argument if there is one of its name.
void register_engine(EngineEntry entry);

// Builds an index of the engine of that name, whose rows of `docs` are documents; see the engine's own `build`. Throws
// std::invalid_argument, also for an engine or a parameter that there is not.
std::unique_ptr<Index> build_index(std::string_view engine, const CsrView& docs, const NamedValues& params,
                                   unsigned threads, Monitor* monitor);

// Opens an index of any engine. Throws FormatError and FileError.
std::unique_ptr<Index> open_index(const std::string& path, bool verify, Monitor* monitor);

}  // namespace thresher
