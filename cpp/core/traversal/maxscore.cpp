// MaxScore (Turtle and Flood, Information Processing and Management 1995), over windows of documents.
//
// Lists of rising bound; the first of them are not essential while their bounds together stay below the cutoff: a
// document in no other list can't reach it. The essential lists of a window are added up term at a time, then others,
// largest bound first, as long as there is enough to add to. What is left is looked up in the rest, or, where essential
// lists are sparse, scored in full precision (traversal/coarse_bounds).
#include <algorithm>

#include "traversal.hpp"

namespace thresher {

namespace {

// Documents between two interruption points, and about the nanoseconds that a list takes of one.
constexpr std::size_t kAtATime = 16;
constexpr std::size_t kListTime = 16;

// Adds what the document has in the first `n` lists, or gives up: then below the cutoff.
std::int32_t complete(Traversal& traversal, std::size_t n, std::uint32_t doc, std::int32_t score) {
    const auto lists = traversal.lists();
    const std::int32_t cutoff = traversal.cutoff();
    for (; n > 0 && score + traversal.bound_of_first(n) >= cutoff; --n) {
        lists[n - 1]->next_geq(doc);
        if (lists[n - 1]->doc() == doc) score += lists[n - 1]->score();
    }
    return n == 0 ? score : 0;
}

}  // namespace

void max_score(Traversal& traversal) {
    const WindowScores& window = traversal.window();
    for (std::size_t n_others = 0;;) {
        n_others = traversal.n_not_essential(n_others);
        const auto essential = traversal.lists().subspan(n_others);
        std::uint32_t first = kNoMoreDocuments;
        double density = 0;
        for (const PostingCursor* list : essential) {
            first = std::min(first, list->doc());
            density += list->density();
        }
        if (first == kNoMoreDocuments) return;
        if (density < WindowScores::kMaxSparse && traversal.lists().size() <= CoarseBounds::kMaxLists) {
            traversal.search_sparse(first);
            continue;
        }
        interruption_point(kListTime * essential.size());
        const std::size_t n_left = traversal.score_window(first, first + WindowScores::kWindow, false);
        for (std::size_t i = 0; i < window.size(); ++i) {
            if (i % kAtATime == 0) interruption_point(kAtATime * kListTime * n_left);
            if (!traversal.allows(window.doc(i))) continue;
            const std::int32_t score = complete(traversal, n_left, window.doc(i), window.score(i));
            if (score >= traversal.cutoff()) traversal.offer(window.doc(i), score);
        }
    }
}

}  // namespace thresher
