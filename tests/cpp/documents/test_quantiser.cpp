// Impacts: codes 1 to 255, and a bound on their error that holds for every posting.
#include "core/documents/quantiser.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Rows;

struct Built {
    explicit Built(const Rows& rows, unsigned threads = 1) {
        Progress progress = test::silent();
        vocabulary = Vocabulary::build(rows.view(), threads, progress);
        const auto forward = ForwardIndex::build(GivenDocuments(rows.view(), vocabulary), {}, vocabulary,
                                                 Precision::full, threads, progress);
        quantiser = Quantiser::build(forward, vocabulary, threads, progress);
    }
    std::vector<std::uint32_t> apart(std::uint32_t slot) const {
        std::vector<std::uint32_t> positions;
        quantiser.outliers().find({{slot}, {1.0F}}, positions);
        return positions;
    }
    bool is_apart(std::uint32_t slot, std::uint32_t row) const {
        const auto positions = apart(slot);
        return std::find(positions.begin(), positions.end(), row) != positions.end();
    }

    Vocabulary vocabulary;
    Quantiser quantiser;
};

void expect_bounded(const Rows& rows) {
    const Built built(rows);
    std::vector<float> maxima(built.vocabulary.n_slots());
    std::vector<double> errors(built.vocabulary.n_slots());
    std::vector<std::uint32_t> row_of;
    for (std::uint32_t row = 0; row < rows.n_rows(); ++row)
        row_of.resize(row_of.size() + rows.view().row_size(row), row);
    for (std::size_t p = 0; p < rows.terms.size(); ++p) {
        const std::uint32_t slot = built.vocabulary.slot(rows.terms[p]);
        const int code = built.quantiser.impact(slot, rows.weights[p]);
        ASSERT_GE(code, 1);
        ASSERT_LE(code, 255);
        if (built.is_apart(slot, row_of[p])) {
            ASSERT_GT(rows.weights[p], 4 * built.quantiser.largest(slot));
            ASSERT_EQ(code, 255) << "the most there is";
            continue;
        }
        const double error = std::fabs(static_cast<double>(rows.weights[p]) - built.quantiser.step(slot) * code);
        ASSERT_LE(error, built.quantiser.error(slot)) << "weight " << rows.weights[p];
        const int ceiling = built.quantiser.ceiling(slot, rows.weights[p]);
        ASSERT_GE(built.quantiser.step(slot) * ceiling * (1 + 1e-15), static_cast<double>(rows.weights[p]));
        ASSERT_GE(ceiling, code);
        ASSERT_LE(ceiling, std::min(code + 1, 255));
        ASSERT_TRUE(ceiling == code || built.quantiser.step(slot) * code < static_cast<double>(rows.weights[p]))
            << "the smallest that will do";
        maxima[slot] = std::max(maxima[slot], rows.weights[p]);
        errors[slot] = std::max(errors[slot], error);
    }
    for (std::uint32_t slot = 0; slot < maxima.size(); ++slot) {
        if (maxima[slot] == 0) continue;  // all are apart
        ASSERT_EQ(built.quantiser.step(slot), static_cast<double>(maxima[slot]) / 255);
        ASSERT_EQ(built.quantiser.impact(slot, maxima[slot]), 255);
        ASSERT_LE(built.quantiser.error(slot), built.quantiser.step(slot) * (1 + 1e-9)) << "a step, however small";
        const auto tight = static_cast<float>(errors[slot]);  // a bound much above the error would find nothing sooner
        ASSERT_LE(built.quantiser.error(slot), static_cast<double>(tight) * (1 + 1e-6) + 1e-44);
    }
}

TEST(Quantiser, BoundsTheErrorOfRandomWeights) {
    Random random(1);
    expect_bounded(test::random_rows(random, 1000, 200, 20, test::real_weight));
    expect_bounded(test::random_rows(random, 1000, 200, 20, test::dyadic_weight));
}

