// Blocks by falling bound: every block that reaches the cutoff in one round, rounds one below the other, and the best
// within the budget.
#include "core/blocks/best_blocks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/blocks/cluster_summaries.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Rows;

constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

// Bounds as BlockBounds leaves them. Those beyond `n_blocks` count in the maxima, but are of no block.
struct Bounds {
    Bounds(const std::vector<std::uint16_t>& of_blocks, std::uint16_t beyond = 0)
        : n_blocks(of_blocks.size()),
          n_superblocks((n_blocks + kernels::kSuperblock - 1) / kernels::kSuperblock),
          context(n_superblocks) {
        const auto bounds = context.bounds.items;
        std::fill(bounds.begin(), bounds.end(), beyond);
        std::copy(of_blocks.begin(), of_blocks.end(), bounds.begin());
        for (std::size_t s = 0; s < n_superblocks; ++s) {
            const auto first = bounds.begin() + static_cast<std::ptrdiff_t>(s * kernels::kSuperblock);
            context.maxima.items[s] = *std::max_element(first, first + kernels::kSuperblock);
        }
    }
    // Block and bound in one, best first.
    std::vector<std::uint64_t> at_least(std::uint32_t cutoff) const {
        std::vector<std::uint64_t> blocks;
        for (std::uint32_t block = 0; block < n_blocks; ++block) {
            if (context.bounds.items[block] >= cutoff) blocks.push_back(ranked(context.bounds.items[block], block));
        }
        std::sort(blocks.begin(), blocks.end(), std::greater<>{});
        return blocks;
    }

    std::size_t n_blocks;
    std::size_t n_superblocks;
    BlockBounds::Context context;
};

using Rounds = std::vector<std::vector<std::uint64_t>>;

Rounds rounds_of(BestBlocks& best, const Bounds& bounds, std::size_t first, std::size_t budget,
                 const std::function<std::uint32_t(std::size_t)>& cutoff_of_round) {
    Rounds rounds;
    best.start(bounds.context, bounds.n_blocks, first, budget, nullptr, 4);
    while (best.next(cutoff_of_round(rounds.size()))) {
        EXPECT_FALSE(best.blocks().empty());
        rounds.push_back(best.blocks());
    }
    EXPECT_FALSE(best.next(cutoff_of_round(rounds.size()))) << "there are no more";
    return rounds;
}

// All blocks of all rounds; each round is better than the next.
std::vector<std::uint64_t> joined(const Rounds& rounds) {
    std::vector<std::uint64_t> all;
    for (const auto& round : rounds) {
        if (!all.empty()) {
            EXPECT_LT(score_of(*std::max_element(round.begin(), round.end())),
                      score_of(*std::min_element(all.begin(), all.end())));
        }
        all.insert(all.end(), round.begin(), round.end());
    }
    std::sort(all.begin(), all.end(), std::greater<>{});
    return all;
}

std::vector<std::uint32_t> bounds_of(const std::vector<std::uint64_t>& blocks) {
    std::vector<std::uint32_t> bounds;
    for (const std::uint64_t block : blocks) bounds.push_back(score_of(block));
    return bounds;
}

// Bounds of many shapes, each over so many blocks.
std::vector<std::pair<std::string, std::vector<std::uint16_t>>> shapes(Random& random, std::size_t n_blocks) {
    const auto made = [&](const auto& bound) {
        std::vector<std::uint16_t> bounds;
        for (std::size_t block = 0; block < n_blocks; ++block)
            bounds.push_back(static_cast<std::uint16_t>(bound(block)));
        return bounds;
    };
    return {
        {"none", made([](auto) { return 0; })},
        {"all saturated", made([](auto) { return 65535; })},
        {"equal", made([](auto) { return 777; })},
        {"any", made([&](auto) { return test::uniform(random, 0, 65535); })},
        {"small", made([&](auto) { return test::uniform(random, 0, 3); })},
        {"skewed", made([&](auto) { return 40000 * test::unit(random) * test::unit(random) * test::unit(random); })},
        {"falling", made([&](auto block) { return 65535 - block * 65535 / (n_blocks + 1); })},
        {"one high", made([&](auto block) { return block == n_blocks / 2 ? 65535 : 1; })},
        {"few, saturated among them",
         made([&](auto) { return std::max<std::int64_t>(test::uniform(random, 65530, 65550), 0) % 65536; })},
    };
}

