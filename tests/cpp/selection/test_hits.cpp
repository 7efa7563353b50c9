// Rows of hits: best first, ties to the smaller id, padded.
#include "core/selection/hits.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "support/brute_force.hpp"

namespace thresher {
namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

TEST(Hits, AreWrittenBestFirst) {
    test::Hits hits(2, 3);
    std::vector<Hit> found{{1.0F, 5}, {3.0F, 9}, {2.0F, 1}, {3.0F, 2}, {0.5F, 0}};
    hits.view().write(1, found, true);
    EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{-2, -2, -2, 2, 9, 1}));
    EXPECT_EQ(hits.scores, (std::vector<float>{-2, -2, -2, 3.0F, 3.0F, 2.0F}));
    EXPECT_EQ(hits.exact, (std::vector<std::uint8_t>{test::Hits::kNotTold, 1}));
    EXPECT_EQ(hits.view().n_hits(1), 3U);
}

TEST(Hits, ArePaddedWhereTooFewAreFound) {
    test::Hits hits(1, 3);
    std::vector<Hit> found{{1.0F, 4294967295U}};
    hits.view().write(0, found, false);
    EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{4294967295, -1, -1}));
    EXPECT_EQ(hits.scores, (std::vector<float>{1.0F, kNone, kNone}));
    found.clear();
    hits.view().write(0, found, false);
    EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{-1, -1, -1}));
    EXPECT_EQ(hits.exact[0], 0);
    EXPECT_EQ(hits.view().n_hits(0), 0U);
}

TEST(Hits, AreWrittenAllOrCounted) {
    std::vector<Hit> found{{1.0F, 5}, {3.0F, 9}, {3.0F, 2}};
    std::vector<std::uint8_t> exact(1);
    std::vector<std::vector<Hit>> rows(1);
    const HitsView all{.exact = exact, .rows = rows};
    all.write(0, found, true);
    ASSERT_EQ(rows[0].size(), 3U);
    EXPECT_EQ(all.n_hits(0), 3U);
    EXPECT_EQ(rows[0][0].doc, 2U);
    EXPECT_EQ(rows[0][1].doc, 9U);
    EXPECT_EQ(rows[0][2].doc, 5U);
    std::vector<std::uint64_t> counts(1);
    const HitsView counted{.exact = exact, .counts = counts};
    counted.write(0, found, true);
    EXPECT_EQ(counts[0], 3U);
    EXPECT_EQ(counted.n_hits(0), 3U);
}

}  // namespace
}  // namespace thresher
