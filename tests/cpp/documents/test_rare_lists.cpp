// Rare lists: every posting in its list, in the order of its document, whatever parts they came in.
#include "core/documents/rare_lists.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/documents/vocabulary.hpp"
#include "support/random_rows.hpp"

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
            const RareLists lists = builder.finish(threads, nullptr);
            for (std::size_t list = 0; list < n_lists; ++list) {
                const auto [docs, impacts] = lists[list];
                ASSERT_EQ(docs.size(), expected[list].size());
                ASSERT_EQ(impacts.size(), docs.size());
                for (std::size_t p = 0; p < docs.size(); ++p) {
                    ASSERT_EQ(std::pair(docs[p], impacts[p]), expected[list][p]) << "list " << list;
                }
            }
            EXPECT_EQ(lists.nbytes(), 8 * (n_lists + 1) + 5 * postings.size());
        }
    }
}

TEST(RareLists, StayWithinBoundsWhateverTheOffsets) {
    Filling<std::uint32_t> docs(3);
    Filling<std::uint8_t> impacts(3);
    const RarePostings postings(docs.buffer, impacts.buffer);
    for (const std::uint64_t begin : {0ULL, 2ULL, 3ULL, 4ULL, ~0ULL}) {
        for (const std::uint64_t end : {0ULL, 1ULL, 3ULL, 4ULL, ~0ULL}) {
            const auto list = postings.between(begin, end);
            const std::uint64_t last = std::min<std::uint64_t>(end, 3);
            EXPECT_EQ(list.docs.size(), last - std::min(begin, last));
            EXPECT_EQ(list.impacts.size(), list.docs.size());
        }
    }
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
