// Windowed postings: rows, lists and rare postings together are the collection, each posting once.
#include "core/windowed_postings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Rows;

struct Built {
    Built(const Rows& rows, std::uint32_t window, double row_density, unsigned threads = 1) {
        Progress progress = test::silent();
        vocabulary = Vocabulary::build(rows.view(), threads, progress);
        quantiser = Quantiser::build(rows.view(), vocabulary, threads, progress);
        forward = ForwardIndex::build(rows.view(), vocabulary, threads, progress);
        postings = WindowedPostings::build(forward, vocabulary, quantiser, window, row_density, threads, progress);
    }
    std::uint32_t n_rare() const { return vocabulary.n_slots() - postings.n_rows() - postings.n_lists(); }

    Vocabulary vocabulary;
    Quantiser quantiser;
    ForwardIndex forward;
    WindowedPostings postings;
};

using Postings = std::map<std::pair<std::uint32_t, std::uint32_t>, int>;  // (slot, document) -> impact

void add_once(Postings& postings, std::uint32_t slot, std::uint32_t doc, int impact) {
    EXPECT_NE(impact, 0) << "slot " << slot << " document " << doc;
    EXPECT_TRUE(postings.emplace(std::pair(slot, doc), impact).second) << "slot " << slot << " document " << doc;
}

Postings of_forward_index(const Built& built) {
    Postings all;
    std::vector<Posting> postings;
    for (std::uint32_t doc = 0; doc < built.forward.n_docs(); ++doc) {
        built.forward.read(doc, postings);
        for (const auto& [slot, weight] : postings) add_once(all, slot, doc, built.quantiser.impact(slot, weight));
    }
    return all;
}

void add_rows(Postings& all, const WindowedPostings& postings, std::size_t w) {
    const std::uint32_t n_docs = postings.window_docs(w);
    for (std::uint32_t row = 0; row < postings.n_rows(); ++row) {
        const std::uint8_t* cells = postings.row(w, row);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(cells) % 64, 0U);
        for (std::uint32_t doc = 0; doc < n_docs; ++doc) {
            if (cells[doc] != 0) add_once(all, row, postings.first_doc(w) + doc, cells[doc]);
        }
        for (std::uint32_t doc = n_docs; doc < (n_docs + 63) / 64 * 64; ++doc) EXPECT_EQ(cells[doc], 0);
    }
}

void add_lists(Postings& all, const WindowedPostings& postings, std::size_t w) {
    const auto lists = postings.lists(w);
    EXPECT_EQ(lists.offsets[0], 0U);
    EXPECT_EQ(lists.offsets[postings.n_lists()], lists.n_postings);
    for (std::uint32_t list = 0; list < postings.n_lists(); ++list) {
        for (std::uint32_t p = lists.offsets[list]; p < lists.offsets[list + 1]; ++p) {
            EXPECT_TRUE(p == lists.offsets[list] || lists.docs[p - 1] < lists.docs[p]) << "documents ascend";
            EXPECT_LT(lists.docs[p], postings.window_docs(w));
            add_once(all, postings.n_rows() + list, postings.first_doc(w) + lists.docs[p], lists.impacts[p]);
        }
    }
}

Postings of_windows(const Built& built) {
    const WindowedPostings& postings = built.postings;
    Postings all;
    for (std::size_t w = 0; w < postings.n_windows(); ++w) {
        add_rows(all, postings, w);
        add_lists(all, postings, w);
    }
    for (std::uint32_t slot = postings.n_rows() + postings.n_lists(); slot < built.vocabulary.n_slots(); ++slot) {
        const auto rare = postings.rare(slot);
        EXPECT_EQ(rare.docs.size(), rare.impacts.size());
        EXPECT_EQ(rare.docs.size(), built.vocabulary.document_frequency(slot));
        EXPECT_TRUE(std::is_sorted(rare.docs.begin(), rare.docs.end()));
        for (std::size_t p = 0; p < rare.docs.size(); ++p) add_once(all, slot, rare.docs[p], rare.impacts[p]);
    }
    return all;
}

