// Rescoring: true scores of the documents named, and of nothing else.
#include "core/selection/rescoring.hpp"

#include <gtest/gtest.h>

#include <cstdint>
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

struct Collection : test::DocumentParts {
    using DocumentParts::DocumentParts;
    std::vector<Hit> rescore(Rescoring& rescoring, const Rows& queries, std::size_t row,
                             const std::vector<std::uint32_t>& docs) const {
        SlotQuery query;
        query.assign(queries.view(), row, vocabulary);
        return rescoring.rescore(query, docs, forward, {});
    }
};

TEST(Rescoring, GivesTheTrueScoresOfTheDocumentsInTheirOrder) {
    Random random(1);
    const Rows docs = test::random_rows(random, 60, 100, 10, test::dyadic_weight);
    const Rows queries = test::random_rows(random, 10, 100, 10, test::signed_dyadic);
    const Collection collection(docs);
    Rescoring rescoring(collection.vocabulary.n_slots());
    for (std::size_t row = 0; row < queries.n_rows(); ++row) {
        const auto truth = test::brute_force(docs.view(), queries.view(), row);
        for (const std::size_t n : {0, 1, 3, 4, 8, 9, 60}) {
            std::vector<std::uint32_t> wanted = test::shuffled(docs.n_rows());
            wanted.resize(n);
            const std::vector<Hit> found = collection.rescore(rescoring, queries, row, wanted);
            std::size_t i = 0;
            for (const std::uint32_t doc : wanted) {
                if (!(truth.scores[doc] > 0)) continue;
                ASSERT_LT(i, found.size());
                ASSERT_EQ(found[i].doc, doc);
                ASSERT_EQ(found[i++].score, static_cast<float>(truth.scores[doc]));
            }
            ASSERT_EQ(i, found.size());
        }
    }
}

TEST(Rescoring, LeavesOutWhatIsNoDocument) {
    const Collection collection(rows_of(1, {Row{{0, 1.0F}}, Row{{0, 2.0F}}}));
    Rescoring rescoring(collection.vocabulary.n_slots());
    const auto found = collection.rescore(rescoring, rows_of(1, {Row{{0, 1.0F}}}), 0, {2, 1, 63, 0xFFFFFFFFU, 0});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].doc, 1U);
    EXPECT_EQ(found[1].doc, 0U);
}

}  // namespace
}  // namespace thresher
