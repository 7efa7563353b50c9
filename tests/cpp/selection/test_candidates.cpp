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

// Feeds scores as an engine does: in windows, each through the cutoff as it stands then.
std::set<std::uint32_t> survivors(Candidates& candidates, const std::vector<std::int32_t>& scores, std::size_t window) {
    for (std::size_t first = 0; first < scores.size(); first += window) {
        std::vector<std::uint32_t> docs;
        std::vector<std::int32_t> doc_scores;
        const std::int32_t cutoff = candidates.cutoff();
        for (std::size_t i = first; i < std::min(scores.size(), first + window); ++i) {
            if (scores[i] < cutoff) continue;
            docs.push_back(static_cast<std::uint32_t>(i - first));
            doc_scores.push_back(scores[i]);
        }
        candidates.add(static_cast<std::uint32_t>(first), docs.data(), doc_scores.data(), docs.size());
        EXPECT_GE(candidates.cutoff(), cutoff) << "the cutoff only rises";
    }
    const auto docs = candidates.finish();
    const std::set<std::uint32_t> set(docs.begin(), docs.end());
    EXPECT_EQ(set.size(), docs.size()) << "each document once";
    return set;
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
        candidates.reset(k, kNoLowest, slack);
        const auto kept = survivors(candidates, scores, static_cast<std::size_t>(uniform(random, 1, 100)));
        const std::int64_t min = k <= n ? kth_best(truth, k) : kNoLowest;
        for (std::uint32_t doc = 0; doc < n; ++doc) {
            ASSERT_TRUE(truth[doc] < min || kept.contains(doc)) << "ties with the k-th included";
        }
        if (k > n) continue;
        const std::int64_t cutoff = kth_best(scores, k) - 2 * slack;
        for (const std::uint32_t doc : kept) ASSERT_GE(scores[doc], cutoff - 2) << "the rest is dropped";
    }
}

TEST(Candidates, LeaveRoomForTheRoundingOfScoresToFloat) {
    // The first and the second are equal as float32; which comes first is for their ids to say.
    const std::vector<std::int32_t> scores{(1 << 30) - 1, 1 << 30, 1 << 20};
    ASSERT_EQ(static_cast<float>(scores[0]), static_cast<float>(scores[1]));
    Candidates candidates;
    candidates.reset(1, 1, 0);
    EXPECT_EQ(survivors(candidates, scores, 3), (std::set<std::uint32_t>{0, 1}));
}

TEST(Candidates, NeverWantWhatIsBelowTheLowest) {
    Candidates candidates;
    candidates.reset(3, 10, 1000);
    EXPECT_EQ(candidates.cutoff(), 10);
    EXPECT_EQ(survivors(candidates, {9, 10, 11, -5, 12, 13, 14}, 2), (std::set<std::uint32_t>{1, 2, 4, 5, 6}));
    EXPECT_GE(candidates.cutoff(), 10);
}

TEST(Candidates, KeepEveryTie) {
    Candidates candidates;
    candidates.reset(10, 1, 0);
    EXPECT_EQ(survivors(candidates, std::vector<std::int32_t>(5000, 7), 64).size(), 5000U);
}

TEST(Candidates, KeepAllOfFewerThanK) {
    Candidates candidates;
    for (const std::size_t k : {5, 6, 1000}) {
        candidates.reset(k, kNoLowest, 3);
        EXPECT_EQ(survivors(candidates, {5, -100, 7, INT32_MIN, INT32_MAX}, 2).size(), 5U);
    }
    candidates.reset(3, 1, 0);
    EXPECT_TRUE(survivors(candidates, {}, 1).empty());
}

TEST(Candidates, SurviveTheEndsOfTheRange) {
    const std::int64_t max = std::numeric_limits<std::int32_t>::max();
    for (const std::int64_t slack : {std::int64_t{0}, std::int64_t{1} << 30, max}) {
        for (const std::int64_t lowest : {kNoLowest, std::int64_t{0}, max}) {
            Candidates candidates;
            candidates.reset(1, lowest, slack);
            const auto kept = survivors(candidates, {INT32_MIN, -1, 0, 1, INT32_MAX - 1, INT32_MAX, INT32_MIN}, 2);
            EXPECT_TRUE(kept.contains(5)) << "slack " << slack << " lowest " << lowest;
            EXPECT_EQ(kept.contains(3), lowest != max && slack != 0) << "slack " << slack << " lowest " << lowest;
        }
    }
    Candidates candidates;
    candidates.reset(2, -(std::int64_t{1} << 40), 0);
    EXPECT_EQ(candidates.cutoff(), INT32_MIN);
    candidates.reset(2, std::int64_t{1} << 40, 0);
    EXPECT_EQ(candidates.cutoff(), INT32_MAX);
}

TEST(Candidates, ForgetThePreviousQuery) {
    Candidates candidates;
    candidates.reset(1, 1, 0);
    survivors(candidates, std::vector<std::int32_t>(300, 1000), 64);
    candidates.reset(1, 1, 0);
    EXPECT_EQ(candidates.cutoff(), 1);
    EXPECT_EQ(survivors(candidates, {30, 2}, 1), std::set<std::uint32_t>{0});
}

TEST(Candidates, RaiseTheCutoffAsBetterDocumentsComeIn) {
    Candidates candidates;
    candidates.reset(5, 1, 2);
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
            candidates.reset(10, kNoLowest, slack);
            candidates.require(kth);
            EXPECT_LE(candidates.cutoff(), 1000 - slack);
            EXPECT_GE(candidates.cutoff(), 1000 - slack - 2);
            const std::int32_t before = candidates.cutoff();
            candidates.require(5);
            EXPECT_EQ(candidates.cutoff(), before) << "the cutoff only rises";
        }
    }
    Candidates candidates;
    candidates.reset(10, kNoLowest, 0);
    candidates.require(1e300);
    EXPECT_GT(candidates.cutoff(), 0);
}

}  // namespace
}  // namespace thresher
