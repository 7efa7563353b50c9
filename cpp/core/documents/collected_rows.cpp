#include "collected_rows.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace thresher {

CollectedRows::CollectedRows(const ScratchFiles* files) : indptr_(files), terms_(files), weights_(files) {
    constexpr std::array<std::int64_t, 1> kFirst{0};
    indptr_.append(kFirst);
}

void CollectedRows::add(const CsrView& rows, std::string_view name, unsigned threads, Progress& progress) {
    const CanonicalCsr canonical(rows, name, threads, progress);
    const std::size_t n_rows = indptr_.size();
    const std::size_t nnz = terms_.size();
    try {
        append(canonical.view());
    } catch (...) {
        indptr_.truncate(n_rows);
        terms_.truncate(nnz);
        weights_.truncate(nnz);
        throw;
    }
    n_terms_ = std::max(n_terms_, rows.n_terms);
}

// Rows that change meanwhile are found out when an index is built of them, which checks all rows.
void CollectedRows::append(const CsrView& rows) {
    indptr_.reserve(rows.n_rows());
    terms_.reserve(rows.nnz());
    weights_.reserve(rows.nnz());
    const auto shift = static_cast<std::int64_t>(terms_.size());
    std::vector<std::int64_t> ends(rows.n_rows());
    std::transform(rows.indptr.begin() + 1, rows.indptr.end(), ends.begin(),
                   [shift](std::int64_t end) { return end + shift; });
    indptr_.append(ends);
    terms_.append(rows.terms);
    weights_.append(rows.weights);
}

}  // namespace thresher
