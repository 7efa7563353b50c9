// Anytime search: exact where it says so, within its limits where it does not, whatever it did before.
#include "core/impact/anytime_search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "support/brute_force.hpp"
#include "support/impact_parts.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::brute_force;
using test::BruteForce;
using test::expect_true_scores;
using test::Hits;
using test::ImpactParts;
using test::Random;
using test::Row;
using test::Rows;
using test::rows_of;

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
constexpr double kNoDeadline = std::numeric_limits<double>::infinity();

struct Searcher {
    explicit Searcher(const Rows& docs)
        : parts(docs), search(parts.documents.forward.n_docs()), gate(parts.documents.vocabulary.n_slots()) {}
    bool find(const Rows& queries, std::size_t row, std::size_t k, const SearchLimits& limits) {
        const SlotQuery query = parts.query(queries, row);
        return search.search(parts.index(), {.query = &query, .wanted = {.k = k, .depth = k}}, limits, gate, best);
    }
    // All of one query after the other, with the same scratch memory.
    Hits run(const Rows& queries, std::size_t k, const SearchLimits& limits = {}) {
        Hits hits(queries.n_rows(), k);
        for (std::size_t row = 0; row < queries.n_rows(); ++row) {
            const bool is_exact = find(queries, row, k, limits);
            hits.view().write(row, best.hits(), is_exact);
        }
        return hits;
    }

    ImpactParts parts;
    AnytimeSearch search;
    Gate gate;
    TopK best;
};

void expect_exact_where_it_says_so(const std::vector<BruteForce>& truth, const Hits& hits) {
    ASSERT_NO_FATAL_FAILURE(expect_true_scores(truth, hits));
    for (std::size_t query = 0; query < truth.size(); ++query) {
        if (hits.exact[query] == 0) continue;
        ASSERT_NO_FATAL_FAILURE(test::expect_identical(truth[query], hits, query));
    }
}

TEST(AnytimeSearch, IsExactWhereItSaysSo) {
    Random random(1);
    std::size_t n_exact = 0;
    std::size_t n_stopped = 0;
    for (int round = 0; round < 12; ++round) {
        const auto n_docs = static_cast<std::size_t>(test::uniform(random, 20, 600));
        const Rows docs = test::random_rows(random, n_docs, 60, 8, test::dyadic_weight);
        const Rows queries = round % 2 == 0 ? test::random_rows(random, 6, 60, 8, test::dyadic_weight)
                                            : test::random_rows(random, 6, 60, 8, test::signed_dyadic);
        const auto truth = brute_force(docs, queries);
        Searcher searcher(docs);
        for (const std::size_t k : {1, 5, 30}) {
            for (const std::uint64_t postings : {0, 20, 70, 200, 500, 1500}) {
                for (const std::size_t rescored : {k, 4 * k, std::size_t{100}}) {
                    const SearchLimits limits{postings, kNoDeadline, rescored};
                    const Hits hits = searcher.run(queries, k, limits);
                    ASSERT_NO_FATAL_FAILURE(expect_exact_where_it_says_so(truth, hits))
                        << "round " << round << ", k " << k << ", postings " << postings << ", rescored " << rescored;
                    for (const std::uint8_t is_exact : hits.exact) ++(is_exact == 1 ? n_exact : n_stopped);
                    ASSERT_EQ(searcher.run(queries, k, {postings, 1e9, rescored}), hits) << "time enough";
                }
            }
            ASSERT_NO_FATAL_FAILURE(expect_exact_where_it_says_so(truth, searcher.run(queries, k)));
            ASSERT_EQ(searcher.run(queries, k).exact, std::vector<std::uint8_t>(6, 1));
        }
    }
    EXPECT_GT(n_exact, 500U);
    EXPECT_GT(n_stopped, 500U) << "or the limits are none";
}

TEST(AnytimeSearch, ReadsNothingWithoutPostingsToSpend) {
    Random random(2);
    Rows docs = rows_of(9, std::vector<Row>(50));
    for (int doc = 0; doc < 100; ++doc) docs.add(Row{{3, 1.0F}, {5, 2.0F}});
    Searcher searcher(docs);
    const Rows queries = rows_of(9, {{{3, 1.0F}, {5, 1.0F}}});
    const Hits hits = searcher.run(queries, 2, {0, kNoDeadline, 2});
    EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{-1, -1}));
    EXPECT_EQ(hits.exact[0], 0);
    EXPECT_EQ(searcher.run(queries, 2).ids, (std::vector<std::int64_t>{50, 51}));
}

TEST(AnytimeSearch, OfNoHitsIsExact) {
    Searcher searcher(rows_of(1, {{{0, 1.0F}}}));
    const Rows query = rows_of(1, {{{0, 1.0F}}});
    EXPECT_TRUE(searcher.find(query, 0, 1, {}));
    EXPECT_EQ(searcher.best.hits().size(), 1U);
    EXPECT_TRUE(searcher.find(query, 0, 0, {}));
    EXPECT_TRUE(searcher.best.hits().empty());
    const Rows none = rows_of(1, {{}});
    EXPECT_TRUE(searcher.find(none, 0, 1, {0, 1, 1}));
    EXPECT_TRUE(searcher.best.hits().empty());
}

