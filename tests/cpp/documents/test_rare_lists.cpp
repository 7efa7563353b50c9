// Rare lists: every posting in its list, in the order of its document, whatever parts they came in.
#include "core/documents/rare_lists.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/documents/vocabulary.hpp"
#include "support/altered_file.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::Random;
using test::uniform;

TEST(RareLists, HaveEveryPostingWhateverTheOrder) {
    Random random(1);
    struct Posting {
        std::uint32_t list;
        std::uint32_t doc;
        std::uint8_t impact;
    };
    for (const std::size_t n_lists : {0, 1, 2, 50, 10'000}) {
        std::vector<std::vector<std::pair<std::uint32_t, std::uint8_t>>> expected(n_lists);
        std::vector<Posting> postings;
        for (std::uint32_t doc = 0; doc < 400; ++doc) {
            for (std::uint32_t list = 0; list < n_lists; list += static_cast<std::uint32_t>(uniform(random, 1, 40))) {
                const auto impact = static_cast<std::uint8_t>(uniform(random, 1, 255));
                postings.push_back({list, doc, impact});
                expected[list].emplace_back(doc, impact);
            }
        }
        for (const unsigned threads : {1U, 4U}) {
            RareListsBuilder builder(n_lists);
            Progress progress = test::silent();
            std::shuffle(postings.begin(), postings.end(), random);
            parallel_for(postings.size(), threads, progress,
                         [&](std::size_t p, unsigned) { builder.count(postings[p].list); });
            builder.place();
            std::shuffle(postings.begin(), postings.end(), random);
            parallel_for(postings.size(), threads, progress, [&](std::size_t p, unsigned) {
                builder.put(postings[p].list, postings[p].doc, postings[p].impact);
            });
            const auto expect_all = [&](const RareLists& read) {
                for (std::size_t list = 0; list < n_lists; ++list) {
                    const auto [docs, impacts] = read[list];
                    ASSERT_EQ(docs.size(), expected[list].size());
                    ASSERT_EQ(impacts.size(), docs.size());
                    for (std::size_t p = 0; p < docs.size(); ++p) {
                        ASSERT_EQ(std::pair(docs[p], impacts[p]), expected[list][p]) << "list " << list;
                    }
                }
            };
            const RareLists lists = builder.finish(400, threads, nullptr);
            ASSERT_NO_FATAL_FAILURE(expect_all(lists));
            EXPECT_NEAR(static_cast<double>(lists.nbytes()),
                        RareLists::estimated_nbytes(n_lists, static_cast<double>(postings.size()), 400), 2);
            const test::TemporaryDirectory directory;
            SectionList sections;
            lists.save(sections, "impacts");
            write_index_file(directory.path("new"), "test", Parameters{}, sections, nullptr);
            const IndexFile file = IndexFile::open(directory.path("new"), true, nullptr);
            ASSERT_NO_FATAL_FAILURE(expect_all(RareLists::load(file, n_lists, 400, "impacts")));
            EXPECT_THROW(RareLists::load(file, n_lists + 600, 400, "impacts"), FormatError);
            if (!postings.empty()) {
                EXPECT_THROW(RareLists::load(file, n_lists, 400 * 1000, "impacts"), FormatError);
            }
        }
    }
}

TEST(RareLists, TakeFewBitsBesideThoseOfTheirDocuments) {
    RareListsBuilder builder(100'000);
    for (std::uint32_t list = 0; list < 100'000; ++list) builder.count(list);
    builder.place();
    for (std::uint32_t list = 0; list < 100'000; ++list) builder.put(list, list / 2, 255);
    const auto lists = builder.finish(1 << 16, 1, nullptr);
    EXPECT_LT(lists.nbytes(), 100'000U * 33 / 10) << "2 bytes a document, 1 an impact, and 0.3 a list";
}

// Files of versions 1 to 3 have 64 bits an offset and 32 a document.
TEST(RareLists, OfAnOlderFile) {
    const test::TemporaryDirectory directory;
    const auto load = [&](const std::vector<std::uint64_t>& starts, const std::vector<std::uint32_t>& documents) {
        const auto offsets = test::buffer_of(starts);
        const auto docs = test::buffer_of(documents);
        const auto impacts = test::buffer_of(std::vector<std::uint8_t>{7, 8, 9});
        SectionList sections;
        sections.add("rare/offsets", offsets);
        sections.add("rare/docs", docs);
        sections.add("rare/impacts", impacts);
        write_index_file(directory.path("f"), "test", Parameters{}, sections, nullptr);
        return RareLists::load(IndexFile::open(directory.path("f"), true, nullptr), 2, 10, "impacts");
    };
    const RareLists lists = load({0, 1, 3}, {9, 2, 4});
    EXPECT_EQ(lists[0].docs.size(), 1U);
    EXPECT_EQ(lists[0].docs[0], 9U);
    EXPECT_EQ(lists[1].docs.size(), 2U);
    EXPECT_EQ(lists[1].docs[1], 4U);
    EXPECT_EQ(lists[1].impacts[1], 9U);
    EXPECT_THROW(load({0, 3, 1}, {9, 2, 4}), FormatError);
    EXPECT_THROW(load({0, 1, 4}, {9, 2, 4}), FormatError);
    EXPECT_THROW(load({0, 1, 3}, {9, 2, 10}), FormatError);
}

TEST(Vocabulary, SaysHowManySlotsHaveAFrequency) {
    Random random(2);
    const test::Rows docs = test::random_rows(random, 300, 80, 8, test::real_weight);
    Progress progress = test::silent();
    const auto vocabulary = Vocabulary::build(docs.view(), 1, progress);
    for (const double min : {0.0, 0.5, 1.0, 1.5, 2.0, 7.0, 7.2, 100.0, 299.9, 1e18}) {
        std::uint32_t n = 0;
        for (std::uint32_t slot = 0; slot < vocabulary.n_slots(); ++slot)
            n += vocabulary.document_frequency(slot) >= min;
        EXPECT_EQ(vocabulary.n_with(min), n) << min;
    }
    EXPECT_EQ(Vocabulary().n_with(1), 0U);
}

}  // namespace
}  // namespace thresher
