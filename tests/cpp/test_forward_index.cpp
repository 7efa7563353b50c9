// The forward index: lossless in every form of its arrays, and the scores that are finished from it.
#include "core/forward_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Rows;
using test::rows_of;

struct Built {
    explicit Built(const Rows& rows, unsigned threads = 1) {
        Progress progress = test::silent();
        vocabulary = Vocabulary::build(rows.view(), threads, progress);
        forward = ForwardIndex::build(rows.view(), vocabulary, threads, progress);
    }
    Vocabulary vocabulary;
    ForwardIndex forward;
};

void expect_reads_back(const Rows& rows, const Built& built) {
    ASSERT_EQ(built.forward.n_docs(), rows.n_rows());
    ASSERT_EQ(built.forward.nnz(), rows.terms.size());
    std::vector<Posting> postings{{1, 1.0F}};
    for (std::size_t doc = 0; doc < rows.n_rows(); ++doc) {
        built.forward.read(doc, postings);
        const auto terms = rows.view().row_terms(doc);
        const auto weights = rows.view().row_weights(doc);
        ASSERT_EQ(postings.size(), terms.size());
        for (std::size_t i = 0; i < terms.size(); ++i) {
            ASSERT_EQ(built.vocabulary.term(postings[i].slot), terms[i]);
            ASSERT_EQ(postings[i].weight, weights[i]);
        }
    }
}

std::size_t elements(const ForwardIndex& forward, const std::string& name) {
    SectionList list;
    forward.save(list);
    const auto sections = list.sections();
    const auto found =
        std::find_if(sections.begin(), sections.end(), [&](const Section& section) { return section.name == name; });
    return found->bytes.size() / size_of(found->type);
}

bool stores_halves(const std::vector<float>& weights) {
    Rows rows;
    rows.n_terms = 1;
    for (const float weight : weights) rows.add(test::Row{{0, weight}});
    const Built built(rows);
    expect_reads_back(rows, built);
    const std::size_t halves = elements(built.forward, "forward/halves");
    EXPECT_EQ(elements(built.forward, "forward/floats"), halves == 0 ? weights.size() : 0);
    return halves == weights.size();
}

TEST(ForwardIndex, StoresHalvesWhereEachWeightIsOne) {
    std::vector<float> halves;
    for (int units = 1; units < 2048; ++units) halves.push_back(std::ldexp(static_cast<float>(units), -24));
    for (int exponent = -14; exponent <= 15; ++exponent) {
        for (int fraction = 1024; fraction < 2048; ++fraction) {
            halves.push_back(std::ldexp(static_cast<float>(fraction), exponent - 10));
        }
    }
    EXPECT_TRUE(stores_halves(halves));
}

TEST(ForwardIndex, StoresFloatsWhereOneWeightIsNoHalf) {
    for (const float half : {0x1p-24F, 0x1.8p-23F, 0x1p-15F, 0x1.ff8p-15F, 0x1p-14F, 0.1F, 1.0F, 3.0F, 0x1.ffcp15F}) {
        const float rounded = std::ldexp(std::round(std::ldexp(half, 24)), -24);  // to a multiple of 2^-24
        const float exact = std::fabs(half - 0.1F) < 1e-3F ? 0x1.998p-4F : rounded;
        EXPECT_TRUE(stores_halves({exact})) << exact;
        EXPECT_FALSE(stores_halves({std::nextafter(exact, 0.0F)})) << exact;
        EXPECT_FALSE(stores_halves({std::nextafter(exact, 1e9F)})) << exact;
        EXPECT_FALSE(stores_halves({1.0F, 2.0F, std::nextafter(exact, 1e9F), 1.0F})) << exact;
    }
    for (const float weight : {0x1p-25F, 0x1.8p-24F, 0x1.ffep15F, 0x1p16F, 65505.0F, 0x1p-126F,
                               std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::max()}) {
        EXPECT_FALSE(stores_halves({weight})) << weight;
    }
}

TEST(ForwardIndex, FindsTheOneWeightThatIsNoHalfOnEveryNumberOfThreads) {
    Random random(1);
    Rows rows = test::random_rows(random, 30000, 100, 3, test::dyadic_weight);
    for (unsigned threads = 1; threads <= 4; ++threads) {
        EXPECT_EQ(elements(Built(rows, threads).forward, "forward/halves"), rows.terms.size());
    }
    rows.weights[rows.weights.size() / 3] = 0.3F;
    for (unsigned threads = 1; threads <= 4; ++threads) {
        EXPECT_EQ(elements(Built(rows, threads).forward, "forward/floats"), rows.terms.size());
    }
}

// One row for each thousand of `n` terms.
Rows distinct_terms(std::uint32_t n, float weight) {
    Rows rows;
    rows.n_terms = n + 10;
    for (std::uint32_t first = 0; first < n; first += 1000) {
        test::Row row;
        for (std::uint32_t term = first; term < std::min(n, first + 1000); ++term) row.emplace_back(term + 7, weight);
        rows.add(row);
    }
    return rows;
}

TEST(ForwardIndex, WidensSlotsPast65536Terms) {
    for (const float weight : {0.5F, 0.3F}) {
        const Rows narrow = distinct_terms(65536, weight);
        const Built narrow_built(narrow);
        EXPECT_EQ(elements(narrow_built.forward, "forward/slots16"), narrow.terms.size());
        EXPECT_EQ(elements(narrow_built.forward, "forward/slots32"), 0U);
        expect_reads_back(narrow, narrow_built);
        const Rows wide = distinct_terms(65537, weight);
        const Built wide_built(wide);
        EXPECT_EQ(elements(wide_built.forward, "forward/slots16"), 0U);
        EXPECT_EQ(elements(wide_built.forward, "forward/slots32"), wide.terms.size());
        expect_reads_back(wide, wide_built);
    }
}