// The proof says nothing of a query's terms that no limit leaves time for, unless they could change nothing.
TEST(AnytimeSearch, CountsTermsThatItDoesNotReadAtAll) {
    Rows docs;  // the best has none of the terms that weigh most but the one that all have
    docs.n_terms = 100;
    for (std::uint32_t doc = 0; doc < 400; ++doc) {
        Row row{{0, 8.0F}};
        for (std::uint32_t term = 1; term < 100; ++term) {
            if (doc == 300 ? term > 10 : (doc + term) % 3 == 0) row.emplace_back(term, 1.0F);
        }
        docs.add(row);
    }
    Row every;
    for (std::uint32_t term = 0; term < 100; ++term) every.emplace_back(term, term > 10 ? 0.5F : 1.0F);
    const Rows queries = rows_of(100, {every});
    const auto truth = brute_force(docs, queries);
    Searcher searcher(docs);
    for (const std::uint64_t postings : {400, 800, 1500}) {  // of 13,000, for some of the terms
        const Hits hits = searcher.run(queries, 1, {postings, kNoDeadline, 1});
        EXPECT_NE(hits.ids[0], 300) << "or it is found by chance";
        EXPECT_EQ(hits.exact[0], 0) << postings;
    }
    EXPECT_EQ(searcher.run(queries, 1).ids[0], 300);
}

// Of two documents of the same sum only one is scored, and that one's score is negative by what is not read.
TEST(AnytimeSearch, DoesNotVouchForADocumentThatMatchesItsLeastSum) {
    Rows docs = rows_of(3, {{{0, 1e5F}}, {{1, 1.0F}, {2, 2.0F}}, {{1, 1.0F}}});
    for (int doc = 0; doc < 7; ++doc) docs.add(Row{{2, 2.0F}});
    const Rows queries = rows_of(3, {{{0, 1.0F}, {1, 1.0F}, {2, -1.0F}}});
    Searcher searcher(docs);
    const Hits hits = searcher.run(queries, 2, {3, kNoDeadline, 2});
    EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{0, -1}));
    EXPECT_EQ(hits.exact[0], 0);
    EXPECT_EQ(searcher.run(queries, 2, {3, kNoDeadline, 3}).ids, (std::vector<std::int64_t>{0, 2}));
    EXPECT_EQ(searcher.run(queries, 2, {3, kNoDeadline, 3}).exact[0], 1) << "what is not read can only take away";
}

void expect_on_time(const Rows& docs, const Rows& queries) {
    const auto truth = brute_force(docs, queries);
    Searcher searcher(docs);
    const Hits exact = searcher.run(queries, 5);
    for (const double deadline : {0.5, 3.0, 10.0, 30.0, 100.0, 1000.0}) {
        for (const std::uint64_t postings : {kNoLimit, std::uint64_t{3000}}) {
            const Hits hits = searcher.run(queries, 5, {postings, deadline, 50});
            ASSERT_NO_FATAL_FAILURE(expect_exact_where_it_says_so(truth, hits)) << "deadline " << deadline;
            ASSERT_EQ(searcher.run(queries, 5), exact) << "and leaves nothing behind";
        }
    }
}

TEST(AnytimeSearch, IsOnTimeWithSomething) {
    Random random(3);
    const Rows queries = test::random_rows(random, 6, 300, 20, test::dyadic_weight);
    expect_on_time(test::random_rows(random, 20'000, 300, 20, test::dyadic_weight), queries);
    // Three windows, which may be read unequally far.
    expect_on_time(test::scattered_rows(random, 140'000, 300, 60, 10, test::dyadic_weight), queries);
}

// More documents than are listed may be among the best: they are scored as a scan finds them.
TEST(AnytimeSearch, IsExactWhereMoreDocumentsMatterThanAreListed) {
    const std::size_t n_docs = 2 * BestAccumulators::kMaxListed + 1000;
    Rows docs;
    docs.n_terms = 3;
    for (std::uint32_t doc = 0; doc < n_docs; ++doc) {
        docs.add(Row{{0, 1.0F}, {1, doc % 1000 == 999 ? 1.0F / 512 : 1.0F / 1024}, {2, 1.0F / 4096}});
    }
    const Rows queries = rows_of(3, {{{0, 1.0F}}, {{0, 1.0F}, {1, 1.0F / 64}}, {{2, 1.0F}}, {{0, 1.0F}, {2, -1.0F}}});
    const auto truth = brute_force(docs, queries);
    Searcher searcher(docs);
    for (const std::size_t k : {std::size_t{10}, std::size_t{500}}) {
        const Hits hits = searcher.run(queries, k);
        for (std::size_t query = 0; query < queries.n_rows(); ++query) {
            ASSERT_EQ(hits.exact[query], 1) << "query " << query;
            ASSERT_NO_FATAL_FAILURE(test::expect_identical(truth[query], hits, query)) << "k " << k;
        }
        ASSERT_EQ(searcher.run(queries, k, {kNoLimit, 1e9, k}), hits) << "time enough";
        const Hits limited = searcher.run(queries, k, {n_docs * 3 / 2, kNoDeadline, 4 * k});
        ASSERT_NO_FATAL_FAILURE(expect_exact_where_it_says_so(truth, limited));
        const Hits hurried = searcher.run(queries, k, {kNoLimit, 1, 4 * k});
        ASSERT_NO_FATAL_FAILURE(expect_exact_where_it_says_so(truth, hurried));
    }
}

}  // namespace
}  // namespace thresher
