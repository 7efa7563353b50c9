// Indexes of the documents of other indexes, against indexes of the same rows.
#include "core/documents/merged_documents.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "engines/registry.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Rows;

// The bytes of an index's file, which tell of two indexes that they are the same.
std::vector<std::byte> bytes_of(const Index& index) {
    const test::TemporaryDirectory directory;
    index.save(directory.path("index"));
    return test::read_bytes(directory.path("index"));
}

struct Part {
    std::string engine;
    std::size_t size;
    std::size_t lives = 1;  // one document in so many is dead; 1: none, 0: all
};

bool is_live(const Part& part, std::size_t doc) {
    return part.lives == 1 || (part.lives != 0 && doc % part.lives != 0);
}

// Rows cut into parts, merged into an index, against one of the rows of live documents.
void expect_as_of_rows(const Rows& docs, const std::vector<Part>& parts, const std::string& engine, Precision precision,
                       Precision of_parts) {
    std::vector<std::unique_ptr<Index>> indexes;
    std::vector<KeptDocuments> kept;
    Rows live;
    live.n_terms = docs.n_terms;
    std::size_t begin = 0;
    for (const Part& part : parts) {
        Rows rows;
        rows.n_terms = docs.n_terms;
        std::vector<std::uint8_t> mask;
        for (std::size_t doc = 0; doc < part.size; ++doc) {
            rows.add(test::row_of(docs, begin + doc));
            mask.push_back(is_live(part, doc) ? 1 : 0);
            if (mask.back() != 0) live.add(test::row_of(docs, begin + doc));
        }
        begin += part.size;
        indexes.push_back(build_index(part.engine, rows.view(), {}, {.precision = of_parts, .threads = 1}));
        kept.push_back(indexes.back()->kept(part.lives == 1 ? std::span<const std::uint8_t>() : mask));
    }
    const auto merged = build_index(engine, Documents(std::move(kept)), {}, {.precision = precision, .threads = 2});
    const auto expected = build_index(engine, live.view(), {}, {.precision = precision, .threads = 1});
    ASSERT_EQ(bytes_of(*merged), bytes_of(*expected)) << engine;
}

const std::vector<Part> kParts{{"exact", 40},       {"clustered", 300, 3}, {"graph", 0},
                               {"postings", 60, 0}, {"block-max", 200},    {"impact", 100, 2}};

class MergesInto : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Engines, MergesInto,
                         testing::Values("exact", "block-max", "clustered", "graph", "impact", "postings"),
                         [](const auto& engine) {
                             std::string name = engine.param;
                             std::erase(name, '-');
                             return name;
                         });

TEST_P(MergesInto, WhatTheRowsWouldBe) {
    Random random(1);
    const Rows docs = test::random_rows(random, 700, 9000, 12, test::real_weight);
    expect_as_of_rows(docs, kParts, GetParam(), Precision::full, Precision::full);
}

TEST_P(MergesInto, WhatSignedRowsWouldBe) {
    Random random(2);
    const Rows docs = test::random_rows(random, 700, 60, 6, test::signed_real);
    expect_as_of_rows(docs, kParts, GetParam(), Precision::full, Precision::full);
}

TEST_P(MergesInto, FullWeightsAndCodesOfFullWeights) {
    Random random(3);
    const Rows docs = test::random_rows(random, 700, 200, 9, test::real_weight);
    for (const Precision precision : {Precision::codes, Precision::both}) {
        expect_as_of_rows(docs, kParts, GetParam(), precision, Precision::full);
        expect_as_of_rows(docs, kParts, GetParam(), precision, Precision::both);
    }
}

// Codes are carried: merged again and again they stay what they were.
TEST(MergedDocuments, AreNeverQuantisedTwice) {
    Random random(4);
    const Rows docs = test::random_rows(random, 300, 200, 9, test::real_weight);
    const auto first = build_index("exact", docs.view(), {}, {.precision = Precision::codes, .threads = 1});
    std::vector<KeptDocuments> kept{first->kept()};
    for (int generation = 0; generation < 3; ++generation) {
        const auto again = build_index("exact", Documents(kept), {}, {.precision = Precision::codes, .threads = 1});
        std::vector<std::int64_t> ids(docs.n_rows());
        std::iota(ids.begin(), ids.end(), 0);
        const auto before = first->vectors(ids);
        const auto after = again->vectors(ids);
        ASSERT_EQ(before.terms, after.terms);
        ASSERT_EQ(before.weights, after.weights);
        kept = {again->kept()};
    }
}

