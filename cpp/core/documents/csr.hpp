// The check of sparse rows that makes them safe to build on.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "csr_view.hpp"

namespace thresher {

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
    CanonicalCsr(const CsrView& rows, std::string_view name, unsigned threads, Progress& progress);

    // The view points into this object and, for terms and weights, perhaps into the caller's arrays.
    const CsrView& view() const noexcept { return view_; }

    CanonicalCsr(const CanonicalCsr&) = delete;
    CanonicalCsr& operator=(const CanonicalCsr&) = delete;

  private:
    void canonicalise(std::string_view name, unsigned threads, Progress& progress);

    CsrView view_;
    std::array<std::int64_t, 2> one_row_{};  // a single row's, which takes no allocation
    LargeVector<std::int64_t> indptr_;
    LargeVector<std::uint32_t> terms_;
    LargeVector<float> weights_;
};

}  // namespace thresher