TEST(Quantiser, BoundsTheErrorOfWeightsOfEveryMagnitude) {
    Random random(2);
    const auto any = [](Random& source) {
        return std::ldexp(static_cast<float>(1 + test::unit(source)),
                          static_cast<int>(test::uniform(source, -149, 126)));
    };
    expect_bounded(test::random_rows(random, 1000, 200, 20, any));
    const auto denormal = [](Random& source) {
        return static_cast<float>(test::uniform(source, 1, 1000)) * std::numeric_limits<float>::denorm_min();
    };
    expect_bounded(test::random_rows(random, 300, 20, 5, denormal));
    const auto huge = [](Random& source) {
        return std::numeric_limits<float>::max() * static_cast<float>(0.5 + 0.5 * test::unit(source));
    };
    expect_bounded(test::random_rows(random, 300, 20, 5, huge));
    const auto equal = [](Random&) { return 0.3F; };
    expect_bounded(test::random_rows(random, 300, 20, 5, equal));
}

TEST(Quantiser, RoundsToTheNearestCode) {
    const Rows rows = test::rows_of(1, {{{0, 255.0F}}, {{0, 10.4F}}, {{0, 10.6F}}, {{0, 0.01F}}});
    const Built built(rows);
    EXPECT_EQ(built.quantiser.impact(0, 255.0F), 255);
    EXPECT_EQ(built.quantiser.impact(0, 10.4F), 10);
    EXPECT_EQ(built.quantiser.impact(0, 10.6F), 11);
    EXPECT_EQ(built.quantiser.impact(0, 0.01F), 1);
    EXPECT_NEAR(built.quantiser.error(0), 0.99, 1e-6);
    EXPECT_EQ(built.quantiser.ceiling(0, 255.0F), 255);
    EXPECT_EQ(built.quantiser.ceiling(0, 10.0F), 10);
    EXPECT_EQ(built.quantiser.ceiling(0, 10.4F), 11);
    EXPECT_EQ(built.quantiser.ceiling(0, 10.6F), 11);
    EXPECT_EQ(built.quantiser.ceiling(0, 0.01F), 1);
}

TEST(Quantiser, DoesNotDependOnTheNumberOfThreads) {
    Random random(3);
    const Rows rows = test::random_rows(random, 40000, 300, 5, test::real_weight);
    const Built one(rows, 1);
    for (unsigned threads = 2; threads <= 4; ++threads) {
        const Built many(rows, threads);
        for (std::uint32_t slot = 0; slot < one.vocabulary.n_slots(); ++slot) {
            ASSERT_EQ(many.quantiser.step(slot), one.quantiser.step(slot));
            ASSERT_EQ(many.quantiser.error(slot), one.quantiser.error(slot));
        }
    }
}

// Terms 0 to 9: of all 500 documents, of every second, and so on, and the last of one; none weighs more than 2.
Rows usual_rows() {
    Random random(4);
    Rows rows;
    rows.n_terms = 20;
    for (std::uint32_t doc = 0; doc < 500; ++doc) {
        test::Row row;
        for (std::uint32_t term = 0; term < 10; ++term) {
            const bool has = term == 9 ? doc == 7 : doc % (1U << term) == 0;
            if (has) row.emplace_back(term, static_cast<float>(1 + test::unit(random)));
        }
        rows.add(row);
    }
    return rows;
}

// The weight of a term in a document that has it.
float& weight_of(Rows& rows, std::uint32_t doc, std::uint32_t term) {
    const auto terms = rows.view().row_terms(doc);
    const auto at = std::find(terms.begin(), terms.end(), term) - terms.begin();
    return rows.weights[static_cast<std::size_t>(rows.indptr[doc] + at)];
}

