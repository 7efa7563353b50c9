// Weights at the ends of float32 and anything between: every engine that is asked for the exact answer gives it, bit by
// bit, whichever of its ways of pruning a query takes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/block_max_index.hpp"
#include "engines/clustered_index.hpp"
#include "engines/exact_index.hpp"
#include "engines/impact_index.hpp"
#include "engines/postings_index.hpp"
#include "support/brute_force.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Hits;
using test::Random;
using test::Row;
using test::Rows;
using test::uniform;

constexpr std::int64_t kAll = std::int64_t{1} << 20;

struct Answer {
    std::string name;
    Hits hits;
};

template <class Engine, class Params>
Hits search_with(const Engine& index, const Rows& queries, std::size_t k, const Params& params) {
    Hits hits(queries.n_rows(), k);
    index.search(queries.view(), {k, 1, nullptr}, params, hits.view());
    return hits;
}

// Of every engine, at settings at which it is exact.
class Engines {
  public:
    explicit Engines(const Rows& docs)
        : exact_(ExactIndex::build(docs.view(), {.window = 64}, {.threads = 1})),
          postings_(PostingsIndex::build(docs.view(), {}, {.threads = 1})),
          impact_(ImpactIndex::build(docs.view(), {}, {.threads = 1})) {
        const auto shuffled = test::shuffled(docs.n_rows());
        for (const double frequency : {0.01, 1.0}) {
            for (const GivenOrder order : {GivenOrder(), GivenOrder(shuffled)}) {
                block_max_.push_back(BlockMaxIndex::build(docs.view(), {4, false, frequency, frequency},
                                                          {.order = order, .threads = 1}));
            }
            clustered_.push_back(ClusteredIndex::build(
                docs.view(), {.dense_frequency = frequency, .tile_frequency = frequency}, {.threads = 1}));
        }
    }

    std::vector<Answer> answers(const Rows& queries, std::size_t k) const {
        std::vector<Answer> all;
        all.push_back({"exact", test::search(*exact_, queries, k)});
        for (const std::string_view algorithm : PostingsSearchParams::kAlgorithms) {
            all.push_back({"postings, " + std::string(algorithm),
                           search_with(*postings_, queries, k, PostingsSearchParams{std::string(algorithm)})});
        }
        all.push_back({"impact", test::search(*impact_, queries, k)});
        for (const auto& index : block_max_) {
            for (const std::int64_t budget : {std::int64_t{0}, kAll}) {  // a budget: blocks, whatever is cheaper
                all.push_back({"block-max", search_with(*index, queries, k, BlockMaxSearchParams{1, 1, budget, 0})});
            }
        }
        for (const auto& index : clustered_) {
            all.push_back({"clustered", search_with(*index, queries, k, ClusteredSearchParams{0, 1, kAll, 0, 0})});
        }
        return all;
    }

  private:
    std::unique_ptr<ExactIndex> exact_;
    std::unique_ptr<PostingsIndex> postings_;
    std::unique_ptr<ImpactIndex> impact_;
    std::vector<std::unique_ptr<BlockMaxIndex>> block_max_;
    std::vector<std::unique_ptr<ClusteredIndex>> clustered_;
};

// All documents with a positive score, best first: scores are those sums, in some order, rounded to float32.
void expect_all(const test::BruteForce& truth, const Hits& hits, std::size_t query) {
    std::vector<float> found(truth.scores.size(), 0);
    for (std::size_t rank = 0; rank < hits.k && hits.ids[query * hits.k + rank] != kNoDocument; ++rank) {
        const std::size_t at = query * hits.k + rank;
        found[static_cast<std::size_t>(hits.ids[at])] = hits.scores[at];
        if (rank == 0) continue;
        ASSERT_TRUE(hits.scores[at] < hits.scores[at - 1] ||
                    (hits.scores[at] == hits.scores[at - 1] && hits.ids[at] > hits.ids[at - 1]));
    }
    for (std::size_t doc = 0; doc < found.size(); ++doc) {
        const double noise = 1e-14 * truth.magnitudes[doc];
        ASSERT_GE(found[doc], static_cast<float>(std::max(truth.scores[doc] - noise, 0.0))) << "document " << doc;
        ASSERT_LE(found[doc], static_cast<float>(std::max(truth.scores[doc] + noise, 0.0))) << "document " << doc;
    }
}

