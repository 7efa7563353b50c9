// A reading's pace: even where all goes as expected, on time where it does not.
#include "core/impact/deadline_pacer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <vector>

namespace thresher {
namespace {

constexpr double kRescore = 40;
constexpr double kScans = 30;

// What happens where windows take `slowness` times as long as expected.
struct Reading {
    Reading(double time, std::size_t n_windows, double slowness, std::size_t delayed = SIZE_MAX, double delay = 0) {
        DeadlinePacer pace(time, time, kRescore, kScans, n_windows);
        max = pace.max();
        double left = time;
        for (std::size_t w = 0; w < n_windows; ++w) {
            depths.push_back(pace.next(left));
            pace.expect(depths.back());
            left -= slowness * (depths.back() + kScans) / static_cast<double>(n_windows) + (w == 0 ? kStart : 0);
            if (w == delayed) left -= delay;
        }
        left_for_rescoring = left;
    }
    double min() const { return *std::min_element(depths.begin(), depths.end()); }

    static constexpr double kStart = 10;
    double max;
    std::vector<double> depths;
    double left_for_rescoring;
};

TEST(DeadlinePacer, IsEvenWhereAllGoesAsExpected) {
    for (const std::size_t n_windows : {1, 2, 5, 16, 130}) {
        const Reading reading(500, n_windows, 1);
        for (const double depth : reading.depths) EXPECT_NEAR(depth, 500 - kRescore - kScans - Reading::kStart, 1e-6);
        EXPECT_NEAR(reading.left_for_rescoring, kRescore, 1e-6);
        EXPECT_GT(reading.max, reading.depths[0]);
    }
}

TEST(DeadlinePacer, FollowsTheSpeedFound) {
    for (const double slowness : {0.7, 1.5, 2.0}) {
        const Reading reading(1000, 16, slowness);
        EXPECT_NEAR(reading.left_for_rescoring, slowness * kRescore, 0.05 * 1000) << slowness;
        if (slowness > 1) {
            EXPECT_LT(reading.depths.back(), reading.depths.front()) << slowness;
        } else {
            EXPECT_GT(reading.depths.back(), reading.depths.front()) << slowness;
        }
    }
}

TEST(DeadlinePacer, MakesUpForADelay) {
    const Reading reading(1000, 16, 1, 3, 300);
    EXPECT_GT(reading.left_for_rescoring, 0);
    EXPECT_LT(reading.depths[4], 0.8 * reading.depths[3]);
    EXPECT_GT(reading.depths[15], reading.depths[4]) << "one delay is not a slow machine";
}

TEST(DeadlinePacer, ReadsSomethingHoweverLateItIs) {
    EXPECT_EQ(Reading(100, 16, 1, 2, 1e6).min(), 25);
    EXPECT_EQ(Reading(100, 16, 1e6).min(), 25);
    EXPECT_EQ(DeadlinePacer(100, -50, kRescore, kScans, 4).next(-50), 25) << "the time was over before";
    EXPECT_GE(DeadlinePacer(1e-9, 1e-9, kRescore, kScans, 4).next(0), 0);
}

TEST(DeadlinePacer, KeepsNoMoreThanAFifthForTheFinish) {
    const DeadlinePacer pace(100, 100, 1e9, 0, 4);
    EXPECT_NEAR(pace.next(100), 100 - 20 - Reading::kStart, 1e-6);
}

}  // namespace
}  // namespace thresher
