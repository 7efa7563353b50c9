// Calls into the core without the GIL, during which the interpreter may be finalised.
//
// A daemon thread that wants the GIL of an interpreter that is being finalised is ended by Python (before 3.14): by
// pthread_exit, which unwinds its stack, past destructors and noexcept functions of ours that end the process. Here it
// is held where it is instead, as Python 3.14 does it itself: it never returns into the core, and the process exits by
// its main thread.
#pragma once

#include <pybind11/pybind11.h>
#include <unistd.h>

#include <cstdint>
#include <optional>

#include "../core/base/interruption.hpp"

#ifdef __GLIBCXX__
#include <cxxabi.h>
#endif

namespace thresher {

// Calls a function that may want the GIL, and does not return if Python ends the thread there. The function's own
// frame is unwound: it must hold nothing that has a destructor.
template <class Call>
auto in_python(const Call& call) noexcept {
#ifdef __GLIBCXX__
    try {
        return call();
    } catch (abi::__forced_unwind&) {
        for (;;) ::pause();
    }
#else
    return call();
#endif
}

// Thrown while Python has an error set for this thread.
struct PythonError {};

// Lets go of the GIL for the length of a scope.
class ReleasedGil {
  public:
    ReleasedGil() : state_(PyEval_SaveThread()) {}
    ~ReleasedGil() {
        in_python([this] { PyEval_RestoreThread(state_); });
    }
    ReleasedGil(const ReleasedGil&) = delete;
    ReleasedGil& operator=(const ReleasedGil&) = delete;

    // Calls a function that holds the GIL and returns false if it has set a Python error, which this throws.
    template <class Call>
    void with_gil(const Call& call) {
        const bool succeeded = in_python([&] {
            PyEval_RestoreThread(state_);
            const bool result = call();
            state_ = PyEval_SaveThread();
            return result;
        });
        if (!succeeded) throw PythonError();
    }

  private:
    PyThreadState* state_;
};

// Checks for Ctrl-C, and tells a Python callable (or None) how far a call is.
class PythonMonitor final : public Monitor {
  public:
    PythonMonitor(pybind11::handle progress, ReleasedGil& gil) : progress_(progress), gil_(gil) {}
    void poll() override {
        gil_.with_gil([] { return PyErr_CheckSignals() == 0; });
    }
    void progress(std::uint64_t done, std::uint64_t total) override {
        if (progress_.is_none()) return;
        gil_.with_gil([&] {
            PyObject* const result = PyObject_CallFunction(progress_.ptr(), "KK", static_cast<unsigned long long>(done),
                                                           static_cast<unsigned long long>(total));
            Py_XDECREF(result);
            return result != nullptr;
        });
    }

  private:
    pybind11::handle progress_;  // borrowed from the caller
    ReleasedGil& gil_;
};

// Runs call(monitor) without the GIL; the call's interruption points hear Ctrl-C.
template <class Call>
auto without_gil(pybind11::handle progress, const Call& call) {
    static_cast<void>(ready_to_throw());  // if not, memory may yet be enough to do without
    try {
        ReleasedGil gil;
        PythonMonitor monitor(progress, gil);
        const MonitorScope scope(&monitor);
        return call(&monitor);
    } catch (const PythonError&) {
        throw pybind11::error_already_set();
    }
}

}  // namespace thresher
