// The best sums: those that a sort puts first, ties to the smaller document, and what the others have at most.
#include "core/impact/best_accumulators.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using test::uniform;

using Sums = std::vector<std::int32_t>;                               // of each document
using Entries = std::vector<std::pair<std::int32_t, std::uint32_t>>;  // sum, document

// Feeds sums as a scan does: in parts, each through the cutoff as it stands then.
void feed(BestAccumulators& best, const Sums& sums, std::size_t part) {
    for (std::size_t first = 0; first < sums.size(); first += part) {
        std::vector<std::uint32_t> docs;
        Sums doc_sums;
        const std::int32_t cutoff = best.cutoff();
        for (std::size_t i = first; i < std::min(sums.size(), first + part); ++i) {
            if (sums[i] < cutoff) continue;
            docs.push_back(static_cast<std::uint32_t>(i - first));
            doc_sums.push_back(sums[i]);
        }
        best.add(static_cast<std::uint32_t>(first), docs.data(), doc_sums.data(), docs.size());
        EXPECT_GE(best.cutoff(), cutoff) << "the cutoff only rises";
    }
}

Entries entries_of(const BestAccumulators& best) {
    std::vector<std::uint64_t> entries = best.entries();
    std::sort(entries.begin(), entries.end(), std::greater<>{});
    Entries all;
    for (const std::uint64_t entry : entries) all.emplace_back(score_of(entry), item_of(entry));
    return all;
}

// All that reach `lowest`, best first.
Entries sorted(const Sums& sums, std::int32_t lowest) {
    Entries all;
    for (std::uint32_t doc = 0; doc < sums.size(); ++doc) {
        if (sums[doc] >= lowest) all.emplace_back(sums[doc], doc);
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    return all;
}

void expect_best(BestAccumulators& best, const Sums& sums, std::size_t n, std::int32_t lowest, std::size_t kept) {
    const Entries all = sorted(sums, lowest);
    Entries expected = all;
    if (expected.size() > kept) expected.resize(kept);
    best.keep(kept);
    ASSERT_EQ(entries_of(best), expected) << "best " << n << ", kept " << kept << ", lowest " << lowest;
    ASSERT_GE(best.max_dropped(), lowest - 1) << "what is below the lowest is dropped too";
    if (all.size() <= kept) return;
    ASSERT_GE(best.max_dropped(), all[kept].first);
    ASSERT_LE(best.max_dropped(), kept == 0 ? all[kept].first : all[kept - 1].first) << "no more than what is kept";
}

TEST(BestAccumulators, AreThoseThatASortPutsFirst) {
    Random random(1);
    BestAccumulators best;
    for (int round = 0; round < 400; ++round) {
        Sums sums(static_cast<std::size_t>(uniform(random, 0, 1500)));
        const std::int64_t spread = uniform(random, 0, 2) == 0 ? 3 : uniform(random, 4, 32767);
        for (auto& sum : sums) sum = static_cast<std::int32_t>(uniform(random, -spread - (spread == 32767), spread));
        const auto n = static_cast<std::size_t>(uniform(random, 1, round % 3 == 0 ? 2000 : 60));
        const std::int32_t lowest = round % 2 == 0 ? 1 : static_cast<std::int32_t>(uniform(random, -32769, 2000));
        best.reset(n, lowest);
        EXPECT_EQ(best.cutoff(), lowest);
        feed(best, sums, static_cast<std::size_t>(uniform(random, 1, 300)));
        ASSERT_NO_FATAL_FAILURE(expect_best(best, sums, n, lowest, n)) << "round " << round;
        const auto fewer = static_cast<std::size_t>(uniform(random, 1, static_cast<std::int64_t>(n)));
        best.reset(SIZE_MAX, lowest);
        feed(best, sums, 100);
        best.keep(SIZE_MAX);
        ASSERT_NO_FATAL_FAILURE(expect_best(best, sums, SIZE_MAX, lowest, fewer)) << "round " << round;
    }
}

TEST(BestAccumulators, TellExactlyWhatTheBestThatWasDroppedHas) {
    BestAccumulators best;
    best.reset(2, 1);
    feed(best, {30, 50, 10, 50, 40, 50}, 10);
    best.keep(2);
    EXPECT_EQ(entries_of(best), (Entries{{50, 1}, {50, 3}})) << "ties go to the smaller document";
    EXPECT_EQ(best.max_dropped(), 50);
    best.reset(3, 1);
    feed(best, {30, 50, 10, 50, 40, 50}, 10);
    best.keep(3);
    EXPECT_EQ(best.max_dropped(), 40);
    best.reset(6, 7);
    feed(best, {30, 50, 10, 50, 40, 50}, 10);
    best.keep(6);
    EXPECT_EQ(best.max_dropped(), 6) << "nothing but what is too low";
    best.keep(5);
    EXPECT_EQ(best.max_dropped(), 10) << "of those that were kept";
}

TEST(BestAccumulators, RaiseTheCutoffToTheBucketOfTheLast) {
    Random random(2);
    BestAccumulators best;
    for (const std::size_t n : {1, 7, 100}) {
        Sums sums(3000);
        for (auto& sum : sums) sum = static_cast<std::int32_t>(uniform(random, -32768, 32767));
        best.reset(n, -32768);
        feed(best, sums, 500);
        std::sort(sums.begin(), sums.end(), std::greater<>{});
        EXPECT_LE(best.cutoff(), sums[n - 1]);
        EXPECT_GT(best.cutoff(), sums[n - 1] - 64) << n;
        EXPECT_LT(best.entries().size(), 3000U) << "others need not be added";
    }
}

TEST(BestAccumulators, ReachTheEndsOfTheRange) {
    const Sums sums{-32768, 32767, 0, -32768, 32767, -1, 1};
    BestAccumulators best;
    for (const std::int32_t lowest : {-1'000'000, -32769, -32768, -32767, -1, 0, 1, 32766, 32767}) {
        for (const std::size_t n : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, SIZE_MAX}) {
            for (const std::size_t part : {1, 3, 7}) {
                best.reset(n, lowest);
                feed(best, sums, part);
                ASSERT_NO_FATAL_FAILURE(expect_best(best, sums, n, lowest, n));
            }
        }
    }
    for (const std::int32_t lowest : {32768, 1'000'000}) {
        best.reset(3, lowest);
        feed(best, sums, 3);
        best.keep(3);
        EXPECT_TRUE(best.entries().empty());
        EXPECT_EQ(best.max_dropped(), lowest - 1);
    }
}

