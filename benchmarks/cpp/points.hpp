// Operating points: the settings at which an engine is measured, from a JSON file or from its dials.
//
//   {"build": {"neighbours": 10}, "search": [{}, {"cluster_budget": 50}, {"cluster_budget": 50, "refine": 5}]}
//
// `build` may be left out; a list alone is the list of searches. Names are those of the engine's parameters. What a
// search leaves out is the index's own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/storage/fields.hpp"

namespace thresher::bench {

struct Points {
    NamedValues build;
    std::vector<NamedValues> searches;
};

// Throws FileError, and FormatError for what is not as above.
Points read_points(const std::string& path);

// Where there is no file: the defaults, and settings that follow from the engine's dials.
Points usual_points(std::string_view engine, std::size_t n_docs, std::size_t k);

}  // namespace thresher::bench
