// Postings apart: found by the terms of a query, kept in files, and refused where a file names what there is not.
#include "core/documents/outlier_postings.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "core/base/error.hpp"
#include "support/altered_file.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using Positions = std::vector<std::uint32_t>;

Positions found(const OutlierPostings& outliers, const std::vector<std::uint32_t>& slots) {
    const SlotQuery query{slots, std::vector<float>(slots.size(), -1.0F)};
    Positions positions{77};
    outliers.find(query, positions);
    return positions;
}

TEST(OutlierPostings, AreFoundByTheTermsOfAQuery) {
    const OutlierPostings outliers({{5, 3}, {2, 9}, {5, 1}, {7, 9}});
    EXPECT_EQ(outliers.size(), 4U);
    EXPECT_EQ(found(outliers, {5}), (Positions{1, 3}));
    EXPECT_EQ(found(outliers, {7, 5, 2}), (Positions{1, 3, 9})) << "a document once";
    EXPECT_EQ(found(outliers, {0, 3, 8}), Positions());
    EXPECT_EQ(found(outliers, {}), Positions());
    EXPECT_EQ(found({}, {0, 5}), Positions());
    EXPECT_TRUE(OutlierPostings().empty());
    EXPECT_EQ(OutlierPostings().nbytes(), 0U);
}

// A file of these sections, read for 10 slots and 20 documents.
OutlierPostings loaded(const OutlierPostings& outliers) {
    const test::TemporaryDirectory directory;
    SectionList sections;
    outliers.save(sections);
    EXPECT_EQ(sections.sections().empty(), outliers.empty()) << "nothing is kept of nothing";
    write_index_file(directory.path("f"), "exact", {}, sections, nullptr);
    return OutlierPostings::load(IndexFile::open(directory.path("f"), true, nullptr), 10, 20);
}

TEST(OutlierPostings, ComeBackFromAFile) {
    EXPECT_TRUE(loaded({}).empty());
    const OutlierPostings same = loaded(OutlierPostings({{9, 19}, {0, 4}, {9, 0}}));
    EXPECT_EQ(same.size(), 3U);
    EXPECT_EQ(found(same, {9}), (Positions{0, 19}));
    EXPECT_EQ(found(same, {0}), (Positions{4}));
}

TEST(OutlierPostings, RefuseFilesThatNameWhatThereIsNot) {
    EXPECT_THROW(loaded(OutlierPostings({{10, 1}})), FormatError);
    EXPECT_THROW(loaded(OutlierPostings({{1, 20}})), FormatError);
    const auto parts = [](const std::vector<std::uint32_t>& slots, const std::vector<std::uint32_t>& positions) {
        const test::TemporaryDirectory directory;
        const auto of_slots = test::buffer_of(slots);
        const auto of_positions = test::buffer_of(positions);
        SectionList sections;
        sections.add("outliers/slots", of_slots);
        sections.add("outliers/positions", of_positions);
        write_index_file(directory.path("f"), "exact", {}, sections, nullptr);
        return OutlierPostings::load(IndexFile::open(directory.path("f"), true, nullptr), 10, 20).size();
    };
    EXPECT_EQ(parts({1, 2}, {3, 4}), 2U);
    EXPECT_THROW(parts({2, 1}, {3, 4}), FormatError);
    EXPECT_THROW(parts({1, 2}, {3}), FormatError);
}

}  // namespace
}  // namespace thresher