TEST(BestAccumulators, OfDocumentsOf32Bits) {
    BestAccumulators best;
    best.reset(2, 1);
    const std::vector<std::uint32_t> docs{5, 6, 7};
    const Sums sums{9, 9, 8};
    best.add(0xFFFFFFF0U, docs.data(), sums.data(), 3);
    best.add(0, docs.data(), sums.data(), 3);
    best.keep(3);
    EXPECT_EQ(entries_of(best), (Entries{{9, 5}, {9, 6}, {9, 0xFFFFFFF5U}}));
}

TEST(BestAccumulators, KeepEveryOneIfAskedTo) {
    Sums sums(5000, 3);
    sums[17] = 2;
    BestAccumulators best;
    best.reset(SIZE_MAX, 3);
    feed(best, sums, 2048);
    EXPECT_EQ(best.cutoff(), 3);
    best.keep(SIZE_MAX);
    EXPECT_EQ(best.entries().size(), 4999U);
    EXPECT_EQ(best.max_dropped(), 2);
}

// However many tie, entries are bounded; what is dropped is told all the same.
TEST(BestAccumulators, AreFewWhereManyTie) {
    for (const std::size_t n : {std::size_t{1}, std::size_t{100}, BestAccumulators::kMaxListed + 1}) {
        Sums sums(3 * BestAccumulators::kMaxListed, 5);
        for (const std::size_t doc : {7, 70'000, 190'000}) sums[doc] = 6;
        BestAccumulators best;
        best.reset(n, 1);
        feed(best, sums, 2048);
        EXPECT_LE(best.entries().capacity(), 4 * std::max(BestAccumulators::kMaxListed, n));
        ASSERT_NO_FATAL_FAILURE(expect_best(best, sums, n, 1, n));
        best.reset(1, 1);
        EXPECT_LE(best.entries().capacity(), 2 * BestAccumulators::kMaxListed) << "what one query needed is not kept";
    }
}

TEST(BestAccumulators, AreCountedWhereAllAreWantedAndTooMany) {
    Sums sums(2 * BestAccumulators::kMaxListed, 500);
    for (std::size_t doc = 0; doc < sums.size(); doc += 4) sums[doc] = 5000;
    BestAccumulators best;
    best.reset(BestAccumulators::kAll, 3);
    feed(best, {5, 70, 3}, 1);
    EXPECT_FALSE(best.overflowed());
    best.reset(BestAccumulators::kAll, 3);
    feed(best, sums, 2048);
    EXPECT_TRUE(best.overflowed());
    EXPECT_TRUE(best.entries().empty());
    EXPECT_EQ(best.count(-40'000), sums.size());
    EXPECT_EQ(best.count(3), sums.size());
    EXPECT_EQ(best.count(4900), sums.size() / 4);
    EXPECT_EQ(best.count(32767), 0U);
    best.reset(BestAccumulators::kAll, 3);
    EXPECT_FALSE(best.overflowed());
}

TEST(BestAccumulators, KeepNoneIfAskedTo) {
    BestAccumulators best;
    best.reset(0, 1);
    feed(best, {5, 70, 3}, 1);
    best.keep(0);
    EXPECT_TRUE(best.entries().empty());
    EXPECT_GE(best.max_dropped(), 70);
}

TEST(BestAccumulators, ForgetThePreviousQuery) {
    BestAccumulators best;
    best.reset(1, 1);
    feed(best, Sums(300, 30000), 64);
    best.keep(1);
    best.reset(2, 1);
    EXPECT_EQ(best.cutoff(), 1);
    EXPECT_TRUE(best.entries().empty());
    feed(best, {30, 2, 0}, 1);
    best.keep(2);
    EXPECT_EQ(entries_of(best), (Entries{{30, 0}, {2, 1}}));
    EXPECT_EQ(best.max_dropped(), 0);
}

}  // namespace
}  // namespace thresher
