// What every engine owes its callers, by way of ExactIndex: threads, files, errors, progress, cancellation.
#include "engines/index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engines/exact_index.hpp"
#include "engines/registry.hpp"
#include "support/brute_force.hpp"
#include "support/error_of.hpp"
#include "support/parameters_of.hpp"
#include "support/random_rows.hpp"
#include "support/recording_monitor.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::Cancelled;
using test::error_of;
using test::Hits;
using test::Random;
using test::RecordingMonitor;
using test::Row;
using test::Rows;
using test::rows_of;
using test::search;
using test::signed_real;
using test::TemporaryDirectory;

std::unique_ptr<ExactIndex> build(const Rows& docs, const ExactParams& params = {64, 0.05}, unsigned threads = 1) {
    return ExactIndex::build(docs.view(), params, threads, nullptr);
}

TEST(Index, DoesNotDependOnTheNumberOfThreads) {
    Random random(12);
    const Rows docs = test::random_rows(random, 20000, 500, 5, test::real_weight);
    const Rows queries = test::random_rows(random, 41, 500, 6, signed_real);
    const TemporaryDirectory directory;
    const auto one = build(docs, {64, 0.05}, 1);
    one->save(directory.path("one"), nullptr);
    const Hits expected = search(*one, queries, 10, 1);
    for (unsigned threads = 2; threads <= 4; ++threads) {
        const auto many = build(docs, {64, 0.05}, threads);
        many->save(directory.path("many"), nullptr);
        EXPECT_EQ(test::read_bytes(directory.path("many")), test::read_bytes(directory.path("one")));
        EXPECT_EQ(search(*one, queries, 10, threads), expected);
        EXPECT_EQ(search(*many, queries, 10, threads), expected);
    }
    EXPECT_EQ(search(*one, queries, 10, 0), expected);
}

Hits search_one_by_one(const Index& index, const Rows& queries, std::size_t k) {
    Hits hits(queries.n_rows(), k);
    for (std::size_t query = 0; query < queries.n_rows(); ++query) {
        index.search_one(queries.view().row_terms(query), queries.view().row_weights(query),
                         {k, std::span(hits.ids).subspan(query * k, k), std::span(hits.scores).subspan(query * k, k)});
    }
    return hits;
}

TEST(Index, AnswersOneQueryAsItDoesABatch) {
    Random random(13);
    const Rows docs = test::random_rows(random, 1000, 200, 8, test::real_weight);
    const auto index = build(docs);
    const Rows queries = test::random_rows(random, 600, 200, 6, signed_real);  // more than share a window
    EXPECT_EQ(search_one_by_one(*index, queries, 7), search(*index, queries, 7));
}

TEST(Index, ReturnsHitsWhereNobodyHasRoomForThem) {
    Random random(16);
    const Rows docs = test::random_rows(random, 200, 50, 8, test::real_weight);
    const auto index = build(docs);
    const Hits expected = search(*index, docs, 10);
    const auto hits = index->Index::search(docs.view());
    EXPECT_EQ(hits.k, 10U);
    EXPECT_EQ(hits.ids, expected.ids);
    EXPECT_EQ(hits.scores, expected.scores);
    const auto one = index->search_one(docs.view().row_terms(0), docs.view().row_weights(0), 3);
    EXPECT_TRUE(std::ranges::equal(one.ids, std::span(expected.ids).first(3)));
    EXPECT_EQ(error_of([&] { index->search(docs.view(), {.k = 0}); }), "k must be >= 1, got 0");
}

