// BlockMaxIndex against a brute force in double precision. Small collections are searched exhaustively unless a search
// parameter is given, so that pruning is forced here by a budget that no search exhausts.
#include "engines/block_max_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/storage/index_file.hpp"
#include "engines/registry.hpp"
#include "support/brute_force.hpp"
#include "support/error_of.hpp"
#include "support/parameters_of.hpp"
#include "support/random_rows.hpp"
#include "support/recording_monitor.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::brute_force;
using test::BruteForce;
using test::Cancelled;
using test::error_of;
using test::expect_true_scores;
using test::Hits;
using test::most_groups;
using test::Random;
using test::RecordingMonitor;
using test::Row;
using test::Rows;
using test::rows_of;
using test::shuffled;
using test::signed_dyadic;
using test::signed_real;
using test::TemporaryDirectory;

const BlockMaxSearchParams kPruned{.block_budget = std::int64_t{1} << 40};

struct Case {
    BlockMaxParams params;
    bool shuffled;  // whether an order is given
};
const std::vector<Case> kCases{
    {{4, false, 0.01, 0.06}, false}, {{4, true, 0.01, 0.06}, false}, {{8, false, 1e-9, 1e-9}, true},
    {{8, false, 1.0, 1.0}, false},   {{16, false, 0.05, 1.0}, true}, {{32, true, 0.1, 0.02}, false},
    {{64, false, 1e-9, 0.3}, false}, {{64, true, 0.3, 1e-9}, false},
};

using Order = std::optional<std::span<const std::uint32_t>>;

std::unique_ptr<BlockMaxIndex> build(const Rows& docs, const BlockMaxParams& params = {4, false, 0.01, 0.06},
                                     Order order = std::nullopt, unsigned threads = 1) {
    return BlockMaxIndex::build(docs.view(), params, order, threads, nullptr);
}

Hits search(const BlockMaxIndex& index, const Rows& queries, std::size_t k, const BlockMaxSearchParams& params,
            unsigned threads = 1) {
    Hits hits(queries.n_rows(), k);
    index.search(queries.view(), {k, threads, nullptr}, params, hits.view());
    return hits;
}

enum class Sums { exact, rounded };  // whether the sums of the weights' products are exact in double

void expect_right(const BlockMaxIndex& index, const Rows& queries, const std::vector<BruteForce>& truth, Sums sums) {
    for (const std::size_t k : {std::size_t{1}, std::size_t{10}, std::size_t{100}, index.n_docs() + 5}) {
        const Hits pruned = search(index, queries, k, kPruned);
        ASSERT_EQ(test::search(index, queries, k), pruned) << "by default, k " << k;
        const Hits nearly = search(index, queries, k, {.alpha = 1 - 1e-12});
        for (std::size_t query = 0; query < queries.n_rows(); ++query) {
            ASSERT_NO_FATAL_FAILURE(test::expect_top_k(truth[query], pruned, query)) << "k " << k;
            ASSERT_NO_FATAL_FAILURE(test::expect_top_k(truth[query], nearly, query)) << "alpha 1 - 1e-12, k " << k;
            if (sums == Sums::rounded) continue;
            ASSERT_NO_FATAL_FAILURE(test::expect_identical(truth[query], pruned, query)) << "k " << k;
        }
    }
}

void expect_right(const Rows& docs, const Rows& queries, Sums sums) {
    const auto truth = brute_force(docs, queries);
    const auto order = shuffled(docs.n_rows());
    for (const auto& [params, is_shuffled] : kCases) {
        SCOPED_TRACE("blocks of " + std::to_string(params.block_size) + ", bound_frequency " +
                     std::to_string(params.bound_frequency) + ", reorder " + std::to_string(params.reorder));
        const auto index = build(docs, params, is_shuffled ? Order(order) : std::nullopt);
        ASSERT_NO_FATAL_FAILURE(expect_right(*index, queries, truth, sums));
    }
}

