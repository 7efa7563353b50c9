// WAND with the bounds of blocks (Ding and Suel, *Faster Top-k Document Retrieval Using Block-max Indexes*, SIGIR
// 2011).
//
// A pivot found by the bounds of lists is tried by those of the blocks that would hold it. Where these do not reach the
// cutoff, neither does any document up to the end of the first of the blocks, or to where another list begins.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "pivot.hpp"
#include "traversal.hpp"

namespace thresher {

namespace {

constexpr std::uint64_t kAtATime = 65536;  // work between two interruption points

// Scores the document at which the first `n` lists stand, and moves them on; gives up below the cutoff.
std::int32_t score_and_move(std::span<PostingCursor* const> lists, std::int32_t bound, std::int32_t cutoff) {
    for (const PostingCursor* list : lists) {
        if (bound < cutoff) break;
        bound += list->score() - list->peeked_bound();
    }
    for (PostingCursor* list : lists) list->next();
    return bound;
}

// Moves the list of the largest bound behind all documents that the bounds of blocks rule out.
void skip(std::span<PostingCursor*> lists, std::size_t n) {
    std::uint32_t end = n < lists.size() ? lists[n]->doc() : kNoMoreDocuments;
    for (const PostingCursor* list : lists.first(n)) end = std::min(end, list->peeked_end());
    const auto moved = std::ranges::max_element(lists.first(n), {}, &PostingCursor::bound);
    (*moved)->next_geq(end);
    sink(lists, static_cast<std::size_t>(moved - lists.begin()));
}

}  // namespace

void block_max_wand(Traversal& traversal) {
    const auto lists = traversal.lists();
    std::ranges::sort(lists, {}, &PostingCursor::doc);
    std::uint64_t work = 0;
    for (;;) {
        const std::size_t pivot = find_pivot(lists, traversal.cutoff());
        if (pivot == lists.size()) return;
        work += 16 * (pivot + 1);
        if (work > kAtATime) interruption_point(std::exchange(work, 0));
        const std::uint32_t doc = lists[pivot]->doc();
        std::size_t n = pivot + 1;
        while (n < lists.size() && lists[n]->doc() == doc) ++n;
        std::int32_t bound = 0;
        for (PostingCursor* list : lists.first(n)) {
            list->peek(doc);
            bound += list->peeked_bound();
        }
        if (bound < traversal.cutoff()) {
            skip(lists, n);
        } else if (lists[0]->doc() == doc) {
            const std::int32_t score = score_and_move(lists.first(n), bound, traversal.cutoff());
            if (score >= traversal.cutoff()) traversal.offer(doc, score);
            sink_first(lists, n);
        } else {
            move_one_before(lists, pivot);
        }
    }
}

}  // namespace thresher
