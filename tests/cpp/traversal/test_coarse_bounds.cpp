// CoarseBounds against sums over plain lists: no bound is too low, few are much too high, and what is noted follows.
#include "core/traversal/coarse_bounds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "support/postings_of.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::PostingsOf;
using test::Random;
using test::Rows;
using test::uniform;

using Sums = std::map<std::uint32_t, std::int32_t>;  // document -> its score

// Lists of a collection with random weights, added one by one to both.
class Pair {
  public:
    Pair(const PostingsOf& collection, std::size_t n_docs, std::uint32_t first, std::size_t n_lists, Random& random)
        : collection_(&collection), coarse(n_docs), first_(first), end_(first + CoarseBounds::kWindow) {
        std::int32_t max = 0;
        for (std::size_t i = 0; i < n_lists; ++i) {
            slots_.push_back(static_cast<std::uint32_t>(
                uniform(random, 0, static_cast<std::int64_t>(collection.vocabulary.n_slots()) - 1)));
            weights_.push_back(static_cast<std::int32_t>(uniform(random, 1, 1 << uniform(random, 0, 14))));
            max += weights_.back() * 255;
        }
        unit = static_cast<double>(max) / (255.0 - 1.01 * static_cast<double>(n_lists));
        coarse.start(first, max, n_lists);
    }

    std::size_t n_lists() const { return slots_.size(); }

    void add(std::size_t i) {
        PostingCursor cursor;
        cursor.open(collection_->postings, slots_[i], weights_[i]);
        coarse.add(cursor);
        for (const auto& [doc, impact] : collection_->lists.at(slots_[i])) {
            if (doc >= first_ && doc < end_) sums[doc] += weights_[i] * impact;
            if (doc >= end_) {
                ASSERT_EQ(cursor.doc(), doc) << "the first document behind the window";
                return;
            }
        }
        ASSERT_EQ(cursor.doc(), kNoMoreDocuments);
    }

  private:
    const PostingsOf* collection_;

  public:
    CoarseBounds coarse;
    Sums sums;
    double unit = 0;

  private:
    std::uint32_t first_;
    std::uint32_t end_;
    std::vector<std::uint32_t> slots_;
    std::vector<std::int32_t> weights_;
};

std::int32_t greatest(const Sums& sums) {
    return std::ranges::max_element(sums, {}, [](const auto& item) { return item.second; })->second;
}

std::map<std::uint32_t, std::int64_t> noted(CoarseBounds& coarse) {
    std::map<std::uint32_t, std::int64_t> bounds;
    std::int64_t before = std::numeric_limits<std::int64_t>::max();
    const std::size_t n = coarse.size();
    const auto best = coarse.take_best(n);
    EXPECT_EQ(best.size(), n);
    EXPECT_EQ(coarse.size(), 0U) << "all are taken";
    for (const auto& [doc, bound] : best) {
        EXPECT_LE(bound, before) << "best first";
        EXPECT_TRUE(bounds.emplace(doc, bound).second) << "each document once";
        before = bound;
    }
    return bounds;
}

// Whoever reaches `least` is noted, and nobody who lacks more than rounding can make up for.
void expect_noted(Pair& pair, std::int32_t min) {
    const auto bounds = noted(pair.coarse);
    const double rounding = 1.01 * static_cast<double>(pair.n_lists()) * pair.unit + 1;
    for (const auto& [doc, sum] : pair.sums) {
        const auto found = bounds.find(doc);
        if (found == bounds.end()) {
            ASSERT_LT(sum, min) << "document " << doc;
            continue;
        }
        ASSERT_GE(found->second, sum);
        ASSERT_LE(static_cast<double>(found->second), sum + rounding);
        ASSERT_GE(sum + rounding, min);
    }
    for (const auto& [doc, bound] : bounds) ASSERT_TRUE(pair.sums.contains(doc)) << doc;
}

constexpr std::size_t kDocs = 3000;

TEST(CoarseBounds, NotesWhatMayReachAScore) {
    Random random(1);
    const PostingsOf collection(test::random_rows(random, kDocs, 80, 10, test::real_weight));
    for (const std::size_t n_lists : {1, 2, 7, 64}) {
        for (int round = 0; round < 5; ++round) {
            Pair pair(collection, kDocs, round == 4 ? 1234 : 0, n_lists, random);
            for (std::size_t i = 0; i < n_lists; ++i) ASSERT_NO_FATAL_FAILURE(pair.add(i));
            std::vector<std::int32_t> sums;
            for (const auto& [doc, sum] : pair.sums) sums.push_back(sum);
            if (sums.empty()) continue;
            std::ranges::sort(sums);
            for (const std::size_t rank : {std::size_t{0}, sums.size() / 2, sums.size() - 1}) {
                for (const std::int32_t min : {sums[rank], sums[rank] + 1}) {
                    pair.coarse.select(min);
                    ASSERT_NO_FATAL_FAILURE(expect_noted(pair, min)) << n_lists << " lists, least " << min;
                }
            }
            pair.coarse.select(-5);
            ASSERT_EQ(pair.coarse.size(), pair.sums.size()) << "only documents that a list has";
        }
    }
}