TEST(BlockMaxIndex, AgreesWithBruteForceOnExactSums) {
    Random random(1);
    for (const std::size_t n_docs : {1, 2, 7, 64, 65, 513, 1500}) {
        const Rows docs = test::random_rows(random, n_docs, 300, 8, test::dyadic_weight);
        expect_right(docs, test::random_rows(random, 6, 300, 6, test::dyadic_weight), Sums::exact);
        expect_right(docs, test::random_rows(random, 6, 300, 6, signed_dyadic), Sums::exact);
    }
}

TEST(BlockMaxIndex, AgreesWithBruteForceOnRealWeights) {
    Random random(2);
    for (const std::size_t n_docs : {50, 1500}) {
        const Rows docs = test::random_rows(random, n_docs, 300, 10, test::real_weight);
        expect_right(docs, test::random_rows(random, 8, 300, 8, test::real_weight), Sums::rounded);
        expect_right(docs, test::random_rows(random, 8, 300, 8, signed_real), Sums::rounded);
    }
}

TEST(BlockMaxIndex, AgreesWithBruteForceOverManySuperblocks) {
    Random random(3);
    const Rows docs = test::random_rows(random, 70000, 3000, 5, test::dyadic_weight);  // two windows, 137 superblocks
    const Rows queries = test::random_rows(random, 8, 3000, 8, signed_dyadic);
    const auto truth = brute_force(docs, queries);
    const auto order = shuffled(docs.n_rows());
    for (const double bound_frequency : {0.01, 1.0}) {
        const BlockMaxParams params{4, false, bound_frequency, 0.06};
        ASSERT_NO_FATAL_FAILURE(expect_right(*build(docs, params), queries, truth, Sums::exact));
        ASSERT_NO_FATAL_FAILURE(expect_right(*build(docs, params, order), queries, truth, Sums::exact));
    }
}

TEST(BlockMaxIndex, OfQueriesWithNegativeWeightsOnly) {
    Random random(4);
    const auto negative = [](Random& source) { return -test::dyadic_weight(source); };
    const Rows docs = test::random_rows(random, 700, 50, 6, test::dyadic_weight);
    expect_right(docs, test::random_rows(random, 6, 50, 5, negative), Sums::exact);
}

TEST(BlockMaxIndex, PutsSmallerIdsFirstAmongTies) {
    Random random(5);
    const Rows originals = test::random_rows(random, 12, 40, 5, test::dyadic_weight);
    Rows docs;
    docs.n_terms = 40;
    for (int copy = 0; copy < 60; ++copy) {
        for (std::size_t r = 0; r < originals.n_rows(); ++r) {
            Row row;
            for (std::size_t i = 0; i < originals.view().row_size(r); ++i) {
                row.emplace_back(originals.view().row_terms(r)[i], originals.view().row_weights(r)[i]);
            }
            docs.add(row);
        }
    }
    expect_right(docs, test::random_rows(random, 6, 40, 5, signed_dyadic), Sums::exact);
}

TEST(BlockMaxIndex, PutsSmallerIdsFirstAmongScoresThatRoundToTheSameFloat) {
    Rows docs;
    docs.n_terms = 2;
    for (int doc = 0; doc < 700; ++doc) {
        docs.add(Row{{0, 1.0F}, {1, static_cast<float>(doc % 7) * 0x1p-30F + 0x1p-40F}});
    }
    expect_right(docs, rows_of(2, {{{0, 1.0F}, {1, 1.0F}}, {{0, 1.0F}, {1, -1.0F}}}), Sums::exact);
}

TEST(BlockMaxIndex, OfEqualWeightsAndOfEqualDocuments) {
    Random random(6);
    const auto one = [](Random&) { return 1.0F; };
    const Rows docs = test::random_rows(random, 1000, 60, 6, one);
    expect_right(docs, test::random_rows(random, 8, 60, 4, one), Sums::exact);
    expect_right(docs, rows_of(60, {{{0, -1.0F}, {1, 1.0F}}, {{0, 1e-30F}}, {{0, 1e30F}, {5, 1e30F}}}), Sums::rounded);
    const Rows same = rows_of(9, std::vector<Row>(700, Row{{1, 2.0F}, {4, 0.5F}, {8, 0.125F}}));
    expect_right(same, rows_of(9, {{{1, 1.0F}}, {{4, 1.0F}, {8, -1.0F}}, {{1, 1.0F}, {4, -4.0F}}, {}}), Sums::exact);
}

