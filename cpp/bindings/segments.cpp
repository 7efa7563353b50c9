#include "segments.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "../segments/segments.hpp"
#include "conversions.hpp"
#include "gil.hpp"
#include "hit_arrays.hpp"

namespace thresher {

namespace {

using SelectionLists = std::vector<std::vector<std::shared_ptr<Selection>>>;

std::vector<SearchOptions::Selections> selections_of(const SelectionLists& lists) {
    std::vector<SearchOptions::Selections> all;
    all.reserve(lists.size());
    for (const auto& list : lists) all.emplace_back(list.begin(), list.end());
    return all;
}

py::tuple search_segments(const std::vector<const Index*>& indexes, const SelectionLists& allowed,
                          const Array<std::int64_t>& indptr, const Array<std::uint32_t>& indices,
                          const Array<float>& data, std::uint64_t n_terms, const SearchOptions& options, bool finds_all,
                          const py::object& progress) {
    const CsrView queries = view(indptr, indices, data, n_terms);
    const Segments segments(indexes);
    const auto selections = selections_of(allowed);
    const auto fill = [&](const HitsView& hits) {
        without_gil(progress, [&](Monitor* monitor) {
            segments.search(queries, with_monitor(options, monitor), selections, hits);
        });
    };
    if (finds_all) {
        AllHitArrays arrays(queries.n_rows());
        fill(arrays.view());
        return arrays.take();
    }
    HitArrays arrays(
        {static_cast<py::ssize_t>(queries.n_rows()), static_cast<py::ssize_t>(std::min(options.k, segments.n_docs()))});
    fill(arrays.view());
    return arrays.take();
}

}  // namespace

void define_segments(py::module_& module) {
    using namespace py::literals;
    module.def(
        "search_segments", &search_segments, "indexes"_a, "allowed"_a, "indptr"_a, "indices"_a, "data"_a, "n_terms"_a,
        "options"_a, "finds_all"_a, "progress"_a,
        "Search several indexes as if they were one; documents are numbered through. `allowed`: for each index a "
        "list of one selection for all queries, one for each, or none.");
}

}  // namespace thresher
