// The engines of the registry, each in the forms that a contract is tested in: ways to build it, search parameters by
// which it leaves nothing out, and others by which it does. An engine that is not named here is taken as it comes, and
// as exact.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/documents/csr.hpp"
#include "core/storage/fields.hpp"
#include "engines/block_max_index.hpp"
#include "engines/clustered_index.hpp"
#include "engines/graph_index.hpp"
#include "engines/registry.hpp"
#include "support/random_rows.hpp"

namespace thresher::test {

struct EngineForm {
    std::string name;
    std::function<std::unique_ptr<Index>(const CsrView& docs, unsigned threads, Monitor* monitor)> build;
};

struct EngineForms {
    std::vector<EngineForm> forms;  // the first is the cheapest to build
    std::vector<NamedValues> exact{{}};
    std::vector<NamedValues> approximate{};
    bool has_windows = true;  // or whatever makes many documents another matter than few; false: they only take long
};

inline std::string text_of(const NamedValues& values) {
    std::string text;
    for (const auto& [name, value] : values) {
        text += (text.empty() ? "" : " ") + name + "=";
        std::visit(
            [&]<class T>(const T& v) {
                if constexpr (std::is_same_v<T, std::string>) {
                    text += v;
                } else {
                    text += std::to_string(v);
                }
            },
            value);
    }
    return text;
}

inline EngineForm by_name(std::string_view engine, const NamedValues& params) {
    return {text_of(params),
            [engine = std::string(engine), params](const CsrView& docs, unsigned threads, Monitor* monitor) {
                return build_index(engine, docs, params, {.threads = threads, .monitor = monitor});
            }};
}

// Codes to search by, the full weights beside them.
inline EngineForm in_two_grains(std::string_view engine) {
    return {"in two grains", [engine = std::string(engine)](const CsrView& docs, unsigned threads, Monitor* monitor) {
                return build_index(engine, docs, {},
                                   {.precision = Precision::both, .threads = threads, .monitor = monitor});
            }};
}

// Stored in an order that is given: one of no meaning.
template <class Engine, class Params>
EngineForm in_an_order(const NamedValues& values) {
    Params params;
    set_fields(values, params);
    return {text_of(values) + " in a given order", [params](const CsrView& docs, unsigned threads, Monitor* monitor) {
                const auto order = shuffled(docs.n_rows());
                return std::unique_ptr<Index>(
                    Engine::build(docs, params, {.order = order, .threads = threads, .monitor = monitor}));
            }};
}

inline EngineForms forms_in_full(std::string_view engine) {
    constexpr std::int64_t kAll = std::int64_t{1} << 40;
    const auto whole = [](std::int64_t value) { return value; };
    const auto named = [&](const NamedValues& params) { return by_name(engine, params); };
    if (engine == "exact") {
        std::vector<EngineForm> forms;
        for (const auto& [window, density] : std::vector<std::pair<std::int64_t, double>>{
                 {64, 0.05}, {64, 0.01}, {64, 1.0}, {192, 0.1}, {4096, 0.1}, {65536, 0.3}}) {
            forms.push_back(named({{"window", window}, {"row_density", density}}));
        }
        return {forms};
    }
    if (engine == "block-max") {
        const auto params = [&](std::int64_t size, bool reorder, double bounds, double tiles) {
            return NamedValues{
                {"block_size", size}, {"reorder", reorder}, {"bound_frequency", bounds}, {"tile_frequency", tiles}};
        };
        return {{named(params(4, false, 0.1, 0.06)), named(params(4, true, 0.01, 0.06)),
                 in_an_order<BlockMaxIndex, BlockMaxParams>(params(8, false, 1e-9, 1e-9)),
                 named(params(8, false, 1.0, 1.0)),
                 in_an_order<BlockMaxIndex, BlockMaxParams>(params(16, false, 0.05, 1.0)),
                 named(params(32, true, 0.1, 0.02)), named(params(64, false, 1e-9, 0.3)),
                 named(params(64, true, 0.3, 1e-9))},
                // Small collections are searched exhaustively unless a parameter is given: pruning is forced by a
                // budget that no search exhausts.
                {{{"block_budget", kAll}}, {}},
                {{{"alpha", 0.7}},
                 {{"beta", 0.5}},
                 {{"block_budget", whole(7)}},
                 {{"superblock_budget", whole(1)}},
                 {{"alpha", 0.9}, {"beta", 0.9}, {"block_budget", whole(20)}, {"superblock_budget", whole(5)}}}};
    }
    if (engine == "clustered") {
        const auto params = [&](std::int64_t size, bool reorder, double dense) {
            return NamedValues{{"cluster_size", size}, {"reorder", reorder}, {"dense_frequency", dense}};
        };
        NamedValues with_neighbours = params(4, true, 0.06);
        with_neighbours.emplace_back("neighbours", whole(2));
        with_neighbours.emplace_back("n_postings", kAll);
        NamedValues with_groups = params(4, true, 0.015);
        with_groups.emplace_back("group_frequency", 0.02);
        return {{named(params(4, false, 0.1)), named(with_neighbours),
                 in_an_order<ClusteredIndex, ClusteredParams>(params(8, false, 1e-9)), named(params(16, false, 1.0)),
                 named(params(32, true, 0.1)), in_an_order<ClusteredIndex, ClusteredParams>(params(64, false, 0.3)),
                 named(params(64, true, 1e-9)), named(with_groups)},
                {{{"query_cut", whole(0)}, {"cluster_budget", kAll}}},
                {{},
                 {{"query_cut", whole(2)}},
                 {{"heap_factor", 0.7}},
                 {{"cluster_budget", whole(7)}},
                 {{"cluster_budget", whole(7)}, {"refine", whole(5)}},
                 {{"query_cut", whole(3)}, {"heap_factor", 0.9}, {"cluster_budget", whole(20)}},
                 {{"cluster_budget", whole(20)}, {"group_budget", whole(2)}}}};
    }
    if (engine == "graph") {
        const auto params = [&](std::int64_t m, std::int64_t candidates, std::int64_t entries, bool reorder) {
            return NamedValues{
                {"m", m}, {"ef_construction", candidates}, {"entry_points", entries}, {"reorder", reorder}};
        };
        return {{named(params(1, 1, 1, false)), named(params(4, 16, 0, true)),
                 in_an_order<GraphIndex, GraphParams>(params(3, 3, 2, false)),
                 in_an_order<GraphIndex, GraphParams>(params(32, 64, 1000, true))},
                {{{"ef", kAll}}, {{"ef", kAll}, {"entry_terms", whole(0)}}, {{"ef", kAll}, {"entry_terms", whole(1)}}},
                {{},
                 {{"ef", whole(2)}, {"entry_terms", whole(1)}},
                 {{"ef", whole(100)}, {"entry_terms", whole(0)}},
                 {{"ef", whole(50)}, {"entry_terms", whole(1)}, {"early_stop", 0.8}}},
                false};
    }
    if (engine == "impact") {
        return {{named({})},
                {{}, {{"deadline_us", 1e9}}, {{"postings_budget", INT64_MAX}}},
                {{{"postings_budget", whole(60)}},
                 {{"postings_budget", whole(300)}, {"rescored", whole(60)}},
                 {{"postings_budget", whole(60)}, {"deadline_us", 1e9}}}};
    }
    if (engine == "postings") {
        const auto by = [](const char* algorithm) { return NamedValues{{"algorithm", std::string(algorithm)}}; };
        return {{named({})}, {by("auto"), by("maxscore"), by("wand"), by("block_max_maxscore"), by("block_max_wand")}};
    }
    return {{named({})}};
}

// Of each engine one more, which is searched by codes.
inline EngineForms forms_of(std::string_view engine) {
    EngineForms forms = forms_in_full(engine);
    forms.forms.push_back(in_two_grains(engine));
    return forms;
}

// The index with search parameters of its own, or null where it is built without the parts that they need.
inline std::unique_ptr<Index> set_to(const Index& index, const NamedValues& search_params) {
    try {
        return index.with_named_search_params(search_params);
    } catch (const std::invalid_argument&) {
        return nullptr;
    }
}

}  // namespace thresher::test
