// ClusteredIndex beyond the contract of every engine: sizes at which its bounds end, what its search parameters leave
// out, and its neighbours.
#include "engines/clustered_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/storage/index_file.hpp"
#include "engines/registry.hpp"
#include "support/brute_force.hpp"
#include "support/error_of.hpp"
#include "support/parameters_of.hpp"
#include "support/random_rows.hpp"
#include "support/recording_monitor.hpp"
#include "support/search_errors.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::brute_force;
using test::BruteForce;
using test::error_of;
using test::expect_true_scores;
using test::Hits;
using test::most_groups;
using test::n_shared;
using test::Random;
using test::RecordingMonitor;
using test::Row;
using test::Rows;
using test::rows_of;
using test::shuffled;
using test::signed_dyadic;
using test::TemporaryDirectory;

constexpr std::int64_t kUnlimited = std::int64_t{1} << 40;
const ClusteredSearchParams kEverything{.query_cut = 0, .cluster_budget = kUnlimited};

using Order = std::optional<std::span<const std::uint32_t>>;

std::unique_ptr<ClusteredIndex> build(const Rows& docs, const ClusteredParams& params = {.reorder = false},
                                      Order order = std::nullopt, unsigned threads = 1) {
    return ClusteredIndex::build(docs.view(), params, {.order = order, .threads = threads});
}

Hits search(const ClusteredIndex& index, const Rows& queries, std::size_t k, const ClusteredSearchParams& params,
            unsigned threads = 1) {
    Hits hits(queries.n_rows(), k);
    index.search(queries.view(), {k, threads, nullptr}, params, hits.view());
    return hits;
}

// ---- Nothing left out.

void expect_right(const ClusteredIndex& index, const Rows& queries, const std::vector<BruteForce>& truth,
                  const std::vector<std::size_t>& ks) {
    test::expect_exact(*index.with_search_params(kEverything), queries, truth, test::Sums::exact, ks);
}

TEST(ClusteredIndex, AgreesWithBruteForceForEachKAroundTheSizeOfACluster) {
    Random random(2);
    for (const std::int64_t size : {4, 8, 16, 32, 64}) {
        for (const std::int64_t n : {size - 1, size, size + 1, 2 * size + 1}) {
            const auto n_docs = static_cast<std::size_t>(n);
            const Rows docs = test::random_rows(random, n_docs, 30, 8, test::dyadic_weight);
            const Rows queries = test::random_rows(random, 4, 30, 6, test::dyadic_weight);
            const auto truth = brute_force(docs, queries);
            const auto order = shuffled(n_docs);
            std::vector<std::size_t> ks(n_docs + 1);
            std::iota(ks.begin(), ks.end(), std::size_t{1});
            for (const auto& index :
                 {build(docs, {.cluster_size = size, .reorder = false}), build(docs, {.cluster_size = size}),
                  build(docs, {.cluster_size = size, .dense_frequency = 0.2}, order)}) {
                ASSERT_NO_FATAL_FAILURE(expect_right(*index, queries, truth, ks))
                    << n << " documents in clusters of " << size;
            }
        }
    }
}

TEST(ClusteredIndex, AgreesWithBruteForceOverWindowsOfClusters) {
    Random random(5);
    const Rows docs = test::random_rows(random, 4 * 65536 + 300, 5000, 1, test::dyadic_weight);
    Rows queries = test::random_rows(random, 3, 5000, 10, test::dyadic_weight);
    queries.add(Row{{docs.terms.back(), 1.0F}});
    const auto truth = brute_force(docs, queries);
    for (const double dense_frequency : {0.001, 1.0}) {
        const auto index = build(docs, {.reorder = false, .dense_frequency = dense_frequency});
        ASSERT_NO_FATAL_FAILURE(expect_right(*index, queries, truth, {10, 5000}));
    }
}

