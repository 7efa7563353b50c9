#include "collected_rows.hpp"

#include <algorithm>

namespace thresher {

void CollectedRows::add(const CsrView& rows, unsigned threads, Progress& progress) {
    const CanonicalCsr canonical(rows, name_, threads, progress);
    const CsrView& part = canonical.view();
    // Room first, so that nothing can fail between the three; doubling, so that many small parts cost no more than one.
    const auto make_room = [](auto& vector, std::size_t more) {
        if (vector.capacity() - vector.size() < more) {
            vector.reserve(std::max(vector.size() + more, 2 * vector.size()));
        }
    };
    make_room(indptr_, part.n_rows());
    make_room(terms_, part.nnz());
    make_room(weights_, part.nnz());
    const auto shift = static_cast<std::int64_t>(terms_.size());
    for (std::size_t row = 0; row < part.n_rows(); ++row) indptr_.push_back(part.indptr[row + 1] + shift);
    // Rows that change meanwhile are found out when an index is built of them, which checks all rows.
    terms_.insert(terms_.end(), part.terms.begin(), part.terms.end());
    weights_.insert(weights_.end(), part.weights.begin(), part.weights.end());
    n_terms_ = std::max(n_terms_, rows.n_terms);
}

}  // namespace thresher
