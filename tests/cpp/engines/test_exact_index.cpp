// ExactIndex against a brute force in double precision, over collections and parameters of every kind.
#include "engines/exact_index.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/storage/index_file.hpp"
#include "support/brute_force.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::error_of;
using test::Hits;
using test::Random;
using test::Row;
using test::Rows;
using test::rows_of;
using test::search;
using test::signed_dyadic;
using test::signed_real;
using test::TemporaryDirectory;

const std::vector<ExactParams> kParams{{64, 0.01}, {64, 0.05}, {64, 1.0}, {192, 0.1}, {4096, 0.1}, {65536, 0.3}};

std::unique_ptr<ExactIndex> build(const Rows& docs, const ExactParams& params = {64, 0.05}, unsigned threads = 1) {
    return ExactIndex::build(docs.view(), params, threads, nullptr);
}

enum class Sums { exact, rounded };  // whether the sums of the weights' products are exact in double

void expect_right(const Rows& docs, const Rows& queries, Sums sums) {
    for (const ExactParams& params : kParams) {
        SCOPED_TRACE("window " + std::to_string(params.window) + ", density " + std::to_string(params.row_density));
        const auto index = build(docs, params);
        for (const std::size_t k : {std::size_t{1}, std::size_t{10}, std::size_t{100}, docs.n_rows() + 5}) {
            const Hits hits = search(*index, queries, k);
            for (std::size_t query = 0; query < queries.n_rows(); ++query) {
                const auto truth = test::brute_force(docs.view(), queries.view(), query);
                ASSERT_NO_FATAL_FAILURE(test::expect_top_k(truth, hits, query)) << "k " << k;
                if (sums == Sums::rounded) continue;
                ASSERT_NO_FATAL_FAILURE(test::expect_identical(truth, hits, query)) << "k " << k;
            }
        }
    }
}

TEST(ExactIndex, AgreesWithBruteForceOnExactSums) {
    Random random(1);
    for (const std::size_t n_docs : {1, 2, 7, 63, 64, 65, 700, 1500}) {
        const Rows docs = test::random_rows(random, n_docs, 300, 8, test::dyadic_weight);
        expect_right(docs, test::random_rows(random, 6, 300, 6, test::dyadic_weight), Sums::exact);
        expect_right(docs, test::random_rows(random, 6, 300, 6, signed_dyadic), Sums::exact);
    }
}

TEST(ExactIndex, AgreesWithBruteForceOnRealWeights) {
    Random random(2);
    for (const std::size_t n_docs : {50, 1500}) {
        const Rows docs = test::random_rows(random, n_docs, 300, 10, test::real_weight);
        expect_right(docs, test::random_rows(random, 8, 300, 8, test::real_weight), Sums::rounded);
        expect_right(docs, test::random_rows(random, 8, 300, 8, signed_real), Sums::rounded);
    }
}

TEST(ExactIndex, UsesAllThreeFormsOfPostings) {
    Random random(3);
    const auto index = build(test::random_rows(random, 1500, 300, 8, test::dyadic_weight), {64, 0.05});
    const TemporaryDirectory directory;
    index->save(directory.path("f"), nullptr);
    const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
    EXPECT_GT(file.section<std::uint8_t>("rows/impacts").size(), 0U);
    EXPECT_GT(file.section<std::uint16_t>("lists/docs").size(), 0U);
    EXPECT_GT(file.section<std::uint32_t>("rare/docs").size(), 0U);
}

// Scores are float32: many that differ before they are rounded tie below its least number and beyond its greatest.
TEST(ExactIndex, PutsSmallerIdsFirstAmongTiesAtTheEndsOfFloat32) {
    Random random(8);
    for (const float query_weight : {0x1p-149F, 0x1p127F}) {
        const Rows docs = test::random_rows(random, 700, 3, 2, test::real_weight);
        const Rows query = rows_of(3, {{{0, query_weight}, {1, query_weight}}});
        std::vector<Hit> truth;
        for (const double score : test::brute_force(docs.view(), query.view(), 0).scores) {
            truth.push_back({static_cast<float>(score), static_cast<std::uint32_t>(truth.size())});
        }
        std::sort(truth.begin(), truth.end(), better);
        for (const std::size_t k : {std::size_t{1}, std::size_t{10}, std::size_t{100}}) {
            const Hits hits = search(*build(docs), query, k);
            for (std::size_t rank = 0; rank < k; ++rank) {
                ASSERT_EQ(hits.scores[rank], truth[rank].score) << "k " << k << ", rank " << rank;
                ASSERT_EQ(hits.ids[rank], truth[rank].doc) << "k " << k << ", rank " << rank;
            }
        }
    }
}

