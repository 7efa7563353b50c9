#include "scratch_files.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "../core/base/scratch_files.hpp"
#include "conversions.hpp"

namespace thresher {

namespace {

// A ScratchScope for a `with` statement.
class ScratchContext {
  public:
    explicit ScratchContext(std::shared_ptr<const ScratchFiles> files) : files_(std::move(files)) {}
    void enter() { scope_.emplace(files_.get()); }
    void leave() { scope_.reset(); }

  private:
    std::shared_ptr<const ScratchFiles> files_;
    std::optional<ScratchScope> scope_;
};

}  // namespace

void define_scratch_files(py::module_& module) {
    using namespace py::literals;
    py::class_<ScratchFiles, std::shared_ptr<ScratchFiles>>(module, "ScratchFiles",
                                                            "A folder for temporary files without names.")
        .def(py::init([](const py::bytes& directory) { return std::make_shared<ScratchFiles>(directory); }),
             "directory"_a);
    py::class_<ScratchContext>(module, "ScratchScope", "Within it, large arrays of builds are in temporary files.")
        .def(py::init<std::shared_ptr<const ScratchFiles>>(), "files"_a)
        .def("__enter__", &ScratchContext::enter)
        .def("__exit__",
             [](ScratchContext& self, const py::object&, const py::object&, const py::object&) { self.leave(); });
}

}  // namespace thresher
