// Weights as they are stored: patterns that lose nothing, codes that are off by no more than they say.
#include "core/documents/weight_patterns.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;

std::vector<Posting> postings_of(const std::vector<float>& weights) {
    std::vector<Posting> postings;
    for (const float weight : weights) postings.push_back({static_cast<std::uint32_t>(postings.size()), weight});
    return postings;
}

struct Coded {
    explicit Coded(const std::vector<float>& weights) {
        std::vector<std::uint8_t> bytes(4 + weights.size());
        error = write_codes(postings_of(weights), bytes.data());
        std::memcpy(&scale, bytes.data(), 4);
        codes.assign(bytes.begin() + 4, bytes.end());
        for (const std::uint8_t code : codes) stored.push_back(scale * static_cast<float>(code));
    }
    float scale = 0;
    float error = 0;
    std::vector<std::uint8_t> codes;
    std::vector<float> stored;
};

// Of one of several kinds, over the whole range of floats.
std::vector<float> any_weights(Random& random) {
    std::vector<float> weights;
    const auto n = test::uniform(random, 1, 40);
    const auto kind = test::uniform(random, 0, 3);
    const auto exponent = static_cast<int>(test::uniform(random, -140, 110));
    for (std::int64_t i = 0; i < n; ++i) {
        float weight = static_cast<float>(test::unit(random)) * 2.5F + 1e-3F;
        if (kind == 1) weight = std::ldexp(weight, exponent);
        if (kind == 2) weight = std::ldexp(weight, static_cast<int>(test::uniform(random, -20, 20)));
        if (kind == 3) weight = std::ldexp(std::round(weight * 100) + 1, exponent);
        weights.push_back(std::max(weight, std::numeric_limits<float>::denorm_min()));
    }
    return weights;
}

TEST(WeightCodes, AreOffByNoMoreThanTheySay) {
    Random random(1);
    for (int trial = 0; trial < 20000; ++trial) {
        const auto weights = any_weights(random);
        const Coded coded(weights);
        const float max = *std::max_element(weights.begin(), weights.end());
        ASSERT_GT(coded.scale, 0);
        // A little more than a 255th, for the sake of a short scale, unless that loses nothing.
        if (coded.error > 0) {
            ASSERT_LE(static_cast<double>(coded.scale), static_cast<double>(max) / 255 * 1.01 + 0x1p-148);
        }
        for (std::size_t i = 0; i < weights.size(); ++i) {
            ASSERT_GE(coded.codes[i], 1);
            const double given = static_cast<double>(weights[i]);
            const double exact = static_cast<double>(coded.scale) * coded.codes[i];
            ASSERT_EQ(static_cast<double>(coded.stored[i]), exact) << "the product is no float";
            ASSERT_LE(std::fabs(given - exact), static_cast<double>(coded.error));
            const double allowed = static_cast<double>(coded.scale) * (coded.codes[i] == 1 ? 1 : 0.5);
            ASSERT_LE(std::fabs(given - exact), allowed * (1 + 1e-12));
        }
    }
}

TEST(WeightCodes, AreNeverRoundedTwice) {
    Random random(2);
    for (int trial = 0; trial < 20000; ++trial) {
        const Coded once(any_weights(random));
        const Coded twice(once.stored);
        ASSERT_EQ(twice.stored, once.stored);
        ASSERT_EQ(twice.error, 0);
    }
}

TEST(WeightCodes, KeepWholeNumbersAndTheirMultiples) {
    for (const float unit : {1.0F, 0.25F, 3.0F, 0x1p-130F, 0x1p100F, 0.1F * 0x1p3F}) {
        std::vector<float> weights;
        for (int code = 1; code <= 255; ++code)
            weights.push_back(std::bit_cast<float>(std::bit_cast<std::uint32_t>(unit) & 0xFFFF0000U) *
                              static_cast<float>(code));
        const Coded coded(weights);
        EXPECT_EQ(coded.error, 0) << unit;
        EXPECT_EQ(coded.stored, weights) << unit;
    }
    EXPECT_GT(Coded({1, 255.5F}).error, 0);
}

TEST(WeightCodes, OfADocumentWithoutTerms) { EXPECT_EQ(Coded({}).error, 0); }

}  // namespace
}  // namespace thresher
