// PostingsIndex by every algorithm, where blocks and windows end.
#include "engines/postings_index.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/traversal/coarse_bounds.hpp"
#include "core/traversal/window_scores.hpp"
#include "support/brute_force.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Row;
using test::Rows;
using test::rows_of;

const std::vector<std::string> kAlgorithms{"auto", "maxscore", "wand", "block_max_maxscore", "block_max_wand"};

std::unique_ptr<PostingsIndex> build(const Rows& docs) { return PostingsIndex::build(docs.view(), {}, {.threads = 1}); }

void expect_right(const Rows& docs, const Rows& queries, test::Sums sums, const std::vector<std::size_t>& ks) {
    const auto index = build(docs);
    const auto truth = test::brute_force(docs, queries);
    for (const std::string& algorithm : kAlgorithms) {
        SCOPED_TRACE(algorithm);
        test::expect_exact(*index->with_search_params({.algorithm = algorithm}), queries, truth, sums, ks);
    }
}

TEST(PostingsIndex, AgreesWithBruteForceOverSeveralWindowsOfSparseLists) {
    static_assert(CoarseBounds::kWindow < 530'000);
    Random random(4);
    const Rows docs = test::random_rows(random, 530'000, 1000, 1, test::dyadic_weight);
    Rows queries = test::random_rows(random, 3, 1000, 8, test::dyadic_weight);
    queries.add(Row{{20, 1.0F}, {21, -2.0F}, {300, 5.0F}, {990, 1.0F}});
    expect_right(docs, queries, test::Sums::exact, {10});
}

// More lists than bytes can tell apart, all of them sparse.
TEST(PostingsIndex, AgreesWithBruteForceOnLongQueries) {
    Random random(5);
    const Rows docs = test::random_rows(random, 20'000, 5000, 5, test::dyadic_weight);
    for (const std::size_t length : {CoarseBounds::kMaxLists, CoarseBounds::kMaxLists + 1, std::size_t{300}}) {
        Row row;
        for (std::uint32_t term = 0; term < length; ++term)
            row.emplace_back(1000 + 10 * term, test::dyadic_weight(random));
        expect_right(docs, rows_of(5000, {row}), test::Sums::exact, {1, 10, 1000});
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
    expect_right(docs, queries, test::Sums::exact, {1, 18, 25});
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
    expect_right(docs, rows_of(2, {{{0, 1.0F}, {1, 0x1p-60F}}}), test::Sums::rounded, {100, 200});
}

TEST(PostingsIndex, NamesAnAlgorithmThatItDoesNotKnow) {
    const auto index = build(rows_of(1, {Row{{0, 1.0F}}}));
    const Rows queries = rows_of(1, {Row{{0, 1.0F}}});
    for (const std::string wrong : {"", "WAND", "maxscore ", "bmw"}) {
        EXPECT_EQ(test::error_of([&] { index->with_search_params({.algorithm = wrong}); }),
                  "algorithm must be one of 'auto', 'maxscore', 'wand', 'block_max_maxscore', 'block_max_wand', got '" +
                      wrong + "'");
    }
}

}  // namespace
}  // namespace thresher
