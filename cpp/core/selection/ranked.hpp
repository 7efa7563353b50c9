// An integer score and what has it, in one number: the greater, the better. Of equal scores the smaller item is better.
#pragma once

#include <cstdint>

namespace thresher {

inline std::uint64_t ranked(std::int32_t score, std::uint32_t item) noexcept {
    return std::uint64_t{static_cast<std::uint32_t>(score) ^ 0x80000000U} << 32 | static_cast<std::uint32_t>(~item);
}
inline std::int32_t score_of(std::uint64_t ranked) noexcept {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(ranked >> 32) ^ 0x80000000U);
}
inline std::uint32_t item_of(std::uint64_t ranked) noexcept { return ~static_cast<std::uint32_t>(ranked); }

}  // namespace thresher
