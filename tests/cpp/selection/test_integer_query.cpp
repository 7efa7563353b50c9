// IntegerQuery: integer scores are never further from the true ones than the slack says.
#include "core/selection/integer_query.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

#include "support/brute_force.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Row;
using test::Rows;
using test::rows_of;

struct Collection {
    explicit Collection(const Rows& rows) : docs(rows) {
        Progress progress = test::silent();
        vocabulary = Vocabulary::build(docs.view(), 1, progress);
        const auto forward =
            ForwardIndex::build(GivenDocuments(docs.view(), vocabulary), {}, vocabulary, Precision::full, 1, progress);
        quantiser = Quantiser::build(forward, vocabulary, 1, progress);
    }
    IntegerQuery integers(const Rows& queries, std::size_t row) const {
        SlotQuery query;
        query.assign(queries.view(), row, vocabulary);
        IntegerQuery result;
        result.assign(query, quantiser);
        return result;
    }
    std::int64_t integer_score(const IntegerQuery& query, std::size_t doc) const {
        std::map<std::uint32_t, std::int32_t> weights;
        for (const auto& [slot, weight] : query.terms) weights[slot] = weight;
        std::int64_t score = 0;
        for (std::size_t i = 0; i < docs.view().row_size(doc); ++i) {
            const std::uint32_t slot = vocabulary.slot(docs.view().row_terms(doc)[i]);
            const auto found = weights.find(slot);
            if (found == weights.end()) continue;
            score += std::int64_t{found->second} * quantiser.impact(slot, docs.view().row_weights(doc)[i]);
        }
        return score;
    }

    Rows docs;
    Vocabulary vocabulary;
    Quantiser quantiser;
};

// The unit is the query's own: it follows from the term that can contribute most, whose weight is then the largest.
double unit_of(const Collection& collection, const Rows& queries, std::size_t row) {
    double largest = 0;
    double sum = 0;
    for (std::size_t i = 0; i < queries.view().row_size(row); ++i) {
        const std::uint32_t slot = collection.vocabulary.slot(queries.view().row_terms(row)[i]);
        if (slot == kNoSlot) continue;
        const double weight =
            std::fabs(static_cast<double>(queries.view().row_weights(row)[i]) * collection.quantiser.step(slot));
        largest = std::max(largest, weight);
        sum += weight;
    }
    return std::max(largest / 32767, sum * 255 / 0x1p30);
}

template <class Weight>
void expect_within_slack(std::uint64_t seed, const Weight& query_weight) {
    Random random(seed);
    const Collection collection(test::random_rows(random, 400, 200, 12, test::real_weight));
    const Rows queries = test::random_rows(random, 30, 250, 10, query_weight);
    for (std::size_t row = 0; row < queries.n_rows(); ++row) {
        const IntegerQuery query = collection.integers(queries, row);
        const double unit = unit_of(collection, queries, row);
        const auto truth = test::brute_force(collection.docs.view(), queries.view(), row);
        for (std::size_t doc = 0; doc < collection.docs.n_rows(); ++doc) {
            const auto integer = static_cast<double>(collection.integer_score(query, doc));
            ASSERT_LE(std::fabs(truth.scores[doc] - unit * integer), unit * static_cast<double>(query.slack))
                << "query " << row << " document " << doc;
            ASSERT_TRUE(truth.scores[doc] <= 0 || integer >= static_cast<double>(query.lowest));
        }
    }
}

TEST(IntegerQuery, IsWithinItsSlack) {
    expect_within_slack(1, test::real_weight);
    expect_within_slack(2, test::signed_real);
    expect_within_slack(3, [](Random& random) { return test::signed_real(random) * 1e-20F; });
}

TEST(IntegerQuery, KeepsItsWeightsWithinSixteenBitsAndThePositiveOnesPositive) {
    const Collection collection(rows_of(3, {{{0, 1.0F}, {1, 1.0F}, {2, 1.0F}}}));
    const IntegerQuery query = collection.integers(rows_of(3, {{{0, 3.0F}, {1, 1e-30F}, {2, -3.0F}}}), 0);
    ASSERT_EQ(query.terms.size(), 3U);
    std::vector<std::int32_t> weights;
    for (const auto& term : query.terms) weights.push_back(term.weight);
    std::ranges::sort(weights);
    EXPECT_EQ(weights, (std::vector<std::int32_t>{-kMaxWeight, 1, kMaxWeight}));
    EXPECT_FALSE(query.non_negative());
}

TEST(IntegerQuery, LeavesOutWeightsThatVanish) {
    const Collection collection(rows_of(2, {{{0, 1.0F}, {1, 1.0F}}}));
    EXPECT_EQ(collection.integers(rows_of(2, {{{0, 1.0F}, {1, -1e-30F}}}), 0).terms.size(), 1U);
    EXPECT_TRUE(collection.integers(rows_of(2, {Row{}}), 0).empty());
}

TEST(IntegerQuery, ForgetsTheQueryBefore) {
    const Collection collection(rows_of(2, {{{0, 1.0F}, {1, 0.3F}}}));
    SlotQuery query;
    IntegerQuery integers;
    const Rows queries = rows_of(2, {{{0, 1.0F}, {1, -2.0F}}, {{0, 1.0F}}, Row{}});
    for (std::size_t row = 0; row < 3; ++row) {
        query.assign(queries.view(), row, collection.vocabulary);
        integers.assign(query, collection.quantiser);
        EXPECT_EQ(integers.terms.size(), 2 - row);
        EXPECT_EQ(integers.non_negative(), row != 0);
    }
    EXPECT_EQ(integers.slack, 0);
}

// So many and so heavy that sums of 16-bit weights times impacts would not fit 32 bits.
TEST(IntegerQuery, SumsOfManyTermsStayBelowTheMostAScoreCanBe) {
    constexpr std::uint32_t kTerms = 2000;
    Row all;
    for (std::uint32_t term = 0; term < kTerms; ++term) all.emplace_back(term, 1.0F);
    const Collection collection(rows_of(kTerms, {all}));
    const IntegerQuery query = collection.integers(rows_of(kTerms, {all}), 0);
    EXPECT_LE(collection.integer_score(query, 0), kMaxScore + 255 * std::int64_t{kTerms});
    EXPECT_GT(collection.integer_score(query, 0), kMaxScore / 2);
}

}  // namespace
}  // namespace thresher
