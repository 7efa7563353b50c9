// An index's build parameters as text: name=value, a line each, true and false as 1 and 0.
#pragma once

#include <string>
#include <variant>

#include "core/storage/index_file.hpp"
#include "engines/index.hpp"

namespace thresher::test {

inline std::string parameters_of(const Index& index) {
    Parameters parameters;
    for (const auto& item : index.parameters()) {
        std::visit(
            [&]<class Value>(const Value& value) {
                if constexpr (std::is_same_v<Value, double>) {
                    parameters.set(item.first, value);
                } else if constexpr (!std::is_same_v<Value, std::string>) {
                    parameters.set(item.first, static_cast<std::uint64_t>(value));
                }
            },
            item.second);
    }
    return parameters.to_text();
}

}  // namespace thresher::test
