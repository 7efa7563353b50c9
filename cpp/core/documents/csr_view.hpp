// Sparse rows as the caller gives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace thresher {

// Compressed sparse rows: row r holds (terms[p], weights[p]) for p in [indptr[r], indptr[r + 1]).
struct CsrView {
    std::uint64_t n_terms = 0;  // columns
    std::span<const std::int64_t> indptr;
    std::span<const std::uint32_t> terms;
    std::span<const float> weights;

    std::size_t n_rows() const noexcept { return indptr.empty() ? 0 : indptr.size() - 1; }
    std::size_t nnz() const noexcept { return terms.size(); }
    std::span<const std::uint32_t> row_terms(std::size_t row) const noexcept {
        return terms.subspan(static_cast<std::size_t>(indptr[row]), row_size(row));
    }
    std::span<const float> row_weights(std::size_t row) const noexcept {
        return weights.subspan(static_cast<std::size_t>(indptr[row]), row_size(row));
    }
    std::size_t row_size(std::size_t row) const noexcept {
        return static_cast<std::size_t>(indptr[row + 1] - indptr[row]);
    }
};

}  // namespace thresher
