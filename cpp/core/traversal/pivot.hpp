// What WAND and block-max WAND share: lists in the order of the documents that they stand at, and the pivot among them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "posting_cursor.hpp"

namespace thresher {

// The first list at whose document the bounds of the lists up to it together reach the cutoff; lists.size() if none.
inline std::size_t find_pivot(std::span<PostingCursor* const> lists, std::int32_t cutoff) noexcept {
    std::int32_t bound = 0;
    for (std::size_t i = 0; i < lists.size() && lists[i]->doc() != kNoMoreDocuments; ++i) {
        bound += lists[i]->bound();
        if (bound >= cutoff) return i;
    }
    return lists.size();
}

// Puts a list that has moved on back into order.
inline void sink(std::span<PostingCursor*> lists, std::size_t at) noexcept {
    PostingCursor* const moved = lists[at];
    for (; at + 1 < lists.size() && lists[at + 1]->doc() < moved->doc(); ++at) lists[at] = lists[at + 1];
    lists[at] = moved;
}

// The same for the first `n`.
inline void sink_first(std::span<PostingCursor*> lists, std::size_t n) noexcept {
    while (n-- > 0) sink(lists, n);
}

// Moves the last list before the pivot's document there.
inline void move_one_before(std::span<PostingCursor*> lists, std::size_t pivot) {
    const std::uint32_t doc = lists[pivot]->doc();
    std::size_t i = pivot;
    while (lists[i]->doc() == doc) --i;
    lists[i]->next_geq(doc);
    sink(lists, i);
}

}  // namespace thresher
