// The order of documents: a permutation and its inverse, or nothing at all.
#include "core/documents/document_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "support/altered_file.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::error_of;
using test::Random;
using test::TemporaryDirectory;

std::vector<std::uint32_t> shuffled(Random& random, std::size_t n) {
    std::vector<std::uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0U);
    std::shuffle(order.begin(), order.end(), random);
    return order;
}

void expect_order(const DocumentOrder& order, const std::vector<std::uint32_t>& given) {
    ASSERT_FALSE(order.is_identity());
    for (std::uint32_t position = 0; position < given.size(); ++position) {
        ASSERT_EQ(order.id_of(position), given[position]);
        ASSERT_EQ(order.position(given[position]), position);
    }
}

TEST(DocumentOrder, LeadsThereAndBack) {
    Random random(1);
    for (const std::size_t n : {1, 2, 3, 100, 1000}) {
        const auto given = shuffled(random, n);
        expect_order(DocumentOrder(given), given);
    }
    expect_order(DocumentOrder(std::vector<std::uint32_t>{2, 0, 1}), {2, 0, 1});
}

TEST(DocumentOrder, OfNothingIsTheIdentity) {
    for (const DocumentOrder& order : {DocumentOrder(), DocumentOrder(std::vector<std::uint32_t>{})}) {
        EXPECT_TRUE(order.is_identity());
        EXPECT_EQ(order.nbytes(), 0U);
        for (const std::uint32_t doc : {0U, 7U, 4294967295U}) {
            EXPECT_EQ(order.id_of(doc), doc);
            EXPECT_EQ(order.position(doc), doc);
        }
    }
}

TEST(DocumentOrder, NamesWhatIsNoPermutation) {
    const auto error = [](const std::vector<std::uint32_t>& given) {
        return error_of([&] { DocumentOrder order(given); });
    };
    EXPECT_EQ(error({0, 1, 3}), "reorder: 3 is not a document; there are 3");
    EXPECT_EQ(error({4294967295U}), "reorder: 4294967295 is not a document; there are 1");
    EXPECT_EQ(error({0, 2, 0}), "reorder: document 0 occurs twice");
    EXPECT_EQ(error({2, 1, 1}), "reorder: document 1 occurs twice");
    EXPECT_EQ(error({1, 0}), "no error");
}

// A file of `given` and `positions`, of a collection of `n_docs`.
DocumentOrder load(const std::vector<std::uint32_t>& given, const std::vector<std::uint32_t>& positions,
                   std::uint64_t n_docs) {
    const auto given_buffer = test::buffer_of(given);
    const auto position_buffer = test::buffer_of(positions);
    SectionList sections;
    sections.add("order/given", given_buffer);
    sections.add("order/positions", position_buffer);
    Parameters counts;
    counts.set("n_docs", n_docs);
    const TemporaryDirectory directory;
    write_index_file(directory.path("f"), "test", counts, sections, nullptr);
    return DocumentOrder::load(IndexFile::open(directory.path("f"), true, nullptr));
}

TEST(DocumentOrder, GoesThroughAFile) {
    Random random(2);
    for (const std::size_t n : {0, 1, 50}) {
        const auto given = shuffled(random, n);
        const DocumentOrder order(given);
        SectionList sections;
        order.save(sections);
        Parameters counts;
        counts.set("n_docs", std::uint64_t{50});
        if (n != 0) counts = Parameters();
        if (n != 0) counts.set("n_docs", std::uint64_t{n});
        const TemporaryDirectory directory;
        write_index_file(directory.path("f"), "test", counts, sections, nullptr);
        const auto loaded = DocumentOrder::load(IndexFile::open(directory.path("f"), true, nullptr));
        EXPECT_EQ(loaded.nbytes(), order.nbytes());
        EXPECT_EQ(loaded.is_identity(), n == 0) << "no order is the identity of any number of documents";
        if (n != 0) expect_order(loaded, given);
    }
}

TEST(DocumentOrder, RefusesAnotherNumberOfDocuments) {
    EXPECT_NO_THROW(load({1, 0}, {1, 0}, 2));
    EXPECT_THROW(load({1, 0}, {1, 0}, 3), FormatError);
    EXPECT_THROW(load({1, 0}, {1, 0}, 1), FormatError);
    EXPECT_THROW(load({1, 0}, {1}, 2), FormatError);
    EXPECT_THROW(load({}, {1, 0}, 2), FormatError);
}

TEST(DocumentOrder, OfAnAlteredFileStaysInRange) {
    const DocumentOrder order = load({7, 0, 4294967295U}, {3, 4294967295U, 2}, 3);
    for (std::uint32_t doc = 0; doc < 3; ++doc) {
        EXPECT_LT(order.position(doc), 3U);
        EXPECT_LT(order.id_of(doc), 3U) << "position " << doc;
    }
}

}  // namespace
}  // namespace thresher