TEST(BestBlocks, AreEachBlockThatReachesTheCutoffOnce) {
    Random random(1);
    for (const std::size_t n_blocks : {1, 5, 127, 128, 129, 1000, 5000}) {
        for (const auto& [name, of_blocks] : shapes(random, n_blocks)) {
            for (const std::uint16_t beyond : {std::uint16_t{0}, std::uint16_t{65535}}) {
                const Bounds bounds(of_blocks, beyond);
                BestBlocks best(bounds.n_superblocks);
                for (const std::size_t first : {std::size_t{1}, std::size_t{8}, std::size_t{300}, kAll / 2, kAll}) {
                    for (const std::uint32_t cutoff : {0U, 1U, 2U, 777U, 778U, 30000U, 65535U, 65536U}) {
                        const Rounds rounds = rounds_of(best, bounds, first, kAll, [&](auto) { return cutoff; });
                        ASSERT_EQ(joined(rounds), bounds.at_least(cutoff))
                            << name << ", " << n_blocks << " blocks, first " << first << ", cutoff " << cutoff;
                    }
                }
            }
        }
    }
}

TEST(BestBlocks, FollowACutoffThatRises) {
    Random random(2);
    for (const auto& [name, of_blocks] : shapes(random, 6000)) {
        SCOPED_TRACE(name);
        const Bounds bounds(of_blocks);
        BestBlocks best(bounds.n_superblocks);
        for (const std::size_t first : {1, 20}) {
            std::vector<std::uint32_t> cutoffs;
            const Rounds rounds = rounds_of(best, bounds, first, kAll, [&](std::size_t round) {
                const auto cutoff = static_cast<std::uint32_t>(1 + 300 * round * round);
                cutoffs.push_back(cutoff);
                return cutoff;
            });
            for (std::size_t round = 0; round < rounds.size(); ++round) {
                for (const std::uint64_t block : rounds[round]) ASSERT_GE(score_of(block), cutoffs[round]);
            }
            const auto all = joined(rounds);
            ASSERT_EQ(std::adjacent_find(all.begin(), all.end()), all.end()) << "each once";
            const auto needed = bounds.at_least(cutoffs.back());
            ASSERT_TRUE(std::includes(all.begin(), all.end(), needed.begin(), needed.end(), std::greater<>{}));
        }
    }
}

TEST(BestBlocks, WithinABudgetAreTheBest) {
    Random random(3);
    for (const auto& [name, of_blocks] : shapes(random, 5000)) {
        SCOPED_TRACE(name);
        const Bounds bounds(of_blocks, 65535);
        BestBlocks best(bounds.n_superblocks);
        for (const std::size_t first : {1, 13, 5000}) {
            for (const std::size_t budget : {0, 1, 2, 64, 65, 1000, 4999, 5000, 5001}) {
                for (const std::uint32_t cutoff : {1U, 20000U}) {
                    auto expected = bounds_of(bounds.at_least(cutoff));
                    expected.resize(std::min(expected.size(), budget));
                    const auto blocks = joined(rounds_of(best, bounds, first, budget, [&](auto) { return cutoff; }));
                    ASSERT_EQ(bounds_of(blocks), expected) << "budget " << budget << ", first " << first;
                    ASSERT_EQ(std::adjacent_find(blocks.begin(), blocks.end()), blocks.end()) << "each once";
                    for (const std::uint64_t block : blocks) {
                        ASSERT_LT(item_of(block), bounds.n_blocks);
                        ASSERT_EQ(score_of(block), bounds.context.bounds.items[item_of(block)]);
                    }
                }
            }
        }
    }
}