TEST(BlockMaxIndex, OfOneHugeWeight) {
    Random random(7);
    Rows docs = test::random_rows(random, 800, 60, 6, test::real_weight);
    docs.weights[docs.weights.size() / 2] = 1e30F;  // its term's other weights all become impact 1
    docs.weights[docs.weights.size() / 3] = 1e-38F;
    const Rows queries = test::random_rows(random, 10, 60, 12, signed_real);
    expect_right(docs, queries, Sums::rounded);
    expect_right(docs,
                 rows_of(60, {{{0, 1e-6F}, {1, 1e6F}, {2, 1e-3F}, {50, 1.0F}},
                              {{0, 1e-6F}, {1, -1e6F}, {2, 1e-3F}, {50, 1.0F}},
                              {{0, 1e-20F}, {1, -1e15F}, {3, -1e-20F}}}),
                 Sums::rounded);
}

TEST(BlockMaxIndex, OfWeightsOfEveryMagnitude) {
    Random random(8);
    const auto any = [](Random& source) {
        return std::ldexp(1.0F + static_cast<float>(test::unit(source)),
                          static_cast<int>(test::uniform(source, -60, 60)));
    };
    const auto subnormal = [](Random& source) {
        return static_cast<float>(test::uniform(source, 1, 100)) * std::numeric_limits<float>::denorm_min();
    };
    const auto largest = [](Random& source) {
        return 0x1p120F * static_cast<float>(1 + test::unit(source));  // sums of a few products stay finite
    };
    const Rows queries = test::random_rows(random, 5, 80, 6, any);
    expect_right(test::random_rows(random, 600, 80, 6, any), queries, Sums::rounded);
    expect_right(test::random_rows(random, 600, 80, 6, subnormal), queries, Sums::rounded);
    expect_right(test::random_rows(random, 600, 80, 6, largest), test::random_rows(random, 5, 80, 6, test::real_weight),
                 Sums::rounded);
}

TEST(BlockMaxIndex, OfATermInEveryDocument) {
    Random random(9);
    Rows docs;
    docs.n_terms = 50;
    for (int doc = 0; doc < 900; ++doc) {
        auto row = test::random_row(random, 50, 4, test::dyadic_weight);
        row[49] = test::dyadic_weight(random);
        docs.add(row);
    }
    expect_right(docs, rows_of(50, {{{49, 1.0F}}, {{49, -1.0F}}, {{49, 0.5F}, {3, -2.0F}}, {{49, -0.25F}, {0, 1.0F}}}),
                 Sums::exact);
}

TEST(BlockMaxIndex, OfEmptyRowsAndEmptyColumns) {
    Rows docs;
    docs.n_terms = 100;
    for (int doc = 0; doc < 300; ++doc) {
        docs.add(doc % 3 == 0 ? Row{{10, 1.0F + static_cast<float>(doc)}, {90, 1.0F}} : Row{});
    }
    expect_right(docs,
                 rows_of(100, {{}, {{0, 1.0F}}, {{10, 1.0F}}, {{10, -1.0F}, {90, 200.0F}}, {{5, 1.0F}, {90, 1.0F}}}),
                 Sums::exact);
    for (const std::uint64_t n_terms : {0, 1, 5}) {
        for (const std::size_t n_docs : {0, 1, 3}) {
            for (const bool reorder : {false, true}) {
                const auto index = build(rows_of(n_terms, std::vector<Row>(n_docs)), {0, reorder, 0.01, 0.06});
                const Hits hits = search(*index, rows_of(n_terms, {{}, {}}), 2, kPruned);
                EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{-1, -1, -1, -1}));
            }
        }
    }
}