// `oracle`: whether every sum is exact in double, in any order.
void expect_exact(const Rows& docs, const Rows& queries, bool oracle) {
    const Engines engines(docs);
    const auto truth = test::brute_force(docs, queries);
    // All scores there are, which no engine prunes to find, in the order in which all of them add up.
    const Hits everything = engines.answers(queries, docs.n_rows()).front().hits;
    for (std::size_t query = 0; query < queries.n_rows(); ++query) {
        ASSERT_NO_FATAL_FAILURE(expect_all(truth[query], everything, query));
    }
    for (const std::size_t k : {std::size_t{1}, std::size_t{4}, std::size_t{17}}) {
        for (const auto& [name, hits] : engines.answers(queries, k)) {
            for (std::size_t query = 0; query < queries.n_rows(); ++query) {
                if (oracle) {
                    ASSERT_NO_FATAL_FAILURE(test::expect_identical(truth[query], hits, query)) << name << ", k " << k;
                }
                for (std::size_t rank = 0; rank < std::min(k, docs.n_rows()); ++rank) {
                    const std::size_t best = query * everything.k + rank;
                    ASSERT_EQ(hits.ids[query * k + rank], everything.ids[best])
                        << name << ", k " << k << ", query " << query << ", rank " << rank;
                    ASSERT_EQ(hits.scores[query * k + rank], everything.scores[best]) << name << ", k " << k;
                }
            }
        }
    }
}

// Of an exponent within the range, one for each term if `by_term`: the same weights, moved.
struct Exponents {
    int low;
    int high;
};

float weight(Random& random, const Exponents& exponents) {
    const auto exponent = static_cast<int>(uniform(random, exponents.low, exponents.high));
    const double mantissa = exponent <= -126 ? 1 : 1 + test::unit(random) * 0.99;
    return static_cast<float>(std::ldexp(mantissa, exponent));
}

Rows extreme_rows(Random& random, std::size_t n_rows, std::uint64_t n_terms, std::size_t length,
                  const Exponents& exponents, bool is_signed) {
    return test::random_rows(random, n_rows, n_terms, length, [&](Random& source) {
        return weight(source, exponents) * (is_signed ? test::random_sign(source) : 1.0F);
    });
}

constexpr Exponents kRanges[] = {{-149, -149}, {-149, -147}, {-149, -140}, {-149, -120}, {-130, -120}, {-149, 127},
                                 {-60, 60},    {100, 127},   {127, 127},   {0, 0},       {-149, 0},    {0, 127}};

TEST(ExtremeWeights, AreSearchedExactlyByEveryEngine) {
    Random random(1);
    for (const Exponents& of_docs : kRanges) {
        for (const Exponents& of_queries : kRanges) {
            const auto n_docs = static_cast<std::size_t>(uniform(random, 20, 120));
            const auto n_terms = static_cast<std::uint64_t>(uniform(random, 1, 40));
            const auto length = static_cast<std::size_t>(uniform(random, 1, 20));
            const Rows docs = extreme_rows(random, n_docs, n_terms, length, of_docs, false);
            Rows queries = extreme_rows(random, 3, n_terms, length, of_queries, false);
            ASSERT_NO_FATAL_FAILURE(expect_exact(docs, queries, false))
                << "documents 2^" << of_docs.low << " to 2^" << of_docs.high << ", queries 2^" << of_queries.low
                << " to 2^" << of_queries.high;
        }
    }
}

TEST(ExtremeWeights, AreSearchedExactlyWhereQueriesTakeAway) {
    Random random(2);
    for (const Exponents& of_docs : kRanges) {
        const Rows docs = extreme_rows(random, 80, 20, 8, of_docs, false);
        const Rows queries = extreme_rows(random, 6, 20, 8, {-3, 3}, true);
        ASSERT_NO_FATAL_FAILURE(expect_exact(docs, queries, false)) << "2^" << of_docs.low << " to 2^" << of_docs.high;
    }
}

