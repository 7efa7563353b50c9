#include "engines.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../engines/block_max_index.hpp"
#include "../engines/clustered_index.hpp"
#include "../engines/exact_index.hpp"
#include "../engines/graph_index.hpp"
#include "../engines/impact_index.hpp"
#include "../engines/postings_index.hpp"
#include "conversions.hpp"
#include "gil.hpp"
#include "searches.hpp"

namespace thresher {

namespace {

// `order`: of documents, for engines that can store them in one.
template <class Engine>
std::unique_ptr<Engine> build(const Array<std::int64_t>& indptr, const Array<std::uint32_t>& indices,
                              const Array<float>& data, std::uint64_t n_terms, const typename Engine::Params& params,
                              const std::optional<Array<std::uint32_t>>& order, Precision precision, unsigned threads,
                              const py::object& progress) {
    const CsrView docs = view(indptr, indices, data, n_terms);
    BuildOptions options{.precision = precision, .threads = threads};
    if (order) options.order = items(*order, "reorder");
    return without_gil(progress, [&](Monitor* monitor) {
        options.monitor = monitor;
        return Engine::build(docs, params, options);
    });
}

// Of other indexes' documents; `live`: for each a mask, or nothing for all.
template <class Engine>
std::unique_ptr<Engine> merge(const std::vector<const Index*>& indexes,
                              const std::vector<std::optional<Array<std::uint8_t>>>& live,
                              const typename Engine::Params& params, Precision precision, unsigned threads,
                              const py::object& progress) {
    for (const Index* index : indexes) {
        if (index == nullptr) throw std::invalid_argument("indexes: no index");
    }
    if (live.size() != indexes.size()) throw std::invalid_argument("live: as many masks as indexes are wanted");
    std::vector<std::span<const std::uint8_t>> masks;
    for (const auto& mask : live) masks.push_back(mask ? items(*mask, "live") : std::span<const std::uint8_t>());
    BuildOptions options{.precision = precision, .threads = threads};
    return without_gil(progress, [&](Monitor* monitor) {
        options.monitor = monitor;
        std::vector<KeptDocuments> parts;
        for (std::size_t i = 0; i < indexes.size(); ++i) parts.push_back(indexes[i]->kept(masks[i]));
        return Engine::build(Documents(std::move(parts)), params, options);
    });
}

template <class Engine>
void define_build(py::class_<Engine, Index>& engine) {
    using namespace py::literals;
    engine.def_static("merge", &merge<Engine>, "indexes"_a, "live"_a, "params"_a, "precision"_a, "threads"_a,
                      "progress"_a);
    engine.def_static("build", &build<Engine>, "indptr"_a, "indices"_a, "data"_a, "n_terms"_a, "params"_a, "order"_a,
                      "precision"_a, "threads"_a, "progress"_a);
}

// A class of parameters, with the names that they have everywhere.
template <class Params>
void define_params(py::module_& module, const std::string& name) {
    py::class_<Params> params(module, name.c_str());
    params.def(py::init<>());
    Params::fields([&](const char* field, auto member, const auto&...) { params.def_readwrite(field, member); });
}

// What an engine has whose searches take parameters of their own.
template <class Engine, class Params>
void define_search(py::class_<Engine, Index>& engine) {
    using namespace py::literals;
    engine
        .def("search_with", &search<Engine, Params>, "indptr"_a, "indices"_a, "data"_a, "n_terms"_a, "options"_a,
             "progress"_a, "params"_a)
        .def("search_all_with", &search_all<Engine, Params>, "indptr"_a, "indices"_a, "data"_a, "n_terms"_a,
             "options"_a, "progress"_a, "params"_a)
        .def("search_one_with", &search_one<Engine, Params>, "terms"_a, "weights"_a, "k"_a, "params"_a)
        .def("own_search_params", &Engine::search_params, "A copy of the parameters of searches that are given none.")
        .def("with_search_params", &Engine::with_search_params, "params"_a);
}

// `name`: of the engine's classes, which end in Index, Params and SearchParams.
template <class Engine>
py::class_<Engine, Index> define_engine(py::module_& module, const std::string& name) {
    using Params = typename Engine::Params;
    using SearchParams = typename Engine::SearchParameters;
    if constexpr (!std::is_same_v<Params, NoParams>) define_params<Params>(module, name + "Params");
    if constexpr (!std::is_same_v<SearchParams, NoParams>) define_params<SearchParams>(module, name + "SearchParams");
    py::class_<Engine, Index> engine(module, (name + "Index").c_str());
    if constexpr (!std::is_same_v<SearchParams, NoParams>) define_search<Engine, SearchParams>(engine);
    define_build<Engine>(engine);
    return engine;
}

}  // namespace

void define_engines(py::module_& module) {
    using namespace py::literals;
    define_params<NoParams>(module, "NoParams");
    define_engine<ExactIndex>(module, "Exact");
    define_engine<BlockMaxIndex>(module, "BlockMax");
    define_engine<ClusteredIndex>(module, "Clustered");
    define_engine<GraphIndex>(module, "Graph")
        .def("edges", [](const GraphIndex& index, std::int64_t doc) { return to_array(index.edges(doc)); }, "doc"_a);
    define_engine<ImpactIndex>(module, "Impact");
    define_engine<PostingsIndex>(module, "Postings");
}

}  // namespace thresher
