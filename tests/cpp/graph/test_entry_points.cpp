// Entry points against a brute force: the documents in which each term is heaviest, ties to the smaller positions.
#include "core/graph/entry_points.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "core/base/error.hpp"
#include "core/selection/hits.hpp"
#include "support/document_parts.hpp"
#include "support/random_rows.hpp"
#include "support/recording_monitor.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Row;
using test::Rows;
using test::TemporaryDirectory;

struct Built : test::DocumentParts {
    using DocumentParts::DocumentParts;
    EntryPoints entries(std::size_t max, unsigned threads = 1) const {
        Progress progress = test::silent();
        return EntryPoints::build(forward, vocabulary, max, threads, progress);
    }
};

std::vector<std::uint32_t> documents_of(const EntryPoints& entries, std::uint32_t slot) {
    std::vector<std::uint32_t> documents;
    entries.documents().for_each(slot, [&](std::uint32_t position) { documents.push_back(position); });
    return documents;
}

void expect_heaviest(const Rows& rows, std::size_t max) {
    const Built built(rows);
    const EntryPoints entries = built.entries(max);
    ASSERT_EQ(entries.documents().size(), built.vocabulary.n_slots());
    std::vector<std::vector<Hit>> documents(built.vocabulary.n_slots());
    std::vector<Posting> postings;
    for (std::uint32_t doc = 0; doc < built.forward.n_docs(); ++doc) {
        built.forward.read(doc, postings);
        for (const auto& [slot, weight] : postings) documents[slot].push_back({weight, doc});
    }
    for (std::uint32_t slot = 0; slot < built.vocabulary.n_slots(); ++slot) {
        std::sort(documents[slot].begin(), documents[slot].end(), better);
        ASSERT_EQ(entries.heaviest(slot), documents[slot].front().score) << "slot " << slot;
        std::vector<std::uint32_t> expected;
        for (std::size_t i = 0; i < std::min(max, documents[slot].size()); ++i) {
            expected.push_back(documents[slot][i].doc);
        }
        std::sort(expected.begin(), expected.end());
        ASSERT_EQ(documents_of(entries, slot), expected) << "slot " << slot << ", most " << max;
    }
}

TEST(EntryPoints, AreTheDocumentsInWhichATermIsHeaviest) {
    Random random(1);
    for (const std::size_t n_docs : {1, 2, 100, 9000}) {  // up to three tasks
        const Rows rows = test::random_rows(random, n_docs, 60, 5, test::real_weight);
        for (const std::size_t max : {1, 2, 5, 64, 100'000}) ASSERT_NO_FATAL_FAILURE(expect_heaviest(rows, max));
    }
}

TEST(EntryPoints, OfEqualWeightsAreTheSmallerPositions) {
    Random random(2);
    const auto levels = [](Random& source) { return static_cast<float>(test::uniform(source, 1, 3)); };
    const auto one = [](Random&) { return 1.0F; };
    for (const std::size_t max : {1, 3, 10, 50}) {
        ASSERT_NO_FATAL_FAILURE(expect_heaviest(test::random_rows(random, 500, 20, 5, levels), max));
        ASSERT_NO_FATAL_FAILURE(expect_heaviest(test::random_rows(random, 500, 20, 5, one), max));
    }
    const Built same(test::rows_of(1, std::vector<Row>(10, Row{{0, 2.0F}})));
    EXPECT_EQ(documents_of(same.entries(3), 0), (std::vector<std::uint32_t>{0, 1, 2}));
}

TEST(EntryPoints, OfWeightsThatRiseAndFall) {
    for (const bool rising : {false, true}) {
        Rows rows;
        rows.n_terms = 2;
        for (int doc = 0; doc < 100; ++doc) {
            rows.add(Row{{0, static_cast<float>(rising ? 1 + doc : 100 - doc)}, {1, 1.0F}});
        }
        for (const std::size_t max : {1, 7, 99, 100, 101}) ASSERT_NO_FATAL_FAILURE(expect_heaviest(rows, max));
    }
}

TEST(EntryPoints, OfNoDocumentsAndOfEmptyOnes) {
    for (const std::size_t n_docs : {0, 1, 9}) {
        const Built built(test::rows_of(5, std::vector<Row>(n_docs)));
        EXPECT_EQ(built.entries(4).documents().size(), 0U) << "there is no slot";
    }
    expect_heaviest(test::rows_of(5, {{}, {{3, 1.0F}}, {}, {{3, 2.0F}, {4, 1.0F}}}), 1);
}

TEST(EntryPoints, DoNotDependOnTheNumberOfThreads) {
    Random random(3);
    const Built built(test::random_rows(random, 9000, 6000, 5, test::real_weight));
    const EntryPoints one = built.entries(10);
    for (unsigned threads = 2; threads <= 4; ++threads) {
        const EntryPoints many = built.entries(10, threads);
        ASSERT_EQ(many.nbytes(), one.nbytes());
        for (std::uint32_t slot = 0; slot < built.vocabulary.n_slots(); ++slot) {
            ASSERT_EQ(many.heaviest(slot), one.heaviest(slot));
            ASSERT_EQ(documents_of(many, slot), documents_of(one, slot));
        }
    }
}

TEST(EntryPoints, ReportTwoPasses) {
    Random random(4);
    const Built built(test::random_rows(random, 1000, 60, 5, test::real_weight));
    test::RecordingMonitor monitor;
    Progress progress(&monitor, 2, 1000);
    EntryPoints::build(built.forward, built.vocabulary, 5, 2, progress);
    std::set<std::uint64_t> done;
    for (const auto& report : monitor.reports()) done.insert(report.first);
    EXPECT_TRUE(done.contains(500));
    EXPECT_EQ(*done.rbegin(), 1000U);
}

TEST(EntryPoints, GoThroughAFile) {
    Random random(5);
    const Built built(test::random_rows(random, 500, 60, 5, test::real_weight));
    const std::uint32_t n_slots = built.vocabulary.n_slots();
    const EntryPoints entries = built.entries(7);
    SectionList sections;
    entries.save(sections);
    const TemporaryDirectory directory;
    write_index_file(directory.path("f"), "test", {}, sections, nullptr);
    const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
    const EntryPoints loaded = EntryPoints::load(file, n_slots);
    EXPECT_EQ(loaded.nbytes(), entries.nbytes());
    for (std::uint32_t slot = 0; slot < n_slots; ++slot) {
        ASSERT_EQ(loaded.heaviest(slot), entries.heaviest(slot));
        ASSERT_EQ(documents_of(loaded, slot), documents_of(entries, slot));
    }
    EXPECT_THROW(EntryPoints::load(file, n_slots - 1), FormatError);
    EXPECT_THROW(EntryPoints::load(file, n_slots + 1), FormatError);
}

}  // namespace
}  // namespace thresher