// Many terms of the least weight there is, in documents of one block: a quantiser's error can't be told in float32.
TEST(ExtremeWeights, OfTheLeastSizeAddUp) {
    const float least = std::numeric_limits<float>::denorm_min();
    for (const std::uint32_t n_terms : {8U, 512U, 2000U}) {
        for (const std::uint32_t n_weights : {1U, 3U}) {
            Row all;
            Row query;
            for (std::uint32_t term = 0; term < n_terms; ++term) {
                all.emplace_back(term, least);
                query.emplace_back(term, 1e30F);
            }
            std::vector<Row> rows(4, all);
            for (std::uint32_t doc = 0; doc < 60; ++doc)
                rows.push_back({{doc % n_terms, least * static_cast<float>(1 + doc % n_weights)}});
            ASSERT_NO_FATAL_FAILURE(expect_exact(test::rows_of(n_terms, rows), test::rows_of(n_terms, {query}), true))
                << n_terms << " terms";
        }
    }
}

// Scores beyond float32 are all infinite: the smaller id is better.
TEST(ExtremeWeights, TieAtInfinity) {
    const Rows few = test::rows_of(1, {{{0, 1e30F}}, {}, {}, {{0, 1e38F}}});
    ASSERT_NO_FATAL_FAILURE(expect_exact(few, test::rows_of(1, {{{0, 1e30F}}}), true));
    for (const float query_weight : {1e30F, 1e20F, 3e38F}) {
        std::vector<Row> rows{{{0, 1e30F}}, {}, {}, {{0, 1e38F}}};
        for (std::uint32_t doc = 0; doc < 200; ++doc) {
            rows.push_back({{0, std::ldexp(1.0F, static_cast<int>(doc % 127))}, {1, 1e38F}});
        }
        rows.resize(700);  // most have no term: lists are sparse
        for (std::uint32_t doc = 0; doc < 40; ++doc) rows.push_back({{0, 1e8F + static_cast<float>(doc)}});
        const Rows queries = test::rows_of(2, {{{0, query_weight}}, {{0, query_weight}, {1, 1}}, {{1, 3e38F}}});
        ASSERT_NO_FATAL_FAILURE(expect_exact(test::rows_of(2, rows), queries, true)) << query_weight;
    }
}

// The scores of many documents are within a rounding of each other, on both sides of a float32.
TEST(ExtremeWeights, TieByRounding) {
    for (const float unit : {1.0F, 0x1p-140F, 0x1p90F}) {
        std::vector<Row> rows;
        for (std::uint32_t doc = 0; doc < 150; ++doc) {
            const auto spread = static_cast<float>((doc * 7919) % 64);
            rows.push_back({{0, unit * (1 << 6)}, {1, unit * (spread + 1)}});
        }
        const Rows queries = test::rows_of(2, {{{0, 0x1p20F}, {1, 1}}, {{0, 0x1p24F}, {1, 1}}, {{0, 0x1p30F}, {1, 1}}});
        ASSERT_NO_FATAL_FAILURE(expect_exact(test::rows_of(2, rows), queries, true)) << unit;
    }
}

// More documents than are kept tie, or are within the error of integer scores: one weight sets a term's step.
TEST(ExtremeWeights, OfOneDocumentHideThousands) {
    Random random(3);
    for (const float outlier : {1.0F, 0x1p10F, 0x1p20F}) {
        for (const std::int64_t n_weights : {1, 300}) {
            Rows docs;
            docs.n_terms = 3;
            for (std::uint32_t doc = 0; doc < 3000; ++doc) {
                const auto size = static_cast<float>(uniform(random, 1, n_weights)) / 256;
                const bool has_more = uniform(random, 0, 3) == 0;
                docs.add(has_more ? Row{{0, size}, {1, doc == 2500 ? outlier : size}, {2, 0.5F}} : Row{{0, size}});
            }
            docs.add(Row{{0, outlier}, {1, outlier}});
            const Rows queries = test::rows_of(
                3, {{{0, 1.0F}}, {{1, 1.0F}}, {{0, 1.0F}, {1, 2.0F}, {2, 1.0F}}, {{0, 1.0F}, {1, -0.5F}, {2, -1.0F}}});
            ASSERT_NO_FATAL_FAILURE(expect_exact(docs, queries, true)) << outlier << ", " << n_weights << " weights";
        }
    }
}

}  // namespace
}  // namespace thresher