TEST(BlockMaxIndex, OfBoundsThatSaturate) {
    Random random(10);
    Rows docs;  // 60 frequent terms, at most 15 * 127 each
    docs.n_terms = 60;
    for (int doc = 0; doc < 1500; ++doc) {
        Row row;
        for (std::uint32_t term = 0; term < 60; ++term) {
            if (test::uniform(random, 0, 9) != 0) row.emplace_back(term, 8.0F + test::dyadic_weight(random) / 4);
        }
        docs.add(row);
    }
    Rows queries = test::random_rows(random, 3, 60, 200, [](Random&) { return 1.0F; });
    queries.add(test::random_row(random, 60, 1000, test::dyadic_weight));
    expect_right(docs, queries, Sums::exact);
}

TEST(BlockMaxIndex, OfListedWeightsThatTheirImpactsUnderstate) {
    for (const int best : {0, 399}) {
        Rows docs;  // one document in each third block has the term, with an impact of 100 for a weight of 100.45
        docs.n_terms = 1;
        for (int doc = 0; doc < 4800; ++doc) {
            const float weight = doc == 12 * best ? 100.484375F : 100.453125F;
            docs.add(doc % 12 == 0 ? Row{{0, weight}} : Row{});
        }
        docs.add(Row{{0, 255.0F}});
        const auto index = build(docs, {4, false, 0.1, 0.1});
        const Hits hits = search(*index, rows_of(1, {{{0, 1.0F}}}), 2, kPruned);
        EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{4800, 12 * best}));
    }
}

TEST(BlockMaxIndex, OfAsManyQueryTermsAsBoundsHaveRoomFor) {
    Random random(11);
    Rows docs;  // one block of documents that have every term, all of them in lists
    docs.n_terms = 3000;
    for (int doc = 0; doc < 64; ++doc) {
        Row row;
        for (std::uint32_t term = 0; term < 3000; ++term) row.emplace_back(term, doc == 0 ? 1.0F : 0.9375F);
        docs.add(row);
    }
    for (int doc = 0; doc < 1000; ++doc) docs.add(test::random_row(random, 3000, 5, test::dyadic_weight));
    for (const std::int64_t block_size : {8, 64}) {
        const auto index = build(docs, {block_size, false, 0.1, 0.1});
        Rows queries;
        queries.n_terms = 3000;
        // 512 terms: the most in blocks of 64; 1,024 terms of 64 documents would wrap to 0.
        for (const std::uint32_t n : {511U, 512U, 513U, 1024U, 1030U, 2999U}) {
            Row row;
            for (std::uint32_t term = 0; term < n; ++term) row.emplace_back(term, 1.0F);
            queries.add(row);
        }
        expect_right(*index, queries, brute_force(docs, queries), Sums::exact);
    }
}

TEST(BlockMaxIndex, OfHundredsOfQueryTermsAndLargeTermIds) {
    Random random(12);
    const std::uint64_t n_terms = (std::uint64_t{1} << 32) - 1;
    Rows docs = test::random_rows(random, 500, n_terms, 10, test::dyadic_weight);
    docs.add(Row{{0, 1.0F}, {4294967294U, 3.0F}});
    Rows queries;
    queries.n_terms = n_terms;
    for (int query = 0; query < 4; ++query) {
        std::map<std::uint32_t, float> row{{4294967294U, 0.5F}, {123, 1.0F}};
        for (int i = 0; i < 600; ++i) {
            row[docs.terms[static_cast<std::size_t>(random() % docs.terms.size())]] = signed_dyadic(random);
        }
        queries.add(row);
    }
    expect_right(docs, queries, Sums::exact);
}

TEST(BlockMaxIndex, OfDocumentsAndQueriesThatAreNotCanonical) {
    const Rows docs = rows_of(9, {{{8, 1.0F}, {2, 2.0F}, {8, 3.0F}}, {{2, 0.0F}}, {{4, 1.0F}, {0, 1.0F}}});
    expect_right(docs, rows_of(9, {{{8, 2.0F}, {2, 1.0F}, {8, -1.0F}}, {{4, 1.0F}, {0, 5.0F}, {4, -1.0F}}}),
                 Sums::exact);
}

