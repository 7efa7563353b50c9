// Rows that come in parts, checked as they come: documents on their way into an index. They are kept in memory, or in
// files, where they may be more than memory holds: 8 bytes a nonzero and 8 a row either way, of which a part is in
// memory twice while it is added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "../base/growing_array.hpp"
#include "../base/parallel.hpp"
#include "../base/scratch_files.hpp"
#include "csr.hpp"

namespace thresher {

class CollectedRows {
  public:
    // In memory if `files` is null. Throws FileError.
    explicit CollectedRows(const ScratchFiles* files = nullptr);

    // Adds rows behind those that are there; the widest part decides the number of terms. Throws std::invalid_argument
    // as CanonicalCsr does, which calls the part `name` and counts rows within it, or FileError, and has then added
    // none.
    void add(const CsrView& rows, std::string_view name, unsigned threads, Progress& progress);

    std::size_t n_rows() const noexcept { return indptr_.size() - 1; }
    // Canonical rows; valid until the next `add`. Throws FileError.
    CsrView view() const { return {n_terms_, indptr_.items(), terms_.items(), weights_.items()}; }

  private:
    void append(const CsrView& rows);

    std::uint64_t n_terms_ = 0;
    GrowingArray<std::int64_t> indptr_;
    GrowingArray<std::uint32_t> terms_;
    GrowingArray<float> weights_;
};

}  // namespace thresher
