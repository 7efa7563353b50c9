// Recall against the exact answers, ties counted as right.
//
// A document that was returned is right if it is one of the exact best k, or if its true score reaches the k-th of
// them: of documents with equal scores, any will do. That is never less than what the BigANN sparse track counts, which
// cuts its ground truth off behind k, and so knows of no ties there. Documents that score 0 or less are not to be
// found: no engine returns them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>

#include "bigann_files.hpp"
#include "core/documents/csr.hpp"
#include "engines/index.hpp"

namespace thresher::bench {

// How far, as a fraction of it, a score may lie below the k-th and still be equal: two orders of summation differ by
// less.
inline constexpr double kTolerance = 1e-5;

// The true score of a document for a query.
using ScoreOf = std::function<double(std::size_t query, std::int64_t doc)>;

// The fraction of the exact best k that `ids`, shape (n_queries, k) and padded with -1, holds. A document returned
// twice counts once. k <= truth.k. Throws std::invalid_argument if there is nothing to be found.
double recall_at_k(const GroundTruth& truth, std::size_t k, std::span<const std::int64_t> ids, const ScoreOf& score_of);

// Scores in double precision from the weights that an index holds, whatever its searches said.
class StoredScores {
  public:
    // Borrows both.
    StoredScores(const Index& index, const CsrView& queries) : index_(index), queries_(queries) {}
    double operator()(std::size_t query, std::int64_t doc);

  private:
    const Index& index_;
    const CsrView& queries_;
    std::unordered_map<std::uint32_t, double> weights_;  // of query current_
    std::size_t current_ = SIZE_MAX;
};

}  // namespace thresher::bench
