#include "search_options.hpp"

#include <memory>
#include <type_traits>
#include <vector>

#include "../engines/search_options.hpp"
#include "conversions.hpp"

namespace thresher {

void define_search_options(py::module_& module) {
    py::class_<SearchOptions> options(module, "SearchOptions");
    options.def(py::init<>());
    SearchOptions::fields([&]<class Field>(const char* name, Field SearchOptions::* member) {
        if constexpr (std::is_same_v<Field, SearchOptions::Selections>) {
            options.def_property(
                name, [member](const SearchOptions& self) { return (self.*member).size(); },
                [member](SearchOptions& self, const std::vector<std::shared_ptr<Selection>>& selections) {
                    (self.*member).assign(selections.begin(), selections.end());
                });
        } else {
            options.def_readwrite(name, member);
        }
    });
}

}  // namespace thresher
