// Rows as callers give them: borrowed where canonical, mended where that can be done, refused with the reason.
#include "core/documents/csr.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Row;
using test::Rows;
using test::rows_of;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();

std::vector<Row> rows_in(const CsrView& view) {
    std::vector<Row> rows;
    for (std::size_t r = 0; r < view.n_rows(); ++r) {
        Row row;
        for (std::size_t i = 0; i < view.row_size(r); ++i)
            row.emplace_back(view.row_terms(r)[i], view.row_weights(r)[i]);
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<Row> canonical(const CsrView& rows, unsigned threads = 1) {
    Progress progress = test::silent();
    const CanonicalCsr result(rows, "docs", threads, progress);
    EXPECT_EQ(result.view().n_terms, rows.n_terms);
    return rows_in(result.view());
}

std::string error_of(const CsrView& rows, unsigned threads = 1) {
    Progress progress = test::silent();
    try {
        const CanonicalCsr result(rows, "docs", threads, progress);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "no error";
}

TEST(CanonicalCsr, BorrowsCanonicalRows) {
    Random random(1);
    const Rows rows = test::random_rows(random, 10000, 500, 4, test::real_weight);
    Progress progress = test::silent();
    const CanonicalCsr result(rows.view(), "docs", 2, progress);
    EXPECT_NE(result.view().indptr.data(), rows.indptr.data()) << "where rows begin is copied";
    EXPECT_EQ(result.view().terms.data(), rows.terms.data());
    EXPECT_EQ(result.view().weights.data(), rows.weights.data());
    EXPECT_EQ(result.view().nnz(), rows.terms.size());
}

TEST(CanonicalCsr, BorrowsRowsWithoutPostings) {
    EXPECT_EQ(canonical(rows_of(0, {}).view()), std::vector<Row>{});
    EXPECT_EQ(canonical(rows_of(5, {{}, {}}).view()), (std::vector<Row>{{}, {}}));
}

TEST(CanonicalCsr, SortsTerms) {
    EXPECT_EQ(canonical(rows_of(9, {{{1, 1.0F}}, {{8, 3.0F}, {0, 1.0F}, {4, 2.0F}}}).view()),
              (std::vector<Row>{{{1, 1.0F}}, {{0, 1.0F}, {4, 2.0F}, {8, 3.0F}}}));
}

TEST(CanonicalCsr, SumsDuplicates) {
    EXPECT_EQ(canonical(rows_of(9, {{{3, 1.0F}, {3, 2.0F}}}).view()), (std::vector<Row>{{{3, 3.0F}}}));
    EXPECT_EQ(canonical(rows_of(9, {{{3, 1.0F}, {3, 2.0F}}, {{7, 1.0F}, {2, 5.0F}, {7, 0.5F}}}).view()),
              (std::vector<Row>{{{3, 3.0F}}, {{2, 5.0F}, {7, 1.5F}}}));
}

TEST(CanonicalCsr, DropsZerosOfEitherSignAndDuplicatesThatCancel) {
    EXPECT_EQ(canonical(rows_of(9, {{{0, 0.0F}, {1, 1.0F}}, {{2, -0.0F}}, {{4, 2.0F}, {4, -2.0F}, {5, 1.0F}}}).view()),
              (std::vector<Row>{{{1, 1.0F}}, {}, {{5, 1.0F}}}));
    EXPECT_EQ(canonical(rows_of(3, {{{2, -0.0F}}}).view()), (std::vector<Row>{{}}));
}

TEST(CanonicalCsr, MendsRandomRowsTheSameOnEveryNumberOfThreads) {
    Random random(2);
    Rows rows;
    rows.n_terms = 50;
    std::vector<Row> expected;
    for (int r = 0; r < 20000; ++r) {
        Row row;
        std::map<std::uint32_t, float> sums;
        for (auto i = test::uniform(random, 0, 6); i > 0; --i) {
            row.emplace_back(static_cast<std::uint32_t>(test::uniform(random, 0, 49)),
                             static_cast<float>(test::uniform(random, -2, 2)));
            sums[row.back().first] += row.back().second;
        }
        std::erase_if(sums, [](const auto& entry) { return entry.second == 0; });
        rows.add(row);
        expected.emplace_back(sums.begin(), sums.end());
    }
    for (unsigned threads = 1; threads <= 4; ++threads) EXPECT_EQ(canonical(rows.view(), threads), expected);
}

TEST(CanonicalCsr, AcceptsTheExtremes) {
    const std::uint64_t max = (std::uint64_t{1} << 32) - 1;
    const std::vector<Row> rows{{{0, std::numeric_limits<float>::denorm_min()}, {4294967294U, kLargest}}};
    EXPECT_EQ(canonical(rows_of(max, rows).view()), rows);
    EXPECT_EQ(canonical(rows_of(2, {{{1, -kLargest}}}).view()), (std::vector<Row>{{{1, -kLargest}}}));
}

TEST(CanonicalCsr, NamesWhatIsWrongWithARow) {
    EXPECT_EQ(error_of(rows_of(5, {{}, {{1, 1.0F}, {5, 1.0F}}}).view()),
              "docs: row 1 has term 5, but there are only 5 terms");
    EXPECT_EQ(error_of(rows_of(5, {{{4, std::nanf("")}}}).view()),
              "docs: row 0 has weight nan for term 4; weights must be finite float32 values");
    EXPECT_EQ(error_of(rows_of(5, {{{4, kInfinity}}}).view()),
              "docs: row 0 has weight inf for term 4; weights must be finite float32 values");
    EXPECT_EQ(error_of(rows_of(5, {{{4, -kInfinity}}}).view()),
              "docs: row 0 has weight -inf for term 4; weights must be finite float32 values");
    EXPECT_EQ(error_of(rows_of(5, {{{1, 1.0F}}, {{3, kLargest}, {3, kLargest}}}).view()),
              "docs: row 1 has duplicates of term 3 whose sum overflows float32");
    EXPECT_EQ(error_of(rows_of(0, {{{0, 1.0F}}}).view()), "docs: row 0 has term 0, but there are only 0 terms");
}

TEST(CanonicalCsr, NamesWhatIsWrongWithTheArrays) {
    const std::vector<std::int64_t> none;
    const std::vector<std::int64_t> from_one{1, 2};
    const std::vector<std::int64_t> falling{0, 2, 1, 2};
    const std::vector<std::int64_t> below{0, -1};
    const std::vector<std::int64_t> two{0, 1, 2};
    const std::vector<std::int64_t> three{0, 1, 3};
    const std::vector<std::uint32_t> terms{0, 1};
    const std::vector<float> weights{1, 1};
    const std::vector<float> fewer{1};
    EXPECT_EQ(error_of({5, none, terms, weights}), "docs: indptr is empty; it must have n_rows + 1 elements");
    EXPECT_EQ(error_of({5, from_one, terms, weights}), "docs: indptr[0] must be 0, got 1");
    EXPECT_EQ(error_of({5, falling, terms, weights}), "docs: indptr decreases at row 1, from 2 to 1");
    EXPECT_EQ(error_of({5, below, terms, weights}), "docs: indptr decreases at row 0, from 0 to -1");
    EXPECT_EQ(error_of({5, three, terms, weights}), "docs: indptr ends at 3, but there are 2 indices");
    EXPECT_EQ(error_of({5, two, terms, fewer}), "docs: indices and data differ in length: 2 and 1");
}

TEST(CanonicalCsr, NamesTheSmallestRowThatIsWrongOnEveryNumberOfThreads) {
    Random random(3);
    Rows rows = test::random_rows(random, 40000, 100, 3, test::real_weight);
    for (const std::size_t row : {std::size_t{39990}, std::size_t{25000}, std::size_t{12289}}) {
        std::size_t bad = row;
        while (rows.view().row_size(bad) == 0) ++bad;
        rows.weights[static_cast<std::size_t>(rows.indptr[bad])] = std::nanf("");
        for (unsigned threads = 1; threads <= 4; ++threads) {
            for (int round = 0; round < 5; ++round) {
                const std::string error = error_of(rows.view(), threads);
                EXPECT_TRUE(error.starts_with("docs: row " + std::to_string(bad) + " has weight nan")) << error;
            }
        }
    }
}

}  // namespace
}  // namespace thresher