void expect_scores(Random& random, const Rows& rows, const Built& built) {
    QueryTable table(built.vocabulary.n_slots());
    for (int round = 0; round < 5; ++round) {
        std::vector<float> weights(built.vocabulary.n_slots());
        SlotQuery query;
        for (std::uint32_t slot = 0; slot < weights.size(); ++slot) {
            if (test::uniform(random, 0, 1) == 0) continue;
            weights[slot] = static_cast<float>(test::unit(random) - 0.3);
            query.slots.push_back(slot);
            query.weights.push_back(weights[slot]);
        }
        table.load(query);
        for (std::size_t doc = 0; doc < rows.n_rows(); ++doc) {
            built.forward.prefetch(doc);
            long double expected = 0;
            long double magnitude = 0;
            for (std::size_t i = 0; i < rows.view().row_size(doc); ++i) {
                const std::uint32_t slot = built.vocabulary.slot(rows.view().row_terms(doc)[i]);
                const long double product =
                    static_cast<long double>(weights[slot]) * static_cast<long double>(rows.view().row_weights(doc)[i]);
                expected += product;
                magnitude += std::fabs(product);
            }
            ASSERT_NEAR(built.forward.score(doc, table), static_cast<double>(expected),
                        1e-14 * static_cast<double>(magnitude))
                << "document " << doc;
        }
        table.clear(query);
    }
    for (std::size_t doc = 0; doc < rows.n_rows(); ++doc) {
        ASSERT_EQ(built.forward.score(doc, table), 0.0) << "a cleared table has no term";
    }
}

TEST(ForwardIndex, ScoresDocumentsOfEveryLength) {
    Random random(2);
    for (const bool half : {false, true}) {
        Rows rows;
        rows.n_terms = 3000;
        for (std::size_t length = 0; length <= 40; ++length) {
            rows.add(test::random_row(random, rows.n_terms, length, half ? test::dyadic_weight : test::real_weight));
        }
        for (const std::uint32_t length : {255U, 256U, 257U, 511U, 512U, 513U, 2999U}) {
            test::Row row;
            for (std::uint32_t term = 0; term < length; ++term) {
                row.emplace_back(term, half ? test::dyadic_weight(random) : test::real_weight(random));
            }
            rows.add(row);
        }
        const Built built(rows);
        ASSERT_EQ(elements(built.forward, "forward/halves") != 0, half);
        expect_scores(random, rows, built);
    }
}

TEST(ForwardIndex, ScoresWideSlots) {
    Random random(3);
    for (const float weight : {0.5F, 0.3F}) {
        const Rows rows = distinct_terms(70000, weight);
        expect_scores(random, rows, Built(rows));
    }
}

TEST(SlotQuery, HasTheTermsThatTheCollectionHas) {
    const Built built(rows_of(9, {{{2, 1.0F}, {5, 1.0F}}, {{5, 1.0F}, {7, 1.0F}}}));
    const Rows queries = rows_of(9, {{{0, 1.0F}, {2, -0.5F}, {4, 3.0F}, {5, 2.0F}}, {}, {{7, 4.0F}}, {{8, 1.0F}}});
    SlotQuery query;
    query.assign(queries.view(), 0, built.vocabulary);
    EXPECT_EQ(query.slots, (std::vector<std::uint32_t>{built.vocabulary.slot(2), built.vocabulary.slot(5)}));
    EXPECT_EQ(query.weights, (std::vector<float>{-0.5F, 2.0F}));
    query.assign(queries.view(), 1, built.vocabulary);
    EXPECT_EQ(query.size(), 0U);
    query.assign(queries.view(), 2, built.vocabulary);
    EXPECT_EQ(query.slots, (std::vector<std::uint32_t>{built.vocabulary.slot(7)}));
    EXPECT_EQ(query.weights, std::vector<float>{4.0F});
    query.assign(queries.view(), 3, built.vocabulary);
    EXPECT_EQ(query.size(), 0U);
}

void expect_reordered(Random& random, const Rows& rows) {
    const Built built(rows);
    std::vector<std::uint32_t> order(rows.n_rows());
    std::iota(order.begin(), order.end(), 0U);
    std::shuffle(order.begin(), order.end(), random);
    Progress progress = test::silent();
    for (unsigned threads = 1; threads <= 3; ++threads) {
        const ForwardIndex reordered = built.forward.reordered(order, threads, progress);
        ASSERT_EQ(reordered.n_docs(), rows.n_rows());
        ASSERT_EQ(reordered.nnz(), rows.terms.size());
        for (const char* name : {"forward/slots16", "forward/slots32", "forward/halves", "forward/floats"}) {
            ASSERT_EQ(elements(reordered, name), elements(built.forward, name)) << name;
        }
        std::vector<Posting> postings;
        std::vector<Posting> expected;
        for (std::size_t position = 0; position < order.size(); ++position) {
            reordered.read(position, postings);
            built.forward.read(order[position], expected);
            ASSERT_TRUE(
                std::equal(postings.begin(), postings.end(), expected.begin(), expected.end(),
                           [](const Posting& a, const Posting& b) { return a.slot == b.slot && a.weight == b.weight; }))
                << "position " << position;
        }
    }
}

TEST(ForwardIndex, IsReordered) {
    Random random(4);
    for (const std::size_t n_docs : {0, 1, 2, 100, 9000}) {
        expect_reordered(random, test::random_rows(random, n_docs, 300, 8, test::dyadic_weight));
        expect_reordered(random, test::random_rows(random, n_docs, 300, 8, test::real_weight));
    }
    for (const float weight : {0.5F, 0.3F}) expect_reordered(random, distinct_terms(70000, weight));
}

}  // namespace
}  // namespace thresher
