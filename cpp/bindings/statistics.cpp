#include "statistics.hpp"

#include <cstddef>
#include <cstdint>

#include "../core/documents/collection_statistics.hpp"
#include "conversions.hpp"
#include "gil.hpp"

namespace thresher {

void define_statistics(py::module_& module) {
    using namespace py::literals;
    py::class_<CollectionStatistics>(module, "CollectionStatistics", "What the size of an index depends on.")
        .def(py::init([](const Array<std::int64_t>& indptr, const Array<std::uint32_t>& indices,
                         const Array<float>& data, std::uint64_t n_terms, std::size_t n_docs, unsigned threads) {
                 const CsrView docs = view(indptr, indices, data, n_terms);
                 return without_gil(py::none(), [&](Monitor* monitor) {
                     Progress progress(monitor);
                     const CanonicalCsr canonical(docs, "docs", threads, progress);
                     return CollectionStatistics::of(canonical.view(), n_docs, threads, progress);
                 });
             }),
             "indptr"_a, "indices"_a, "data"_a, "n_terms"_a, "n_docs"_a, "threads"_a)
        .def_readonly("n_docs", &CollectionStatistics::n_docs)
        .def_readonly("n_terms", &CollectionStatistics::n_terms)
        .def_property_readonly("n_slots", &CollectionStatistics::n_slots, "Terms that occur.")
        .def_property_readonly("nnz", &CollectionStatistics::nnz)
        .def_property_readonly(
            "frequencies", [](const CollectionStatistics& statistics) { return to_array(statistics.frequencies); },
            "Document frequencies of the terms that occur, falling.");
}

}  // namespace thresher
