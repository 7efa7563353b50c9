// BlockMaxIndex beyond the contract of every engine: what its search parameters leave out. Small collections are
// searched exhaustively unless one is given, so that pruning is forced here by a budget that no search exhausts.
#include "engines/block_max_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/storage/index_file.hpp"
#include "support/brute_force.hpp"
#include "support/error_of.hpp"
#include "support/parameters_of.hpp"
#include "support/random_rows.hpp"
#include "support/search_errors.hpp"
#include "support/trials.hpp"

namespace thresher {
namespace {

using test::brute_force;
using test::BruteForce;
using test::error_of;
using test::expect_true_scores;
using test::Hits;
using test::most_groups;
using test::Random;
using test::Row;
using test::Rows;
using test::rows_of;
using test::shuffled;

const BlockMaxSearchParams kPruned{.block_budget = std::int64_t{1} << 40};

using Order = std::optional<std::span<const std::uint32_t>>;

std::unique_ptr<BlockMaxIndex> build(const Rows& docs, const BlockMaxParams& params = {4, false, 0.01, 0.06},
                                     Order order = std::nullopt, unsigned threads = 1) {
    return BlockMaxIndex::build(docs.view(), params, {.order = order, .threads = threads});
}

Hits search(const BlockMaxIndex& index, const Rows& queries, std::size_t k, const BlockMaxSearchParams& params,
            unsigned threads = 1) {
    Hits hits(queries.n_rows(), k);
    index.search(queries.view(), {k, threads, nullptr}, params, hits.view());
    return hits;
}

TEST(BlockMaxIndex, AgreesWithBruteForceAtAnAlphaNextToOne) {
    for (const auto& make : {test::exact_sums, test::real_weights, test::ties}) {
        for (const test::Trial& trial : make()) {
            const auto index = build(trial.docs)->with_search_params({.alpha = 1 - 1e-12});
            ASSERT_NO_FATAL_FAILURE(test::expect_exact(*index, trial.queries, brute_force(trial.docs, trial.queries),
                                                       test::Sums::rounded, {1, 10, trial.docs.n_rows() + 5}));
        }
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
        const auto truth = brute_force(docs, queries);
        for (const auto& params : {kPruned, BlockMaxSearchParams{}}) {
            test::expect_exact(*index->with_search_params(params), queries, truth, test::Sums::exact,
                               {1, 10, 100, 1069});
        }
    }
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
    std::size_t n_exact() const { return test::n_shared(exact, exact); }

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

// ---- Building, saving, refusing.

TEST(BlockMaxIndex, TellsItsParameters) {
    const Rows docs = rows_of(3, {{{0, 1.0F}}, {{2, 1.0F}}});
    EXPECT_EQ(test::parameters_of(*build(docs, {16, false, 0.25, 0.5})),
              "block_size=16\nreorder=0\nbound_frequency=0.25\ntile_frequency=0.5\n");
    EXPECT_EQ(test::parameters_of(*build(docs, {4, true, 0.25, 0.5})),
              "block_size=4\nreorder=1\nbound_frequency=0.25\ntile_frequency=0.5\n");
    const std::vector<std::uint32_t> order{1, 0};
    EXPECT_TRUE(test::parameters_of(*build(docs, {4, false, 0.25, 0.5}, order)).starts_with("block_size=4\nreorder=1"));
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
    test::expect_orders_to_be_checked([&](const auto& order) { build(docs, {4, false, 0.1, 0.1}, order); });

    const auto index = build(docs);
    const auto searched = [&](const BlockMaxSearchParams& params) { return test::error_of_search(*index, params); };
    for (const double fraction : {0.0, -0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_TRUE(searched({.alpha = fraction}).starts_with("alpha must be in (0, 1], got ")) << fraction;
        EXPECT_TRUE(searched({.beta = fraction}).starts_with("beta must be in (0, 1], got ")) << fraction;
    }
    EXPECT_EQ(searched({.block_budget = -1}), "block_budget must be >= 0, got -1");
    EXPECT_EQ(searched({.superblock_budget = INT64_MIN}), "superblock_budget must be >= 0, got -9223372036854775808");
}

}  // namespace
}  // namespace thresher
