#include "registry.hpp"

#include <array>
#include <optional>
#include <stdexcept>
#include <type_traits>

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
    std::unique_ptr<Index> (*build)(const CsrView& docs, const NamedValues& params, unsigned threads, Monitor* monitor);
    std::unique_ptr<Index> (*load)(const IndexFile& file);
};

template <class Built, class Params>
std::unique_ptr<Index> build(const CsrView& docs, const NamedValues& values, unsigned threads, Monitor* monitor) {
    Params params;
    set_fields(values, params);
    if constexpr (std::is_same_v<Params, NoParams>) {
        return Built::build(docs, threads, monitor);
    } else if constexpr (requires { Built::build(docs, params, threads, monitor); }) {
        return Built::build(docs, params, threads, monitor);
    } else {
        return Built::build(docs, params, std::nullopt, threads, monitor);
    }
}

template <class Built, class Params>
constexpr Engine engine() {
    return {Built::kEngine, build<Built, Params>, Built::load};
}

constexpr std::array kEngines{
    engine<ExactIndex, ExactParams>(),         engine<BlockMaxIndex, BlockMaxParams>(),
    engine<ClusteredIndex, ClusteredParams>(), engine<GraphIndex, GraphParams>(),
    engine<ImpactIndex, NoParams>(),           engine<PostingsIndex, NoParams>(),
};

}  // namespace

std::vector<std::string_view> engine_names() {
    std::vector<std::string_view> names;
    for (const Engine& engine : kEngines) names.push_back(engine.name);
    return names;
}

std::unique_ptr<Index> build_index(std::string_view name, const CsrView& docs, const NamedValues& params,
                                   unsigned threads, Monitor* monitor) {
    for (const Engine& engine : kEngines) {
        if (engine.name == name) return engine.build(docs, params, threads, monitor);
    }
    throw std::invalid_argument("there is no engine '" + std::string(name) + "'");
}

std::unique_ptr<Index> open_index(const std::string& path, bool verify, Monitor* monitor) {
    const IndexFile file = IndexFile::open(path, verify, monitor);
    for (const Engine& engine : kEngines) {
        if (engine.name == file.engine()) return engine.load(file);
    }
    file.require(false, "written for the engine '" + file.engine() + "', which this library does not have");
    return nullptr;
}

}  // namespace thresher
