// Operating points: the settings at which an engine is measured, from a JSON file.
//
//   {"build": {"neighbours": 10}, "search": [{}, {"cluster_budget": 50}, {"cluster_budget": 50, "refine": 5}]}
//
// `build` may be left out; a list alone is the list of searches. Names are those of the engine's parameters. What a
// search leaves out is the index's own.
#pragma once

#include <string>
#include <vector>

#include "core/storage/fields.hpp"

namespace thresher::bench {

struct Points {
    NamedValues build;
    std::vector<NamedValues> searches;
};

// Throws FileError, and FormatError for what is not as above.
Points read_points(const std::string& path);

}  // namespace thresher::bench
