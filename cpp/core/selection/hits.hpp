// What a search writes: one row of k ids and scores for each query, best first.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace thresher {

inline constexpr std::int64_t kNoDocument = -1;

struct Hit {
    float score;
    std::uint32_t doc;
};

// Higher scores first; ties go to the smaller id.
inline bool better(const Hit& a, const Hit& b) noexcept {
    return a.score != b.score ? a.score > b.score : a.doc < b.doc;
}

// Borrowed arrays of shape (n_queries, k), row-major.
struct HitsView {
    std::size_t k = 0;
    std::span<std::int64_t> ids;
    std::span<float> scores;
    std::span<std::uint8_t> complete = {};  // shape (n_queries,), or empty where nobody asks; see set_complete

    // Writes the best k of `found` (which is reordered) as the query's row, padded with -1 and -inf.
    void write(std::size_t query, std::vector<Hit>& found) const {
        const std::size_t n = std::min(k, found.size());
        std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(n), found.end(), better);
        for (std::size_t rank = 0; rank < k; ++rank) {
            ids[query * k + rank] = rank < n ? static_cast<std::int64_t>(found[rank].doc) : kNoDocument;
            scores[query * k + rank] = rank < n ? found[rank].score : -std::numeric_limits<float>::infinity();
        }
    }

    // Whether the query's search ran to its end, rather than to a limit that it was given.
    void set_complete(std::size_t query, bool is_complete) const {
        if (!complete.empty()) complete[query] = is_complete ? 1 : 0;
    }
};

}  // namespace thresher
