#include "index.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../core/storage/words.hpp"
#include "../engines/index.hpp"
#include "conversions.hpp"
#include "gil.hpp"
#include "searches.hpp"

namespace thresher {

namespace {

Array<std::int64_t> count(const Index& index, const Array<std::int64_t>& indptr, const Array<std::uint32_t>& indices,
                          const Array<float>& data, std::uint64_t n_terms, const SearchOptions& options,
                          const py::object& progress) {
    const CsrView queries = view(indptr, indices, data, n_terms);
    const auto counts =
        without_gil(progress, [&](Monitor* monitor) { return index.count(queries, with_monitor(options, monitor)); });
    return to_array(std::vector<std::int64_t>(counts.begin(), counts.end()));
}

py::tuple vectors(const Index& index, const Array<std::int64_t>& docs) {
    const auto ids = items(docs, "ids");
    const auto rows = without_gil(py::none(), [&](Monitor*) { return index.vectors(ids); });
    return py::make_tuple(to_array(rows.indptr), to_array(rows.terms), to_array(rows.weights));
}

// A copy, which shares the memory and keeps it.
std::optional<Words> copied(const Words* words) { return words != nullptr ? std::optional(*words) : std::nullopt; }

}  // namespace

void define_index(py::module_& module) {
    using namespace py::literals;
    py::class_<Index>(module, "Index")
        .def_property_readonly("engine", &Index::engine)
        .def_property_readonly("n_docs", &Index::n_docs)
        .def_property_readonly("n_terms", &Index::n_terms)
        .def_property_readonly("nnz", &Index::nnz)
        .def_property_readonly("precision", &Index::precision)
        .def_property_readonly("max_error", &Index::max_error)
        .def_property_readonly("params", [](const Index& index) { return to_dict(index.parameters()); })
        .def_property_readonly("search_params", [](const Index& index) { return to_dict(index.named_search_params()); })
        .def_property_readonly("nbytes",
                               [](const Index& index) {
                                   py::dict parts;
                                   for (const auto& [part, size] : index.nbytes()) parts[py::str(part)] = size;
                                   return parts;
                               })
        .def("search", &search<Index>, "indptr"_a, "indices"_a, "data"_a, "n_terms"_a, "options"_a, "progress"_a)
        .def("search_all", &search_all<Index>, "indptr"_a, "indices"_a, "data"_a, "n_terms"_a, "options"_a,
             "progress"_a)
        .def(
            "check",
            [](const Index& index, const Array<std::int64_t>& indptr, const Array<std::uint32_t>& indices,
               const Array<float>& data, std::uint64_t n_terms, const SearchOptions& options) {
                const auto queries = view(indptr, indices, data, n_terms);
                without_gil(py::none(), [&](Monitor*) { index.check(queries, options); });
            },
            "indptr"_a, "indices"_a, "data"_a, "n_terms"_a, "options"_a)
        .def("count", &count, "indptr"_a, "indices"_a, "data"_a, "n_terms"_a, "options"_a, "progress"_a)
        .def(
            "select_mask",
            [](const Index& index, const Array<std::uint8_t>& mask, const std::string& name) {
                const auto selection = index.select(items(mask, name.c_str()), name.c_str());
                return std::const_pointer_cast<Selection>(selection);
            },
            "mask"_a, "name"_a)
        .def(
            "select_ids",
            [](const Index& index, const Array<std::int64_t>& ids, const std::string& name) {
                const auto selection = index.select(items(ids, name.c_str()), name.c_str());
                return std::const_pointer_cast<Selection>(selection);
            },
            "ids"_a, "name"_a)
        .def("search_one", &search_one<Index>, "terms"_a, "weights"_a, "k"_a)
        .def("vectors", &vectors, "ids"_a)
        .def_property_readonly("words", [](const Index& index) { return copied(index.words()); })
        .def_property_readonly("names", [](const Index& index) { return copied(index.names()); })
        .def("with_words", &Index::with_words, "words"_a, "names"_a)
        .def(
            "save",
            [](const Index& index, const py::bytes& path) {
                without_gil(py::none(), [&, name = std::string(path)](Monitor* monitor) { index.save(name, monitor); });
            },
            "path"_a);
}

}  // namespace thresher
