// WAND (Broder et al., *Efficient Query Evaluation Using a Two-level Retrieval Process*, CIKM 2003).
//
// Lists by the document that they stand at. The pivot is the first document at which the bounds of the lists up to it
// together reach the cutoff: no document before it can. If all of them stand there it is scored, else one is moved
// there.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "pivot.hpp"
#include "traversal.hpp"

namespace thresher {

namespace {

constexpr std::uint64_t kAtATime = 65536;  // work between two interruption points

}  // namespace

void wand(Traversal& traversal) {
    const auto lists = traversal.lists();
    std::ranges::sort(lists, {}, &PostingCursor::doc);
    std::uint64_t work = 0;
    for (;;) {
        const std::size_t pivot = find_pivot(lists, traversal.cutoff());
        if (pivot == lists.size()) return;
        work += 16 * (pivot + 1);
        if (work > kAtATime) interruption_point(std::exchange(work, 0));
        const std::uint32_t doc = lists[pivot]->doc();
        if (lists[0]->doc() != doc) {
            move_one_before(lists, pivot);
            continue;
        }
        std::int32_t score = 0;
        std::size_t n = 0;
        for (; n < lists.size() && lists[n]->doc() == doc; ++n) {
            score += lists[n]->score();
            lists[n]->next();
        }
        if (score >= traversal.cutoff()) traversal.offer(doc, score);
        sink_first(lists, n);
    }
}

}  // namespace thresher
