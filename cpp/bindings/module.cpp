// The Python module thresher._core: converts, releases the GIL, calls, wraps. No logic.
#include <pybind11/pybind11.h>

#include "../core/base/version.hpp"
#include "../kernels/kernels.hpp"
#include "collected_rows.hpp"
#include "engine_entries.hpp"
#include "engines.hpp"
#include "errors.hpp"
#include "index.hpp"
#include "index_file.hpp"
#include "precision.hpp"
#include "scratch_files.hpp"
#include "search_options.hpp"
#include "segments.hpp"
#include "selection.hpp"
#include "statistics.hpp"
#include "words.hpp"

namespace py = pybind11;

PYBIND11_MODULE(_core_of_main_interpreter, module, py::mod_gil_not_used()) {
    module.doc() = "The C++ core of thresher.";
    module.attr("__version__") = thresher::kLibraryVersion;
    thresher::define_errors(module);

    thresher::kernels::active();  // a foreign THRESHER_ISA is an ImportError here, not a surprise at the first search
    module.def("isa", [] { return thresher::kernels::active().name; }, "The instruction set in use.");

    // Each behind what its signatures name.
    thresher::define_precision(module);
    thresher::define_selection(module);
    thresher::define_search_options(module);
    thresher::define_words(module);
    thresher::define_index(module);
    thresher::define_index_file(module);
    thresher::define_scratch_files(module);
    thresher::define_collected_rows(module);
    thresher::define_engines(module);
    thresher::define_statistics(module);
    thresher::define_engine_entries(module);
    thresher::define_segments(module);
}

// pybind11 would wait here for ever for the GIL of the main interpreter, which this thread has (before Python 3.12).
extern "C" PYBIND11_EXPORT PyObject* PyInit__core() {
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError, "thresher does not work in a subinterpreter");
        return nullptr;
    }
    return PyInit__core_of_main_interpreter();
}
