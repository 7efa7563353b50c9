#include "support/brute_force.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <unordered_map>

namespace thresher::test {

BruteForce brute_force(const CsrView& docs, const CsrView& queries, std::size_t query) {
    std::unordered_map<std::uint32_t, double> weights;
    for (std::size_t i = 0; i < queries.row_size(query); ++i) {
        weights[queries.row_terms(query)[i]] += static_cast<double>(queries.row_weights(query)[i]);
    }
    BruteForce result;
    for (std::size_t doc = 0; doc < docs.n_rows(); ++doc) {
        double score = 0;
        double magnitude = 0;
        for (std::size_t i = 0; i < docs.row_size(doc); ++i) {
            const auto found = weights.find(docs.row_terms(doc)[i]);
            if (found == weights.end()) continue;
            const double product = found->second * static_cast<double>(docs.row_weights(doc)[i]);
            score += product;
            magnitude += std::fabs(product);
        }
        result.scores.push_back(score);
        result.magnitudes.push_back(magnitude);
    }
    return result;
}

std::vector<BruteForce> brute_force(const Rows& docs, const Rows& queries) {
    std::vector<BruteForce> all;
    for (std::size_t query = 0; query < queries.n_rows(); ++query) {
        all.push_back(brute_force(docs.view(), queries.view(), query));
    }
    return all;
}

std::size_t most_groups(const Hits& hits, std::int64_t size, const std::vector<std::uint32_t>& positions) {
    std::size_t max = 0;
    for (std::size_t first = 0; first < hits.ids.size(); first += hits.k) {
        std::set<std::int64_t> groups;
        for (std::size_t at = first; at < first + hits.k; ++at) {
            if (hits.ids[at] != kNoDocument) groups.insert(positions[static_cast<std::size_t>(hits.ids[at])] / size);
        }
        max = std::max(max, groups.size());
    }
    return max;
}

void expect_true_scores(const std::vector<BruteForce>& truth, const Hits& hits) {
    for (std::size_t query = 0; query < truth.size(); ++query) {
        std::set<std::int64_t> seen;
        bool ended = false;
        for (std::size_t at = query * hits.k; at < (query + 1) * hits.k; ++at) {
            ended = ended || hits.ids[at] == kNoDocument;
            if (ended) {
                ASSERT_EQ(hits.ids[at], kNoDocument) << "query " << query;
                ASSERT_EQ(hits.scores[at], -std::numeric_limits<float>::infinity()) << "query " << query;
                continue;
            }
            ASSERT_TRUE(seen.insert(hits.ids[at]).second) << "query " << query << " document " << hits.ids[at];
            const auto doc = static_cast<std::size_t>(hits.ids[at]);
            ASSERT_GT(hits.scores[at], 0);
            ASSERT_TRUE(is_score(hits.scores[at], truth[query].scores[doc],
                                 1e-6 * truth[query].scores[doc] + 1e-12 * truth[query].magnitudes[doc] + 1e-44))
                << "query " << query << " document " << doc << ": " << hits.scores[at];
            ASSERT_TRUE(at == query * hits.k || hits.scores[at] < hits.scores[at - 1] ||
                        (hits.scores[at] == hits.scores[at - 1] && hits.ids[at] > hits.ids[at - 1]))
                << "query " << query << " is out of order";
        }
    }
}

std::size_t n_shared(const Hits& hits, const Hits& best) {
    std::size_t n = 0;
    for (std::size_t first = 0; first < hits.ids.size(); first += hits.k) {
        const auto of = [&](const Hits& all) { return std::span(all.ids).subspan(first, hits.k); };
        for (const std::int64_t id : of(hits)) {
            n += id != kNoDocument && std::count(of(best).begin(), of(best).end(), id) != 0;
        }
    }
    return n;
}

void expect_identical(const BruteForce& truth, const Hits& hits, std::size_t query) {
    std::vector<std::size_t> order(truth.scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto best = order.begin() + static_cast<std::ptrdiff_t>(std::min(hits.k, order.size()));
    std::partial_sort(order.begin(), best, order.end(), [&](std::size_t a, std::size_t b) {
        const auto score_of_a = static_cast<float>(truth.scores[a]);
        const auto score_of_b = static_cast<float>(truth.scores[b]);
        return score_of_a != score_of_b ? score_of_a > score_of_b : a < b;
    });
    for (std::size_t rank = 0; rank < hits.k; ++rank) {
        const bool any = rank < order.size() && static_cast<float>(truth.scores[order[rank]]) > 0;
        const std::size_t at = query * hits.k + rank;
        ASSERT_EQ(hits.ids[at], any ? static_cast<std::int64_t>(order[rank]) : kNoDocument)
            << "query " << query << " rank " << rank;
        ASSERT_EQ(hits.scores[at],
                  any ? static_cast<float>(truth.scores[order[rank]]) : -std::numeric_limits<float>::infinity())
            << "query " << query << " rank " << rank;
    }
}

void expect_top_k(const BruteForce& truth, const Hits& hits, std::size_t query) {
    const auto noise = [&](std::size_t doc) { return 1e-12 * truth.magnitudes[doc]; };
    const auto* ids = hits.ids.data() + query * hits.k;
    const auto* scores = hits.scores.data() + query * hits.k;
    std::size_t n = 0;
    while (n < hits.k && ids[n] != kNoDocument) ++n;
    for (std::size_t rank = n; rank < hits.k; ++rank) {
        ASSERT_EQ(ids[rank], kNoDocument) << "query " << query << " rank " << rank;
        ASSERT_EQ(scores[rank], -std::numeric_limits<float>::infinity()) << "query " << query << " rank " << rank;
    }
    std::set<std::int64_t> returned;
    for (std::size_t rank = 0; rank < n; ++rank) {
        ASSERT_GE(ids[rank], 0);
        ASSERT_LT(static_cast<std::size_t>(ids[rank]), truth.scores.size());
        ASSERT_TRUE(returned.insert(ids[rank]).second) << "document " << ids[rank] << " twice";
        const auto doc = static_cast<std::size_t>(ids[rank]);
        ASSERT_GT(scores[rank], 0);
        ASSERT_TRUE(is_score(scores[rank], truth.scores[doc], 1e-5 * std::fabs(truth.scores[doc]) + noise(doc) + 1e-44))
            << "query " << query << " document " << doc << ": " << scores[rank];
        if (rank == 0) continue;
        ASSERT_TRUE(scores[rank - 1] > scores[rank] || (scores[rank - 1] == scores[rank] && ids[rank - 1] < ids[rank]))
            << "query " << query << " rank " << rank << " is out of order";
    }
    for (std::size_t doc = 0; doc < truth.scores.size(); ++doc) {
        if (returned.contains(static_cast<std::int64_t>(doc))) continue;
        const bool positive = truth.scores[doc] > noise(doc) && static_cast<float>(truth.scores[doc]) > 0;
        if (!positive) continue;
        ASSERT_EQ(n, hits.k) << "query " << query << ": document " << doc << " scores " << truth.scores[doc]
                             << ", but is not among fewer than k hits";
        const auto last = static_cast<double>(scores[n - 1]);
        ASSERT_LE(truth.scores[doc], last + 1e-5 * last + noise(doc) + 1e-44)
            << "query " << query << " lacks document " << doc;
    }
}

void expect_exact(const BruteForce& truth, const Hits& hits, std::size_t query, Sums sums) {
    if (sums == Sums::exact) {
        ASSERT_NO_FATAL_FAILURE(expect_identical(truth, hits, query)) << "k " << hits.k;
    } else {
        ASSERT_NO_FATAL_FAILURE(expect_top_k(truth, hits, query)) << "k " << hits.k;
    }
}

void expect_exact(const Index& index, const Rows& queries, const std::vector<BruteForce>& truth, Sums sums,
                  const std::vector<std::size_t>& ks) {
    for (const std::size_t k : ks) {
        const Hits hits = search(index, queries, k);
        for (std::size_t query = 0; query < queries.n_rows(); ++query) {
            ASSERT_NO_FATAL_FAILURE(expect_exact(truth[query], hits, query, sums));
        }
    }
}

}  // namespace thresher::test
