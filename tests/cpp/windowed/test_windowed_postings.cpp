// Windowed postings: rows, lists and rare postings together are the collection, each posting once.
#include "core/windowed/windowed_postings.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Rows;

struct Built {
    Built(const Rows& rows, std::uint32_t window, double row_density, unsigned threads = 1) {
        Progress progress = test::silent();
        vocabulary = Vocabulary::build(rows.view(), threads, progress);
        forward = ForwardIndex::build(GivenDocuments(rows.view(), vocabulary), {}, vocabulary, Precision::full, threads,
                                      progress);
        quantiser = Quantiser::build(forward, vocabulary, threads, progress);
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

Postings of_windows(const WindowedPostings& postings, std::uint32_t n_slots) {
    Postings all;
    for (std::size_t w = 0; w < postings.n_windows(); ++w) {
        add_rows(all, postings, w);
        add_lists(all, postings, w);
    }
    for (std::uint32_t slot = postings.n_rows() + postings.n_lists(); slot < n_slots; ++slot) {
        const auto rare = postings.rare(slot);
        EXPECT_EQ(rare.docs.size(), rare.impacts.size());
        for (std::size_t p = 0; p < rare.docs.size(); ++p) {
            EXPECT_TRUE(p == 0 || rare.docs[p - 1] < rare.docs[p]);
            add_once(all, slot, rare.docs[p], rare.impacts[p]);
        }
    }
    return all;
}

Postings of_windows(const Built& built) { return of_windows(built.postings, built.vocabulary.n_slots()); }

TEST(WindowedPostings, HoldEveryPostingOnce) {
    Random random(1);
    for (const std::size_t n_docs : {1, 5, 63, 64, 65, 128, 1000, 4096, 5000}) {
        const Rows rows = test::random_rows(random, n_docs, 400, 8, test::real_weight);
        for (const std::uint32_t window : {64U, 192U, 4096U, 65536U}) {
            for (const double row_density : {0.001, 0.05, 1.0}) {
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

// ---- From a source of items.

// Groups of documents: an item has the largest weight of each term, in no order; terms of the first `n_left_out` slots
// are left out.
struct Groups {
    Groups(const Built& built, std::size_t group_size, std::uint32_t n_left_out) {
        std::vector<Posting> postings;
        items.resize((built.forward.n_docs() + group_size - 1) / group_size);
        for (std::size_t doc = 0; doc < built.forward.n_docs(); ++doc) {
            built.forward.read(doc, postings);
            for (const auto& [slot, weight] : postings) {
                float& largest = items[doc / group_size][slot];
                if (slot >= n_left_out) largest = std::max(largest, weight);
            }
        }
        for (auto& item : items) std::erase_if(item, [](const auto& posting) { return posting.second == 0; });
    }
    PostingSource source() const {
        return {items.size(), [this](std::size_t i, std::vector<Posting>& postings) {
                    postings.clear();
                    for (auto at = items[i].rbegin(); at != items[i].rend(); ++at) {
                        postings.push_back({at->first, at->second});
                    }
                }};
    }
    Postings expected(const Quantiser& quantiser) const {
        Postings all;
        for (std::uint32_t i = 0; i < items.size(); ++i) {
            for (const auto& [slot, weight] : items[i]) add_once(all, slot, i, quantiser.impact(slot, weight));
        }
        return all;
    }

    std::vector<std::map<std::uint32_t, float>> items;
};

WindowedPostings build(const Built& built, const Groups& groups, std::uint32_t window, unsigned threads = 1) {
    Progress progress = test::silent();
    return WindowedPostings::build(groups.source(), built.vocabulary, built.quantiser, window, threads, progress);
}

TEST(WindowedPostings, HoldEveryPostingOfASourceOnceInLists) {
    Random random(4);
    for (const std::size_t n_docs : {0, 1, 64, 65, 1000, 5000}) {
        const Built built(test::random_rows(random, n_docs, 400, 8, test::real_weight), 64, 0.5);
        const std::uint32_t n_slots = built.vocabulary.n_slots();
        for (const std::size_t group_size : {1, 3, 64}) {
            for (const std::uint32_t n_left_out : {0U, n_slots / 2, n_slots}) {
                const Groups groups(built, group_size, n_left_out);
                for (const std::uint32_t window : {64U, 65536U}) {
                    const WindowedPostings postings = build(built, groups, window);
                    ASSERT_EQ(postings.n_rows(), 0U);
                    ASSERT_EQ(postings.n_windows(), (groups.items.size() + window - 1) / window);
                    ASSERT_EQ(of_windows(postings, n_slots), groups.expected(built.quantiser))
                        << n_docs << " documents in groups of " << group_size << ", " << n_left_out
                        << " slots left out, window " << window;
                }
            }
        }
    }
}

TEST(WindowedPostings, OfASourceHaveListsAndRareTerms) {
    Random random(5);
    const Built built(test::random_rows(random, 5000, 2000, 8, test::real_weight), 64, 0.01);
    ASSERT_GT(built.postings.n_rows(), 0U) << "where documents have rows";
    const WindowedPostings postings = build(built, Groups(built, 4, 0), 64);
    EXPECT_GT(postings.n_lists(), 0U);
    EXPECT_LT(postings.n_lists(), built.vocabulary.n_slots());
    EXPECT_EQ(postings.rows_nbytes(), 0U);
}

TEST(WindowedPostings, OfASourceDoNotDependOnTheNumberOfThreads) {
    Random random(6);
    const Built built(test::random_rows(random, 6000, 500, 10, test::real_weight), 64, 0.1);
    const Groups groups(built, 2, 7);
    const auto one = saved(build(built, groups, 64));
    for (unsigned threads = 2; threads <= 4; ++threads) {
        EXPECT_EQ(saved(build(built, groups, 64, threads)), one) << threads << " threads";
    }
}

}  // namespace
}  // namespace thresher
