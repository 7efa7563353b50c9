// Sparse rows as the caller gives them, and the check that makes them safe to build on.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "../base/parallel.hpp"

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

enum class Signs { non_negative, any };

// An element of an array that another thread may be writing to, which is read here and not again.
template <class T>
T read_once(const T& item) noexcept {
    return std::atomic_ref<T>(const_cast<T&>(item)).load(std::memory_order_relaxed);
}

// Throws std::invalid_argument: `name` are not the rows any more that were checked.
[[noreturn]] void reject_changed(std::string_view name);

// Rows whose terms ascend strictly, whose weights are finite and nonzero, and all of whose terms are < n_terms.
// Borrows the caller's terms and weights where they already are so; otherwise holds a sorted copy with duplicates
// summed and explicit zeros dropped. Where rows begin is copied: what is borrowed may change under whoever reads it,
// who must use no element before it is checked, and read none twice.
class CanonicalCsr {
  public:
    // Checks and canonicalises in one parallel pass. Throws std::invalid_argument naming `name`, the row and the value.
    CanonicalCsr(const CsrView& rows, Signs signs, std::string_view name, unsigned threads, Progress& progress);

    // The view points into this object and, for terms and weights, perhaps into the caller's arrays.
    const CsrView& view() const noexcept { return view_; }

    CanonicalCsr(const CanonicalCsr&) = delete;
    CanonicalCsr& operator=(const CanonicalCsr&) = delete;

  private:
    void canonicalise(std::string_view name, unsigned threads, Progress& progress);

    CsrView view_;
    std::array<std::int64_t, 2> one_row_{};  // a single row's, which takes no allocation
    std::vector<std::int64_t> indptr_;
    std::vector<std::uint32_t> terms_;
    std::vector<float> weights_;
};

}  // namespace thresher
