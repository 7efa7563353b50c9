#include "precision.hpp"

#include "../core/documents/precision.hpp"
#include "conversions.hpp"

namespace thresher {

void define_precision(py::module_& module) {
    py::enum_<Precision>(module, "Precision", "What an index keeps of the weights that it is given.")
        .value("FULL", Precision::full)
        .value("CODES", Precision::codes)
        .value("BOTH", Precision::both);
}

}  // namespace thresher
