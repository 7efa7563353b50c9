// Scratch memory that a context keeps from query to query: not what one large query needed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace thresher {

// Empties `items`, whose memory is kept unless it is much more than for `n` items, which will be needed, or for a few
// thousand.
template <class Item>
void empty_scratch(std::vector<Item>& items, std::size_t n = 0) {
    constexpr std::size_t kKept = 4096;
    if (items.capacity() > 2 * std::max(n, kKept)) items = std::vector<Item>();
    items.clear();
}

}  // namespace thresher
