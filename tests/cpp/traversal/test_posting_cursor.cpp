// PostingCursor against a walk over plain lists: every way to move, in any mixture.
#include "core/traversal/posting_cursor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "support/postings_of.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::PostingsOf;
using test::Random;
using test::uniform;

using PlainList = std::vector<std::pair<std::uint32_t, std::uint8_t>>;

std::size_t first_from(const PlainList& list, std::size_t at, std::uint32_t doc) {
    while (at < list.size() && list[at].first < doc) ++at;
    return at;
}

void expect_at(const PostingCursor& cursor, const PlainList& list, std::size_t at, std::int32_t weight) {
    ASSERT_EQ(cursor.doc(), at < list.size() ? list[at].first : kNoMoreDocuments);
    ASSERT_TRUE(at == list.size() || cursor.score() == weight * list[at].second);
}

// Of the blocks that hold [doc, end): what no posting there exceeds, and what some block in reach has.
void expect_bounds(PostingCursor& cursor, const PlainList& list, std::uint32_t doc, std::uint32_t end,
                   std::int32_t weight) {
    cursor.narrow(doc, end);
    std::int32_t max = 0;
    for (const auto& [other, impact] : list) {
        if (other >= doc && other < end) max = std::max(max, weight * impact);
    }
    ASSERT_GE(cursor.bound(), max);
    cursor.peek(doc);
    const std::size_t next = first_from(list, 0, doc);
    if (next == list.size()) {
        ASSERT_EQ(cursor.peeked_end(), kNoMoreDocuments);
        ASSERT_EQ(cursor.peeked_bound(), 0);
        return;
    }
    ASSERT_GE(cursor.peeked_bound(), weight * list[next].second);
    const std::size_t block = next / CompressedPostings::kBlock;
    const std::size_t last = std::min((block + 1) * CompressedPostings::kBlock, list.size()) - 1;
    ASSERT_EQ(cursor.peeked_end(), list[last].first + 1);
}

TEST(PostingCursor, MovesAsOverPlainLists) {
    Random random(1);
    const PostingsOf collection(test::random_rows(random, 3000, 80, 10, test::real_weight));
    PostingCursor cursor;
    for (int round = 0; round < 4; ++round) {
        for (const auto& [slot, list] : collection.lists) {
            const std::int32_t weight = static_cast<std::int32_t>(uniform(random, 1, 1000));
            cursor.open(collection.postings, slot, weight);
            std::size_t at = 0;
            std::uint32_t peeked = 0;
            const std::int64_t reach = round == 0 ? 3 : round == 1 ? 100 : 1500;
            ASSERT_NO_FATAL_FAILURE(expect_at(cursor, list, at, weight));
            while (at < list.size()) {
                const auto target = cursor.doc() + static_cast<std::uint32_t>(uniform(random, 0, reach));
                switch (uniform(random, 0, 3)) {
                    case 0:
                        cursor.next();
                        ++at;
                        break;
                    case 1:
                        cursor.next_geq(target);
                        at = first_from(list, at, target);
                        break;
                    case 2:
                        cursor.for_each_before(target, [&](std::uint32_t doc, std::int32_t score) {
                            ASSERT_LT(doc, target);
                            ASSERT_EQ(doc, list[at].first);
                            ASSERT_EQ(score, weight * list[at++].second);
                        });
                        ASSERT_EQ(at, first_from(list, at, target));
                        break;
                    default:
                        peeked = std::max(peeked, target);
                        ASSERT_NO_FATAL_FAILURE(expect_bounds(cursor, list, peeked, peeked + 200, weight));
                }
                ASSERT_NO_FATAL_FAILURE(expect_at(cursor, list, at, weight));
            }
        }
    }
}

TEST(PostingCursor, StaysWhereItIsForADocumentBehindIt) {
    Random random(2);
    const PostingsOf collection(test::random_rows(random, 500, 5, 4, test::real_weight));
    PostingCursor cursor;
    cursor.open(collection.postings, 0, 1);
    cursor.next_geq(300);
    const std::uint32_t doc = cursor.doc();
    cursor.next_geq(10);
    EXPECT_EQ(cursor.doc(), doc);
    cursor.next_geq(kNoMoreDocuments);
    EXPECT_EQ(cursor.doc(), kNoMoreDocuments);
    cursor.next_geq(5);
    EXPECT_EQ(cursor.doc(), kNoMoreDocuments);
}

TEST(PostingCursor, OfANegativeWeightIsBoundedByZero) {
    Random random(3);
    const PostingsOf collection(test::random_rows(random, 500, 5, 4, test::real_weight));
    PostingCursor cursor;
    cursor.open(collection.postings, 0, -7);
    EXPECT_EQ(cursor.bound(), 0);
    cursor.peek(0);
    EXPECT_EQ(cursor.peeked_bound(), 0);
    cursor.narrow(0, 100);
    EXPECT_EQ(cursor.bound(), 0);
    EXPECT_LT(cursor.score(), 0);
}

}  // namespace
}  // namespace thresher
