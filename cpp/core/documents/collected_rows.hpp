// Rows that come in parts, checked as they come: documents on their way into an index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../base/parallel.hpp"
#include "csr.hpp"

namespace thresher {

class CollectedRows {
  public:
    // Errors call the rows `name`.
    explicit CollectedRows(std::string name) : name_(std::move(name)) {}

    // Adds rows behind those that are there; the widest part decides the number of terms. Throws std::invalid_argument
    // as CanonicalCsr does, for rows counted within the part, and has then added none.
    void add(const CsrView& rows, unsigned threads, Progress& progress);

    std::size_t n_rows() const noexcept { return indptr_.size() - 1; }
    // Canonical rows; valid until the next `add`.
    CsrView view() const noexcept { return {n_terms_, indptr_, terms_, weights_}; }

  private:
    std::string name_;
    std::uint64_t n_terms_ = 0;
    std::vector<std::int64_t> indptr_{0};
    std::vector<std::uint32_t> terms_;
    std::vector<float> weights_;
};

}  // namespace thresher
