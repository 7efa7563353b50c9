// PostingsIndex by every algorithm against a brute force in double precision.
#include "engines/postings_index.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/traversal/coarse_bounds.hpp"
#include "core/traversal/window_scores.hpp"
#include "engines/registry.hpp"
#include "support/brute_force.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::Hits;
using test::Random;
using test::Row;
using test::Rows;
using test::rows_of;
using test::signed_dyadic;
using test::signed_real;
using test::TemporaryDirectory;

const std::vector<std::string> kAlgorithms{"auto", "maxscore", "wand", "block_max_maxscore", "block_max_wand"};

std::unique_ptr<PostingsIndex> build(const Rows& docs, unsigned threads = 1) {
    return PostingsIndex::build(docs.view(), threads, nullptr);
}

Hits search(const PostingsIndex& index, const Rows& queries, std::size_t k, const std::string& algorithm,
            unsigned threads = 1) {
    Hits hits(queries.n_rows(), k);
    index.search(queries.view(), {k, threads, nullptr}, {.algorithm = algorithm}, hits.view());
    return hits;
}

enum class Sums { exact, rounded };  // whether the sums of the weights' products are exact in double

void expect_right(const Rows& docs, const Rows& queries, Sums sums, const std::vector<std::size_t>& ks) {
    const auto index = build(docs);
    const auto truth = test::brute_force(docs, queries);
    for (const std::string& algorithm : kAlgorithms) {
        SCOPED_TRACE(algorithm);
        for (const std::size_t k : ks) {
            const Hits hits = search(*index, queries, k, algorithm);
            for (std::size_t query = 0; query < queries.n_rows(); ++query) {
                ASSERT_NO_FATAL_FAILURE(test::expect_top_k(truth[query], hits, query)) << "k " << k;
                if (sums == Sums::rounded) continue;
                ASSERT_NO_FATAL_FAILURE(test::expect_identical(truth[query], hits, query)) << "k " << k;
            }
        }
    }
}

void expect_right(const Rows& docs, const Rows& queries, Sums sums) {
    expect_right(docs, queries, sums, {1, 10, 100, docs.n_rows() + 5});
}

TEST(PostingsIndex, AgreesWithBruteForceOnExactSums) {
    Random random(1);
    for (const std::size_t n_docs : {0, 1, 2, 127, 128, 129, 1500}) {
        const Rows docs = test::random_rows(random, n_docs, 300, 8, test::dyadic_weight);
        expect_right(docs, test::random_rows(random, 6, 300, 6, test::dyadic_weight), Sums::exact);
        expect_right(docs, test::random_rows(random, 6, 300, 6, signed_dyadic), Sums::exact);
    }
}

TEST(PostingsIndex, AgreesWithBruteForceOnRealWeights) {
    Random random(2);
    for (const std::size_t n_docs : {50, 3000}) {
        const Rows docs = test::random_rows(random, n_docs, 300, 10, test::real_weight);
        expect_right(docs, test::random_rows(random, 8, 300, 8, test::real_weight), Sums::rounded);
        expect_right(docs, test::random_rows(random, 8, 300, 8, signed_real), Sums::rounded);
    }
}

