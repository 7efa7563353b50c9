// Selections: the same documents by masks, ids and combinations, whatever the order in which an index stores them.
#include "core/selection/selection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "core/documents/stored_documents.hpp"
#include "core/selection/wanted.hpp"
#include "support/document_parts.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::error_of;
using test::Random;

Selection::Documents documents_of(std::size_t n_docs, bool is_shuffled) {
    const test::DocumentParts parts(test::rows_of(1, std::vector<test::Row>(n_docs)));
    auto documents = std::make_shared<StoredDocuments>(parts.documents);
    if (is_shuffled) documents->order = DocumentOrder(test::shuffled(n_docs));
    return documents;
}

std::vector<std::uint8_t> any_mask(Random& random, std::size_t n, std::int64_t one_of) {
    std::vector<std::uint8_t> mask(n);
    for (auto& byte : mask) {
        if (test::uniform(random, 1, one_of) == 1) byte = static_cast<std::uint8_t>(test::uniform(random, 1, 255));
    }
    return mask;
}

void expect_holds(const Selection& selection, const std::vector<std::uint8_t>& mask, const StoredDocuments& documents) {
    const std::size_t n = mask.size();
    std::set<std::uint32_t> positions;
    std::vector<std::int64_t> ids;
    for (std::size_t doc = 0; doc < n; ++doc) {
        ASSERT_EQ(selection.has_id(static_cast<std::int64_t>(doc)), mask[doc] != 0);
        if (mask[doc] == 0) continue;
        positions.insert(documents.order.position(static_cast<std::uint32_t>(doc)));
        ids.push_back(static_cast<std::int64_t>(doc));
    }
    ASSERT_EQ(selection.ids(), ids);
    ASSERT_EQ(selection.size(), ids.size());
    ASSERT_EQ(selection.n_docs(), n);
    std::set<std::uint32_t> blocks;
    for (const std::uint32_t position : positions) blocks.insert(position / selection.block_size());
    ASSERT_EQ(selection.n_blocks(), blocks.size());
    std::vector<std::uint32_t> visited;
    selection.for_each([&](std::uint32_t position) { visited.push_back(position); });
    ASSERT_EQ(visited, std::vector<std::uint32_t>(positions.begin(), positions.end()));
    for (std::uint32_t position = 0; position < n; ++position) {
        ASSERT_EQ(selection.has(position), positions.contains(position));
    }
    for (const std::size_t size : {1, 4, 8, 16, 32, 64, 128, 512}) {
        for (std::size_t first = 0; first < n + size; first += size) {
            const auto next = positions.lower_bound(static_cast<std::uint32_t>(first));
            ASSERT_EQ(selection.has_any(first, size), next != positions.end() && *next < first + size);
        }
    }
    const auto bytes = selection.mask();
    for (std::size_t doc = 0; doc < n; ++doc) ASSERT_EQ(bytes[doc], mask[doc] != 0 ? 1 : 0);
}

TEST(Selection, HoldsTheDocumentsNamed) {
    Random random(1);
    for (const std::size_t n : {0, 1, 7, 8, 63, 64, 65, 130, 700}) {
        for (const bool is_shuffled : {false, true}) {
            const auto documents = documents_of(n, is_shuffled);
            for (const std::uint32_t block_size : {1U, 4U, 8U, 64U}) {
                for (const std::int64_t one_of : {1, 2, 40, 10000}) {
                    const auto mask = any_mask(random, n, one_of);
                    const auto by_mask = Selection::of_mask(documents, block_size, mask, "mask");
                    ASSERT_NO_FATAL_FAILURE(expect_holds(by_mask, mask, *documents));
                    std::vector<std::int64_t> ids = by_mask.ids();
                    std::shuffle(ids.begin(), ids.end(), random);
                    if (!ids.empty()) ids.push_back(ids.front());
                    ASSERT_EQ(Selection::of_ids(documents, block_size, ids, "ids"), by_mask);
                }
            }
        }
    }
}

TEST(Selection, Combine) {
    Random random(2);
    for (const std::size_t n : {0, 1, 64, 100, 700}) {
        const auto documents = documents_of(n, true);
        const auto a = any_mask(random, n, 2);
        const auto b = any_mask(random, n, 3);
        const auto left = Selection::of_mask(documents, 4, a, "mask");
        const auto right = Selection::of_mask(documents, 4, b, "mask");
        const auto combined = [&](const auto& combine) {
            std::vector<std::uint8_t> mask(n);
            for (std::size_t doc = 0; doc < n; ++doc) mask[doc] = combine(a[doc] != 0, b[doc] != 0) ? 1 : 0;
            return mask;
        };
        ASSERT_NO_FATAL_FAILURE(
            expect_holds(left & right, combined([](bool x, bool y) { return x && y; }), *documents));
        ASSERT_NO_FATAL_FAILURE(
            expect_holds(left | right, combined([](bool x, bool y) { return x || y; }), *documents));
        ASSERT_NO_FATAL_FAILURE(
            expect_holds(left - right, combined([](bool x, bool y) { return x && !y; }), *documents));
        ASSERT_NO_FATAL_FAILURE(expect_holds(~left, combined([](bool x, bool) { return !x; }), *documents));
    }
}

TEST(Selection, TellsFractions) {
    const auto documents = documents_of(100, false);
    const auto selection = Selection::of_ids(documents, 4, std::vector<std::int64_t>{0, 1, 2, 40}, "ids");
    EXPECT_DOUBLE_EQ((Wanted{.allowed = &selection}.fraction()), 0.04);
    EXPECT_DOUBLE_EQ((Wanted{.allowed = &selection}.fraction_of_blocks()), 0.08);
    EXPECT_EQ((Wanted{.allowed = &selection}.n_hidden()), 96U);
    EXPECT_DOUBLE_EQ(Wanted{}.fraction(), 1);
    EXPECT_EQ(Wanted{}.n_hidden(), 0U);
}

TEST(Selection, RefusesWhatIsNoDocument) {
    const auto documents = documents_of(5, false);
    EXPECT_EQ(error_of([&] { Selection::of_mask(documents, 1, std::vector<std::uint8_t>(4), "allowed"); }),
              "allowed: 4 documents; the index has 5");
    for (const std::int64_t id : {std::int64_t{-1}, std::int64_t{5}, INT64_MAX, INT64_MIN}) {
        EXPECT_EQ(error_of([&] { Selection::of_ids(documents, 1, std::vector<std::int64_t>{0, id}, "exclude"); }),
                  "exclude: " + std::to_string(id) + " is not a document; the index has 5");
    }
    const auto one = Selection::of_ids(documents, 1, std::vector<std::int64_t>{1}, "ids");
    const auto other = Selection::of_ids(documents_of(5, false), 1, std::vector<std::int64_t>{1}, "ids");
    EXPECT_EQ(error_of([&] { static_cast<void>(one & other); }), "the selections are of different indexes");
    EXPECT_NE(one, other);
}

}  // namespace
}  // namespace thresher