TEST(CoarseBounds, KeepsWhatMayReachAScoreByWhatIsAddedLater) {
    Random random(2);
    const PostingsOf collection(test::random_rows(random, kDocs, 80, 10, test::real_weight));
    Pair pair(collection, kDocs, 0, 6, random);
    for (std::size_t i = 0; i < 3; ++i) ASSERT_NO_FATAL_FAILURE(pair.add(i));
    pair.coarse.select(1);
    const auto before = pair.sums;
    for (std::size_t i = 3; i < 6; ++i) ASSERT_NO_FATAL_FAILURE(pair.add(i));
    std::erase_if(pair.sums, [&](const auto& item) { return !before.contains(item.first); });
    const std::size_t n = pair.coarse.size();
    const std::int32_t min = greatest(pair.sums) / 2;
    pair.coarse.keep(min);
    ASSERT_LT(pair.coarse.size(), n);
    ASSERT_NO_FATAL_FAILURE(expect_noted(pair, min));
}

TEST(CoarseBounds, NotesTheBest) {
    Random random(3);
    const PostingsOf collection(test::random_rows(random, 5000, 80, 10, test::real_weight));
    Pair pair(collection, 5000, 0, 5, random);
    for (std::size_t i = 0; i < 5; ++i) ASSERT_NO_FATAL_FAILURE(pair.add(i));
    pair.coarse.select(1);
    const auto all = noted(pair.coarse);
    std::vector<std::int64_t> bounds;
    for (const auto& [doc, bound] : all) bounds.push_back(bound);
    std::ranges::sort(bounds, std::greater<>{});
    for (const std::size_t n : {1, 3, 9, 100000}) {
        pair.coarse.select_best(n, 1);
        ASSERT_GE(pair.coarse.size(), std::min(n, all.size()));
        if (n < 10) {
            ASSERT_LT(pair.coarse.size(), all.size() / 2);
        }
        // What is noted are the best: nobody else has a greater bound.
        const auto best = noted(pair.coarse);
        const std::int64_t worst =
            std::ranges::min_element(best, {}, [](const auto& item) { return item.second; })->second;
        ASSERT_EQ(std::ranges::count_if(bounds, [&](std::int64_t bound) { return bound >= worst; }),
                  static_cast<std::ptrdiff_t>(best.size()));
        // Of what is noted, the best few.
        if (n > all.size()) continue;
        pair.coarse.select_best(n, 1);
        const std::size_t n_noted = pair.coarse.size();
        const auto few = pair.coarse.take_best(n);
        ASSERT_GE(few.size(), n);
        ASSERT_EQ(few[0].bound, bounds[0]);
        ASSERT_EQ(few[n - 1].bound, bounds[n - 1]);
        ASSERT_EQ(pair.coarse.size(), n_noted - few.size()) << "the others are left";
    }
    const std::int32_t max = greatest(pair.sums);
    pair.coarse.select_best(100000, max);
    ASSERT_NO_FATAL_FAILURE(expect_noted(pair, max));
}

// Memory of what is taken is bounded, however many have the same bound.
TEST(CoarseBounds, TakesManyInParts) {
    const std::size_t n_docs = 3 * CoarseBounds::kMaxTaken;
    Rows rows;
    rows.n_terms = 1;
    for (std::size_t doc = 0; doc < n_docs; ++doc) rows.add(test::Row{{0, 1.0F}});
    const PostingsOf collection(rows);
    Random random(5);
    Pair pair(collection, n_docs, 0, 1, random);
    ASSERT_NO_FATAL_FAILURE(pair.add(0));
    for (const std::size_t n : {std::size_t{1}, CoarseBounds::kMaxTaken + 1}) {
        pair.coarse.select(1);
        std::set<std::uint32_t> docs;
        while (pair.coarse.size() > 0) {
            const auto part = pair.coarse.take_best(n);
            ASSERT_LE(part.size(), std::max(n, CoarseBounds::kMaxTaken));
            for (const auto& [doc, bound] : part) ASSERT_TRUE(docs.insert(doc).second) << "each document once";
        }
        ASSERT_EQ(docs.size(), n_docs);
    }
}

TEST(CoarseBounds, StartsAnew) {
    Random random(4);
    const PostingsOf collection(test::random_rows(random, 100, 20, 10, test::real_weight));
    Pair pair(collection, 100, 0, 3, random);
    for (std::size_t i = 0; i < 3; ++i) ASSERT_NO_FATAL_FAILURE(pair.add(i));
    pair.coarse.select(1);
    ASSERT_GT(pair.coarse.size(), 0U);
    pair.coarse.finish();
    pair.coarse.start(0, 255, 1);
    EXPECT_EQ(pair.coarse.size(), 0U);
    pair.coarse.select(1);
    EXPECT_EQ(pair.coarse.size(), 0U);
}

}  // namespace
}  // namespace thresher
