#include "recall.hpp"

#include <algorithm>
#include <stdexcept>
#include <unordered_set>

namespace thresher::bench {

double recall_at_k(const GroundTruth& truth, std::size_t k, std::span<const std::int64_t> ids,
                   const ScoreOf& score_of) {
    std::size_t all_wanted = 0;
    std::size_t all_right = 0;
    for (std::size_t query = 0; query < truth.n_queries; ++query) {
        const auto best = truth.ids.subspan(query * truth.k, k);
        const auto scores = truth.scores.subspan(query * truth.k, k);
        std::size_t wanted = 0;
        while (wanted < k && best[wanted] >= 0 && scores[wanted] > 0) ++wanted;
        if (wanted == 0) continue;
        all_wanted += wanted;
        const double lowest = static_cast<double>(scores[wanted - 1]) * (1 - kTolerance);
        const std::unordered_set<std::int64_t> exact(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(wanted));
        const auto row = ids.subspan(query * k, k);
        const std::unordered_set<std::int64_t> found(row.begin(), row.end());
        std::size_t right = 0;
        for (const std::int64_t doc : found) {
            if (doc >= 0 && (exact.contains(doc) || score_of(query, doc) >= lowest)) ++right;
        }
        all_right += std::min(right, wanted);
    }
    if (all_wanted == 0) throw std::invalid_argument("the ground truth holds nothing to be found: there is no recall");
    return static_cast<double>(all_right) / static_cast<double>(all_wanted);
}

double StoredScores::operator()(std::size_t query, std::int64_t doc) {
    if (query != current_) {
        weights_.clear();
        for (std::size_t i = 0; i < queries_.row_size(query); ++i) {
            weights_[queries_.row_terms(query)[i]] += static_cast<double>(queries_.row_weights(query)[i]);
        }
        current_ = query;
    }
    const auto row = index_.vectors({&doc, 1});
    double score = 0;
    for (std::size_t i = 0; i < row.terms.size(); ++i) {
        const auto found = weights_.find(row.terms[i]);
        if (found != weights_.end()) score += found->second * static_cast<double>(row.weights[i]);
    }
    return score;
}

}  // namespace thresher::bench
