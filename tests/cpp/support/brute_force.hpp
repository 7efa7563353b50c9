// The oracle of search: every score in double precision, and the check of a row of hits against them.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/documents/csr.hpp"
#include "core/selection/hits.hpp"
#include "engines/index.hpp"
#include "support/random_rows.hpp"

namespace thresher::test {

enum class Sums { exact, rounded };  // whether the sums of the weights' products are exact in double

struct BruteForce {
    std::vector<double> scores;      // document -> inner product
    std::vector<double> magnitudes;  // document -> sum of the absolute products
};

// Rows need not be canonical.
BruteForce brute_force(const CsrView& docs, const CsrView& queries, std::size_t query);

// Of each query.
std::vector<BruteForce> brute_force(const Rows& docs, const Rows& queries);

// What a search writes into.
struct Hits {
    Hits(std::size_t n_queries, std::size_t columns)
        : k(columns), ids(n_queries * k, -2), scores(n_queries * k, -2), exact(n_queries, kNotTold) {}
    HitsView view() { return {.n_columns = k, .ids = ids, .scores = scores, .exact = exact}; }
    bool operator==(const Hits&) const = default;

    static constexpr std::uint8_t kNotTold = 9;

    std::size_t k;
    std::vector<std::int64_t> ids;
    std::vector<float> scores;
    std::vector<std::uint8_t> exact;
};

inline Hits search(const Index& index, const Rows& queries, std::size_t k, unsigned threads = 1) {
    Hits hits(queries.n_rows(), k);
    index.search(queries.view(), {k, threads, nullptr}, hits.view());
    return hits;
}

// One query after the other, each by a call of its own: `search_one(terms, weights, hits)`.
template <class SearchOne>
Hits one_by_one(const Rows& queries, std::size_t k, const SearchOne& search_one) {
    Hits hits(queries.n_rows(), k);
    for (std::size_t query = 0; query < queries.n_rows(); ++query) {
        search_one(queries.view().row_terms(query), queries.view().row_weights(query),
                   HitsView{.n_columns = k,
                            .ids = std::span(hits.ids).subspan(query * k, k),
                            .scores = std::span(hits.scores).subspan(query * k, k),
                            .exact = std::span(hits.exact).subspan(query, 1)});
    }
    return hits;
}

inline Hits search_one_by_one(const Index& index, const Rows& queries, std::size_t k) {
    return one_by_one(queries, k,
                      [&](auto terms, auto weights, const HitsView& hits) { index.search_one(terms, weights, hits); });
}

template <class Engine, class Params>
Hits search_one_by_one(const Engine& index, const Rows& queries, std::size_t k, const Params& params) {
    return one_by_one(queries, k, [&](auto terms, auto weights, const HitsView& hits) {
        index.search_one(terms, weights, params, hits);
    });
}

// The most groups of `size` documents stored side by side that one query's hits are of.
std::size_t most_groups(const Hits& hits, std::int64_t size, const std::vector<std::uint32_t>& positions);

// Whether a score is the true one, up to rounding; scores beyond float32 are infinite.
inline bool is_score(float score, double truth, double tolerance) {
    return score == static_cast<float>(truth) || std::fabs(static_cast<double>(score) - truth) <= tolerance;
}

// Whatever a search leaves out, what it returns is right: true scores, best first, each document once.
void expect_true_scores(const std::vector<BruteForce>& truth, const Hits& hits);

// Hits of `hits` that `best` has too.
std::size_t n_shared(const Hits& hits, const Hits& best);

// The fraction of the best hits that was found.
inline double recall(const Hits& hits, const Hits& best) {
    return static_cast<double>(n_shared(hits, best)) / static_cast<double>(n_shared(best, best));
}

// The exact answer, ties to the smaller id: for weights whose sums of products are exact in double.
void expect_identical(const BruteForce& truth, const Hits& hits, std::size_t query);

// The answer up to the rounding of sums: scores within 1e-5, and no better document left out.
void expect_top_k(const BruteForce& truth, const Hits& hits, std::size_t query);

void expect_exact(const BruteForce& truth, const Hits& hits, std::size_t query, Sums sums);

// That the hits of each query, as the index searches by itself, are the best there are.
void expect_exact(const Index& index, const Rows& queries, const std::vector<BruteForce>& truth, Sums sums,
                  const std::vector<std::size_t>& ks);

}  // namespace thresher::test