TEST(ExactIndex, PutsSmallerIdsFirstAmongTies) {
    Random random(4);
    Rows docs;
    docs.n_terms = 40;
    const Rows originals = test::random_rows(random, 12, 40, 5, test::dyadic_weight);
    for (int copy = 0; copy < 60; ++copy) {
        for (std::size_t r = 0; r < originals.n_rows(); ++r) {
            std::map<std::uint32_t, float> row;
            for (std::size_t i = 0; i < originals.view().row_size(r); ++i) {
                row[originals.view().row_terms(r)[i]] = originals.view().row_weights(r)[i];
            }
            docs.add(row);
        }
    }
    expect_right(docs, test::random_rows(random, 6, 40, 5, signed_dyadic), Sums::exact);
}

TEST(ExactIndex, PutsSmallerIdsFirstAmongScoresThatRoundToTheSameFloat) {
    Rows docs;
    docs.n_terms = 2;
    for (int doc = 0; doc < 200; ++doc)
        docs.add(Row{{0, 1.0F}, {1, static_cast<float>(doc % 7) * 0x1p-30F + 0x1p-40F}});
    const Rows queries = rows_of(2, {{{0, 1.0F}, {1, 1.0F}}, {{0, 1.0F}, {1, -1.0F}}});
    expect_right(docs, queries, Sums::exact);
}

TEST(ExactIndex, OfEqualWeights) {
    Random random(5);
    const auto one = [](Random&) { return 1.0F; };
    const Rows docs = test::random_rows(random, 1000, 60, 6, one);
    expect_right(docs, test::random_rows(random, 8, 60, 4, one), Sums::exact);
    expect_right(docs, rows_of(60, {{{0, -1.0F}, {1, 1.0F}}, {{0, 1e-30F}}, {{0, 1e30F}, {5, 1e30F}}}), Sums::rounded);
}

TEST(ExactIndex, OfOneHugeWeight) {
    Random random(6);
    Rows docs = test::random_rows(random, 800, 60, 6, test::real_weight);
    docs.weights[docs.weights.size() / 2] = 1e30F;  // its term's other weights all become impact 1
    docs.weights[docs.weights.size() / 3] = 1e-38F;
    const Rows queries = test::random_rows(random, 10, 60, 12, signed_real);
    expect_right(docs, queries, Sums::rounded);
}

TEST(ExactIndex, OfOneHugeQueryWeight) {
    Random random(7);
    const Rows docs = test::random_rows(random, 800, 60, 6, test::real_weight);
    expect_right(docs,
                 rows_of(60, {{{0, 1e-6F}, {1, 1e6F}, {2, 1e-3F}, {50, 1.0F}},
                              {{0, 1e-6F}, {1, -1e6F}, {2, 1e-3F}, {50, 1.0F}},
                              {{0, 1e-20F}, {1, -1e15F}, {3, -1e-20F}}}),
                 Sums::rounded);
}

TEST(ExactIndex, OfWeightsOfEveryMagnitude) {
    Random random(8);
    const auto any = [](Random& source) {
        return std::ldexp(1.0F + static_cast<float>(test::unit(source)),
                          static_cast<int>(test::uniform(source, -60, 60)));
    };
    const Rows docs = test::random_rows(random, 600, 80, 6, any);
    expect_right(docs, test::random_rows(random, 10, 80, 6, any), Sums::rounded);
    const auto tiny = [](Random& source) {
        return static_cast<float>(test::uniform(source, 1, 100)) * std::numeric_limits<float>::denorm_min();
    };
    expect_right(test::random_rows(random, 600, 80, 6, tiny), test::random_rows(random, 5, 80, 6, any), Sums::rounded);
}

TEST(ExactIndex, OfATermInEveryDocument) {
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

TEST(ExactIndex, OfEmptyRowsAndEmptyColumns) {
    Rows docs;
    docs.n_terms = 100;
    for (int doc = 0; doc < 300; ++doc) {
        docs.add(doc % 3 == 0 ? Row{{10, 1.0F + static_cast<float>(doc)}, {90, 1.0F}} : Row{});
    }
    expect_right(docs,
                 rows_of(100, {{}, {{0, 1.0F}}, {{10, 1.0F}}, {{10, -1.0F}, {90, 200.0F}}, {{5, 1.0F}, {90, 1.0F}}}),
                 Sums::exact);
}

TEST(ExactIndex, OfHardlyAnything) {
    for (const std::uint64_t n_terms : {0, 1, 5}) {
        for (const std::size_t n_docs : {0, 1, 3}) {
            const auto index = build(rows_of(n_terms, std::vector<Row>(n_docs)));
            EXPECT_EQ(index->n_docs(), n_docs);
            EXPECT_EQ(index->n_terms(), n_terms);
            EXPECT_EQ(index->nnz(), 0U);
            const Hits hits = search(*index, rows_of(n_terms, {{}, {}}), 2);
            EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{-1, -1, -1, -1}));
            EXPECT_EQ(search(*index, rows_of(0, {}), 2).ids.size(), 0U) << "no queries";
        }
    }
    expect_right(rows_of(1, {{{0, 2.5F}}}), rows_of(1, {{{0, 1.0F}}, {{0, -1.0F}}, {}}), Sums::exact);
}

