#include "collected_rows.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "../core/base/scratch_files.hpp"
#include "../core/documents/collected_rows.hpp"
#include "conversions.hpp"
#include "gil.hpp"

namespace thresher {

void define_collected_rows(py::module_& module) {
    using namespace py::literals;
    py::class_<CollectedRows>(module, "CollectedRows")
        .def(py::init([](const std::optional<std::shared_ptr<ScratchFiles>>& files) {
                 return CollectedRows(files ? files->get() : nullptr);
             }),
             "files"_a, "Rows in memory, or in temporary files.")
        .def_property_readonly("n_rows", &CollectedRows::n_rows)
        .def(
            "add",
            [](CollectedRows& rows, const Array<std::int64_t>& indptr, const Array<std::uint32_t>& indices,
               const Array<float>& data, std::uint64_t n_terms, const std::string& name, unsigned threads) {
                const auto part = view(indptr, indices, data, n_terms);
                without_gil(py::none(), [&](Monitor* monitor) {
                    Progress progress(monitor);
                    rows.add(part, name, threads, progress);
                });
            },
            "indptr"_a, "indices"_a, "data"_a, "n_terms"_a, "name"_a, "threads"_a)
        .def(
            "arrays",
            [](const py::object& self) {
                const auto rows = self.cast<const CollectedRows&>().view();
                const auto array = [&](const auto& items) {
                    return py::array(static_cast<py::ssize_t>(items.size()), items.data(), self);
                };
                return py::make_tuple(array(rows.indptr), array(rows.terms), array(rows.weights), rows.n_terms);
            },
            "indptr, indices, data (which point into the object until the next `add`) and the number of terms.");
}

}  // namespace thresher
