// Searches of an index of any class, without the GIL, into arrays of Python.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "../engines/search_options.hpp"
#include "conversions.hpp"
#include "gil.hpp"
#include "hit_arrays.hpp"

namespace thresher {

// `params`: what the engine's own search takes, or nothing.
template <class Engine, class... Params>
py::tuple search(const Engine& index, const Array<std::int64_t>& indptr, const Array<std::uint32_t>& indices,
                 const Array<float>& data, std::uint64_t n_terms, const SearchOptions& options,
                 const py::object& progress, const Params&... params) {
    const CsrView queries = view(indptr, indices, data, n_terms);
    HitArrays arrays(
        {static_cast<py::ssize_t>(queries.n_rows()), static_cast<py::ssize_t>(std::min(options.k, index.n_docs()))});
    const HitsView hits = arrays.view();
    without_gil(progress,
                [&](Monitor* monitor) { index.search(queries, with_monitor(options, monitor), params..., hits); });
    return arrays.take();
}

template <class Engine, class... Params>
py::tuple search_one(const Engine& index, const Array<std::uint32_t>& terms, const Array<float>& weights, std::size_t k,
                     const Params&... params) {
    HitArrays arrays({static_cast<py::ssize_t>(std::min(k, index.n_docs()))});
    const HitsView hits = arrays.view();
    const auto query_terms = items(terms, "terms");
    const auto query_weights = items(weights, "weights");
    without_gil(py::none(), [&](Monitor*) {
        index.search_one(query_terms, query_weights, SearchOptions{.k = k, .threads = 1}, params..., hits);
    });
    return arrays.take();
}

template <class Engine, class... Params>
py::tuple search_all(const Engine& index, const Array<std::int64_t>& indptr, const Array<std::uint32_t>& indices,
                     const Array<float>& data, std::uint64_t n_terms, const SearchOptions& options,
                     const py::object& progress, const Params&... params) {
    const CsrView queries = view(indptr, indices, data, n_terms);
    AllHitArrays arrays(queries.n_rows());
    const HitsView hits = arrays.view();
    without_gil(progress, [&](Monitor* monitor) {
        SearchOptions all = with_monitor(options, monitor);
        all.k = SearchOptions::kAll;
        index.search(queries, all, params..., hits);
    });
    return arrays.take();
}

}  // namespace thresher