TEST(ExactIndex, PadsWhereFewerThanKScoresArePositive) {
    const auto index = build(rows_of(3, {{{0, 1.0F}}, {{1, 1.0F}}, {{0, 2.0F}, {1, 1.0F}}, {{2, 4.0F}}}));
    const Hits hits = search(*index, rows_of(3, {{{0, 1.0F}, {1, -1.0F}}}), 4);
    constexpr float kNone = -std::numeric_limits<float>::infinity();
    EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{0, 2, -1, -1}));
    EXPECT_EQ(hits.scores, (std::vector<float>{1.0F, 1.0F, kNone, kNone}));
}

TEST(ExactIndex, OfHundredsOfQueryTermsAndLargeTermIds) {
    Random random(10);
    const std::uint64_t n_terms = (std::uint64_t{1} << 32) - 1;
    Rows docs = test::random_rows(random, 500, n_terms, 10, test::dyadic_weight);
    docs.add(Row{{0, 1.0F}, {4294967294U, 3.0F}});
    Rows queries;
    queries.n_terms = n_terms;
    for (int query = 0; query < 4; ++query) {
        std::map<std::uint32_t, float> row{{4294967294U, 0.5F}, {123, 1.0F}};  // 123 is in no document
        for (int i = 0; i < 600; ++i) {
            row[docs.terms[static_cast<std::size_t>(random() % docs.terms.size())]] = signed_dyadic(random);
        }
        queries.add(row);
    }
    expect_right(docs, queries, Sums::exact);
}

TEST(ExactIndex, OfMoreThan65536Terms) {
    Random random(11);
    Rows docs;
    docs.n_terms = 80000;
    for (std::uint32_t first = 0; first < 80000; first += 100) {
        Row row;
        for (std::uint32_t term = first; term < first + 100; ++term)
            row.emplace_back(term, test::dyadic_weight(random));
        docs.add(row);
    }
    const Rows queries = test::random_rows(random, 5, 80000, 300, test::dyadic_weight);
    const auto index = build(docs, {64, 0.1});
    const Hits hits = search(*index, queries, 10);
    for (std::size_t query = 0; query < queries.n_rows(); ++query) {
        test::expect_identical(test::brute_force(docs.view(), queries.view(), query), hits, query);
    }
}

TEST(ExactIndex, OfDocumentsAndQueriesThatAreNotCanonical) {
    const Rows docs = rows_of(9, {{{8, 1.0F}, {2, 2.0F}, {8, 3.0F}}, {{2, 0.0F}}, {{4, 1.0F}, {0, 1.0F}}});
    const auto index = build(docs);
    EXPECT_EQ(index->nnz(), 4U);
    const Rows queries = rows_of(9, {{{8, 2.0F}, {2, 1.0F}, {8, -1.0F}}, {{4, 1.0F}, {0, 5.0F}, {4, -1.0F}}});
    const Hits hits = search(*index, queries, 3);
    for (std::size_t query = 0; query < 2; ++query) {
        test::expect_identical(test::brute_force(docs.view(), queries.view(), query), hits, query);
    }
}

TEST(ExactIndex, NamesAParameterThatIsWrong) {
    const auto built = [](const ExactParams& params) {
        return error_of([&] { build(rows_of(1, {{{0, 1.0F}}}), params); });
    };
    EXPECT_EQ(built({63, 0.1}), "window must be a multiple of 64 from 64 to 65536, got 63");
    EXPECT_EQ(built({0, 0.1}), "window must be a multiple of 64 from 64 to 65536, got 0");
    EXPECT_EQ(built({-64, 0.1}), "window must be a multiple of 64 from 64 to 65536, got -64");
    EXPECT_EQ(built({65600, 0.1}), "window must be a multiple of 64 from 64 to 65536, got 65600");
    for (const double density : {0.0, -0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_TRUE(built({64, density}).starts_with("row_density must be in (0, 1], got ")) << density;
    }
}

TEST(ExactIndex, RefusesMoreQueryTermsThanSumsHaveRoomFor) {
    const std::uint64_t n_terms = (std::uint64_t{1} << 32) - 1;
    const auto index = build(rows_of(n_terms, {{{7, 1.0F}}}));
    std::vector<std::uint32_t> terms(4'000'001);
    std::iota(terms.begin(), terms.end(), 0U);
    const std::vector<float> weights(terms.size(), 1.0F);
    Hits hits(1, 1);
    EXPECT_EQ(error_of([&] { index->search_one(terms, weights, hits.view()); }),
              "queries: row 0 has 4000001 terms; at most 4000000 are supported");
    index->search_one(std::span(terms).first(4'000'000), std::span(weights).first(4'000'000), hits.view());
    EXPECT_EQ(hits.ids, std::vector<std::int64_t>{0});
}

}  // namespace
}  // namespace thresher