// ---- Approximate search.

struct Approximate : testing::Test {
    Approximate() : random(20) {
        docs = test::random_rows(random, 6000, 400, 10, test::real_weight);  // 12 superblocks
        queries = test::random_rows(random, 40, 400, 10, test::real_weight);
        truth = brute_force(docs, queries);
        index = build(docs);
        exact = search(*index, queries, 10, kPruned);
    }
    // Hits shared with the exact search.
    std::size_t recalled(const BlockMaxSearchParams& params) const {
        const Hits hits = search(*index, queries, 10, params);
        expect_true_scores(truth, hits);
        return test::n_shared(hits, exact);
    }
    std::size_t n_exact() const {
        return exact.ids.size() - static_cast<std::size_t>(std::count(exact.ids.begin(), exact.ids.end(), kNoDocument));
    }

    Random random;
    Rows docs;
    Rows queries;
    std::vector<BruteForce> truth;
    std::unique_ptr<BlockMaxIndex> index;
    Hits exact{0, 0};
};

using BlockMaxIndexApproximate = Approximate;

TEST_F(BlockMaxIndexApproximate, RecallRisesWithAlpha) {
    std::size_t before = 0;
    for (const double alpha : {0.2, 0.4, 0.6, 0.8, 0.9, 1.0}) {
        const std::size_t n = recalled({.alpha = alpha, .block_budget = kPruned.block_budget});
        EXPECT_GE(n + 2, before) << "alpha " << alpha;
        before = n;
    }
    EXPECT_EQ(before, n_exact());
    EXPECT_LT(recalled({.alpha = 0.2}), n_exact()) << "or there is nothing to be seen here";
}

TEST_F(BlockMaxIndexApproximate, WhatAlphaLeavesOutIsLittleBetter) {
    for (const double alpha : {0.3, 0.7, 0.95}) {
        const Hits hits = search(*index, queries, 10, {.alpha = alpha});
        for (std::size_t query = 0; query < queries.n_rows(); ++query) {
            const auto ids = std::span(hits.ids).subspan(query * 10, 10);
            const auto last = static_cast<double>(hits.scores[query * 10 + 9]);
            for (std::size_t doc = 0; doc < docs.n_rows(); ++doc) {
                if (std::count(ids.begin(), ids.end(), static_cast<std::int64_t>(doc)) != 0) continue;
                const double left_out = truth[query].scores[doc];
                ASSERT_TRUE(left_out == 0 || alpha * left_out <= last * (1 + 1e-6)) << "alpha " << alpha;
            }
        }
    }
}

TEST_F(BlockMaxIndexApproximate, RecallRisesWithBeta) {
    std::size_t before = 0;
    for (const double beta : {1e-9, 0.2, 0.4, 0.6, 0.8, 1.0}) {
        const std::size_t n = recalled({.beta = beta, .block_budget = kPruned.block_budget});
        EXPECT_GE(n + 10, before) << "beta " << beta;
        before = n;
    }
    EXPECT_EQ(before, n_exact());
    EXPECT_LT(recalled({.beta = 1e-9}), n_exact());
    EXPECT_GT(recalled({.beta = 1e-9}), 0U);
}

TEST_F(BlockMaxIndexApproximate, OpensNoMoreBlocksThanTheBudget) {
    const auto order = shuffled(docs.n_rows());
    std::vector<std::uint32_t> positions(order.size());
    for (std::uint32_t position = 0; position < order.size(); ++position) positions[order[position]] = position;
    for (const std::int64_t block_size : {4, 16}) {
        const auto shuffled_index = build(docs, {block_size, false, 0.01, 0.06}, order);
        for (const std::int64_t budget : {1, 2, 5, 50}) {
            const Hits hits = search(*shuffled_index, queries, 100, {.block_budget = budget});
            expect_true_scores(truth, hits);
            EXPECT_LE(most_groups(hits, block_size, positions), static_cast<std::size_t>(budget));
            EXPECT_GE(most_groups(hits, block_size, positions) * 3, std::min<std::size_t>(budget, 5));
        }
    }
    std::size_t before = 0;
    for (const std::int64_t budget : {1, 8, 64, 512, 1500}) {
        const std::size_t n = recalled({.block_budget = budget});
        EXPECT_GE(n, before) << "budget " << budget;
        EXPECT_GT(n, 0U);
        before = n;
    }
    EXPECT_EQ(before, n_exact()) << "as many as there are";
}

