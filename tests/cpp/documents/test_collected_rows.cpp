// Rows that come in parts are the rows that would have come at once; a part with an error leaves nothing behind.
#include "core/documents/collected_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "support/error_of.hpp"
#include "support/file_size_limit.hpp"
#include "support/random_rows.hpp"
#include "support/recording_monitor.hpp"

namespace thresher {
namespace {

using test::error_of;
using test::Random;
using test::Row;
using test::Rows;
using test::rows_of;

void add(CollectedRows& collected, const Rows& rows, unsigned threads = 1) {
    Progress progress = test::silent();
    collected.add(rows.view(), "docs", threads, progress);
}

// In memory, and in files.
class CollectedRowsTest : public testing::TestWithParam<bool> {
  protected:
    CollectedRows none() const { return CollectedRows(GetParam() ? &files_ : nullptr); }

  private:
    ScratchFiles files_{testing::TempDir()};
};

INSTANTIATE_TEST_SUITE_P(Kept, CollectedRowsTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "InFiles" : "InMemory"; });

void expect_equal(const CsrView& rows, const Rows& expected) {
    ASSERT_EQ(rows.n_terms, expected.n_terms);
    ASSERT_TRUE(std::ranges::equal(rows.indptr, expected.indptr));
    ASSERT_TRUE(std::ranges::equal(rows.terms, expected.terms));
    ASSERT_TRUE(std::ranges::equal(rows.weights, expected.weights));
}

// Rows [begin, end) of `rows`.
Rows part_of(const Rows& rows, std::size_t begin, std::size_t end) {
    Rows part;
    part.n_terms = rows.n_terms;
    for (std::size_t row = begin; row < end; ++row) {
        Row copy;
        for (std::size_t i = 0; i < rows.view().row_size(row); ++i) {
            copy.emplace_back(rows.view().row_terms(row)[i], rows.view().row_weights(row)[i]);
        }
        part.add(copy);
    }
    return part;
}

TEST_P(CollectedRowsTest, OfPartsAreTheWhole) {
    Random random(1);
    const Rows whole = test::random_rows(random, 1000, 300, 8, test::real_weight);
    for (const std::size_t size : {1, 2, 7, 333, 999, 1000}) {
        CollectedRows collected = none();
        for (std::size_t begin = 0; begin < 1000; begin += size) {
            EXPECT_EQ(collected.n_rows(), begin);
            add(collected, part_of(whole, begin, std::min<std::size_t>(begin + size, 1000)), 2);
        }
        EXPECT_EQ(collected.n_rows(), 1000U);
        ASSERT_NO_FATAL_FAILURE(expect_equal(collected.view(), whole)) << "in parts of " << size;
    }
}

TEST_P(CollectedRowsTest, AreEmptyAtFirst) {
    CollectedRows collected = none();
    EXPECT_EQ(collected.n_rows(), 0U);
    ASSERT_NO_FATAL_FAILURE(expect_equal(collected.view(), rows_of(0, {})));
    add(collected, rows_of(7, {}));
    ASSERT_NO_FATAL_FAILURE(expect_equal(collected.view(), rows_of(7, {})));
    add(collected, rows_of(3, {{}, {}}));
    ASSERT_NO_FATAL_FAILURE(expect_equal(collected.view(), rows_of(7, {{}, {}})));
}

TEST_P(CollectedRowsTest, AreAsWideAsTheWidestPart) {
    CollectedRows collected = none();
    const std::vector<Row> rows{{{2, 1.0F}}, {{0, 2.0F}, {8, 3.0F}}, {{1, 4.0F}}};
    add(collected, rows_of(3, {rows[0]}));
    EXPECT_EQ(collected.view().n_terms, 3U);
    add(collected, rows_of(9, {rows[1]}));
    EXPECT_EQ(collected.view().n_terms, 9U);
    add(collected, rows_of(2, {rows[2]}));
    ASSERT_NO_FATAL_FAILURE(expect_equal(collected.view(), rows_of(9, rows)));
}

TEST_P(CollectedRowsTest, AreCanonical) {
    CollectedRows collected = none();
    add(collected, rows_of(9, {{{1, 1.0F}}, {}}));
    add(collected, rows_of(9, {{{8, 1.0F}, {2, 2.0F}, {8, 3.0F}}, {{2, 0.0F}}, {{4, 1.0F}, {0, 1.0F}}}));
    add(collected, rows_of(9, {{{3, 0.0F}, {5, 1.0F}}}));
    ASSERT_NO_FATAL_FAILURE(
        expect_equal(collected.view(),
                     rows_of(9, {{{1, 1.0F}}, {}, {{2, 2.0F}, {8, 4.0F}}, {}, {{0, 1.0F}, {4, 1.0F}}, {{5, 1.0F}}})));
}

TEST_P(CollectedRowsTest, AddNothingOfABadPart) {
    const Rows good = rows_of(5, {{{1, 1.0F}}, {{0, 2.0F}, {4, 3.0F}}});
    const std::vector<std::pair<Rows, std::string>> bad{
        {rows_of(9, {{{9, 1.0F}}}), "docs: row 0 has term 9, but there are only 9 terms"},
        {rows_of(9, {{}, {}, {{0, std::numeric_limits<float>::infinity()}}}),
         "docs: row 2 has weight inf for term 0; weights must be finite float32 values"},
        {rows_of(9, {{{1, 3e38F}, {1, 3e38F}}}), "docs: row 0 has duplicates of term 1 whose sum overflows float32"},
    };
    CollectedRows collected = none();
    for (const auto& [rows, message] : bad) {
        EXPECT_EQ(error_of([&, &part = rows] { add(collected, part); }), message);
        ASSERT_NO_FATAL_FAILURE(expect_equal(collected.view(), rows_of(0, {})));
    }
    add(collected, good);
    for (const auto& [rows, message] : bad) {
        EXPECT_EQ(error_of([&, &part = rows] { add(collected, part); }), message) << "rows are counted within the part";
        EXPECT_EQ(collected.n_rows(), 2U);
        ASSERT_NO_FATAL_FAILURE(expect_equal(collected.view(), good)) << "nor is it as wide";
    }
    Rows torn = good;
    torn.indptr.back() = 7;
    EXPECT_EQ(error_of([&] { add(collected, torn); }), "docs: indptr ends at 7, but there are 3 indices");
    add(collected, rows_of(5, {{}}));
    ASSERT_NO_FATAL_FAILURE(expect_equal(collected.view(), rows_of(5, {{{1, 1.0F}}, {{0, 2.0F}, {4, 3.0F}}, {}})));
}

TEST(CollectedRows, HaveAnySignsAndTheNameTheyAreGiven) {
    CollectedRows collected;
    const Rows rows = rows_of(5, {{{1, -1.0F}}});
    add(collected, rows);
    ASSERT_NO_FATAL_FAILURE(expect_equal(collected.view(), rows));
    Progress progress = test::silent();
    EXPECT_EQ(error_of([&] { collected.add(rows_of(1, {{{1, 1.0F}}}).view(), "queries", 1, progress); }),
              "queries: row 0 has term 1, but there are only 1 terms");
}

TEST_P(CollectedRowsTest, AddNothingWhenCancelled) {
    Random random(2);
    CollectedRows collected = none();
    test::RecordingMonitor monitor(1);
    Progress progress(&monitor);
    const Rows rows = test::random_rows(random, 10, 30, 4, test::real_weight);
    EXPECT_THROW(collected.add(rows.view(), "docs", 2, progress), test::Cancelled);
    EXPECT_EQ(collected.n_rows(), 0U);
    ASSERT_NO_FATAL_FAILURE(expect_equal(collected.view(), rows_of(0, {})));
}

TEST(CollectedRows, AddNothingWhereAFileCannotGrow) {
    const Rows good = rows_of(5, {{{1, 1.0F}}, {{0, 2.0F}, {4, 3.0F}}});
    Random random(3);
    const Rows large = test::random_rows(random, 4000, 300, 8, test::real_weight);
    const ScratchFiles files(testing::TempDir());
    CollectedRows collected(&files);
    add(collected, good);
    {
        const test::FileSizeLimit limit(64 << 10);  // room for where rows begin, not for the terms
        EXPECT_THROW(add(collected, large), FileError);
    }
    ASSERT_NO_FATAL_FAILURE(expect_equal(collected.view(), good));
    add(collected, rows_of(5, {{}}));
    ASSERT_NO_FATAL_FAILURE(expect_equal(collected.view(), rows_of(5, {{{1, 1.0F}}, {{0, 2.0F}, {4, 3.0F}}, {}})));
}

}  // namespace
}  // namespace thresher