// Blocks are told by their own numbers, where bounds of some groups alone were summed.
TEST(BestBlocks, OfSomeGroups) {
    Random random(5);
    const Rows docs =
        test::random_rows(random, 4 * 32 * 50 - 70, 100, 8, test::real_weight);  // the last group is short
    Progress progress = test::silent();
    const auto vocabulary = Vocabulary::build(docs.view(), 1, progress);
    const auto forward =
        ForwardIndex::build(GivenDocuments(docs.view(), vocabulary), {}, vocabulary, Precision::full, 1, progress);
    const auto quantiser = Quantiser::build(forward, vocabulary, 1, progress);
    const auto summaries = ClusterSummaries::build(forward, vocabulary, quantiser, 4, 40, {}, {0, 1.0}, 1, progress);
    const BlockBounds sums(quantiser, summaries.rows(), summaries.lists(), 1);
    const std::size_t n_blocks = summaries.rows().n_blocks();
    SlotQuery query;
    query.assign(test::random_rows(random, 1, 100, 30, test::real_weight).view(), 0, vocabulary);
    BlockBounds::Context context(summaries.rows().n_superblocks());
    sums.plan(query, {}, context);
    sums.sum(context);
    const std::vector<std::uint16_t> all(context.bounds.items.begin(), context.bounds.items.end());
    for (const std::vector<std::uint32_t>& groups :
         {std::vector<std::uint32_t>{3}, {0, 2, 4, 48}, {7, 49}, {1, 2, 3, 4, 5, 49}}) {
        sums.sum(groups, context);
        std::vector<std::uint64_t> expected;
        for (const std::uint32_t group : groups) {
            for (std::uint32_t block = group * 32; block < std::min<std::size_t>((group + 1) * 32, n_blocks); ++block) {
                if (all[block] >= 1) expected.push_back(ranked(all[block], block));
            }
        }
        std::sort(expected.begin(), expected.end(), std::greater<>{});
        for (const std::size_t first : {1, 20, 1000}) {
            BestBlocks best(summaries.rows().n_superblocks());
            best.start(context, n_blocks, first, kAll, nullptr, 4);
            std::vector<std::uint64_t> found;
            while (best.next(1)) found.insert(found.end(), best.blocks().begin(), best.blocks().end());
            std::sort(found.begin(), found.end(), std::greater<>{});
            ASSERT_EQ(found, expected);
        }
    }
}

// So that few are looked at where few are enough.
TEST(BestBlocks, ComeInRoundsThatGrow) {
    Random random(4);
    std::vector<std::uint16_t> of_blocks;
    for (int block = 0; block < 100'000; ++block) {
        of_blocks.push_back(static_cast<std::uint16_t>(20000 * test::unit(random) * test::unit(random)));
    }
    const Bounds bounds(of_blocks);
    BestBlocks best(bounds.n_superblocks);
    for (const std::size_t first : {8, 100, 260, 261, 1000}) {  // the best are sought among those of 782 superblocks
        const Rounds rounds = rounds_of(best, bounds, first, kAll, [](auto) { return 1U; });
        EXPECT_GE(rounds[0].size() * 2, first);
        EXPECT_LE(rounds[0].size(), 20 * first);
        if (first == 100 || first == 260) continue;  // hardly more superblocks than that: the rest comes at once
        ASSERT_GE(rounds.size(), 4U) << first;
        EXPECT_LT(rounds[0].size() + rounds[1].size(), 100 * first);
        EXPECT_GT(rounds[1].size(), rounds[0].size() / 2);
    }
}

TEST(BestBlocks, OfNone) {
    const Bounds bounds(std::vector<std::uint16_t>{});
    BestBlocks best(0);
    best.start(bounds.context, 0, 8, kAll, nullptr, 4);
    EXPECT_FALSE(best.next(0));
    BestBlocks unstarted(3);
    EXPECT_FALSE(unstarted.next(0));
}

TEST(BestBlocks, StartAgain) {
    Random random(5);
    BestBlocks best(8);
    for (int turn = 0; turn < 20; ++turn) {
        std::vector<std::uint16_t> of_blocks(1000);
        for (auto& bound : of_blocks) bound = static_cast<std::uint16_t>(test::uniform(random, 0, 1000));
        const Bounds bounds(of_blocks);
        best.start(bounds.context, bounds.n_blocks, 10, 15, nullptr, 4);
        ASSERT_TRUE(best.next(1)) << "and is left there";
        const Rounds rounds = rounds_of(best, bounds, 10, kAll, [](auto) { return 1U; });
        ASSERT_EQ(joined(rounds), bounds.at_least(1));
    }
}

}  // namespace
}  // namespace thresher
