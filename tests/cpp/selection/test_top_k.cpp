// The best k of a stream of hits, whatever their order.
#include "core/selection/top_k.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/selection/wanted.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;

std::vector<std::pair<float, std::uint32_t>> pairs(const std::vector<Hit>& hits) {
    std::vector<std::pair<float, std::uint32_t>> result;
    for (const Hit& hit : hits) result.emplace_back(hit.score, hit.doc);
    return result;
}

TEST(TopK, KeepsTheBestAndTheirThreshold) {
    Random random(1);
    TopK top;
    for (const std::size_t k : {1, 2, 3, 10, 100}) {
        for (const std::int64_t n_scores : {1, 3, 1000}) {  // mostly ties, some ties, hardly any
            top.reset(k, kAnyPositive);
            ASSERT_EQ(top.capacity(), k);
            std::vector<Hit> all;
            for (std::uint32_t doc = 0; doc < 60; ++doc) {
                all.push_back({static_cast<float>(test::uniform(random, 1, n_scores)), doc});
            }
            std::shuffle(all.begin(), all.end(), random);
            for (std::size_t n = 1; n <= all.size(); ++n) {
                top.add(all[n - 1]);
                ASSERT_EQ(top.full(), n >= k);
                std::vector<Hit> expected(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n));
                std::sort(expected.begin(), expected.end(), better);
                expected.resize(std::min(n, k));
                auto kept = top.hits();
                std::sort(kept.begin(), kept.end(), better);
                ASSERT_EQ(pairs(kept), pairs(expected));
                if (!top.full()) continue;
                ASSERT_EQ(top.threshold(), expected.back().score);
            }
        }
    }
}

TEST(TopK, StartsWithTheDocumentsThatAreApart) {
    const std::vector<ApartDocument> apart{{3, {5.0F, 30}}, {4, {-1.0F, 40}}, {9, {7.0F, 90}}};
    TopK top;
    top.reset({.k = 3, .apart = apart});
    EXPECT_EQ(pairs(top.hits()), (std::vector<std::pair<float, std::uint32_t>>{{5.0F, 30}, {7.0F, 90}}));
    EXPECT_EQ(top.threshold(), kAnyPositive);
    top.reset({.k = 1, .apart = apart});
    EXPECT_EQ(top.threshold(), 7.0F);
    top.reset({.k = 3, .min_score = -2.0F, .apart = apart});
    EXPECT_EQ(top.threshold(), -1.0F);
    top.reset({.k = 3, .min_score = 6.0F, .apart = apart});
    EXPECT_EQ(top.hits().size(), 1U);
}

TEST(TopK, WantsWhatMayBeAmongTheBest) {
    TopK top;
    top.reset(2, kAnyPositive);
    EXPECT_TRUE(top.wants(0.5F)) << "anything until it is full";
    top.add({4.0F, 7});
    EXPECT_TRUE(top.wants(0.5F));
    top.add({2.0F, 5});
    EXPECT_FALSE(top.wants(0.5F));
    EXPECT_FALSE(top.wants(std::nextafter(2.0F, 0.0F)));
    EXPECT_TRUE(top.wants(2.0F)) << "its id may be the smaller";
    EXPECT_TRUE(top.wants(3.0F));
    top.add({3.0F, 9});
    EXPECT_FALSE(top.wants(2.0F));
    top.reset(2, kAnyPositive);
    EXPECT_TRUE(top.wants(0.5F));
    EXPECT_FALSE(top.wants(0.0F));
    EXPECT_FALSE(top.wants(-1.0F));
}

TEST(TopK, WantsAtLeastTheScoreThatItIsTold) {
    TopK top;
    top.reset(2, 1.5F);
    EXPECT_EQ(top.threshold(), 1.5F);
    EXPECT_FALSE(top.wants(std::nextafter(1.5F, 0.0F)));
    EXPECT_TRUE(top.wants(1.5F));
    top.add({1.5F, 3});
    top.add({2.0F, 4});
    EXPECT_EQ(top.threshold(), 1.5F);
    top.add({1.5F, 2});
    top.add({1.5F, 9});
    auto hits = pairs(top.hits());
    std::sort(hits.begin(), hits.end());
    EXPECT_EQ(hits, (std::vector<std::pair<float, std::uint32_t>>{{1.5F, 2}, {2.0F, 4}}));
    top.reset(0, kAnyPositive);
    top.add({1.0F, 1});
    EXPECT_TRUE(top.hits().empty());
}

TEST(TopK, ForgetsAtAReset) {
    TopK top;
    top.reset(1, kAnyPositive);
    top.add({5.0F, 3});
    top.reset(2, kAnyPositive);
    EXPECT_EQ(top.capacity(), 2U);
    EXPECT_FALSE(top.full());
    EXPECT_TRUE(top.hits().empty());
    top.add({1.0F, 9});
    EXPECT_FALSE(top.full());
    top.add({1.0F, 4});
    EXPECT_TRUE(top.full());
    EXPECT_EQ(top.threshold(), 1.0F);
}

}  // namespace
}  // namespace thresher