TEST_F(BlockMaxIndexApproximate, OpensNoMoreSuperblocksThanTheBudget) {
    std::vector<std::uint32_t> positions(docs.n_rows());
    std::iota(positions.begin(), positions.end(), 0U);
    std::size_t before = 0;
    for (const std::int64_t budget : {1, 2, 6, 11}) {
        const Hits hits = search(*index, queries, 100, {.superblock_budget = budget});
        EXPECT_LE(most_groups(hits, 512, positions), static_cast<std::size_t>(budget));
        const std::size_t n = recalled({.superblock_budget = budget});
        EXPECT_GE(n, before) << "budget " << budget;
        EXPECT_GT(n, 0U);
        before = n;
    }
    for (const std::int64_t budget : {std::int64_t{12}, std::int64_t{13}, INT64_MAX}) {
        EXPECT_EQ(search(*index, queries, 10, {.superblock_budget = budget}), exact) << "as many as there are";
    }
    EXPECT_EQ(search(*index, queries, 10, BlockMaxSearchParams{}), exact) << "nothing is left behind in the contexts";
}

TEST(BlockMaxIndex, OpensTheBestSuperblocks) {
    for (const int every : {1, 16}) {  // a term with block maxima, and one with a list only
        Rows docs;                     // the best are those in superblock 3
        docs.n_terms = 1;
        for (int doc = 0; doc < 3000; ++doc) {
            docs.add(doc % every == 0 ? Row{{0, 1.0F + static_cast<float>(doc / 512 % 4)}} : Row{});
        }
        const auto index = build(docs, {4, false, 0.1, 0.1});
        const Hits hits = search(*index, rows_of(1, {{{0, 1.0F}}}), 3, {.superblock_budget = 1});
        EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{1536, 1536 + every, 1536 + 2 * every}));
        EXPECT_EQ(hits.scores, (std::vector<float>{4.0F, 4.0F, 4.0F}));
    }
}

TEST_F(BlockMaxIndexApproximate, DoesNotDependOnTheNumberOfThreadsOrTheBatch) {
    for (const BlockMaxSearchParams& params :
         {BlockMaxSearchParams{},
          kPruned,
          {.alpha = 0.7},
          {.beta = 0.5},
          {.block_budget = 7},
          {.superblock_budget = 3},
          {.alpha = 0.9, .beta = 0.9, .block_budget = 20, .superblock_budget = 5}}) {
        const Hits one = search(*index, queries, 10, params);
        for (unsigned threads = 2; threads <= 4; ++threads) {
            EXPECT_EQ(search(*index, queries, 10, params, threads), one);
        }
        EXPECT_EQ(test::search_one_by_one(*index, queries, 10, params), one);
    }
}

// ---- Building, saving, refusing.

TEST(BlockMaxIndex, IsTheSameFileOnEveryNumberOfThreads) {
    Random random(13);
    const Rows docs = test::random_rows(random, 9000, 300, 5, test::real_weight);
    const auto order = shuffled(docs.n_rows());
    const TemporaryDirectory directory;
    for (const auto& [reorder, given] : {std::pair(false, false), std::pair(true, false), std::pair(false, true)}) {
        const BlockMaxParams params{8, reorder, 0.01, 0.06};
        const auto save = [&, is_given = given](const std::string& name, unsigned threads) {
            build(docs, params, is_given ? Order(order) : std::nullopt, threads)->save(directory.path(name), nullptr);
            return test::read_bytes(directory.path(name));
        };
        const auto one = save("one", 1);
        for (unsigned threads = 2; threads <= 3; ++threads) EXPECT_EQ(save("many", threads), one);
    }
}

