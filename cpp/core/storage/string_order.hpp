// Sorting strings by their bytes: eight bytes of each are taken as a number and sorted by it, then the next eight of
// those that are equal so far (a most-significant-digit radix sort whose digits are words of the machine; Waihong Ng,
// Katsuhiko Kakehi, Cache Efficient Radix Sort for String Sorting, 2007). What long equal beginnings cost grows with
// their length, not with its product with the logarithm. 20 bytes a string while it runs.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace thresher {

// Which string is at each place of the ascending order; of equal ones, the earlier first. At most 2^32 - 1 strings.
// Asks at interruption points.
std::vector<std::uint32_t> string_order(std::span<const std::string_view> strings);

}  // namespace thresher