// So many documents that there are several windows, with terms frequent and rare: some lists are long enough that a
// cutoff is learned before they are read.
TEST(PostingsIndex, AgreesWithBruteForceOverSeveralWindows) {
    static_assert(WindowScores::kWindow < 70'000);
    Random random(3);
    const Rows docs = test::random_rows(random, 140'000, 400, 3, test::dyadic_weight);
    Rows queries = test::random_rows(random, 6, 400, 8, test::dyadic_weight);
    queries.add(Row{{0, 1.0F}, {1, 2.0F}, {2, 1.0F}});
    queries.add(Row{{390, 1.0F}, {395, 2.0F}});
    queries.add(Row{{0, 1.0F}, {1, -2.0F}, {300, 5.0F}});
    expect_right(docs, queries, Sums::exact, {1, 10, 1000});
}

TEST(PostingsIndex, AgreesWithBruteForceOverSeveralWindowsOfSparseLists) {
    static_assert(CoarseBounds::kWindow < 530'000);
    Random random(4);
    const Rows docs = test::random_rows(random, 530'000, 1000, 1, test::dyadic_weight);
    Rows queries = test::random_rows(random, 3, 1000, 8, test::dyadic_weight);
    queries.add(Row{{20, 1.0F}, {21, -2.0F}, {300, 5.0F}, {990, 1.0F}});
    expect_right(docs, queries, Sums::exact, {10});
}

// More lists than bytes can tell apart, all of them sparse.
TEST(PostingsIndex, AgreesWithBruteForceOnLongQueries) {
    Random random(5);
    const Rows docs = test::random_rows(random, 20'000, 5000, 5, test::dyadic_weight);
    for (const std::size_t length : {CoarseBounds::kMaxLists, CoarseBounds::kMaxLists + 1, std::size_t{300}}) {
        Row row;
        for (std::uint32_t term = 0; term < length; ++term)
            row.emplace_back(1000 + 10 * term, test::dyadic_weight(random));
        expect_right(docs, rows_of(5000, {row}), Sums::exact, {1, 10, 1000});
    }
}

// Single documents that have all that counts, at the borders of blocks and windows.
TEST(PostingsIndex, FindsDocumentsAtBorders) {
    const std::vector<std::uint32_t> places{0,     1,     127,   128,   129,   4095,   4096,   16383,  16384,
                                            16385, 32767, 32768, 65535, 65536, 131071, 131072, 131073, 139'999};
    Rows docs;
    docs.n_terms = 4;
    std::size_t next = 0;
    for (std::uint32_t doc = 0; doc < 140'000; ++doc) {
        Row row{{0, 1.0F}};
        if (doc % 7 == 0) row.emplace_back(1, 1.0F);
        if (next < places.size() && doc == places[next]) {
            row.emplace_back(2, static_cast<float>(1 + next));
            row.emplace_back(3, 0.5F);
            ++next;
        }
        docs.add(row);
    }
    const Rows queries = rows_of(4, {{{0, 1.0F}, {2, 1.0F}}, {{2, 1.0F}}, {{1, 1.0F}, {3, 2.0F}}, {{0, 1.0F}}});
    expect_right(docs, queries, Sums::exact, {1, 18, 25});
}

TEST(PostingsIndex, PutsSmallerIdsFirstAmongTies) {
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

TEST(PostingsIndex, OfEqualWeights) {
    Random random(5);
    const auto one = [](Random&) { return 1.0F; };
    const Rows docs = test::random_rows(random, 1000, 60, 6, one);
    expect_right(docs, test::random_rows(random, 8, 60, 4, one), Sums::exact);
}

TEST(PostingsIndex, OfTermsWithOnePosting) {
    std::vector<Row> docs;
    for (std::uint32_t doc = 0; doc < 300; ++doc) docs.push_back({{doc, static_cast<float>(1 + doc % 5)}});
    Row all;
    for (std::uint32_t term = 0; term < 300; ++term) all.emplace_back(term, term % 3 == 0 ? -1.0F : 1.0F);
    expect_right(rows_of(300, docs), rows_of(300, {all, {{299, 1.0F}}, {{0, -1.0F}}}), Sums::exact);
}

// A frequent term of small weight decides: bounds that were too low would drop its documents.
TEST(PostingsIndex, FindsWhatOnlyManySmallTermsMake) {
    Random random(6);
    Rows docs;
    docs.n_terms = 30;
    for (int doc = 0; doc < 5000; ++doc) {
        std::map<std::uint32_t, float> row;
        for (std::uint32_t term = 0; term < 30; ++term) {
            if (test::unit(random) < (term < 20 ? 0.4 : 0.01)) row[term] = test::dyadic_weight(random);
        }
        docs.add(row);
    }
    expect_right(docs, test::random_rows(random, 20, 30, 15, test::dyadic_weight), Sums::exact);
}

// Integer weight 1 times impact 1: the smallest score that there is.
TEST(PostingsIndex, FindsDocumentsOfTheSmallestScore) {
    Rows docs;
    docs.n_terms = 2;
    for (int doc = 0; doc < 3000; ++doc) {
        Row row;
        if (doc % 50 == 0) row.emplace_back(0, 1.0F);
        if (doc % 30 == 0) row.emplace_back(1, doc == 0 ? 1.0F : 1.0F / 1024);
        docs.add(row);
    }
    expect_right(docs, rows_of(2, {{{0, 1.0F}, {1, 0x1p-60F}}}), Sums::rounded, {100, 200});
}

TEST(PostingsIndex, DoesNotDependOnThreadsNorOnTheCall) {
    Random random(7);
    const Rows docs = test::random_rows(random, 9000, 200, 8, test::real_weight);
    const Rows queries = test::random_rows(random, 40, 200, 8, signed_real);
    const auto index = build(docs);
    const auto by_three = build(docs, 3);
    for (const std::string& algorithm : kAlgorithms) {
        const Hits hits = search(*index, queries, 10, algorithm);
        EXPECT_EQ(search(*by_three, queries, 10, algorithm, 3), hits) << algorithm;
        EXPECT_EQ(test::search_one_by_one(*index, queries, 10, PostingsSearchParams{algorithm}), hits) << algorithm;
        EXPECT_EQ(test::search(*index, queries, 10), hits) << algorithm;
    }
}

TEST(PostingsIndex, SurvivesSaveAndOpen) {
    Random random(8);
    const Rows docs = test::random_rows(random, 2000, 300, 10, test::real_weight);
    const Rows queries = test::random_rows(random, 10, 300, 8, signed_real);
    const auto index = build(docs);
    const TemporaryDirectory directory;
    index->save(directory.path("f"), nullptr);
    const auto opened = open_index(directory.path("f"), true, nullptr);
    EXPECT_EQ(opened->engine(), "postings");
    EXPECT_EQ(opened->nbytes(), index->nbytes());
    for (const std::size_t k : {1, 10, 1000}) {
        EXPECT_EQ(test::search(*opened, queries, k), test::search(*index, queries, k));
    }
}

TEST(PostingsIndex, NamesAnAlgorithmThatItDoesNotKnow) {
    const auto index = build(rows_of(1, {Row{{0, 1.0F}}}));
    const Rows queries = rows_of(1, {Row{{0, 1.0F}}});
    for (const std::string wrong : {"", "WAND", "maxscore ", "bmw"}) {
        EXPECT_EQ(test::error_of([&] { search(*index, queries, 1, wrong); }),
                  "algorithm must be one of 'auto', 'maxscore', 'wand', 'block_max_maxscore', 'block_max_wand', got '" +
                      wrong + "'");
    }
}

}  // namespace
}  // namespace thresher