TEST(BlockMaxIndex, GivesTheSameHitsFromAFile) {
    Random random(14);
    const TemporaryDirectory directory;
    const Rows docs = test::random_rows(random, 3000, 300, 8, test::real_weight);
    const Rows queries = test::random_rows(random, 20, 300, 6, signed_real);
    for (const auto& [params, is_shuffled] : kCases) {
        const auto order = shuffled(docs.n_rows());
        const auto index = build(docs, params, is_shuffled ? Order(order) : std::nullopt, 2);
        index->save(directory.path("f"), nullptr);
        for (const bool verify : {true, false}) {
            const auto opened = open_index(directory.path("f"), verify, nullptr);
            EXPECT_EQ(opened->engine(), "block-max");
            EXPECT_EQ(opened->nbytes(), index->nbytes());
            EXPECT_EQ(opened->parameters(), index->parameters());
            const auto& block_max = dynamic_cast<const BlockMaxIndex&>(*opened);
            for (const BlockMaxSearchParams& how :
                 {BlockMaxSearchParams{}, kPruned, {.alpha = 0.8}, {.superblock_budget = 1}}) {
                EXPECT_EQ(search(block_max, queries, 10, how), search(*index, queries, 10, how));
            }
        }
    }
}

TEST(BlockMaxIndex, TellsItsParameters) {
    const Rows docs = rows_of(3, {{{0, 1.0F}}, {{2, 1.0F}}});
    EXPECT_EQ(test::parameters_of(*build(docs, {16, false, 0.25, 0.5})),
              "block_size=16\nreorder=0\nbound_frequency=0.25\ntile_frequency=0.5\n");
    EXPECT_EQ(test::parameters_of(*build(docs, {4, true, 0.25, 0.5})),
              "block_size=4\nreorder=1\nbound_frequency=0.25\ntile_frequency=0.5\n");
    const std::vector<std::uint32_t> order{1, 0};
    EXPECT_TRUE(test::parameters_of(*build(docs, {4, false, 0.25, 0.5}, order)).starts_with("block_size=4\nreorder=1"));
}

TEST(BlockMaxIndex, GivesBackTheDocumentsByTheirIds) {
    Random random(15);
    const Rows docs = test::random_rows(random, 200, 300, 8, test::real_weight);
    const auto order = shuffled(200);
    for (const auto& index :
         {build(docs), build(docs, {4, true, 0.01, 0.06}), build(docs, {4, false, 0.01, 0.06}, order)}) {
        std::vector<std::int64_t> ids(200);
        std::iota(ids.begin(), ids.end(), std::int64_t{0});
        const auto rows = index->vectors(ids);
        EXPECT_EQ(rows.indptr, docs.indptr);
        EXPECT_EQ(rows.terms, docs.terms);
        EXPECT_EQ(rows.weights, docs.weights);
    }
}

