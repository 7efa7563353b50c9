// What the registry knows of an engine: how to make its indexes, and what it says of itself.
#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "../core/documents/collection_statistics.hpp"
#include "../core/documents/stored_documents.hpp"
#include "../core/storage/fields.hpp"
#include "build_growth.hpp"
#include "build_options.hpp"
#include "dials.hpp"
#include "index.hpp"
#include "registry.hpp"

namespace thresher {

struct EngineEntry {
    std::string name;
    // Throws std::invalid_argument for an order where the engine keeps that of the rows.
    std::unique_ptr<Index> (*build)(const Documents& docs, const NamedValues& params, const BuildOptions& options);
    std::unique_ptr<Index> (*load)(const IndexFile& file);
    Dials (*dials)(std::size_t n_docs, std::size_t k);
    // The parts of an index of such a collection that keeps so much of the weights, as its `nbytes` will name them.
    std::vector<EstimatedPart> (*estimated_parts)(const CollectionStatistics& statistics, const NamedValues& params,
                                                  Precision precision);
    // Build parameters, beside the defaults, that change what the engine trades: those that are worth trying.
    std::vector<NamedValues> build_variants;
    BuildGrowth build_growth;
};

// The entry of a class that derives from TunableIndex and has
//
//   kEngine                                 its name, as in files
//   build(docs, params, options)            static
//   check(params)                           static: throws std::invalid_argument for those out of range
//   estimated_parts(statistics, params)     static: those beside the documents themselves
//   dials(n_docs, k)                        static
//
// and perhaps build_variants(), static, and kBuildGrowth.
template <class Engine>
EngineEntry entry_of() {
    using Params = typename Engine::Params;
    EngineEntry entry;
    entry.name = Engine::kEngine;
    entry.build = [](const Documents& docs, const NamedValues& values,
                     const BuildOptions& options) -> std::unique_ptr<Index> {
        Params params;
        set_fields(values, params);
        return Engine::build(docs, params, options);
    };
    entry.load = [](const IndexFile& file) { return Engine::load(file); };
    entry.dials = Engine::dials;
    entry.estimated_parts = [](const CollectionStatistics& statistics, const NamedValues& values, Precision precision) {
        Params params;
        set_fields(values, params);
        Engine::check(params);
        bool reordered = false;
        if constexpr (requires { params.reorder; }) reordered = params.reorder;
        auto parts = StoredDocuments::estimated_parts(statistics, reordered, precision);
        append(Engine::estimated_parts(statistics, params), parts);
        return parts;
    };
    if constexpr (requires { Engine::build_variants(); }) {
        for (const Params& params : Engine::build_variants()) entry.build_variants.push_back(changed_values(params));
    }
    if constexpr (requires { Engine::kBuildGrowth; }) entry.build_growth = Engine::kBuildGrowth;
    return entry;
}

// Throws std::invalid_argument if there is no engine of that name. The entry stays for good.
const EngineEntry& engine_named(std::string_view name);

// Adds an engine to those of the library. Throws std::invalid_argument if there is one of its name.
void register_engine(EngineEntry entry);

}  // namespace thresher