TEST(ClusteredIndex, OfQueriesOfMoreTermsThanBoundsHaveRoomFor) {
    Random random(15);
    Rows docs;  // 40,000 terms, each in two documents
    docs.n_terms = 40'000;
    for (std::uint32_t doc = 0; doc < 1000; ++doc) {
        std::map<std::uint32_t, float> row;
        for (std::uint32_t i = 0; i < 80; ++i) row.emplace((80 * doc + i) % 40'000, test::dyadic_weight(random));
        docs.add(row);
    }
    Rows queries;
    queries.n_terms = docs.n_terms;
    for (const std::uint32_t n : {32'767U, 32'768U, 32'769U, 40'000U}) {
        Row row;
        for (std::uint32_t term = 40'000 - n; term < 40'000; ++term)
            row.emplace_back(term, test::dyadic_weight(random));
        queries.add(row);
    }
    const auto truth = brute_force(docs, queries);
    for (const double dense_frequency : {1e-9, 1.0}) {
        const auto index = build(docs, {.dense_frequency = dense_frequency});
        // All documents are asked for, and each has terms that are not cut.
        ASSERT_NO_FATAL_FAILURE(expect_right(*index, queries, truth, {1005}));
        for (const ClusteredSearchParams& params : {kEverything, ClusteredSearchParams{}}) {
            const Hits hits = search(*index, queries, 10, params);
            expect_true_scores(truth, hits);
            EXPECT_EQ(std::count(hits.ids.begin(), hits.ids.end(), kNoDocument), 0);
        }
    }
}

// One cluster has all terms of the query, and each adds a rounding to its summary's score: 65,600 would wrap to 64.
TEST(ClusteredIndex, FindsADocumentOfMoreTermsThanBoundsHaveRoomFor) {
    Rows docs;
    docs.n_terms = 65'600;
    Row all;
    for (std::uint32_t term = 0; term < docs.n_terms; ++term) all.emplace_back(term, 1.0F);
    for (std::uint32_t doc = 0; doc < 300; ++doc) {
        Row row;
        for (std::uint32_t term = 200 * doc; term < 200 * doc + 200; ++term) row.emplace_back(term, 1.0F);
        docs.add(row);
    }
    docs.add(all);
    const Rows queries = rows_of(docs.n_terms, {all});
    const auto index = build(docs, {.reorder = false, .dense_frequency = 1.0});
    const Hits hits = search(*index, queries, 1, {.query_cut = 0, .cluster_budget = 1});
    EXPECT_EQ(hits.ids[0], 300);
    EXPECT_EQ(hits.scores[0], 65'600.0F);
}

// ---- What is left out.

struct Approximate : testing::Test {
    Approximate() : random(20) {
        docs = test::random_rows(random, 6000, 400, 10, test::real_weight);  // 1,500 clusters
        queries = test::random_rows(random, 40, 400, 10, test::real_weight);
        truth = brute_force(docs, queries);
        index = build(docs, {.dense_frequency = 0.05, .neighbours = 4});
        exact = search(*index, queries, 10, kEverything);
    }
    // Hits shared with the exact search.
    std::size_t recalled(const ClusteredSearchParams& params) const {
        const Hits hits = search(*index, queries, 10, params);
        expect_true_scores(truth, hits);
        return n_shared(hits, exact);
    }
    std::size_t n_exact() const { return n_shared(exact, exact); }

    Random random;
    Rows docs;
    Rows queries;
    std::vector<BruteForce> truth;
    std::unique_ptr<ClusteredIndex> index;
    Hits exact{0, 0};
};

using ClusteredIndexApproximate = Approximate;

TEST_F(ClusteredIndexApproximate, RecallRisesWithTheBudget) {
    std::size_t before = 0;
    for (const std::int64_t budget : {1, 8, 64, 512, 1500}) {
        const std::size_t n = recalled({.query_cut = 0, .cluster_budget = budget});
        EXPECT_GE(n, before) << "budget " << budget;
        EXPECT_GT(n, 0U);
        before = n;
    }
    EXPECT_EQ(before, n_exact()) << "as many as there are";
    EXPECT_LT(recalled({.query_cut = 0, .cluster_budget = 8}), n_exact()) << "or there is nothing to be seen here";
    EXPECT_EQ(search(*index, queries, 10, {.query_cut = 0, .cluster_budget = INT64_MAX}), exact);
}

TEST_F(ClusteredIndexApproximate, RecallRisesWithTheGroups) {
    for (const double frequency : {1e-9, 0.02, 1.0}) {
        index = build(docs, {.dense_frequency = 0.05, .group_frequency = frequency});
        EXPECT_EQ(search(*index, queries, 10, kEverything), exact);
        std::size_t before = 0;
        for (const std::int64_t groups : {1, 8, 20, 40}) {  // of 47
            const std::size_t n = recalled({.query_cut = 0, .cluster_budget = kUnlimited, .group_budget = groups});
            EXPECT_GE(n, before) << groups << " groups";
            EXPECT_LT(n, n_exact()) << groups << " groups";
            before = n;
        }
        for (const std::int64_t groups : {std::int64_t{47}, INT64_MAX}) {
            EXPECT_EQ(
                search(*index, queries, 10, {.query_cut = 0, .cluster_budget = kUnlimited, .group_budget = groups}),
                exact);
            const ClusteredSearchParams few{.query_cut = 6, .cluster_budget = 40};
            EXPECT_EQ(search(*index, queries, 10, {.query_cut = 6, .cluster_budget = 40, .group_budget = groups}),
                      search(*index, queries, 10, few))
                << "all are looked into, as so small a collection's are anyway";
        }
    }
}

// Of 400 groups, each of documents of two topics of 200, a few hold the best of a query about a topic and another.
TEST(ClusteredIndex, LooksIntoTheBestGroups) {
    Random random(24);
    const auto row_about = [&](std::int64_t topic, int length) {
        std::map<std::uint32_t, float> row;
        for (int i = 0; i < length; ++i) {
            const std::int64_t of = i % 3 == 2 ? test::uniform(random, 0, 199) : topic;
            row.emplace(static_cast<std::uint32_t>(of * 12 + test::uniform(random, 0, 11)), test::real_weight(random));
        }
        return row;
    };
    Rows docs;
    Rows queries;
    docs.n_terms = queries.n_terms = 200 * 12;
    for (std::int64_t doc = 0; doc < 400 * 128; ++doc) docs.add(row_about((doc / 128 * 2 + doc % 2) % 200, 12));
    for (int query = 0; query < 40; ++query) queries.add(row_about(test::uniform(random, 0, 199), 9));
    for (const double frequency : {1e-9, 0.003, 0.004, 1.0}) {  // codes for all terms, for some, for none
        const auto index = build(docs, {.reorder = false, .dense_frequency = 1, .group_frequency = frequency});
        const Hits exact = search(*index, queries, 10, kEverything);
        const auto fraction = [&](std::int64_t groups) {
            const Hits hits =
                search(*index, queries, 10, {.query_cut = 0, .cluster_budget = kUnlimited, .group_budget = groups});
            return static_cast<double>(n_shared(hits, exact)) / static_cast<double>(n_shared(exact, exact));
        };
        EXPECT_GT(fraction(20), 0.5) << "a twentieth of the groups, codes from " << frequency;
        EXPECT_GT(fraction(60), 0.8) << "codes from " << frequency;
        EXPECT_LT(fraction(20), 1) << "or there is nothing to be seen here";
    }
}

// The library's choice of groups is of a few where there are many.
TEST(ClusteredIndex, LooksIntoTheGroupsOfTheClustersThatItOpens) {
    Random random(23);
    const Rows docs = test::random_rows(random, 128 * 500, 60, 4, test::real_weight);
    const Rows queries = test::random_rows(random, 20, 60, 6, test::real_weight);
    const auto index = build(docs, {.reorder = false, .group_frequency = 1e-9});
    const auto found = [&](std::int64_t clusters, std::int64_t groups) {
        return search(*index, queries, 10, {.cluster_budget = clusters, .group_budget = groups});
    };
    EXPECT_EQ(found(5, 0), found(5, 25)) << "five groups for each cluster";
    EXPECT_NE(found(5, 0), found(5, 500));
    EXPECT_EQ(found(13, 0), found(13, 500)) << "all, where that would be an eighth of them";
    EXPECT_NE(found(13, 0), found(13, 65));
}

TEST_F(ClusteredIndexApproximate, RecallRisesWithTheHeapFactor) {
    std::size_t before = 0;
    for (const double factor : {1e-300, 0.3, 0.5, 0.7, 0.9, 1.0}) {
        const std::size_t n = recalled({.query_cut = 0, .heap_factor = factor, .cluster_budget = kUnlimited});
        EXPECT_GE(n + 2, before) << "heap_factor " << factor;
        before = n;
    }
    EXPECT_EQ(before, n_exact());
    EXPECT_LT(recalled({.query_cut = 0, .heap_factor = 0.3, .cluster_budget = kUnlimited}), n_exact());
}

TEST_F(ClusteredIndexApproximate, WhatTheHeapFactorLeavesOutIsLittleBetter) {
    for (const double factor : {0.3, 0.7, 0.95}) {
        const Hits hits =
            search(*index, queries, 10, {.query_cut = 0, .heap_factor = factor, .cluster_budget = kUnlimited});
        for (std::size_t query = 0; query < queries.n_rows(); ++query) {
            const auto ids = std::span(hits.ids).subspan(query * 10, 10);
            const auto last = static_cast<double>(hits.scores[query * 10 + 9]);
            for (std::size_t doc = 0; doc < docs.n_rows(); ++doc) {
                if (std::count(ids.begin(), ids.end(), static_cast<std::int64_t>(doc)) != 0) continue;
                const double left_out = truth[query].scores[doc];
                ASSERT_TRUE(left_out == 0 || factor * left_out <= last * (1 + 1e-6)) << "heap_factor " << factor;
            }
        }
    }
}

TEST_F(ClusteredIndexApproximate, RecallRisesWithTheTermsThatAreNotCut) {
    std::size_t before = 0;
    for (const std::int64_t terms : {1, 3, 6, 20}) {
        const std::size_t n = recalled({.query_cut = terms, .cluster_budget = kUnlimited});
        EXPECT_GE(n + 2, before) << "query_cut " << terms;
        EXPECT_GT(n, 0U);
        before = n;
    }
    EXPECT_EQ(before, n_exact());
    EXPECT_LT(recalled({.query_cut = 1, .cluster_budget = kUnlimited}), n_exact());
    EXPECT_EQ(search(*index, queries, 10, {.query_cut = INT64_MAX, .cluster_budget = kUnlimited}), exact);
}

TEST_F(ClusteredIndexApproximate, OpensNoMoreClustersThanTheBudget) {
    const auto order = shuffled(docs.n_rows());
    std::vector<std::uint32_t> positions(order.size());
    for (std::uint32_t position = 0; position < order.size(); ++position) positions[order[position]] = position;
    for (const std::int64_t cluster_size : {4, 16}) {
        const auto shuffled_index = build(docs, {.cluster_size = cluster_size}, order);
        std::size_t before = 0;
        for (const std::int64_t budget : {1, 2, 5, 50}) {
            const Hits hits = search(*shuffled_index, queries, 500, {.cluster_budget = budget});
            expect_true_scores(truth, hits);
            const std::size_t opened = most_groups(hits, cluster_size, positions);
            EXPECT_LE(opened, static_cast<std::size_t>(budget));
            EXPECT_GT(opened, before);
            before = opened;
        }
    }
}

// Summaries of 2 and scores of 1; the best document has a summary of 1.6.
TEST(ClusteredIndex, OpensAsManyClustersAsTheBudgetSays) {
    Rows docs;
    docs.n_terms = 2;
    for (int decoy = 0; decoy < 3000; ++decoy) {
        for (const Row& row : {Row{{0, 1.0F}}, Row{{1, 1.0F}}, Row{}, Row{}}) docs.add(row);
    }
    docs.add(Row{{0, 0.75F}, {1, 0.75F}});
    const Rows query = rows_of(2, {{{0, 1.0F}, {1, 1.0F}}});
    for (const double dense_frequency : {1e-9, 1.0}) {
        const auto index = build(docs, {.reorder = false, .dense_frequency = dense_frequency});
        const auto best = [&](std::size_t k, const ClusteredSearchParams& params) {
            return search(*index, query, k, params).ids.front();
        };
        EXPECT_NE(best(1, {.cluster_budget = 3000}), 12000);
        EXPECT_EQ(best(1, {.cluster_budget = 3001}), 12000);
        EXPECT_NE(best(1, {}), 12000) << "by default few are opened";
        EXPECT_EQ(best(1000, {}), 12000) << "and more for more hits";
    }
}

TEST(ClusteredIndex, OpensTheClusterOfTheBestSummary) {
    for (const int every : {1, 4, 16}) {  // documents with the term, the heaviest in cluster 50
        Rows docs;
        docs.n_terms = 1;
        for (int doc = 0; doc < 3000; ++doc) {
            docs.add(doc % every == 0 ? Row{{0, doc / 16 == 50 ? 2.0F : 1.0F}} : Row{});
        }
        std::vector<std::int64_t> expected;
        for (int doc = 800; doc < 816; doc += every) expected.push_back(doc);
        for (const double dense_frequency : {1e-9, 1.0}) {
            const auto index = build(docs, {.cluster_size = 16, .reorder = false, .dense_frequency = dense_frequency});
            Hits hits = search(*index, rows_of(1, {{{0, 1.0F}}}), 100, {.cluster_budget = 1});
            std::erase(hits.ids, kNoDocument);
            EXPECT_EQ(hits.ids, expected);
        }
    }
}

TEST(ClusteredIndex, NeverOpensAClusterForANegativeWeight) {
    Rows docs;  // the first cluster promises more, and loses by term 1; the third has nothing but term 1
    docs.n_terms = 2;
    for (int doc = 0; doc < 4; ++doc) docs.add(Row{{0, 1.0F}, {1, 0.5F + static_cast<float>(doc % 2)}});
    for (int doc = 0; doc < 4; ++doc) docs.add(Row{{0, 0.75F}});
    for (int doc = 0; doc < 4; ++doc) docs.add(Row{{1, 8.0F}});
    for (const double dense_frequency : {1e-9, 1.0}) {
        const auto index = build(docs, {.reorder = false, .dense_frequency = dense_frequency});
        const auto found = [&](const Row& query, std::int64_t budget) {
            const Hits hits = search(*index, rows_of(2, {query}), 8, {.cluster_budget = budget});
            std::map<std::int64_t, float> scores;
            for (std::size_t at = 0; at < 8; ++at) {
                if (hits.ids[at] != kNoDocument) scores[hits.ids[at]] = hits.scores[at];
            }
            return scores;
        };
        using Found = std::map<std::int64_t, float>;
        EXPECT_EQ(found({{0, 1.0F}, {1, -1.0F}}, 1), (Found{{0, 0.5F}, {2, 0.5F}})) << "scores count it";
        EXPECT_EQ(found({{0, 1.0F}, {1, -2.0F}}, 1), Found{});
        EXPECT_EQ(found({{0, 1.0F}, {1, -2.0F}}, 2), (Found{{4, 0.75F}, {5, 0.75F}, {6, 0.75F}, {7, 0.75F}}));
        EXPECT_EQ(found({{0, 1.0F}, {1, -100.0F}}, 5), (Found{{4, 0.75F}, {5, 0.75F}, {6, 0.75F}, {7, 0.75F}}));
        EXPECT_EQ(found({{0, -1.0F}, {1, -1.0F}}, 5), Found{});
    }
}

TEST(ClusteredIndex, RanksClustersByTheTermsThatContributeMost) {
    Rows docs;  // clusters of term 0, of term 1, of term 2, and of all three
    docs.n_terms = 3;
    const auto add = [&](const Row& row) {
        for (int doc = 0; doc < 4; ++doc) docs.add(row);
    };
    add({{0, 1.0F}});
    add({{1, 4.0F}});
    add({{2, 16.0F}});
    add({{0, 0.5F}, {1, 2.0F}, {2, 8.0F}});
    const Rows queries = rows_of(3, {{{0, 3.0F}, {1, 0.5F}, {2, 0.0625F}}});  // 3, 2 and 1 at most
    for (const double dense_frequency : {1e-9, 1.0}) {
        const auto index = build(docs, {.reorder = false, .dense_frequency = dense_frequency});
        const auto found = [&](std::int64_t query_cut) {
            const Hits hits = search(*index, queries, 16, {.query_cut = query_cut});
            std::vector<std::pair<std::int64_t, float>> clusters;
            for (std::size_t at = 0; at < 16 && hits.ids[at] != kNoDocument; at += 4) {
                clusters.emplace_back(hits.ids[at] / 4, hits.scores[at]);
            }
            return clusters;
        };
        using Found = std::vector<std::pair<std::int64_t, float>>;
        EXPECT_EQ(found(1), (Found{{0, 3.0F}, {3, 3.0F}})) << "scores count all terms";
        EXPECT_EQ(found(2), (Found{{0, 3.0F}, {3, 3.0F}, {1, 2.0F}}));
        EXPECT_EQ(found(3), (Found{{0, 3.0F}, {3, 3.0F}, {1, 2.0F}, {2, 1.0F}}));
        EXPECT_EQ(found(0), found(3));
    }
}

// Summaries' scores lack what was cut, so that they reach less than the scores do.
TEST(ClusteredIndex, ExpectsNoMoreOfASummaryThanTheTermsThatAreNotCut) {
    Rows docs;
    docs.n_terms = 2;
    for (int doc = 0; doc < 4; ++doc) docs.add(Row{{0, 1.0F}, {1, 0.25F}});
    for (int doc = 0; doc < 4; ++doc) docs.add(Row{{0, 0.8125F}, {1, 1.0F}});
    for (int doc = 0; doc < 4; ++doc) docs.add(Row{{0, 0.25F}, {1, 1.0F}});
    const Rows queries = rows_of(2, {{{0, 1.0F}, {1, 0.75F}}});
    for (const double dense_frequency : {1e-9, 1.0}) {
        const auto index = build(docs, {.reorder = false, .dense_frequency = dense_frequency});
        const Hits hits = search(*index, queries, 1, {.query_cut = 1});
        EXPECT_EQ(hits.ids[0], 4) << "1.1875 of 1.75 is 0.68 of the 1 that is left, and 0.8125 is more";
        EXPECT_EQ(search(*index, queries, 1, {.query_cut = 1, .heap_factor = 0.5}).ids[0], 0) << "twice 0.68 is more";
    }
}

// ---- Neighbours.

// The neighbours of each document, by ids, from a file of the index.
std::vector<std::vector<std::uint32_t>> neighbours_of(const ClusteredIndex& index, std::size_t degree) {
    const TemporaryDirectory directory;
    index.save(directory.path("f"), nullptr);
    const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
    const auto positions = file.section<std::uint32_t>("neighbours/positions", index.n_docs() * degree);
    const auto given = file.section<std::uint32_t>("order/given");
    const auto id = [&](std::size_t position) {
        return given.size() == 0 ? static_cast<std::uint32_t>(position) : given[position];
    };
    std::vector<std::vector<std::uint32_t>> all(index.n_docs());
    for (std::size_t position = 0; position < index.n_docs(); ++position) {
        for (std::size_t i = 0; i < degree; ++i) all[id(position)].push_back(id(positions[position * degree + i]));
    }
    return all;
}

TEST(ClusteredIndex, HasTheNeighboursThatABruteForceFinds) {
    Random random(30);
    for (const std::size_t n_docs : {1, 2, 3, 4, 5, 65, 300}) {
        for (const std::uint64_t n_terms : {3, 40}) {  // few: documents that have others above themselves, and ties
            Rows docs = test::random_rows(random, n_docs, n_terms, 6, test::dyadic_weight);
            docs.add(Row{});
            const auto order = shuffled(docs.n_rows());
            const auto truth = brute_force(docs, docs);
            for (const std::size_t degree : {1, 3, 10, 256}) {
                const auto params = [&](bool reorder) {
                    return ClusteredParams{.reorder = reorder, .neighbours = static_cast<std::int64_t>(degree)};
                };
                for (const auto& index :
                     {build(docs, params(false)), build(docs, params(true)), build(docs, params(false), order)}) {
                    const auto neighbours = neighbours_of(*index, degree);
                    for (std::uint32_t doc = 0; doc < docs.n_rows(); ++doc) {
                        std::vector<Hit> others;
                        for (std::uint32_t other = 0; other < docs.n_rows(); ++other) {
                            const auto score = static_cast<float>(truth[doc].scores[other]);
                            if (other != doc && score > 0) others.push_back({score, other});
                        }
                        std::sort(others.begin(), others.end(), better);
                        std::vector<std::uint32_t> expected(degree, doc);
                        for (std::size_t i = 0; i < std::min(degree, others.size()); ++i) expected[i] = others[i].doc;
                        ASSERT_EQ(neighbours[doc], expected) << n_docs << " documents, document " << doc;
                    }
                }
            }
        }
    }
}

TEST(ClusteredIndex, SearchesForEveryDocumentByPosition) {
    Random random(32);
    for (const std::size_t n_docs : {0, 1, 2, 63, 64, 65, 300}) {
        Rows docs = test::random_rows(random, n_docs, 40, 6, test::dyadic_weight);
        docs.add(Row{});
        const std::size_t n = docs.n_rows();
        const auto truth = brute_force(docs, docs);
        std::vector<std::uint32_t> given(n);
        std::iota(given.begin(), given.end(), 0U);
        for (const bool is_shuffled : {false, true}) {
            if (is_shuffled) given = shuffled(n);
            const auto index = build(docs, {.reorder = false}, is_shuffled ? Order(given) : std::nullopt);
            for (const std::size_t k : {std::size_t{1}, std::size_t{7}, n - 1, n, 2 * n}) {
                for (const unsigned threads : {1U, 3U}) {
                    std::vector<std::vector<Hit>> found(n);
                    std::vector<int> calls(n);
                    std::vector<std::vector<int>> workers(threads, std::vector<int>(n));
                    RecordingMonitor monitor;
                    Progress progress(&monitor, 1, n);
                    index->search_documents(k, threads, progress,
                                            [&](std::size_t doc, std::span<const Hit> others, unsigned worker) {
                                                ++calls[doc];
                                                ++workers.at(worker)[doc];
                                                found[doc].assign(others.begin(), others.end());
                                            });
                    EXPECT_EQ(monitor.reports().back().first, n);
                    ASSERT_EQ(calls, std::vector<int>(n, 1));
                    for (std::uint32_t position = 0; position < n; ++position) {
                        std::vector<Hit> expected;  // by ids, of which ties are in order
                        for (std::uint32_t id = 0; id < n; ++id) {
                            const auto score = static_cast<float>(truth[given[position]].scores[id]);
                            if (id != given[position] && score > 0) expected.push_back({score, id});
                        }
                        std::sort(expected.begin(), expected.end(), better);
                        ASSERT_EQ(found[position].size(), std::min(k, expected.size())) << n << " documents, k " << k;
                        for (std::size_t i = 0; i < found[position].size(); ++i) {
                            ASSERT_EQ(given[found[position][i].doc], expected[i].doc) << n << " documents, k " << k;
                            ASSERT_EQ(found[position][i].score, expected[i].score);
                        }
                    }
                }
            }
        }
    }
}

TEST_F(ClusteredIndexApproximate, RefiningOnlyAdds) {
    for (const std::int64_t budget : {1, 3, 10, 100}) {
        ClusteredSearchParams params{.query_cut = 3, .cluster_budget = budget};
        Hits before = search(*index, queries, 10, params);
        const std::size_t without = n_shared(before, exact);
        for (const std::int64_t refine : {1, 4, 10, 1000}) {
            params.refine = refine;
            const Hits hits = search(*index, queries, 10, params);
            expect_true_scores(truth, hits);
            for (std::size_t at = 0; at < hits.scores.size(); ++at) {
                ASSERT_GE(hits.scores[at], before.scores[at]) << "budget " << budget << ", refine " << refine;
            }
            before = hits;
        }
        EXPECT_GE(n_shared(before, exact), without + (budget < 100)) << "budget " << budget;
    }
    const ClusteredSearchParams all{.query_cut = 0, .cluster_budget = kUnlimited, .refine = 10};
    EXPECT_EQ(search(*index, queries, 10, all), exact) << "there is nothing to add";
}

// One cluster is opened: what is found besides are the neighbours of its best documents.
TEST(ClusteredIndex, RefinesByTheNeighboursOfTheBestHits) {
    Random random(31);
    const Rows docs = test::random_rows(random, 600, 50, 8, test::dyadic_weight);
    const Rows queries = test::random_rows(random, 30, 50, 6, signed_dyadic);
    const auto truth = brute_force(docs, queries);
    const auto order = shuffled(docs.n_rows());
    constexpr std::size_t kDegree = 3;
    for (const auto& index :
         {build(docs, {.reorder = false, .neighbours = kDegree}), build(docs, {.reorder = true, .neighbours = kDegree}),
          build(docs, {.neighbours = kDegree}, order)}) {
        const auto neighbours = neighbours_of(*index, kDegree);
        for (const std::size_t k : {1, 4, 20}) {
            const Hits plain = search(*index, queries, k, {.cluster_budget = 1});
            for (const std::size_t refine : {1, 2, 3, 100}) {
                const ClusteredSearchParams params{.cluster_budget = 1, .refine = static_cast<std::int64_t>(refine)};
                const Hits refined = search(*index, queries, k, params);
                EXPECT_EQ(test::search_one_by_one(*index, queries, k, params), refined);
                for (std::size_t query = 0; query < queries.n_rows(); ++query) {
                    std::set<std::int64_t> scored;
                    for (std::size_t rank = 0; rank < k; ++rank) {
                        const std::int64_t id = plain.ids[query * k + rank];
                        if (id == kNoDocument) break;
                        scored.insert(id);
                        if (rank >= refine) continue;
                        const auto& of = neighbours[static_cast<std::size_t>(id)];
                        scored.insert(of.begin(), of.end());
                    }
                    std::vector<Hit> expected;
                    for (const std::int64_t id : scored) {
                        const auto score = static_cast<float>(truth[query].scores[static_cast<std::size_t>(id)]);
                        if (score > 0) expected.push_back({score, static_cast<std::uint32_t>(id)});
                    }
                    Hits written(1, k);
                    written.view().write(0, expected, false);
                    for (std::size_t rank = 0; rank < k; ++rank) {
                        ASSERT_EQ(refined.ids[query * k + rank], written.ids[rank])
                            << "k " << k << ", refine " << refine << ", query " << query << ", rank " << rank;
                        ASSERT_EQ(refined.scores[query * k + rank], written.scores[rank]);
                    }
                }
                EXPECT_EQ(search(*index, queries, k, {.cluster_budget = 1}), plain) << "nothing is left behind";
            }
        }
    }
}

TEST(ClusteredIndex, RefinesNothingWithoutNeighbours) {
    const Rows docs = rows_of(1, {{{0, 1.0F}}, {{0, 2.0F}}});
    const std::string message = "refine needs neighbours: build the index with neighbours >= 1";
    EXPECT_EQ(error_of([&] { search(*build(docs), docs, 1, {.refine = 1}); }), message);
    EXPECT_EQ(error_of([&] { search(*build(docs, {.neighbours = 1}), docs, 1, {.refine = 1}); }), "no error");
    const TemporaryDirectory directory;
    build(docs)->save(directory.path("f"), nullptr);
    const auto opened = open_index(directory.path("f"), true, nullptr);
    EXPECT_EQ(error_of([&] { search(dynamic_cast<const ClusteredIndex&>(*opened), docs, 1, {.refine = 1}); }), message);
}

// Pruned summaries rank clusters less well, and no score is less true for it.
TEST_F(ClusteredIndexApproximate, OfPrunedSummaries) {
    std::size_t before = n_exact();
    std::size_t nbytes = std::numeric_limits<std::size_t>::max();
    for (const auto& [n_postings, energy] :
         {std::pair(0, 1.0), std::pair(300, 0.9), std::pair(100, 0.6), std::pair(20, 0.3)}) {
        const auto pruned = build(docs, {.dense_frequency = 1.0, .n_postings = n_postings, .summary_energy = energy});
        const Hits hits = search(*pruned, queries, 10, kEverything);
        expect_true_scores(truth, hits);
        const std::size_t n = n_shared(hits, exact);
        EXPECT_LE(n, before + 2);
        EXPECT_GT(n, 0U);
        before = n;
        std::size_t lists = 0;
        for (const auto& [part, size] : pruned->nbytes()) lists += part == "lists" ? size : 0;
        EXPECT_LT(lists, nbytes);
        nbytes = lists;
    }
    EXPECT_LT(before, n_exact());
}

// ---- Building, saving, refusing.

TEST(ClusteredIndex, TellsItsParameters) {
    const Rows docs = rows_of(3, {{{0, 1.0F}}, {{2, 1.0F}}});
    EXPECT_EQ(test::parameters_of(*build(docs, {16, false, 0.25, 0.5, 0.125, 3, 0.5, 2})),
              "cluster_size=16\nreorder=0\ndense_frequency=0.25\ntile_frequency=0.5\ngroup_frequency=0.125\nn_postings="
              "3\nsummary_energy=0.5\n"
              "neighbours=2\n");
    EXPECT_TRUE(test::parameters_of(*build(docs, {.cluster_size = 8})).starts_with("cluster_size=8\nreorder=1\n"));
    const std::vector<std::uint32_t> order{1, 0};
    EXPECT_TRUE(test::parameters_of(*build(docs, {.cluster_size = 8, .reorder = false}, order))
                    .starts_with("cluster_size=8\nreorder=1\n"));
    EXPECT_TRUE(test::parameters_of(*build(docs, {})).starts_with("cluster_size=4\n")) << "the choice is told";
}

TEST(ClusteredIndex, NamesABuildParameterThatIsWrong) {
    const Rows docs = rows_of(1, {{{0, 1.0F}}, {{0, 2.0F}}});
    const auto built = [&](const ClusteredParams& params) { return error_of([&] { build(docs, params); }); };
    for (const std::int64_t size : {-4, 1, 2, 3, 5, 12, 63, 65, 128}) {
        EXPECT_EQ(built({.cluster_size = size}),
                  "cluster_size must be 4, 8, 16, 32 or 64, or 0 to choose, got " + std::to_string(size));
    }
    for (const double fraction : {0.0, -0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_TRUE(built({.dense_frequency = fraction}).starts_with("dense_frequency must be in (0, 1], got "))
            << fraction;
        EXPECT_TRUE(built({.summary_energy = fraction}).starts_with("summary_energy must be in (0, 1], got "))
            << fraction;
    }
    for (const double fraction : {-0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_TRUE(
            built({.group_frequency = fraction}).starts_with("group_frequency must be in (0, 1], or 0 to choose, got "))
            << fraction;
    }
    EXPECT_EQ(built({.n_postings = -1}), "n_postings must be >= 0, got -1");
    for (const std::int64_t neighbours : {INT64_MIN, std::int64_t{-1}, std::int64_t{257}, INT64_MAX}) {
        EXPECT_EQ(built({.neighbours = neighbours}),
                  "neighbours must be from 0 to 256, got " + std::to_string(neighbours));
    }
    for (const std::int64_t size : {0, 4, 8, 16, 32, 64}) {
        EXPECT_EQ(built({.cluster_size = size, .dense_frequency = 1, .n_postings = INT64_MAX, .neighbours = 256}),
                  "no error");
    }
    test::expect_orders_to_be_checked([&](const auto& order) { build(docs, {}, order); });
}

TEST(ClusteredIndex, NamesASearchParameterThatIsWrong) {
    const auto index = build(rows_of(1, {{{0, 1.0F}}, {{0, 2.0F}}}));
    const auto searched = [&](const ClusteredSearchParams& params) { return test::error_of_search(*index, params); };
    for (const double fraction : {0.0, -0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_TRUE(searched({.heap_factor = fraction}).starts_with("heap_factor must be in (0, 1], got ")) << fraction;
    }
    EXPECT_EQ(searched({.query_cut = -1}), "query_cut must be >= 0, got -1");
    EXPECT_EQ(searched({.cluster_budget = INT64_MIN}), "cluster_budget must be >= 0, got -9223372036854775808");
    EXPECT_EQ(searched({.group_budget = -1}), "group_budget must be >= 0, got -1");
    EXPECT_EQ(searched({.group_budget = 1}),
              "group_budget needs groups: build the index with a group_frequency above 0");
    EXPECT_EQ(searched({.refine = -1}), "refine must be >= 0, got -1");
    EXPECT_EQ(searched({.query_cut = INT64_MAX, .heap_factor = 1, .cluster_budget = INT64_MAX}), "no error");
}

}  // namespace
}  // namespace thresher
