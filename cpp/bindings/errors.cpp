#include "errors.hpp"

#include <cerrno>
#include <exception>

#include "../core/base/error.hpp"

namespace thresher {

namespace {

namespace py = pybind11;

// Messages and names hold paths, which need not be UTF-8.
py::object decode_path(const char* text) { return py::reinterpret_steal<py::object>(PyUnicode_DecodeFSDefault(text)); }

PyObject* format_error = nullptr;  // the Python class, set once when the module is made

void translate_errors(std::exception_ptr error) {
    try {
        if (error) std::rethrow_exception(error);
    } catch (const FormatError& wrong_file) {
        PyErr_SetObject(format_error, decode_path(wrong_file.what()).ptr());
    } catch (const FileError& refused) {
        errno = refused.code().value();
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, decode_path(refused.path().c_str()).ptr());
    }
}

}  // namespace

void define_errors(pybind11::module_& module) {
    format_error = PyErr_NewExceptionWithDoc(
        "thresher._core.FormatError", "A file that is not an index, is truncated or altered, or is of a newer format.",
        PyExc_ValueError, nullptr);
    if (format_error == nullptr) throw py::error_already_set();
    module.attr("FormatError") = py::handle(format_error);
    py::register_exception_translator(&translate_errors);
}

}  // namespace thresher