TEST(Index, IsSearchedByManyThreadsAtOnce) {
    Random random(14);
    const Rows docs = test::random_rows(random, 2000, 200, 8, test::real_weight);
    const Rows queries = test::random_rows(random, 30, 200, 6, signed_real);
    const auto index = build(docs);
    const Hits expected = search(*index, queries, 10);
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 6; ++t) {
        threads.emplace_back([&, t] {
            for (int round = 0; round < 5; ++round) {
                const Hits hits =
                    t % 2 == 0 ? search(*index, queries, 10, 1 + t / 2) : search_one_by_one(*index, queries, 10);
                wrong += hits == expected ? 0 : 1;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
}

TEST(Index, GivesTheSameHitsFromAFile) {
    Random random(15);
    const TemporaryDirectory directory;
    for (const bool half : {false, true}) {
        const Rows docs = test::random_rows(random, 1500, 300, 8, half ? test::dyadic_weight : test::real_weight);
        const Rows queries = test::random_rows(random, 20, 300, 6, signed_real);
        const auto index = build(docs, {64, 0.01}, 2);
        index->save(directory.path("f"), nullptr);
        for (const bool verify : {true, false}) {
            const auto opened = open_index(directory.path("f"), verify, nullptr);
            EXPECT_EQ(opened->engine(), "exact");
            EXPECT_EQ(opened->n_docs(), index->n_docs());
            EXPECT_EQ(opened->n_terms(), index->n_terms());
            EXPECT_EQ(opened->nnz(), index->nnz());
            EXPECT_EQ(opened->nbytes(), index->nbytes());
            EXPECT_EQ(opened->parameters(), index->parameters());
            EXPECT_EQ(test::parameters_of(*opened), "window=64\nrow_density=0.01\n");
            EXPECT_EQ(search(*opened, queries, 10), search(*index, queries, 10));
        }
    }
}

TEST(Index, GivesBackTheDocuments) {
    Random random(16);
    const Rows docs = test::random_rows(random, 200, 300, 8, test::real_weight);
    const auto index = build(docs);
    const std::vector<std::int64_t> ids{199, 0, 7, 7};
    const auto rows = index->vectors(ids);
    ASSERT_EQ(rows.indptr.size(), 5U);
    for (std::size_t r = 0; r < ids.size(); ++r) {
        const auto terms = docs.view().row_terms(static_cast<std::size_t>(ids[r]));
        const auto weights = docs.view().row_weights(static_cast<std::size_t>(ids[r]));
        const auto begin = rows.indptr[r];
        const auto end = rows.indptr[r + 1];
        EXPECT_TRUE(std::equal(terms.begin(), terms.end(), rows.terms.begin() + begin, rows.terms.begin() + end));
        EXPECT_TRUE(
            std::equal(weights.begin(), weights.end(), rows.weights.begin() + begin, rows.weights.begin() + end));
    }
    EXPECT_EQ(index->vectors({}).indptr, std::vector<std::int64_t>{0});
}

TEST(Index, NamesWhatIsWrongWithItsInput) {
    const Rows docs = rows_of(3, {{{0, 1.0F}}, {{2, 1.0F}}});
    const auto index = build(docs);
    EXPECT_EQ(error_of([&] { build(rows_of(3, {{{0, 1.0F}}, {{1, std::nanf("")}}})); }),
              "docs: row 1 has weight nan for term 1; weights must be finite float32 values");
    EXPECT_TRUE(error_of([&] { build(rows_of(3, {{{0, -1.0F}}})); }).starts_with("docs: row 0 has weight -1"));
    EXPECT_EQ(error_of([&] { build(rows_of(std::uint64_t{1} << 32, {{}})); }),
              "docs: 4294967296 columns; at most 2^32 - 1 are supported");
    EXPECT_EQ(error_of([&] { search(*index, rows_of(4, {{}, {{3, 1.0F}}}), 1); }),
              "queries: row 1 has term 3, but there are only 3 terms");
    EXPECT_EQ(error_of([&] { search(*index, rows_of(4, {{}, {{2, 1.0F}}}), 1); }), "no error");
    EXPECT_EQ(error_of([&] { search(*index, rows_of(3, {{}}), 0); }), "k must be >= 1, got 0");
    EXPECT_EQ(error_of([&] { search(*index, rows_of(3, {{}, {{2, HUGE_VALF}}}), 1); }),
              "queries: row 1 has weight inf for term 2; weights must be finite float32 values");
    EXPECT_EQ(error_of([&] { index->vectors(std::vector<std::int64_t>{0, 2}); }),
              "ids: 2 is not a document; the index has 2");
    EXPECT_EQ(error_of([&] { index->vectors(std::vector<std::int64_t>{-1}); }),
              "ids: -1 is not a document; the index has 2");
    const std::vector<std::uint32_t> terms{3};
    const std::vector<float> weights{1.0F, 2.0F};
    Hits hits(1, 1);
    EXPECT_EQ(error_of([&] { index->search_one(terms, std::span(weights).first(1), hits.view()); }),
              "queries: row 0 has term 3, but there are only 3 terms");
    EXPECT_EQ(error_of([&] { index->search_one(terms, weights, hits.view()); }),
              "terms and weights differ in length: 1 and 2");
}

TEST(Index, AnswersNarrowerQueries) {
    const Rows docs = rows_of(9, {{{0, 1.0F}, {8, 1.0F}}, {{1, 3.0F}}});
    EXPECT_EQ(search(*build(docs), rows_of(2, {{{0, 1.0F}, {1, 1.0F}}}), 2).ids, (std::vector<std::int64_t>{1, 0}));
}

void expect_rises_to(const RecordingMonitor& monitor, std::uint64_t total) {
    ASSERT_FALSE(monitor.reports().empty());
    for (const auto& report : monitor.reports()) ASSERT_EQ(report.second, total);
    EXPECT_EQ(monitor.reports().back().first, total);  // that they rise strictly the monitor sees to
}

TEST(Index, ReportsProgressThatRisesToTheNumberOfRows) {
    Random random(17);
    Rows docs = test::random_rows(random, 10000, 100, 3, test::real_weight);
    for (const bool canonical : {true, false}) {
        if (!canonical) docs.weights[5] = 0;
        for (unsigned threads = 1; threads <= 3; ++threads) {
            RecordingMonitor building;
            const auto index = ExactIndex::build(docs.view(), {64, 0.1}, threads, &building);
            expect_rises_to(building, 10000);
            Rows queries = test::random_rows(random, 40, 100, 4, test::real_weight);
            queries.add(canonical ? Row{{1, 1.0F}} : Row{{1, 1.0F}, {1, 1.0F}});
            Hits hits(41, 3);
            RecordingMonitor searching;
            index->search(queries.view(), {3, threads, &searching}, hits.view());
            expect_rises_to(searching, 41);
        }
    }
}

TEST(Index, IsCancelledByTheMonitor) {
    Random random(18);
    const Rows docs = test::random_rows(random, 5000, 100, 3, test::real_weight);
    for (int at = 1; at <= 6; ++at) {
        RecordingMonitor monitor(at);
        EXPECT_THROW(ExactIndex::build(docs.view(), {64, 0.1}, 2, &monitor), Cancelled) << at;
    }
    const auto index = build(docs);
    const Rows queries = test::random_rows(random, 50, 100, 4, test::real_weight);
    const Hits expected = search(*index, queries, 3);
    for (int at = 1; at <= 2; ++at) {
        RecordingMonitor monitor(at);
        Hits hits(50, 3);
        EXPECT_THROW(index->search(queries.view(), {3, 2, &monitor}, hits.view()), Cancelled) << at;
        EXPECT_EQ(search(*index, queries, 3, 2), expected) << "a cancelled search leaves nothing behind";
    }
}

}  // namespace
}  // namespace thresher