TEST(WindowedPostings, HoldEveryPostingOnce) {
    Random random(1);
    for (const std::size_t n_docs : {1, 5, 63, 64, 65, 128, 1000, 4096, 5000}) {
        const Rows rows = test::random_rows(random, n_docs, 400, 8, test::real_weight);
        for (const std::uint32_t window : {64U, 192U, 4096U, 65536U}) {
            for (const double row_density : {0.001, 0.05, 0.5, 1.0}) {
                const Built built(rows, window, row_density);
                ASSERT_EQ(built.postings.n_windows(), (n_docs + window - 1) / window);
                std::size_t docs = 0;
                for (std::size_t w = 0; w < built.postings.n_windows(); ++w) {
                    ASSERT_EQ(built.postings.first_doc(w), docs);
                    docs += built.postings.window_docs(w);
                }
                ASSERT_EQ(docs, n_docs) << "the windows are the collection";
                ASSERT_EQ(of_windows(built), of_forward_index(built))
                    << n_docs << " documents, window " << window << ", density " << row_density;
            }
        }
    }
}

TEST(WindowedPostings, HaveAllThreeForms) {
    Random random(2);
    const Built built(test::random_rows(random, 2000, 2000, 15, test::real_weight), 64, 0.05);
    EXPECT_GT(built.postings.n_rows(), 0U);
    EXPECT_GT(built.postings.n_lists(), 0U);
    EXPECT_GT(built.n_rare(), 0U);
    const auto least_frequent = built.vocabulary.n_slots() - 1;
    EXPECT_EQ(built.postings.rare(least_frequent).docs.size(), built.vocabulary.document_frequency(least_frequent));
    EXPECT_GE(built.vocabulary.document_frequency(built.postings.n_rows() - 1),
              built.vocabulary.document_frequency(built.postings.n_rows()));
}

TEST(WindowedPostings, OfTheWidestWindow) {
    Rows rows;
    rows.n_terms = 3;
    for (std::uint32_t doc = 0; doc < 65600; ++doc) {
        rows.add(doc % 1000 == 0 || doc == 65535 ? test::Row{{0, 1.0F}, {1, 2.0F}} : test::Row{{0, 1.0F}});
    }
    const Built built(rows, 65536, 0.5);
    EXPECT_EQ(built.postings.n_rows(), 1U);
    EXPECT_EQ(built.postings.n_lists(), 1U);
    EXPECT_EQ(of_windows(built), of_forward_index(built));
}

TEST(WindowedPostings, OfEmptyCollections) {
    for (const std::size_t n_docs : {0, 1, 100}) {
        const Built built(test::rows_of(5, std::vector<test::Row>(n_docs)), 64, 0.1);
        EXPECT_EQ(built.postings.n_windows(), (n_docs + 63) / 64);
        EXPECT_EQ(built.postings.n_rows() + built.postings.n_lists(), 0U);
        EXPECT_TRUE(of_windows(built).empty());
    }
}

std::vector<std::vector<std::byte>> saved(const WindowedPostings& postings) {
    Parameters counts;
    SectionList list;
    postings.save(counts, list);
    std::vector<std::vector<std::byte>> sections;
    for (const Section& section : list.sections()) sections.emplace_back(section.bytes.begin(), section.bytes.end());
    return sections;
}

TEST(WindowedPostings, DoNotDependOnTheNumberOfThreads) {
    Random random(3);
    const Rows rows = test::random_rows(random, 3000, 500, 10, test::real_weight);
    const auto one = saved(Built(rows, 64, 0.1, 1).postings);
    for (unsigned threads = 2; threads <= 4; ++threads) {
        EXPECT_EQ(saved(Built(rows, 64, 0.1, threads).postings), one) << threads << " threads";
    }
}

}  // namespace
}  // namespace thresher
