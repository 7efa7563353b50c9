// Candidates: no document that can be in the true top k is ever dropped, and the others are.
#include "core/selection/candidates.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <vector>

#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using test::uniform;

constexpr std::int64_t kNoLowest = std::numeric_limits<std::int32_t>::min();

IntegerQuery integers(std::int64_t lowest, std::int64_t slack, double unit = 1) {
    IntegerQuery query;
    query.unit = unit;
    query.slack = slack;
    query.lowest = lowest;
    return query;
}

// Feeds scores as an engine does: in windows, each through the cutoff as it stands then. What is to be taken before the
// end is counted in `n_early`.
std::set<std::uint32_t> survivors(Candidates& candidates, const std::vector<std::int32_t>& scores, std::size_t window,
                                  std::size_t* n_early = nullptr) {
    std::set<std::uint32_t> all;
    std::size_t n_taken = 0;
    const auto take = [&] {
        for (const std::uint32_t doc : candidates.take()) {
            all.insert(doc);
            ++n_taken;
        }
    };
    for (std::size_t first = 0; first < scores.size(); first += window) {
        std::vector<std::uint32_t> docs;
        std::vector<std::int32_t> doc_scores;
        const std::int32_t cutoff = candidates.cutoff();
        for (std::size_t i = first; i < std::min(scores.size(), first + window); ++i) {
            if (scores[i] < cutoff) continue;
            docs.push_back(static_cast<std::uint32_t>(i - first));
            doc_scores.push_back(scores[i]);
        }
        if (candidates.add(static_cast<std::uint32_t>(first), docs.data(), doc_scores.data(), docs.size())) take();
        EXPECT_GE(candidates.cutoff(), cutoff) << "the cutoff only rises";
    }
    if (n_early != nullptr) *n_early = n_taken;
    take();
    EXPECT_EQ(all.size(), n_taken) << "each document once";
    return all;
}

std::int64_t kth_best(std::vector<std::int32_t> scores, std::size_t k) {
    std::nth_element(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(k - 1), scores.end(),
                     std::greater<>{});
    return scores[k - 1];
}

TEST(Candidates, KeepTheTrueTopKForAnyErrorWithinTheSlack) {
    Random random(1);
    Candidates candidates;
    for (int round = 0; round < 300; ++round) {
        const auto n = static_cast<std::size_t>(uniform(random, 1, 2000));
        const auto k = static_cast<std::size_t>(uniform(random, 1, 50));
        const std::int64_t slack = uniform(random, 0, 1) * uniform(random, 0, 300);
        const std::int64_t spread = uniform(random, 1, 5000);
        std::vector<std::int32_t> truth(n);
        std::vector<std::int32_t> scores(n);
        for (std::size_t doc = 0; doc < n; ++doc) {
            truth[doc] = static_cast<std::int32_t>(uniform(random, -spread, spread));
            const std::int64_t error = uniform(random, 0, 1) == 0 ? slack : -slack;  // the worst there may be
            scores[doc] = static_cast<std::int32_t>(truth[doc] + error);
        }
        candidates.reset(k, integers(kNoLowest, slack));
        std::size_t n_early = 0;
        const auto kept = survivors(candidates, scores, static_cast<std::size_t>(uniform(random, 1, 100)), &n_early);
        const std::int64_t min = k <= n ? kth_best(truth, k) : kNoLowest;
        for (std::uint32_t doc = 0; doc < n; ++doc) {
            ASSERT_TRUE(truth[doc] < min || kept.contains(doc)) << "ties with the k-th included";
        }
        if (k > n || n_early > 0) continue;
        const std::int64_t cutoff = kth_best(scores, k) - 2 * slack;
        for (const std::uint32_t doc : kept) ASSERT_GE(scores[doc], cutoff - 2) << "the rest is dropped";
    }
}

TEST(Candidates, LeaveRoomForTheRoundingOfScoresToFloat) {
    // The first and the second are equal as float32; which comes first is for their ids to say.
    const std::vector<std::int32_t> scores{(1 << 30) - 1, 1 << 30, 1 << 20};
    ASSERT_EQ(static_cast<float>(scores[0]), static_cast<float>(scores[1]));
    Candidates candidates;
    candidates.reset(1, integers(1, 0));
    EXPECT_EQ(survivors(candidates, scores, 3), (std::set<std::uint32_t>{0, 1}));
}

TEST(Candidates, NeverWantWhatIsBelowTheLowest) {
    Candidates candidates;
    candidates.reset(3, integers(10, 1000));
    EXPECT_EQ(candidates.cutoff(), 10);
    EXPECT_EQ(survivors(candidates, {9, 10, 11, -5, 12, 13, 14}, 2), (std::set<std::uint32_t>{1, 2, 4, 5, 6}));
    EXPECT_GE(candidates.cutoff(), 10);
}

TEST(Candidates, KeepEveryTie) {
    Candidates candidates;
    candidates.reset(10, integers(1, 0));
    EXPECT_EQ(survivors(candidates, std::vector<std::int32_t>(5000, 7), 64).size(), 5000U);
}

// All are within the slack of the best: memory follows k, not the documents.
TEST(Candidates, AskToBeTakenWhereManyAreLeft) {
    for (const std::size_t k : {std::size_t{1}, std::size_t{10}, std::size_t{3000}}) {
        for (const std::int64_t slack : {std::int64_t{0}, kMaxScore}) {
            Candidates candidates;
            candidates.reset(k, integers(1, slack));
            std::size_t n_early = 0;
            const std::size_t n = 200'000;
            EXPECT_EQ(survivors(candidates, std::vector<std::int32_t>(n, 7), 512, &n_early).size(), n);
            EXPECT_GT(n_early, n / 2);
            EXPECT_LE(candidates.capacity_nbytes(), 16 * (4096 + 8 * k));
            candidates.reset(1, integers(1, 0));
            EXPECT_LE(candidates.capacity_nbytes(), 16 * std::size_t{8192}) << "what one query needed is not kept";
        }
    }
}

