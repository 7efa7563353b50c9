#include "registry.hpp"

#include <array>

#include "block_max_index.hpp"
#include "clustered_index.hpp"
#include "exact_index.hpp"
#include "graph_index.hpp"
#include "impact_index.hpp"
#include "postings_index.hpp"

namespace thresher {

namespace {

struct Engine {
    std::string_view name;
    std::unique_ptr<Index> (*load)(const IndexFile& file);
};

constexpr std::array kEngines{
    Engine{ExactIndex::kEngine, ExactIndex::load},         Engine{BlockMaxIndex::kEngine, BlockMaxIndex::load},
    Engine{ClusteredIndex::kEngine, ClusteredIndex::load}, Engine{GraphIndex::kEngine, GraphIndex::load},
    Engine{ImpactIndex::kEngine, ImpactIndex::load},       Engine{PostingsIndex::kEngine, PostingsIndex::load},
};

}  // namespace

std::unique_ptr<Index> open_index(const std::string& path, bool verify, Monitor* monitor) {
    const IndexFile file = IndexFile::open(path, verify, monitor);
    for (const Engine& engine : kEngines) {
        if (engine.name == file.engine()) return engine.load(file);
    }
    file.require(false, "written for the engine '" + file.engine() + "', which this library does not have");
    return nullptr;
}

}  // namespace thresher
