// What a search writes: for each query the best documents, best first, and whether they are the best for certain.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
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

// Borrowed: where a search writes to. Either rows of so many columns, or all hits of each query however many they are,
// or just their number.
struct HitsView {
    std::size_t n_columns = 0;
    std::span<std::int64_t> ids = {};    // shape (n_queries, n_columns), row-major
    std::span<float> scores = {};        // the same
    std::span<std::uint8_t> exact = {};  // shape (n_queries,): 1 if it is proven that no better document was left out
    std::span<std::vector<Hit>> rows = {};  // shape (n_queries,), or empty
    std::span<std::uint64_t> counts = {};   // the same

    // Writes the best of `found` (which is reordered) as the query's, a row padded with -1 and -inf.
    void write(std::size_t query, std::vector<Hit>& found, bool is_exact) const {
        exact[query] = is_exact ? 1 : 0;
        if (!counts.empty()) {
            counts[query] = found.size();
        } else if (!rows.empty()) {
            std::sort(found.begin(), found.end(), better);
            rows[query].assign(found.begin(), found.end());
        } else {
            write_row(query, found);
        }
    }
    // Hits of the query, once it is written.
    std::size_t n_hits(std::size_t query) const {
        if (!counts.empty()) return counts[query];
        if (!rows.empty()) return rows[query].size();
        const auto row = ids.subspan(query * n_columns, n_columns);
        return static_cast<std::size_t>(std::find(row.begin(), row.end(), kNoDocument) - row.begin());
    }
    // Of the query's hit at `rank`, which is there.
    float score(std::size_t query, std::size_t rank) const {
        return rows.empty() ? scores[query * n_columns + rank] : rows[query][rank].score;
    }
    // Whether scores that are off by half of `margin` leave no doubt about the order of the query's hits, nor about
    // what was left out, of which the best scores `left_out`.
    bool are_certain(std::size_t query, double margin, float left_out) const {
        const std::size_t n = n_hits(query);
        for (std::size_t rank = 0; rank < n; ++rank) {
            const float next = rank + 1 < n ? score(query, rank + 1) : left_out;
            if (!(static_cast<double>(score(query, rank)) - static_cast<double>(next) > margin)) return false;
        }
        return true;
    }

  private:
    void write_row(std::size_t query, std::vector<Hit>& found) const {
        const std::size_t n = std::min(n_columns, found.size());
        std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(n), found.end(), better);
        for (std::size_t rank = 0; rank < n_columns; ++rank) {
            ids[query * n_columns + rank] = rank < n ? static_cast<std::int64_t>(found[rank].doc) : kNoDocument;
            scores[query * n_columns + rank] = rank < n ? found[rank].score : -std::numeric_limits<float>::infinity();
        }
    }
};

}  // namespace thresher
