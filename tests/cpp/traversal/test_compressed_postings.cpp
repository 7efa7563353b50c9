// CompressedPostings: what goes in comes out, whatever the gaps and the lengths of lists; bounds bound.
#include "core/traversal/compressed_postings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "support/postings_of.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::PostingsOf;
using test::Random;
using test::Row;
using test::Rows;
using test::uniform;

constexpr std::uint32_t kBlock = CompressedPostings::kBlock;

void expect_all_postings(const PostingsOf& collection) {
    const CompressedPostings& postings = collection.postings;
    for (std::uint32_t slot = 0; slot < collection.vocabulary.n_slots(); ++slot) {
        const auto& expected = collection.lists.at(slot);
        const auto list = postings.list(slot);
        ASSERT_EQ(list.n_postings, expected.size()) << "slot " << slot;
        ASSERT_EQ(list.n_blocks, (expected.size() + kBlock - 1) / kBlock) << "slot " << slot;
        ASSERT_EQ(list.rare, expected.size() <= CompressedPostings::kMaxRare);
        std::size_t at = 0;
        for (std::uint32_t block = 0; block < list.n_blocks; ++block) {
            std::uint32_t docs[CompressedPostings::kRoom];
            const std::uint8_t* impacts = postings.read(list, block, docs);
            std::uint8_t largest = 0;
            for (std::uint32_t p = 0; p < list.block_size(block); ++p, ++at) {
                ASSERT_EQ(docs[p], expected[at].first) << "slot " << slot << " posting " << at;
                ASSERT_EQ(impacts[p], expected[at].second) << "slot " << slot << " posting " << at;
                largest = std::max(largest, impacts[p]);
            }
            ASSERT_EQ(list.lasts[block], expected[at - 1].first);
            if (list.rare) {
                ASSERT_GE(list.maxima[block], largest);
            } else {
                ASSERT_EQ(list.maxima[block], largest);
            }
        }
        ASSERT_EQ(at, expected.size());
    }
}

TEST(CompressedPostings, HoldEveryPosting) {
    Random random(1);
    for (const std::size_t n_docs : {0, 1, 9, 127, 128, 129, 2000}) {
        expect_all_postings(PostingsOf(test::random_rows(random, n_docs, 300, 12, test::real_weight)));
    }
}

// A list of each length around the ends of blocks, and around where rare lists begin.
TEST(CompressedPostings, OfEveryLengthAtABorder) {
    const std::vector<std::uint32_t> lengths{1, 2, 7, 8, 9, 10, 127, 128, 129, 255, 256, 257, 384};
    Random random(2);
    std::vector<Row> docs(400);
    for (std::uint32_t term = 0; term < lengths.size(); ++term) {
        const auto order = test::shuffled(docs.size());
        for (std::uint32_t i = 0; i < lengths[term]; ++i) docs[order[i]].emplace_back(term, test::real_weight(random));
    }
    expect_all_postings(PostingsOf(test::rows_of(lengths.size(), docs)));
}

// Gaps of every width up to what a collection of this size can have: no gap at all, one far document among close ones.
TEST(CompressedPostings, OfGapsOfEveryWidth) {
    constexpr std::uint32_t kDocs = 70'000;
    std::vector<Row> docs(kDocs);
    for (std::uint32_t term = 0; term < 17; ++term) {
        std::uint32_t doc = term % 3;
        for (std::uint32_t i = 0; i < 300 && doc < kDocs; ++i, doc += i % 100 == 50 ? 1U << term : 1) {
            docs[doc].emplace_back(term, static_cast<float>(1 + i % 50));
        }
    }
    docs.back().emplace_back(0, 1.0F);
    expect_all_postings(PostingsOf(test::rows_of(17, docs)));
}

TEST(CompressedPostings, DoNotDependOnTheNumberOfThreads) {
    Random random(3);
    const Rows docs = test::random_rows(random, 9000, 100, 6, test::real_weight);
    expect_all_postings(PostingsOf(docs, 3));
}

TEST(CompressedPostings, BoundTheBestFromBelow) {
    Random random(4);
    const PostingsOf collection(test::random_rows(random, 5000, 60, 12, test::real_weight));
    std::size_t n_known = 0;
    for (std::uint32_t slot = 0; slot < collection.vocabulary.n_slots(); ++slot) {
        std::vector<int> impacts;
        for (const auto& [doc, impact] : collection.lists.at(slot)) impacts.push_back(impact);
        std::ranges::sort(impacts, std::greater<>{});
        for (const std::size_t k : {1, 9, 10, 11, 100, 101, 1000, 1001, 100000}) {
            const int kept = collection.postings.kth_impact(slot, k);
            n_known += kept > 0;
            ASSERT_LE(kept, k <= impacts.size() ? impacts[k - 1] : 0) << "slot " << slot << " k " << k;
            const bool ranked = k == 10 || k == 100 || k == 1000;
            ASSERT_TRUE(!ranked || kept == (k <= impacts.size() ? impacts[k - 1] : 0)) << "slot " << slot << " k " << k;
        }
    }
    EXPECT_GT(n_known, 100U);
}

}  // namespace
}  // namespace thresher
