#include "selection.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "../core/selection/selection.hpp"
#include "conversions.hpp"

namespace thresher {

void define_selection(py::module_& module) {
    using namespace py::literals;
    const auto shared = [](Selection selection) { return std::make_shared<Selection>(std::move(selection)); };
    py::class_<Selection, std::shared_ptr<Selection>>(
        module, "Selection",
        "A set of an index's documents, made by `Index.select`, for `allowed` and `exclude` of its searches.\n\n"
        "Sets of one index combine by `&`, `|`, `-` and `~`; what comes out is another. Any number of searches may "
        "use\n"
        "one at once.")
        .def("__len__", &Selection::size)
        .def_property_readonly("n_docs", &Selection::n_docs, "Documents of the index.")
        .def(
            "ids", [](const Selection& self) { return to_array(self.ids()); }, "The documents' ids, int64, ascending.")
        .def(
            "mask", [](const Selection& self) { return to_array(self.mask()).view("bool"); },
            "A bool for each document of the index, shape (n_docs,).")
        .def("__contains__",
             [](const Selection& self, const py::object& id) {
                 if (!py::isinstance<py::int_>(id) && !PyIndex_Check(id.ptr())) return false;
                 const Py_ssize_t value = PyNumber_AsSsize_t(id.ptr(), nullptr);  // clipped: then it is no document's
                 return value >= 0 && static_cast<std::size_t>(value) < self.n_docs() && self.has_id(value);
             })
        .def("__iter__", [](const Selection& self) { return py::iter(to_array(self.ids()).attr("tolist")()); })
        .def("__reduce__",
             [](const Selection&) -> py::object {
                 throw py::type_error(
                     "a Selection belongs to its index and can't be pickled: send its ids(), and select() them there");
             })
        .def(
            "__and__", [shared](const Selection& a, const Selection& b) { return shared(a & b); }, py::is_operator())
        .def(
            "__or__", [shared](const Selection& a, const Selection& b) { return shared(a | b); }, py::is_operator())
        .def(
            "__sub__", [shared](const Selection& a, const Selection& b) { return shared(a - b); }, py::is_operator())
        .def("__invert__", [shared](const Selection& self) { return shared(~self); })
        .def("__eq__",
             [](const Selection& self, const py::object& other) {
                 return py::isinstance<Selection>(other) && self == other.cast<const Selection&>();
             })
        .def("__hash__",
             [](const Selection& self) {
                 std::uint64_t hash = self.size();
                 for (const std::uint64_t word : self.words()) hash = (hash ^ word) * 0x100000001B3U;
                 return static_cast<std::int64_t>(hash >> 2);
             })
        .def("__repr__", [](const Selection& self) {
            return "<Selection: " + std::to_string(self.size()) + " of " + std::to_string(self.n_docs()) +
                   " documents>";
        });
}

}  // namespace thresher
