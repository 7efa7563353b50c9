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
    hits.view().write(1, found);
    EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{-2, -2, -2, 2, 9, 1}));
    EXPECT_EQ(hits.scores, (std::vector<float>{-2, -2, -2, 3.0F, 3.0F, 2.0F}));
}

TEST(Hits, ArePaddedWhereTooFewAreFound) {
    test::Hits hits(1, 3);
    std::vector<Hit> found{{1.0F, 4294967295U}};
    hits.view().write(0, found);
    EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{4294967295, -1, -1}));
    EXPECT_EQ(hits.scores, (std::vector<float>{1.0F, kNone, kNone}));
    found.clear();
    hits.view().write(0, found);
    EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{-1, -1, -1}));
}

}  // namespace
}  // namespace thresher
