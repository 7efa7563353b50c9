// The library's version, given by the build (pyproject.toml is its one source).
#pragma once

#include <string_view>

namespace thresher {

inline constexpr std::string_view kLibraryVersion = THRESHER_VERSION;

}  // namespace thresher
