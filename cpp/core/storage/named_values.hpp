// Parameters of a build or a search by name.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace thresher {

using NamedValue = std::pair<std::string, std::variant<bool, std::int64_t, double, std::string>>;
using NamedValues = std::vector<NamedValue>;

}  // namespace thresher
