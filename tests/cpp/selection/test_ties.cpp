// Ties: whatever rounds to the same float32, or to a greater one, reaches the lowest that may tie.
#include "core/selection/ties.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "support/random_rows.hpp"

namespace thresher {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The least double that rounds to `score`, or the one before.
double lowest_of(float score) {
    const float below = std::nextafter(score, -kInfinity);
    const double step = score == kInfinity ? 0x1p104 : static_cast<double>(score) - static_cast<double>(below);
    return static_cast<double>(below) + step / 2;
}

void expect_below_all_that_tie(float score) {
    const double lowest = lowest_that_may_tie(static_cast<double>(score));
    // Another score that rounds to this one, if this one was rounded itself and its sum off as far as sums can be.
    const double other = lowest_of(score) - std::fabs(lowest_of(score)) * 0x1p-30;
    EXPECT_LE(lowest, other) << score;
    EXPECT_LE(lowest_that_may_tie(other), std::nextafter(other, -1e300)) << score;
    EXPECT_GE(lowest,
              static_cast<double>(std::min(score, std::numeric_limits<float>::max())) * (1 - 0x1p-20) - 0x1p-148)
        << "hardly lower than it must be";
}

TEST(LowestThatMayTie, IsBelowAllThatRoundToTheScore) {
    test::Random random(1);
    for (int i = 0; i < 100'000; ++i) {
        const auto bits = static_cast<std::uint32_t>(test::uniform(random, 1, 0x7f7fffff));
        expect_below_all_that_tie(std::bit_cast<float>(bits));
    }
    for (const float score :
         {0x1p-149F, 0x1p-148F, 0x1p-126F, 0x1p-127F, 1.0F, 0x1p127F, std::numeric_limits<float>::max(), kInfinity}) {
        expect_below_all_that_tie(score);
    }
}

TEST(LowestThatMayTie, IsFiniteAndBelowZeroAndWhatIsNegative) {
    EXPECT_LT(lowest_that_may_tie(std::numeric_limits<double>::infinity()), 0x1p128);
    EXPECT_LT(lowest_that_may_tie(0), 0);
    EXPECT_LT(lowest_that_may_tie(-3), -3);
}

}  // namespace
}  // namespace thresher
