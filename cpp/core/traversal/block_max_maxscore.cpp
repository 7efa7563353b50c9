// MaxScore with the bounds of blocks: Chakrabarti et al., *Interval-based Pruning for Top-k Processing over Compressed
// Lists*, ICDE 2011, for the intervals; Dimopoulos et al., *Optimizing Top-k Document Retrieval Strategies for
// Block-max Indexes*, WSDM 2013, for the bounds of single documents.
//
// As MaxScore, but lists are bounded anew in each window of documents, by the blocks that it touches, which may leave
// none essential; and before a document is completed, its bound is summed from the blocks that would hold it.
#include <algorithm>

#include "traversal.hpp"

namespace thresher {

namespace {

// Documents of a window: few enough that bounds differ from window to window.
constexpr std::uint32_t kWindow = 4096;
static_assert(kWindow <= WindowScores::kWindow);

// Documents between two interruption points, and about the nanoseconds that a list takes of one.
constexpr std::size_t kAtATime = 16;
constexpr std::size_t kListTime = 16;

// Adds what the document has in the first `n` lists, or gives up: then below the cutoff.
std::int32_t complete(Traversal& traversal, std::size_t n, std::uint32_t doc, std::int32_t score) {
    const auto others = traversal.lists().first(n);
    const std::int32_t cutoff = traversal.cutoff();
    std::int32_t bound = score;
    for (PostingCursor* list : others) {
        list->peek(doc);
        bound += list->peeked_bound();
    }
    for (std::size_t i = n; i > 0 && bound >= cutoff; --i) {
        PostingCursor& list = *others[i - 1];
        bound -= list.peeked_bound();
        list.next_geq(doc);
        if (list.doc() == doc) bound += list.score();
    }
    return bound;
}

}  // namespace

void block_max_maxscore(Traversal& traversal) {
    const auto lists = traversal.lists();
    const WindowScores& window = traversal.window();
    std::uint32_t n_docs = 0;
    for (const PostingCursor* list : lists) n_docs = std::max(n_docs, list->end());
    for (std::uint32_t first = 0; first < n_docs; first += kWindow) {
        interruption_point(kListTime * lists.size());
        traversal.narrow(first, first + kWindow);
        const std::size_t n_others = traversal.n_not_essential(0);
        if (n_others == lists.size()) continue;
        double density = 0;
        for (PostingCursor* list : lists.subspan(n_others)) {
            list->next_geq(first);
            density += list->density();
        }
        const std::size_t n_left = traversal.score_window(first, first + kWindow, density < WindowScores::kMaxSparse);
        for (std::size_t i = 0; i < window.size(); ++i) {
            if (i % kAtATime == 0) interruption_point(kAtATime * kListTime * n_left);
            if (!traversal.allows(window.doc(i))) continue;
            const std::int32_t score = complete(traversal, n_left, window.doc(i), window.score(i));
            if (score >= traversal.cutoff()) traversal.offer(window.doc(i), score);
        }
    }
}

}  // namespace thresher