// What codes are off by is known of merged indexes too, so that they call nothing exact that is not.
TEST(MergedDocuments, AreAsFarOffAsTheyWere) {
    Random random(7);
    const Rows docs = test::random_rows(random, 300, 200, 9, test::real_weight);
    const auto codes = build_index("exact", docs.view(), {}, {.precision = Precision::codes, .threads = 1});
    Rows light = docs;  // off by less
    for (float& weight : light.weights) weight /= 1024;
    const auto full = build_index("exact", light.view(), {}, {.threads = 1});
    ASSERT_GT(codes->max_error(), 0);
    for (const std::string engine : {"exact", "block-max", "clustered", "graph", "impact", "postings"}) {
        const auto merged = build_index(engine, Documents({codes->kept(), full->kept()}), {},
                                        {.precision = Precision::codes, .threads = 2});
        EXPECT_EQ(merged->max_error(), codes->max_error()) << engine;
    }
    const auto made = build_index("exact", Documents({full->kept()}), {}, {.precision = Precision::codes});
    EXPECT_EQ(made->max_error(), codes->max_error() / 1024);
}

TEST(MergedDocuments, OfCodesHaveNoFullWeights) {
    Random random(8);
    const Rows docs = test::random_rows(random, 30, 20, 9, test::real_weight);
    const auto full = build_index("exact", docs.view());
    const auto codes = build_index("exact", docs.view(), {}, {.precision = Precision::codes});
    const std::vector<std::uint8_t> none(30);
    for (const Precision precision : {Precision::full, Precision::both}) {
        const auto merge = [&](std::span<const std::uint8_t> live) {
            return build_index("exact", Documents({full->kept(), codes->kept(live)}), {}, {.precision = precision});
        };
        const std::string error = test::error_of([&] { static_cast<void>(merge({})); });
        EXPECT_TRUE(error.starts_with("indexes[1] has weights in 8 bits alone, off by up to 0.0")) << error;
        EXPECT_EQ(merge(none)->max_error(), 0);
    }
    // Whole numbers are not off.
    const Rows impacts =
        test::random_rows(random, 30, 20, 9, [](Random& of) { return static_cast<float>(test::uniform(of, 1, 255)); });
    const auto exact = build_index("exact", impacts.view(), {}, {.precision = Precision::codes});
    const auto merged = build_index("exact", Documents({exact->kept()}));
    EXPECT_EQ(bytes_of(*merged), bytes_of(*build_index("exact", impacts.view())));
}

// However documents were divided.
TEST_P(MergesInto, CodesOfCodes) {
    Random random(9);
    const Rows docs = test::random_rows(random, 300, 200, 9, test::signed_real);
    const BuildOptions codes{.precision = Precision::codes, .threads = 1};
    const auto whole = build_index("exact", docs.view(), {}, codes);
    std::vector<std::unique_ptr<Index>> indexes;
    std::vector<KeptDocuments> kept;
    std::size_t doc = 0;
    for (const std::string engine : {"graph", "clustered", "postings"}) {
        Rows part = test::rows_of(docs.n_terms, {});
        for (std::size_t i = 0; i < 100; ++i) part.add(test::row_of(docs, doc++));
        indexes.push_back(build_index(engine, part.view(), {}, codes));
        kept.push_back(indexes.back()->kept());
    }
    const auto merged = build_index(GetParam(), Documents(std::move(kept)), {}, codes);
    const auto expected = build_index(GetParam(), Documents({whole->kept()}), {}, codes);
    ASSERT_EQ(bytes_of(*merged), bytes_of(*expected)) << GetParam();
}

// Most of the terms are in one document, so that they are the tail of their vocabularies.
TEST(MergedDocuments, OfHugeVocabularies) {
    Random random(5);
    const Rows docs = test::random_rows(random, 400, 50, 8, test::real_weight);
    Rows wide;
    wide.n_terms = 0xFFFFFFFF;
    for (std::size_t doc = 0; doc < docs.n_rows(); ++doc) {
        auto row = test::row_of(docs, doc);
        for (std::uint32_t i = 0; i < 100; ++i) {
            row.emplace_back(1000 + static_cast<std::uint32_t>(doc) * 40'000 + i * 397, test::real_weight(random));
        }
        wide.add(row);
    }
    expect_as_of_rows(wide, {{"exact", 150, 4}, {"postings", 250}}, "exact", Precision::full, Precision::full);
}

TEST(MergedDocuments, OfNothingAreNone) {
    const auto index = build_index("exact", Documents(std::vector<KeptDocuments>{}), {}, {.threads = 1});
    EXPECT_EQ(index->n_docs(), 0U);
    EXPECT_EQ(index->n_terms(), 0U);
}

TEST(MergedDocuments, AreNotMaskedByOtherNumbers) {
    Random random(6);
    const Rows docs = test::random_rows(random, 10, 20, 3, test::real_weight);
    const auto index = build_index("exact", docs.view());
    const std::vector<std::uint8_t> mask(9);
    EXPECT_EQ(test::error_of([&] { static_cast<void>(index->kept(mask)); }), "live: 9 bytes for 10 documents");
}

}  // namespace
}  // namespace thresher