TEST(Quantiser, ScalesATermAsIfItsOutliersWereNotThere) {
    const Built usual(usual_rows());
    EXPECT_TRUE(usual.quantiser.outliers().empty());
    for (const float weight : {10.0F, 1e3F, 1e6F, 1e38F}) {
        for (const std::uint32_t n : {1U, 2U, 8U}) {
            for (const std::uint32_t term : {0U, 3U}) {
                if (weight > 1e37F && n > 2) continue;  // beyond float32
                Rows rows = usual_rows();
                Rows without = usual_rows();
                std::vector<std::uint32_t> docs;
                for (std::uint32_t i = 0; i < n; ++i) {
                    const std::uint32_t doc = 16 * i + 8;
                    weight_of(rows, doc, term) = weight * static_cast<float>(i + 1);
                    weight_of(without, doc, term) = 1.0F;
                    docs.push_back(doc);
                }
                for (unsigned threads = 1; threads <= 3; ++threads) {
                    const Built built(rows, threads);
                    const Built other(without);
                    ASSERT_EQ(built.quantiser.outliers().size(), n);
                    ASSERT_EQ(built.apart(built.vocabulary.slot(term)), docs);
                    for (std::uint32_t slot = 0; slot < built.vocabulary.n_slots(); ++slot) {
                        ASSERT_EQ(built.quantiser.step(slot), other.quantiser.step(slot));
                        ASSERT_LE(built.quantiser.error(slot), other.quantiser.error(slot));
                    }
                    ASSERT_NO_FATAL_FAILURE(expect_bounded(rows));
                }
            }
        }
    }
}

// A term of a document alone has nothing else to be measured by than other terms.
TEST(Quantiser, ScalesARareTermThatIsAnOutlierByWhatIsUsual) {
    Rows rows = usual_rows();
    weight_of(rows, 7, 9) = 1e5F;
    const Built built(rows);
    const std::uint32_t slot = built.vocabulary.slot(9);
    EXPECT_EQ(built.apart(slot), std::vector<std::uint32_t>{7});
    EXPECT_GE(built.quantiser.largest(slot), 1.0F);
    EXPECT_LE(built.quantiser.largest(slot), 2.0F);
    EXPECT_EQ(built.quantiser.impact(slot, 1e5F), 255);
}

TEST(Quantiser, TakesOnlyAHandfulOfATermsPostingsApart) {
    Rows rows = usual_rows();
    for (std::uint32_t doc = 0; doc < 9; ++doc) weight_of(rows, doc, 0) = 1e6F;
    const Built nine(rows);
    EXPECT_TRUE(nine.quantiser.outliers().empty());
    EXPECT_EQ(nine.quantiser.largest(nine.vocabulary.slot(0)), 1e6F);
    weight_of(rows, 11, 0) = 1e9F;
    const Built ten(rows);
    EXPECT_EQ(ten.apart(ten.vocabulary.slot(0)), std::vector<std::uint32_t>{11}) << "nine are no handful, one is";
    EXPECT_EQ(ten.quantiser.largest(ten.vocabulary.slot(0)), 1e6F);
    expect_bounded(rows);
}

TEST(Quantiser, TakesNothingApartThatIsUsual) {
    Rows rows = usual_rows();
    for (std::uint32_t doc = 0; doc < rows.n_rows(); ++doc) weight_of(rows, doc, 0) = 1e6F;
    EXPECT_TRUE(Built(rows).quantiser.outliers().empty()) << "all of a term's postings are large";
    rows = usual_rows();
    for (std::uint32_t doc = 0; doc < rows.n_rows(); doc += 32) weight_of(rows, doc, 5) = 1e-6F;
    EXPECT_TRUE(Built(rows).quantiser.outliers().empty()) << "all are small but few, which are as others are";
    for (float& weight : rows.weights) weight *= 1e9F;
    EXPECT_TRUE(Built(rows).quantiser.outliers().empty()) << "all weights are large";
}

TEST(Quantiser, TakesOutliersApartOfACollectionOfOneTerm) {
    std::vector<test::Row> docs(100, test::Row{{0, 1.0F}});
    docs[4] = {{0, 1e6F}};
    const Built built(test::rows_of(1, docs));
    EXPECT_EQ(built.apart(0), std::vector<std::uint32_t>{4});
    EXPECT_EQ(built.quantiser.largest(0), 1.0F);
    expect_bounded(test::rows_of(1, docs));
    EXPECT_TRUE(Built(test::rows_of(1, {{{0, 1.0F}}, {{0, 1e6F}}})).quantiser.outliers().empty()) << "too few";
}

}  // namespace
}  // namespace thresher
