// What an index keeps of the weights that it is given.
#pragma once

#include <array>
#include <string_view>

namespace thresher {

enum class Precision {
    full,   // all of them
    codes,  // 8 bits of each, off by a known error
    both,   // codes to search by, and the full weights, read for the few documents that may be hits
};

// As callers and messages name them, in that order.
inline constexpr std::array<std::string_view, 3> kPrecisions = {"float", "uint8", "uint8+float"};

}  // namespace thresher