TEST(Candidates, AreNotTakenEarlyWhereScoresDiffer) {
    Random random(3);
    for (const std::size_t k : {1, 10, 100, 1000}) {
        std::vector<std::int32_t> scores(20'000);
        for (auto& score : scores) score = static_cast<std::int32_t>(uniform(random, 1, 1 << 24));
        Candidates candidates;
        candidates.reset(k, integers(1, 200));
        std::size_t n_early = 0;
        survivors(candidates, scores, 512, &n_early);
        EXPECT_EQ(n_early, 0U) << k;
    }
}

TEST(Candidates, KeepAllOfFewerThanK) {
    Candidates candidates;
    for (const std::size_t k : {5, 6, 1000}) {
        candidates.reset(k, integers(kNoLowest, 3));
        EXPECT_EQ(survivors(candidates, {5, -100, 7, INT32_MIN, INT32_MAX}, 2).size(), 5U);
    }
    candidates.reset(3, integers(1, 0));
    EXPECT_TRUE(survivors(candidates, {}, 1).empty());
}

TEST(Candidates, SurviveTheEndsOfTheRange) {
    const std::int64_t max = std::numeric_limits<std::int32_t>::max();
    for (const std::int64_t slack : {std::int64_t{0}, std::int64_t{1} << 30, max}) {
        for (const std::int64_t lowest : {kNoLowest, std::int64_t{0}, max}) {
            Candidates candidates;
            candidates.reset(1, integers(lowest, slack));
            const auto kept = survivors(candidates, {INT32_MIN, -1, 0, 1, INT32_MAX - 1, INT32_MAX, INT32_MIN}, 2);
            EXPECT_TRUE(kept.contains(5)) << "slack " << slack << " lowest " << lowest;
            EXPECT_EQ(kept.contains(3), lowest != max && slack != 0) << "slack " << slack << " lowest " << lowest;
        }
    }
    Candidates candidates;
    candidates.reset(2, integers(-(std::int64_t{1} << 40), 0));
    EXPECT_EQ(candidates.cutoff(), INT32_MIN);
    candidates.reset(2, integers(std::int64_t{1} << 40, 0));
    EXPECT_EQ(candidates.cutoff(), INT32_MAX);
}

TEST(Candidates, ForgetThePreviousQuery) {
    Candidates candidates;
    candidates.reset(1, integers(1, 0));
    survivors(candidates, std::vector<std::int32_t>(300, 1000), 64);
    candidates.reset(1, integers(1, 0));
    EXPECT_EQ(candidates.cutoff(), 1);
    EXPECT_EQ(survivors(candidates, {30, 2}, 1), std::set<std::uint32_t>{0});
}

TEST(Candidates, RaiseTheCutoffAsBetterDocumentsComeIn) {
    Candidates candidates;
    candidates.reset(5, integers(1, 2));
    std::vector<std::int32_t> rising(2000);
    for (std::size_t doc = 0; doc < rising.size(); ++doc) rising[doc] = static_cast<std::int32_t>(doc + 1) * 10;
    const auto kept = survivors(candidates, rising, 64);
    EXPECT_EQ(kept, (std::set<std::uint32_t>{1995, 1996, 1997, 1998, 1999}));
    EXPECT_GT(candidates.cutoff(), 19000);
}

// k documents have a true score of `kth`: whoever may have as much stays, whatever the error, and others need not.
TEST(Candidates, RequireATrueScore) {
    for (const std::int64_t slack : {0, 7}) {
        for (const double kth : {1000.0, 1000.9}) {
            Candidates candidates;
            candidates.reset(10, integers(kNoLowest, slack));
            candidates.require(kth);  // of a unit of 1
            EXPECT_LE(candidates.cutoff(), 1000 - slack);
            EXPECT_GE(candidates.cutoff(), 1000 - slack - 2);
            const std::int32_t before = candidates.cutoff();
            candidates.require(5);
            EXPECT_EQ(candidates.cutoff(), before) << "the cutoff only rises";
        }
    }
    Candidates candidates;
    candidates.reset(10, integers(kNoLowest, 0));
    candidates.require(1e300);
    EXPECT_GT(candidates.cutoff(), 0);
}

// Beyond the range of float32 all scores tie, below it those that round to the same.
TEST(Candidates, LeaveRoomForTiesAtTheEndsOfFloat) {
    const double max = std::numeric_limits<float>::max();
    const double infinity = std::numeric_limits<double>::infinity();
    const std::vector<std::int32_t> scores{1 << 29, 1 << 20, (1 << 20) - 1000, (1 << 20) + 1000};
    Candidates candidates;
    candidates.reset(1, integers(1, 10, max / (1 << 20)));
    EXPECT_EQ(survivors(candidates, scores, 1), (std::set<std::uint32_t>{0, 1, 3}));
    candidates.reset(1, integers(1, 10, max / (1 << 20)));
    candidates.require(infinity);
    EXPECT_EQ(survivors(candidates, scores, 1), (std::set<std::uint32_t>{0, 1, 3}));
    candidates.reset(1, integers(1, 10, 0x1p-149 / 1000));
    EXPECT_EQ(survivors(candidates, {20'400, 19'600, 18'000}, 1), (std::set<std::uint32_t>{0, 1}));
}

}  // namespace
}  // namespace thresher
