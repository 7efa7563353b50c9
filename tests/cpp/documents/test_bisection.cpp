// Bisection: halves of the right sizes, and documents of one kind in one of them.
#include "core/documents/bisection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <vector>

#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;

TEST(Bisection, CountsLevels) {
    EXPECT_EQ(Bisection::n_levels(0, 4, 100), 0U);
    EXPECT_EQ(Bisection::n_levels(100, 4, 100), 0U);
    EXPECT_EQ(Bisection::n_levels(101, 4, 100), 1U);
    EXPECT_EQ(Bisection::n_levels(200, 4, 100), 1U);
    EXPECT_EQ(Bisection::n_levels(200, 64, 100), 2U);  // 128 and 72
    EXPECT_EQ(Bisection::n_levels(201, 4, 100), 2U);
}

// Documents of two kinds lie among each other; and the sample is smaller than the node.
TEST(Bisection, PartsDocumentsByKind) {
    Random random(1);
    constexpr std::uint32_t kSlots = 60;
    for (const std::size_t n_docs : {16, 100, 20000}) {
        std::vector<std::vector<Posting>> documents(n_docs);
        for (std::size_t doc = 0; doc < n_docs; ++doc) {
            const std::int64_t from = doc % 2 == 0 ? 0 : 30;
            std::map<std::uint32_t, float> row;
            for (int i = 0; i < 8; ++i) {
                const std::int64_t slot = i == 0 ? test::uniform(random, 0, 59) : from + test::uniform(random, 0, 29);
                row.emplace(static_cast<std::uint32_t>(slot), test::real_weight(random));
            }
            for (const auto& [slot, weight] : row) documents[doc].push_back({slot, weight * (doc % 3 == 0 ? 1e6F : 1)});
        }
        const PostingSource source{n_docs, [&](std::size_t doc, std::vector<Posting>& to) { to = documents[doc]; }};
        std::vector<std::uint32_t> first_order;
        for (const unsigned threads : {1U, 3U}) {
            std::vector<std::uint32_t> order(n_docs);
            std::iota(order.begin(), order.end(), 0U);
            const Bisection bisection(source, kSlots, 4, threads, order);
            Bisection::Scratch scratch;
            Progress progress = test::silent();
            const auto [left, right] = bisection.split({0, n_docs}, scratch, threads == 1 ? nullptr : &progress);
            EXPECT_EQ(left.begin, 0U);
            EXPECT_EQ(left.end, right.begin);
            EXPECT_EQ(right.end, n_docs);
            EXPECT_EQ(left.size(), (n_docs / 2 + 3) / 4 * 4);
            std::size_t n_even = 0;
            for (std::size_t i = left.begin; i < left.end; ++i) n_even += order[i] % 2 == 0 ? 1 : 0;
            const std::size_t apart = std::max(n_even, left.size() - n_even);
            EXPECT_GE(apart + 4, left.size() - left.size() / 50) << n_docs;
            EXPECT_TRUE(std::ranges::all_of(scratch.direction, [](float of_slot) { return of_slot == 0; }));
            if (threads == 1) first_order = order;
            EXPECT_EQ(order, first_order);
            std::sort(order.begin(), order.end());
            for (std::size_t i = 0; i < n_docs; ++i) ASSERT_EQ(order[i], i);
        }
    }
}

}  // namespace
}  // namespace thresher
