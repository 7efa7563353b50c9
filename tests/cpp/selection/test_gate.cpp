// The gate: true scores of the allowed documents that it is offered, and of nothing else.
#include "core/selection/gate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <vector>

#include "support/brute_force.hpp"
#include "support/document_parts.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Row;
using test::Rows;
using test::rows_of;

// Offers `positions` for row `row` of the queries, and returns the best, best first.
std::vector<Hit> offered(const StoredDocuments& documents, const Rows& queries, std::size_t row, const Wanted& wanted,
                         const std::vector<std::uint32_t>& positions) {
    SlotQuery query;
    query.assign(queries.view(), row, documents.vocabulary);
    Gate gate(documents.vocabulary.n_slots());
    TopK best;
    for (int again = 0; again < 2; ++again) {  // it leaves nothing behind
        best.reset(wanted.k, wanted.min_score);
        gate.open({&query, wanted, 0}, documents, best);
        gate.offer(positions);
        gate.close();
    }
    std::sort(best.hits().begin(), best.hits().end(), better);
    return best.hits();
}

TEST(Gate, AdmitsTheBestOfThoseOffered) {
    Random random(1);
    const Rows docs = test::random_rows(random, 60, 100, 10, test::dyadic_weight);
    const Rows queries = test::random_rows(random, 10, 100, 10, test::signed_dyadic);
    const test::DocumentParts parts(docs);
    const auto documents = std::make_shared<const StoredDocuments>(parts.documents);
    std::vector<std::int64_t> even;
    for (std::int64_t doc = 0; doc < 60; doc += 2) even.push_back(doc);
    const Selection selection = Selection::of_ids(documents, 4, even, "ids");
    for (std::size_t row = 0; row < queries.n_rows(); ++row) {
        const auto truth = test::brute_force(docs.view(), queries.view(), row);
        for (const std::size_t n : {0, 1, 3, 4, 8, 9, 60}) {
            std::vector<std::uint32_t> positions = test::shuffled(docs.n_rows());
            positions.resize(n);
            for (const Selection* allowed : {static_cast<const Selection*>(nullptr), &selection}) {
                for (const float min_score : {kAnyPositive, 20.0F, -30.0F}) {
                    std::vector<Hit> expected;
                    for (const std::uint32_t doc : positions) {
                        const auto score = static_cast<float>(truth.scores[doc]);
                        if (score >= min_score && (allowed == nullptr || doc % 2 == 0))
                            expected.push_back({score, doc});
                    }
                    std::sort(expected.begin(), expected.end(), better);
                    expected.resize(std::min<std::size_t>(expected.size(), 5));
                    const Wanted wanted{.k = 5, .allowed = allowed, .min_score = min_score};
                    const auto found = offered(*documents, queries, row, wanted, positions);
                    ASSERT_EQ(found.size(), expected.size());
                    for (std::size_t rank = 0; rank < found.size(); ++rank) {
                        ASSERT_EQ(found[rank].doc, expected[rank].doc);
                        ASSERT_EQ(found[rank].score, expected[rank].score);
                    }
                }
            }
        }
    }
}

TEST(Gate, LeavesOutWhatIsNoDocument) {
    const test::DocumentParts parts(rows_of(1, {Row{{0, 1.0F}}, Row{{0, 2.0F}}}));
    const auto found = offered(parts.documents, rows_of(1, {Row{{0, 1.0F}}}), 0, {.k = 9}, {2, 1, 63, 0xFFFFFFFFU, 0});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].doc, 1U);
    EXPECT_EQ(found[1].doc, 0U);
}

TEST(Gate, ComesNoMoreToWhatIsApart) {
    const test::DocumentParts parts(rows_of(1, std::vector<Row>(9, Row{{0, 1.0F}})));
    const std::vector<ApartDocument> apart{{2, {1.0F, 2}}, {5, {1.0F, 5}}};
    const SlotQuery query{{0}, {1.0F}};
    Gate gate(1);
    TopK best;
    best.reset(9, kAnyPositive);
    gate.open({&query, {.k = 9, .apart = apart}, 0}, parts.documents, best);
    gate.offer(std::vector<std::uint32_t>{5, 1, 2});
    gate.offer(5);
    gate.offer(2, Gate::Estimate{8.0, 0.0});
    gate.offer(8);
    gate.close();
    ASSERT_EQ(best.hits().size(), 2U);
    EXPECT_EQ(best.hits()[0].doc, 1U);
    EXPECT_EQ(best.hits()[1].doc, 8U);
    gate.open({&query, {.k = 9}, 0}, parts.documents, best);
    EXPECT_TRUE(gate.allows(2)) << "the next query is another matter";
    gate.close();
}

TEST(Gate, StopsWhereItIsTold) {
    const test::DocumentParts parts(rows_of(1, std::vector<Row>(50, Row{{0, 1.0F}})));
    const SlotQuery query{{0}, {1.0F}};
    Gate gate(1);
    TopK best;
    best.reset(100, kAnyPositive);
    gate.open({&query, {.k = 100}, 0}, parts.documents, best);
    std::vector<std::uint32_t> positions(50);
    std::iota(positions.begin(), positions.end(), 0U);
    gate.offer(positions, [](std::size_t next) { return next < 7; });
    gate.close();
    EXPECT_EQ(best.hits().size(), 7U);
}

}  // namespace
}  // namespace thresher
