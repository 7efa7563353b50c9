#include "index_file.hpp"

#include <string>

#include "../core/storage/index_file.hpp"
#include "../engines/registry.hpp"
#include "conversions.hpp"
#include "gil.hpp"

namespace thresher {

namespace {

py::dict to_dict(const Parameters& parameters) {
    py::dict dict;
    for (const auto& [name, value] : parameters.entries()) {
        const bool whole = value.find_first_not_of("0123456789") == std::string::npos;
        dict[py::str(name)] = whole ? py::object(py::int_(py::str(value))) : py::object(py::float_(py::str(value)));
    }
    return dict;
}

py::dict describe(const py::bytes& path) {
    const IndexFile file = IndexFile::open(path, false, nullptr);
    py::list sections;
    for (const Section& section : file.sections()) {
        py::dict row;
        row["name"] = section.name;
        row["dtype"] = name_of(section.type);
        row["length"] = section.bytes.size() / size_of(section.type);
        row["offset"] = section.offset;
        row["nbytes"] = section.bytes.size();
        sections.append(row);
    }
    py::dict dict;
    dict["engine"] = file.engine();
    dict["format_version"] = file.format_version();
    dict["library_version"] = file.library_version();
    dict["params"] = to_dict(file.parameters());
    dict["sections"] = sections;
    return dict;
}

}  // namespace

void define_index_file(py::module_& module) {
    using namespace py::literals;
    module.def("describe", &describe, "path"_a, "Header, parameters and sections of an index file.");
    module.def(
        "open_index",
        [](const py::bytes& path, bool verify) {
            return without_gil(py::none(), [&, name = std::string(path)](Monitor* monitor) {
                return open_index(name, verify, monitor);
            });
        },
        "path"_a, "verify"_a, "Map an index file of any engine.");
}

}  // namespace thresher
