// ExactIndex beyond the contract of every engine: the forms of its postings, and what it refuses.
#include "engines/exact_index.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

#include "core/storage/index_file.hpp"
#include "support/brute_force.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::error_of;
using test::Hits;
using test::Random;
using test::Rows;
using test::rows_of;
using test::TemporaryDirectory;

std::unique_ptr<ExactIndex> build(const Rows& docs, const ExactParams& params = {64, 0.05}) {
    return ExactIndex::build(docs.view(), params, {.threads = 1});
}

TEST(ExactIndex, UsesAllThreeFormsOfPostings) {
    Random random(3);
    const auto index = build(test::random_rows(random, 1500, 300, 8, test::dyadic_weight), {64, 0.05});
    const TemporaryDirectory directory;
    index->save(directory.path("f"), nullptr);
    const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
    EXPECT_GT(file.section<std::uint8_t>("rows/impacts").size(), 0U);
    EXPECT_GT(file.section<std::uint16_t>("lists/docs").size(), 0U);
    EXPECT_GT(file.section<std::uint32_t>("rare/docs").size(), 0U);
}

TEST(ExactIndex, NamesAParameterThatIsWrong) {
    const auto built = [](const ExactParams& params) {
        return error_of([&] { build(rows_of(1, {{{0, 1.0F}}}), params); });
    };
    EXPECT_EQ(built({63, 0.1}), "window must be a multiple of 64 from 64 to 65536, got 63");
    EXPECT_EQ(built({0, 0.1}), "window must be a multiple of 64 from 64 to 65536, got 0");
    EXPECT_EQ(built({-64, 0.1}), "window must be a multiple of 64 from 64 to 65536, got -64");
    EXPECT_EQ(built({65600, 0.1}), "window must be a multiple of 64 from 64 to 65536, got 65600");
    for (const double density : {0.0, -0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_TRUE(built({64, density}).starts_with("row_density must be in (0, 1], got ")) << density;
    }
}

TEST(ExactIndex, RefusesMoreQueryTermsThanSumsHaveRoomFor) {
    const std::uint64_t n_terms = (std::uint64_t{1} << 32) - 1;
    const auto index = build(rows_of(n_terms, {{{7, 1.0F}}}));
    std::vector<std::uint32_t> terms(4'000'001);
    std::iota(terms.begin(), terms.end(), 0U);
    const std::vector<float> weights(terms.size(), 1.0F);
    Hits hits(1, 1);
    EXPECT_EQ(error_of([&] { index->search_one(terms, weights, hits.view()); }),
              "queries: row 0 has 4000001 terms; at most 4000000 are supported");
    index->search_one(std::span(terms).first(4'000'000), std::span(weights).first(4'000'000), hits.view());
    EXPECT_EQ(hits.ids, std::vector<std::int64_t>{0});
}

}  // namespace
}  // namespace thresher
