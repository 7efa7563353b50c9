// Impacts: codes 1 to 255, and a bound on their error that holds for every posting.
#include "core/documents/quantiser.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Rows;

struct Built {
    explicit Built(const Rows& rows, unsigned threads = 1) {
        Progress progress = test::silent();
        vocabulary = Vocabulary::build(rows.view(), threads, progress);
        quantiser = Quantiser::build(rows.view(), vocabulary, threads, progress);
    }
    Vocabulary vocabulary;
    Quantiser quantiser;
};

void expect_bounded(const Rows& rows) {
    const Built built(rows);
    std::vector<float> maxima(built.vocabulary.n_slots());
    std::vector<double> errors(built.vocabulary.n_slots());
    for (std::size_t p = 0; p < rows.terms.size(); ++p) {
        const std::uint32_t slot = built.vocabulary.slot(rows.terms[p]);
        const int code = built.quantiser.impact(slot, rows.weights[p]);
        ASSERT_GE(code, 1);
        ASSERT_LE(code, 255);
        const double error = std::fabs(static_cast<double>(rows.weights[p]) - built.quantiser.step(slot) * code);
        ASSERT_LE(error, built.quantiser.error(slot)) << "weight " << rows.weights[p];
        const int ceiling = built.quantiser.ceiling(slot, rows.weights[p]);
        ASSERT_GE(built.quantiser.step(slot) * ceiling, static_cast<double>(rows.weights[p]));
        ASSERT_GE(ceiling, code);
        ASSERT_LE(ceiling, std::min(code + 1, 255));
        ASSERT_TRUE(ceiling == code || built.quantiser.step(slot) * code < static_cast<double>(rows.weights[p]))
            << "the smallest that will do";
        maxima[slot] = std::max(maxima[slot], rows.weights[p]);
        errors[slot] = std::max(errors[slot], error);
    }
    for (std::uint32_t slot = 0; slot < maxima.size(); ++slot) {
        ASSERT_EQ(built.quantiser.step(slot), static_cast<double>(maxima[slot]) / 255);
        ASSERT_EQ(built.quantiser.impact(slot, maxima[slot]), 255);
        ASSERT_LE(built.quantiser.error(slot), built.quantiser.step(slot) * (1 + 1e-9)) << "a step, however small";
        const auto tight = static_cast<float>(errors[slot]);  // a bound much above the error would find nothing sooner
        ASSERT_LE(built.quantiser.error(slot), static_cast<double>(tight) * (1 + 1e-6) + 1e-44);
    }
}

TEST(Quantiser, BoundsTheErrorOfRandomWeights) {
    Random random(1);
    expect_bounded(test::random_rows(random, 1000, 200, 20, test::real_weight));
    expect_bounded(test::random_rows(random, 1000, 200, 20, test::dyadic_weight));
}

TEST(Quantiser, BoundsTheErrorOfWeightsOfEveryMagnitude) {
    Random random(2);
    const auto any = [](Random& source) {
        return std::ldexp(static_cast<float>(1 + test::unit(source)),
                          static_cast<int>(test::uniform(source, -149, 126)));
    };
    expect_bounded(test::random_rows(random, 1000, 200, 20, any));
    const auto denormal = [](Random& source) {
        return static_cast<float>(test::uniform(source, 1, 1000)) * std::numeric_limits<float>::denorm_min();
    };
    expect_bounded(test::random_rows(random, 300, 20, 5, denormal));
    const auto huge = [](Random& source) {
        return std::numeric_limits<float>::max() * static_cast<float>(0.5 + 0.5 * test::unit(source));
    };
    expect_bounded(test::random_rows(random, 300, 20, 5, huge));
    const auto equal = [](Random&) { return 0.3F; };
    expect_bounded(test::random_rows(random, 300, 20, 5, equal));
}

TEST(Quantiser, RoundsToTheNearestCode) {
    const Rows rows = test::rows_of(1, {{{0, 255.0F}}, {{0, 10.4F}}, {{0, 10.6F}}, {{0, 0.01F}}});
    const Built built(rows);
    EXPECT_EQ(built.quantiser.impact(0, 255.0F), 255);
    EXPECT_EQ(built.quantiser.impact(0, 10.4F), 10);
    EXPECT_EQ(built.quantiser.impact(0, 10.6F), 11);
    EXPECT_EQ(built.quantiser.impact(0, 0.01F), 1);
    EXPECT_NEAR(built.quantiser.error(0), 0.99, 1e-6);
    EXPECT_EQ(built.quantiser.ceiling(0, 255.0F), 255);
    EXPECT_EQ(built.quantiser.ceiling(0, 10.0F), 10);
    EXPECT_EQ(built.quantiser.ceiling(0, 10.4F), 11);
    EXPECT_EQ(built.quantiser.ceiling(0, 10.6F), 11);
    EXPECT_EQ(built.quantiser.ceiling(0, 0.01F), 1);
}

TEST(Quantiser, DoesNotDependOnTheNumberOfThreads) {
    Random random(3);
    const Rows rows = test::random_rows(random, 40000, 300, 5, test::real_weight);
    const Built one(rows, 1);
    for (unsigned threads = 2; threads <= 4; ++threads) {
        const Built many(rows, threads);
        for (std::uint32_t slot = 0; slot < one.vocabulary.n_slots(); ++slot) {
            ASSERT_EQ(many.quantiser.step(slot), one.quantiser.step(slot));
            ASSERT_EQ(many.quantiser.error(slot), one.quantiser.error(slot));
        }
    }
}

}  // namespace
}  // namespace thresher
