// One search over several indexes, as if they were one: the segments of a collection that changes.
//
// Documents are numbered through: those of the first segment by their ids, then those of the second, and so on. The
// best k come out, ties by this number. Segments are searched one after the other, the largest first; what a query's
// k-th hit scores by then is what documents of the next must reach, so that the search there is short. The budgets that
// engines choose are for the whole, and divided by the segments' sizes; what a query leaves of a deadline in a segment
// is added to its deadline in the next.
//
// Invariant: exact segments together give what one exact index of all documents would. Where weights are off, in 8
// bits, hits are exact if their scores differ by more than that, those of different segments too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "../core/documents/csr_view.hpp"
#include "../core/selection/hits.hpp"
#include "../engines/index.hpp"
#include "../engines/search_options.hpp"

namespace thresher {

class Segments {
  public:
    // Borrows the indexes, of any engines and any numbers of terms. Throws std::invalid_argument if they have more
    // than 2^32 - 1 documents together, or one is null.
    explicit Segments(std::vector<const Index*> indexes);

    std::size_t n_docs() const noexcept { return starts_.back(); }
    // The number of each segment's first document, and behind the last one how many there are.
    std::span<const std::size_t> starts() const noexcept { return starts_; }

    // As Index::search. `allowed`: for each segment a selection for all queries, one for each, or none; in the place of
    // those of `options`, which has no selections. Throws std::invalid_argument as the segments do.
    void search(const CsrView& queries, const SearchOptions& options,
                std::span<const SearchOptions::Selections> allowed, const HitsView& hits) const;

  private:
    // What scores of each query must differ by for their order to be certain.
    std::vector<double> margins(const CsrView& queries) const;

    std::vector<const Index*> indexes_;
    std::vector<std::size_t> starts_;
    std::vector<std::size_t> by_size_;  // segments, the largest first
    float max_error_ = 0;               // of any segment's weights
};

}  // namespace thresher
