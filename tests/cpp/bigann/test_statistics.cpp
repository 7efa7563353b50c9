#include "statistics.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace thresher::bench {
namespace {

TEST(Statistics, QuantilesLieBetweenTheirNeighbours) {
    const std::vector<double> values{40, 10, 30, 20};
    EXPECT_DOUBLE_EQ(quantile(values, 0), 10);
    EXPECT_DOUBLE_EQ(quantile(values, 1), 40);
    EXPECT_DOUBLE_EQ(quantile(values, 0.5), 25);
    EXPECT_DOUBLE_EQ(quantile(values, 0.95), 38.5);
    EXPECT_DOUBLE_EQ(quantile(values, 1.0 / 3.0), 20);
}

TEST(Statistics, OfOneValueAreThatValue) {
    EXPECT_EQ(quantile({7}, 0.99), 7);
    EXPECT_EQ(median({7}), 7);
    EXPECT_EQ(mean({7}), 7);
}

TEST(Statistics, TheMedianIsOneInTheMiddleAndTheMeanIsNot) {
    EXPECT_EQ(median({1, 100, 2}), 2);
    EXPECT_EQ(median({1, 2, 4, 100}), 3);
    EXPECT_DOUBLE_EQ(mean({1, 2, 4, 100}), 26.75);
}

}  // namespace
}  // namespace thresher::bench
