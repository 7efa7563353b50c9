#include "recall.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>
#include <vector>

#include "engines/exact_index.hpp"
#include "support/brute_force.hpp"
#include "support/random_rows.hpp"

namespace thresher::bench {
namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

// Scores of documents that are not in the truth; whoever asks for another's fails.
ScoreOf scores(const std::map<std::int64_t, double>& known) {
    return [known](std::size_t, std::int64_t doc) { return known.at(doc); };
}

double recall(std::size_t k, const std::vector<std::int32_t>& truth_ids, const std::vector<float>& truth_scores,
              const std::vector<std::int64_t>& ids, const std::map<std::int64_t, double>& known = {}) {
    const std::size_t n_queries = ids.size() / k;
    const GroundTruth truth{n_queries, truth_ids.size() / n_queries, truth_ids, truth_scores, nullptr};
    return recall_at_k(truth, k, ids, scores(known));
}

TEST(Recall, IsTheShareOfTheBestThatWereReturned) {
    EXPECT_EQ(recall(2, {4, 7}, {3, 2}, {7, 4}), 1.0);
    EXPECT_EQ(recall(2, {4, 7}, {3, 2}, {4, 9}, {{9, 1.0}}), 0.5);
    EXPECT_EQ(recall(2, {4, 7}, {3, 2}, {-1, -1}), 0.0);
    EXPECT_EQ(recall(2, {4, 7, 5, 6}, {3, 2, 9, 8}, {4, 7, 5, 1}, {{1, 1.0}}), 0.75);
}

TEST(Recall, IsOfTheFirstKOfALongerTruth) {
    EXPECT_EQ(recall(1, {4, 7, 8}, {3, 2, 1}, {7}, {{7, 2.0}}), 0.0);
    EXPECT_EQ(recall(2, {4, 7, 8, 5, 6, 1}, {3, 2, 1, 9, 8, 7}, {4, 7, 6, 5}), 1.0);
}

TEST(Recall, CountsADocumentThatTiesWithTheLast) {
    EXPECT_EQ(recall(2, {4, 7}, {3, 2}, {4, 9}, {{9, 2.0}}), 1.0);
    EXPECT_EQ(recall(2, {4, 7}, {3, 2}, {4, 9}, {{9, 2.0 * (1 - 0.5e-5)}}), 1.0);
    EXPECT_EQ(recall(2, {4, 7}, {3, 2}, {4, 9}, {{9, 2.0 * (1 - 2e-5)}}), 0.5);
}

TEST(Recall, NeverCountsMoreThanThereWereToFind) {
    EXPECT_EQ(recall(3, {4, 7, -1}, {3, 2, kNone}, {4, 9, 7}, {{9, 2.0}}), 1.0);
    EXPECT_EQ(recall(3, {4, 7, -1, 1, 2, 3}, {3, 2, kNone, 5, 4, 3}, {4, 9, 7, 1, -1, -1}, {{9, 2.0}}), 0.6);
}

TEST(Recall, CountsADocumentOnce) {
    EXPECT_EQ(recall(2, {4, 7}, {3, 2}, {4, 4}), 0.5);
    EXPECT_EQ(recall(3, {4, 7, 8}, {3, 2, 2}, {9, 9, 9}, {{9, 2.0}}), 1.0 / 3.0);
}

TEST(Recall, WantsNoDocumentThatScoresNothing) {
    EXPECT_EQ(recall(3, {4, 7, 8}, {3, 0, 0}, {4, -1, -1}), 1.0);
    EXPECT_EQ(recall(2, {7, 8, 1, 2}, {0, 0, 2, 1}, {-1, -1, 1, -1}), 0.5);
}

TEST(Recall, IsNotThereWhereNothingIsToBeFound) {
    EXPECT_THROW(recall(2, {7, 8}, {0, -1}, {-1, -1}), std::invalid_argument);
    EXPECT_THROW(recall(1, {-1, -1}, {kNone, kNone}, {3, 4}), std::invalid_argument);
}

TEST(StoredScores, AreThoseOfTheWeightsGiven) {
    test::Random random(3);
    const auto docs = test::random_rows(random, 30, 12, 5, test::real_weight);
    auto queries = test::random_rows(random, 8, 12, 5, test::signed_real);
    queries.add(test::Row{{3, 1.0F}, {2, -0.5F}, {3, 2.0F}});
    const auto index = ExactIndex::build(docs.view(), {}, {.threads = 1});
    const CsrView rows = queries.view();
    StoredScores stored(*index, rows);
    const auto truth = test::brute_force(docs, queries);
    for (std::size_t query = 0; query < queries.n_rows(); ++query) {
        for (std::size_t doc = 0; doc < docs.n_rows(); ++doc) {
            EXPECT_NEAR(stored(query, static_cast<std::int64_t>(doc)), truth[query].scores[doc],
                        1e-12 * truth[query].magnitudes[doc]);
        }
    }
}

}  // namespace
}  // namespace thresher::bench
