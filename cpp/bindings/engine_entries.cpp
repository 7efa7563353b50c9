#include "engine_entries.hpp"

#include <optional>
#include <string>
#include <vector>

#include "../engines/engine_entry.hpp"
#include "conversions.hpp"

namespace thresher {

void define_engine_entries(py::module_& module) {
    using namespace py::literals;
    py::class_<Dial>(module, "Dial", "Search parameters of which one is turned, from a fast end to a thorough one.")
        .def(py::init([](const NamedValueMap& fixed, const std::optional<std::string>& name, double lowest,
                         double highest, bool integral) {
                 return Dial{named_values_of(fixed), name.value_or(""), lowest, highest, integral};
             }),
             "fixed"_a, "name"_a = py::none(), "lowest"_a = Dial{}.lowest, "highest"_a = Dial{}.highest,
             "integral"_a = Dial{}.integral)
        .def_property_readonly("fixed", [](const Dial& dial) { return to_dict(dial.fixed); })
        .def_property_readonly(
            "name", [](const Dial& dial) { return dial.name.empty() ? std::nullopt : std::optional(dial.name); },
            "The parameter that is turned; None if there is nothing to turn.")
        .def_readonly("lowest", &Dial::lowest)
        .def_readonly("highest", &Dial::highest)
        .def_readonly("integral", &Dial::integral)
        .def(
            "at", [](const Dial& dial, double turn) { return to_dict(dial.at(turn)); }, "turn"_a,
            "The parameters with the dial at `turn`: 0 is the fast end, 1 the thorough one.")
        .def_property_readonly("step", &Dial::step, "The least turn that makes a difference.");

    py::class_<EstimatedPart>(module, "EstimatedPart", "Bytes of a part of an index that is not built yet.")
        .def(py::init<std::string, double, double, double>(), "name"_a, "fixed"_a, "variable"_a = 0.0, "usual"_a = 0.0)
        .def_readonly("name", &EstimatedPart::name)
        .def_readonly("fixed", &EstimatedPart::fixed, "Bytes that follow from the statistics.")
        .def_readonly("variable", &EstimatedPart::variable, "At most so many more, by how alike documents are.")
        .def_readonly("usual", &EstimatedPart::usual, "The fraction of `variable` that is usual.")
        .def_property_readonly("nbytes", &EstimatedPart::nbytes);

    py::class_<BuildGrowth>(module, "BuildGrowth", "How much longer a document takes in a larger collection.")
        .def(py::init<double, double>(), "doubling"_a = 0.0, "million"_a = 0.0)
        .def_readonly("doubling", &BuildGrowth::doubling, "In one of twice the size.")
        .def_readonly("million", &BuildGrowth::million, "With each million of documents.")
        .def_property_readonly("is_linear", &BuildGrowth::is_linear);

    module.def("engine_names", &engine_names);
    module.def(
        "dials",
        [](const std::string& engine, std::size_t n_docs, std::size_t k) {
            return engine_named(engine).dials(n_docs, k);
        },
        "engine"_a, "n_docs"_a, "k"_a);
    module.def(
        "settings_of",
        [](const Dials& dials, std::size_t n) {
            std::vector<py::dict> settings;
            for (const NamedValues& values : settings_of(dials, n)) settings.push_back(to_dict(values));
            return settings;
        },
        "dials"_a, "n"_a, "About n settings that are spread over the dials, the index's own among them.");
    module.def(
        "estimated_parts",
        [](const std::string& engine, const CollectionStatistics& statistics, const NamedValueMap& params,
           Precision precision) {
            return engine_named(engine).estimated_parts(statistics, named_values_of(params), precision);
        },
        "engine"_a, "statistics"_a, "params"_a, "precision"_a);
    module.def("build_growth", [](const std::string& engine) { return engine_named(engine).build_growth; }, "engine"_a);
    module.def(
        "build_variants",
        [](const std::string& engine) {
            std::vector<py::dict> variants;
            for (const NamedValues& params : engine_named(engine).build_variants) variants.push_back(to_dict(params));
            return variants;
        },
        "engine"_a);
}

}  // namespace thresher
