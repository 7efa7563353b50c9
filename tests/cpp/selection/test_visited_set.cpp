// The set of documents visited, over so many searches that their numbers repeat.
#include "core/selection/visited_set.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <set>

#include "support/random_rows.hpp"

namespace thresher {
namespace {

TEST(VisitedSet, IsEmptyAtFirst) {
    VisitedSet visited(3);
    EXPECT_TRUE(visited.insert(0));
    EXPECT_TRUE(visited.insert(2));
    EXPECT_FALSE(visited.insert(0));
    EXPECT_TRUE(visited.insert(1));
}

TEST(VisitedSet, ForgetsADocumentHoweverLongAgoItWas) {
    for (int before = 0; before < 300; ++before) {
        for (const int since : {1, 2, 253, 254, 255, 256, 257, 509, 510, 511, 512, 513, 700}) {
            VisitedSet visited(2);
            for (int i = 0; i < before; ++i) visited.clear();
            ASSERT_TRUE(visited.insert(1));
            ASSERT_FALSE(visited.insert(1));
            for (int i = 0; i < since; ++i) visited.clear();
            ASSERT_TRUE(visited.insert(1)) << since << " searches after search " << before;
            ASSERT_FALSE(visited.insert(1));
            ASSERT_TRUE(visited.insert(0)) << since << " searches after search " << before;
        }
    }
}

TEST(VisitedSet, IsASet) {
    test::Random random(1);
    VisitedSet visited(300);
    for (int search = 0; search < 2000; ++search) {
        visited.clear();
        std::set<std::size_t> expected;
        for (int i = 0; i < 20; ++i) {
            const std::size_t doc = random() % 300;
            ASSERT_EQ(visited.insert(doc), expected.insert(doc).second) << "search " << search;
        }
    }
}

}  // namespace
}  // namespace thresher