TEST(BlockMaxIndex, NamesAParameterThatIsWrong) {
    const Rows docs = rows_of(1, {{{0, 1.0F}}, {{0, 2.0F}}});
    const auto built = [&](const BlockMaxParams& params) { return error_of([&] { build(docs, params); }); };
    for (const std::int64_t size : {-4, 1, 2, 3, 5, 12, 63, 65, 128}) {
        EXPECT_EQ(built({size, false, 0.1, 0.1}),
                  "block_size must be 4, 8, 16, 32 or 64, or 0 to choose, got " + std::to_string(size));
    }
    for (const double fraction : {0.0, -0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_TRUE(built({4, false, fraction, 0.1}).starts_with("bound_frequency must be in (0, 1], got "))
            << fraction;
        EXPECT_TRUE(built({4, false, 0.1, fraction}).starts_with("tile_frequency must be in (0, 1], got ")) << fraction;
    }
    const auto ordered = [&](const std::vector<std::uint32_t>& order) {
        return error_of([&] { build(docs, {4, false, 0.1, 0.1}, order); });
    };
    EXPECT_EQ(ordered({0}), "reorder: 1 documents; there are 2");
    EXPECT_EQ(ordered({}), "reorder: 0 documents; there are 2");
    EXPECT_EQ(ordered({0, 2}), "reorder: 2 is not a document; there are 2");
    EXPECT_EQ(ordered({1, 1}), "reorder: document 1 occurs twice");
    EXPECT_EQ(ordered({1, 0}), "no error");

    const auto index = build(docs);
    const auto searched = [&](const BlockMaxSearchParams& params) {
        const std::string batch = error_of([&] { search(*index, rows_of(1, {{{0, 1.0F}}}), 1, params); });
        const std::vector<std::uint32_t> terms{0};
        const std::vector<float> weights{1.0F};
        Hits hits(1, 1);
        EXPECT_EQ(error_of([&] { index->search_one(terms, weights, params, hits.view()); }), batch);
        return batch;
    };
    for (const double fraction : {0.0, -0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_TRUE(searched({.alpha = fraction}).starts_with("alpha must be in (0, 1], got ")) << fraction;
        EXPECT_TRUE(searched({.beta = fraction}).starts_with("beta must be in (0, 1], got ")) << fraction;
    }
    EXPECT_EQ(searched({.block_budget = -1}), "block_budget must be >= 0, got -1");
    EXPECT_EQ(searched({.superblock_budget = INT64_MIN}), "superblock_budget must be >= 0, got -9223372036854775808");
    EXPECT_EQ(error_of([&] { search(*index, rows_of(1, {{}}), 0, kPruned); }), "k must be >= 1, got 0");
    EXPECT_EQ(error_of([&] { search(*index, rows_of(2, {{{1, 1.0F}}}), 1, kPruned); }),
              "queries: row 0 has term 1, but there are only 1 terms");
}

TEST(BlockMaxIndex, ReportsProgressThatRisesToTheNumberOfRows) {
    Random random(16);
    const Rows canonical = test::random_rows(random, 10000, 100, 3, test::real_weight);
    const auto order = shuffled(10000);
    for (const bool is_canonical : {true, false}) {
        Rows docs = canonical;
        if (!is_canonical) docs.weights[5] = 0;
        for (const auto& [reorder, given] : {std::pair(false, false), std::pair(true, false), std::pair(false, true)}) {
            RecordingMonitor monitor;
            BlockMaxIndex::build(docs.view(), {4, reorder, 0.01, 0.06}, given ? Order(order) : std::nullopt, 2,
                                 &monitor);
            ASSERT_FALSE(monitor.reports().empty());
            std::uint64_t before = 0;
            for (const auto& [done, of] : monitor.reports()) {
                ASSERT_EQ(of, 10000U);
                ASSERT_GE(done, before);
                before = done;
            }
            EXPECT_EQ(before, 10000U) << "canonical " << is_canonical << ", reorder " << reorder << ", given " << given;
        }
    }
}

TEST(BlockMaxIndex, IsCancelledByTheMonitor) {
    Random random(17);
    const Rows docs = test::random_rows(random, 5000, 100, 3, test::real_weight);
    for (const bool reorder : {false, true}) {
        for (int at = 1; at <= 10; ++at) {
            RecordingMonitor monitor(at);
            EXPECT_THROW(BlockMaxIndex::build(docs.view(), {4, reorder, 0.01, 0.06}, std::nullopt, 2, &monitor),
                         Cancelled)
                << at;
        }
    }
    const auto index = build(docs);
    const Rows queries = test::random_rows(random, 50, 100, 4, test::real_weight);
    const Hits expected = search(*index, queries, 3, kPruned);
    for (int at = 1; at <= 2; ++at) {
        RecordingMonitor monitor(at);
        Hits hits(50, 3);
        EXPECT_THROW(index->search(queries.view(), {3, 2, &monitor}, kPruned, hits.view()), Cancelled) << at;
        EXPECT_EQ(search(*index, queries, 3, kPruned, 2), expected) << "a cancelled search leaves nothing behind";
    }
}

}  // namespace
}  // namespace thresher
