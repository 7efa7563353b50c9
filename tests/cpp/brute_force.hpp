// The oracle of search: every score in double precision, and the check of a row of hits against them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <set>
#include <unordered_map>
#include <vector>

#include "core/csr.hpp"
#include "core/hits.hpp"
#include "engines/index.hpp"
#include "random_rows.hpp"

namespace thresher::test {

struct BruteForce {
    std::vector<double> scores;      // document -> inner product
    std::vector<double> magnitudes;  // document -> sum of the absolute products
};

// Rows need not be canonical.
inline BruteForce brute_force(const CsrView& docs, const CsrView& queries, std::size_t query) {
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

// What a search writes into.
struct Hits {
    Hits(std::size_t n_queries, std::size_t columns) : k(columns), ids(n_queries * k, -2), scores(n_queries * k, -2) {}
    HitsView view() { return {k, ids, scores}; }
    bool operator==(const Hits&) const = default;

    std::size_t k;
    std::vector<std::int64_t> ids;
    std::vector<float> scores;
};

inline Hits search(const Index& index, const Rows& queries, std::size_t k, unsigned threads = 1) {
    Hits hits(queries.n_rows(), k);
    index.search(queries.view(), {k, threads, nullptr}, hits.view());
    return hits;
}

// The exact answer, ties to the smaller id: for weights whose sums of products are exact in double.
inline void expect_identical(const BruteForce& truth, const Hits& hits, std::size_t query) {
    std::vector<std::size_t> order(truth.scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return static_cast<float>(truth.scores[a]) > static_cast<float>(truth.scores[b]);
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

// The answer up to the rounding of sums: scores within 1e-5, and no better document left out.
inline void expect_top_k(const BruteForce& truth, const Hits& hits, std::size_t query) {
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
        ASSERT_NEAR(static_cast<double>(scores[rank]), truth.scores[doc],
                    1e-5 * std::fabs(truth.scores[doc]) + noise(doc) + 1e-44)
            << "query " << query << " document " << doc;
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

}  // namespace thresher::test
