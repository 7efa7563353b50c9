// The forward index: lossless in every width of its postings, the scores that are rescored from it, and its sections in
// files of each format version.
#include "core/documents/forward_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/storage/index_file.hpp"
#include "support/altered_file.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::buffer_of;
using test::Bytes;
using test::Random;
using test::Rows;
using test::rows_of;
using test::TemporaryDirectory;

struct Built {
    Built(Vocabulary of, ForwardIndex index) : vocabulary(std::move(of)), forward(std::move(index)) {}
    explicit Built(const Rows& rows, unsigned threads = 1) {
        Progress progress = test::silent();
        vocabulary = Vocabulary::build(rows.view(), threads, progress);
        forward = ForwardIndex::build(GivenDocuments(rows.view(), vocabulary), {}, vocabulary, Precision::full, threads,
                                      progress);
    }
    Vocabulary vocabulary;
    ForwardIndex forward;
};

// A row's postings in the order in which a document has them: the 4,096 most frequent terms first.
std::vector<Posting> stored(const Rows& rows, const Vocabulary& vocabulary, std::size_t row) {
    const auto terms = rows.view().row_terms(row);
    const auto weights = rows.view().row_weights(row);
    std::vector<Posting> postings;
    for (std::size_t i = 0; i < terms.size(); ++i) postings.push_back({vocabulary.slot(terms[i]), weights[i]});
    std::stable_partition(postings.begin(), postings.end(), [](const Posting& posting) { return posting.slot < 4096; });
    return postings;
}

void expect_reads_back(const Rows& rows, const Built& built) {
    ASSERT_EQ(built.forward.n_docs(), rows.n_rows());
    ASSERT_EQ(built.forward.nnz(), rows.terms.size());
    std::vector<Posting> postings{{1, 1.0F}};
    for (std::size_t doc = 0; doc < rows.n_rows(); ++doc) {
        built.forward.read(doc, postings);
        const auto expected = stored(rows, built.vocabulary, doc);
        ASSERT_EQ(postings.size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            ASSERT_EQ(postings[i].slot, expected[i].slot);
            ASSERT_EQ(postings[i].weight, expected[i].weight);
        }
    }
}

// A section as it is saved.
std::span<const std::byte> section_of(const ForwardIndex& forward, const std::string& name) {
    SectionList list;
    forward.save(list);
    const auto sections = list.sections();
    const auto found =
        std::find_if(sections.begin(), sections.end(), [&](const Section& section) { return section.name == name; });
    return found->bytes;
}

// Halves or not, bits of a weight, the smallest pattern: as they are saved.
std::array<std::uint32_t, 3> format_of(const ForwardIndex& forward) {
    const auto bytes = section_of(forward, "forward/format");
    std::array<std::uint32_t, 3> words{};
    EXPECT_EQ(bytes.size(), sizeof words);
    std::memcpy(words.data(), bytes.data(), std::min(bytes.size(), sizeof words));
    return words;
}

TEST(ForwardIndex, AppendsADocumentBehindOthers) {
    Random random(9);
    for (const auto& weight : {test::dyadic_weight, test::real_weight}) {
        Rows rows = test::random_rows(random, 200, 1000, 12, weight);
        test::Row longest;  // more than are read at a time
        for (std::uint32_t term = 0; term < 1000; ++term) longest.emplace_back(term, weight(random));
        rows.add(longest);
        rows.add(test::Row{});
        const Built built(rows);
        std::vector<Posting> one;
        std::vector<Posting> expected;
        std::vector<Posting> all;
        for (std::size_t doc = 0; doc < rows.n_rows(); ++doc) {
            built.forward.read(doc, one);
            expected.insert(expected.end(), one.begin(), one.end());
            built.forward.append(doc, all);
        }
        ASSERT_EQ(all.size(), rows.terms.size());
        ASSERT_TRUE(std::equal(all.begin(), all.end(), expected.begin(), expected.end(),
                               [](auto& a, auto& b) { return a.slot == b.slot && a.weight == b.weight; }));
    }
}

bool stores_halves(const std::vector<float>& weights) {
    Rows rows;
    rows.n_terms = 1;
    for (const float weight : weights) rows.add(test::Row{{0, weight}});
    const Built built(rows);
    expect_reads_back(rows, built);
    return format_of(built.forward)[0] == 1;
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
        EXPECT_EQ(format_of(Built(rows, threads).forward)[0], 1U);
    }
    rows.weights[rows.weights.size() / 3] = 0.3F;
    for (unsigned threads = 1; threads <= 4; ++threads) {
        EXPECT_EQ(format_of(Built(rows, threads).forward)[0], 0U);
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
        expect_reads_back(narrow, narrow_built);
        const Rows wide = distinct_terms(65537, weight);
        const Built wide_built(wide);
        // One document for each thousand terms. All but 4,096 slots take a byte more, and so does their number.
        EXPECT_EQ(wide_built.forward.nbytes() - narrow_built.forward.nbytes(), (65537 - 4096) + 66 + 2)
            << "weights of one value take no bits";
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
            double expected = 0;  // products of two floats are exact, and summed in the document's order
            for (const auto& [slot, weight] : stored(rows, built.vocabulary, doc)) {
                expected += static_cast<double>(weights[slot]) * static_cast<double>(weight);
            }
            ASSERT_EQ(built.forward.score(doc, table), expected) << "document " << doc;
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
        ASSERT_EQ(format_of(built.forward)[0], half ? 1U : 0U);
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

TEST(QueryTable, HoldsAQueryUntilItIsCleared) {
    Random random(5);
    for (const std::uint32_t n_slots : {0U, 1U, 100U, 65535U, 65536U, 65537U, 200000U}) {
        QueryTable table(n_slots);
        const std::size_t size = table.weights().size();
        ASSERT_GE(size, std::max(n_slots, 65536U)) << "a 16-bit slot is in bounds";
        for (const std::int64_t n_terms : {0, 1, 45, 2000}) {
            SlotQuery query;
            std::vector<float> weights(size);
            std::vector<std::uint16_t> filter(kernels::kFilter);
            for (std::int64_t i = 0; i < std::min<std::int64_t>(n_terms, n_slots); ++i) {
                const auto slot = static_cast<std::uint32_t>(i == 0 ? n_slots - 1 : test::uniform(random, 0, n_slots));
                if (slot >= n_slots || weights[slot] != 0) continue;
                weights[slot] = test::signed_real(random);
                query.slots.push_back(slot);
                query.weights.push_back(weights[slot]);
                filter[slot % 64] |= static_cast<std::uint16_t>(1U << (slot % 1024 / 64));
            }
            table.load(query);
            ASSERT_TRUE(std::equal(weights.begin(), weights.end(), table.weights().begin()));
            ASSERT_TRUE(std::equal(filter.begin(), filter.end(), table.filter()));
            table.clear(query);
            ASSERT_EQ(std::count(table.weights().begin(), table.weights().end(), 0.0F), size);
            ASSERT_EQ(std::count(table.filter(), table.filter() + kernels::kFilter, 0), kernels::kFilter);
        }
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
        const auto reordered = ForwardIndex::build(GivenDocuments(rows.view(), built.vocabulary), DocumentOrder(order),
                                                   built.vocabulary, Precision::full, threads, progress);
        ASSERT_EQ(reordered.n_docs(), rows.n_rows());
        ASSERT_EQ(reordered.nnz(), rows.terms.size());
        for (const char* name : {"forward/format", "forward/starts", "forward/bytes"}) {
            ASSERT_EQ(section_of(reordered, name).size(), section_of(built.forward, name).size()) << name;
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

TEST(ForwardIndex, IsBuiltInAnyOrder) {
    Random random(4);
    for (const std::size_t n_docs : {0, 1, 2, 100, 9000}) {
        expect_reordered(random, test::random_rows(random, n_docs, 300, 8, test::dyadic_weight));
        expect_reordered(random, test::random_rows(random, n_docs, 300, 8, test::real_weight));
    }
    for (const float weight : {0.5F, 0.3F}) expect_reordered(random, distinct_terms(70000, weight));
}

ForwardIndex built_with(const Rows& rows, const Vocabulary& vocabulary, Precision precision, unsigned threads = 1) {
    Progress progress = test::silent();
    return ForwardIndex::build(GivenDocuments(rows.view(), vocabulary), {}, vocabulary, precision, threads, progress);
}

TEST(ForwardIndex, KeepsCodesOfWeightsThatAreOffByNoMoreThanItSays) {
    Random random(21);
    const Rows rows = test::random_rows(random, 5000, 300, 9, test::real_weight);
    const Built built(rows);
    const auto forward = built_with(rows, built.vocabulary, Precision::codes, 3);
    EXPECT_EQ(forward.precision(), Precision::codes);
    EXPECT_EQ(forward.fine_nbytes(), 0U);
    EXPECT_LT(forward.nbytes(), built.forward.nbytes());
    double largest = 0;
    std::vector<Posting> coded;
    std::vector<Posting> given;
    for (std::size_t doc = 0; doc < rows.n_rows(); ++doc) {
        forward.read(doc, coded);
        built.forward.read(doc, given);
        ASSERT_EQ(coded.size(), given.size());
        for (std::size_t i = 0; i < given.size(); ++i) {
            ASSERT_EQ(coded[i].slot, given[i].slot);
            const double error = static_cast<double>(coded[i].weight) - static_cast<double>(given[i].weight);
            largest = std::max(largest, std::fabs(error));
        }
    }
    EXPECT_GT(largest, 0);
    EXPECT_LE(largest, static_cast<double>(forward.max_error()));
    EXPECT_GE(largest * (1 + 1e-6), static_cast<double>(forward.max_error()));
    EXPECT_EQ(built.forward.max_error(), 0);
}

TEST(ForwardIndex, KeepsBothGrains) {
    Random random(22);
    for (const auto& weight : {test::dyadic_weight, test::real_weight}) {
        for (const Rows& rows : {test::random_rows(random, 3000, 300, 9, weight), distinct_terms(70000, 0.3F)}) {
            const Built built(rows);
            const auto forward = built_with(rows, built.vocabulary, Precision::both, 2);
            ASSERT_NO_FATAL_FAILURE(expect_reads_back(rows, {built.vocabulary, forward}));
            EXPECT_EQ(forward.precision(), Precision::both);
            EXPECT_EQ(forward.max_error(), 0);
            QueryTable table(built.vocabulary.n_slots());
            for (std::size_t trial = 0; trial < 20; ++trial) {
                SlotQuery query;
                for (std::uint32_t slot = 0; slot < std::min(built.vocabulary.n_slots(), 4000U); ++slot) {
                    if (test::uniform(random, 0, 9) != 0) continue;
                    query.slots.push_back(slot);
                    query.weights.push_back(static_cast<float>(test::unit(random) - 0.4));
                }
                table.load(query);
                for (std::size_t doc = 0; doc < std::min<std::size_t>(forward.n_docs(), 500); ++doc) {
                    const double score = built.forward.score(doc, table);
                    ASSERT_EQ(forward.score(doc, table), score);
                    double error = 0;
                    const double coarse = forward.coarse_score(doc, table, error);
                    ASSERT_LE(std::fabs(coarse - score), error * (1 + 1e-9)) << doc;
                }
                table.clear(query);
            }
        }
    }
}

TEST(ForwardIndex, OfEitherPrecisionIsSavedAndLoaded) {
    Random random(23);
    const Rows rows = test::random_rows(random, 500, 300, 9, test::real_weight);
    const Built built(rows);
    const TemporaryDirectory directory;
    for (const Precision precision : {Precision::full, Precision::codes, Precision::both}) {
        const auto forward = built_with(rows, built.vocabulary, precision);
        SectionList sections;
        forward.save(sections);
        write_index_file(directory.path("f"), "any", {}, sections, nullptr);
        const auto file = IndexFile::open(directory.path("f"), true, nullptr);
        const auto loaded = ForwardIndex::load(file, forward.n_docs(), forward.nnz(), built.vocabulary.n_slots());
        EXPECT_EQ(loaded.precision(), precision);
        EXPECT_EQ(loaded.max_error(), forward.max_error());
        EXPECT_EQ(loaded.nbytes(), forward.nbytes());
        EXPECT_EQ(loaded.fine_nbytes(), forward.fine_nbytes());
        std::vector<Posting> before;
        std::vector<Posting> after;
        for (std::size_t doc = 0; doc < forward.n_docs(); ++doc) {
            forward.read(doc, before);
            loaded.read(doc, after);
            ASSERT_TRUE(std::equal(before.begin(), before.end(), after.begin(), after.end(),
                                   [](auto& a, auto& b) { return a.slot == b.slot && a.weight == b.weight; }));
        }
    }
}

// The forward index's sections of each format version, written out from the rows by docs/format.md.
struct Layout {
    Layout(const Rows& rows, const Vocabulary& vocabulary)
        : n_docs(rows.n_rows()), n_slots(vocabulary.n_slots()), offsets(rows.indptr.begin(), rows.indptr.end()) {
        const bool half = std::all_of(rows.weights.begin(), rows.weights.end(), [](float weight) {
            return weight * 16 == std::floor(weight * 16) && weight <= 16;  // dyadic_weight's
        });
        for (std::size_t doc = 0; doc < n_docs; ++doc) {
            const auto terms = rows.view().row_terms(doc);
            const auto weights = rows.view().row_weights(doc);
            for (const std::uint32_t term : terms) {
                const std::uint32_t slot = vocabulary.slot(term);
                if (n_slots <= 65536) {
                    slots16.push_back(static_cast<std::uint16_t>(slot));
                    append(&slots16.back(), 2);
                } else {
                    slots32.push_back(slot);
                    append(&slots32.back(), 4);
                }
            }
            for (const float weight : weights) {
                if (half) {
                    halves.push_back(
                        static_cast<std::uint16_t>((std::bit_cast<std::uint32_t>(weight) >> 13) - 0x1C000));
                    append(&halves.back(), 2);
                } else {
                    floats.push_back(weight);
                    append(&floats.back(), 4);
                }
            }
        }
    }
    std::size_t nnz() const { return slots16.size() + slots32.size(); }
    std::size_t posting_bytes() const { return (slots16.empty() ? 4U : 2U) + (halves.empty() ? 4U : 2U); }

    std::size_t n_docs;
    std::uint32_t n_slots;
    std::vector<std::uint64_t> offsets;
    std::vector<std::uint8_t> postings;  // version 2: each document's slots, then its weights
    std::vector<std::uint16_t> slots16;  // version 1, of all documents
    std::vector<std::uint32_t> slots32;
    std::vector<std::uint16_t> halves;
    std::vector<float> floats;

  private:
    void append(const void* value, std::size_t size) {
        const auto* bytes = static_cast<const std::uint8_t*>(value);
        postings.insert(postings.end(), bytes, bytes + size);
    }
};

// Loads the sections from a file that says to be of version `version`, for a collection of `nnz` postings.
ForwardIndex load_as(const SectionList& sections, std::uint32_t version, const Layout& layout, std::size_t nnz) {
    const TemporaryDirectory directory;
    write_index_file(directory.path("f"), "none", Parameters{}, sections, nullptr);
    Bytes file = test::read_bytes(directory.path("f"));
    test::put(file, test::kFormatVersionAt, version);
    test::reseal(file);
    test::write_bytes(directory.path("f"), file);
    const IndexFile opened = IndexFile::open(directory.path("f"), true, nullptr);
    return ForwardIndex::load(opened, layout.n_docs, nnz, layout.n_slots);
}

ForwardIndex load_version_1(const Layout& layout, std::size_t nnz) {
    const auto offsets = buffer_of(layout.offsets);
    const auto slots16 = buffer_of(layout.slots16);
    const auto slots32 = buffer_of(layout.slots32);
    const auto halves = buffer_of(layout.halves);
    const auto floats = buffer_of(layout.floats);
    SectionList sections;
    sections.add("forward/offsets", offsets);
    sections.add("forward/slots16", slots16);
    sections.add("forward/slots32", slots32);
    sections.add("forward/halves", halves);
    sections.add("forward/floats", floats);
    return load_as(sections, 1, layout, nnz);
}

ForwardIndex load_version_2(const Layout& layout, std::size_t nnz) {
    const auto offsets = buffer_of(layout.offsets);
    const auto postings = buffer_of(layout.postings);
    SectionList sections;
    sections.add("forward/offsets", offsets);
    sections.add("forward/postings", postings);
    return load_as(sections, 2, layout, nnz);
}

// Collections of every width of slots and weights, some with documents without terms.
std::vector<Rows> collections_of_every_width() {
    Random random(6);
    std::vector<Rows> all;
    for (const std::size_t n_docs : {0, 1, 300}) {
        all.push_back(test::random_rows(random, n_docs, 300, 8, test::dyadic_weight));
        all.push_back(test::random_rows(random, n_docs, 300, 8, test::real_weight));
    }
    for (const std::uint32_t n_terms : {65536U, 65537U}) {
        for (const float weight : {0.5F, 0.3F}) all.push_back(distinct_terms(n_terms, weight));
    }
    return all;
}

void expect_same_sections(const ForwardIndex& a, const ForwardIndex& b) {
    for (const char* name : {"forward/format", "forward/starts", "forward/bytes"}) {
        const auto one = section_of(a, name);
        const auto other = section_of(b, name);
        ASSERT_TRUE(std::equal(one.begin(), one.end(), other.begin(), other.end())) << name;
    }
    EXPECT_EQ(a.nbytes(), b.nbytes());
}

// Version 3 is as the newest, but that slots of three bytes had four.
ForwardIndex load_version_3(const ForwardIndex& built, const Layout& layout) {
    SectionList sections;
    built.save(sections);
    if (layout.n_slots <= 65536) return load_as(sections, 3, layout, layout.nnz());
    const auto words = section_of(built, "forward/format");
    const auto starts = section_of(built, "forward/starts");
    const auto bytes = section_of(built, "forward/bytes");
    const auto start = [&](std::size_t doc) {
        std::uint32_t value;
        std::memcpy(&value, starts.data() + 4 * doc, 4);
        return value;
    };
    std::vector<std::uint32_t> format(3);
    std::memcpy(format.data(), words.data(), 12);
    std::vector<std::uint32_t> old_starts{0};
    std::vector<std::uint8_t> old_bytes;
    for (std::size_t doc = 0; doc < layout.n_docs; ++doc) {
        const std::vector<std::uint8_t> document(reinterpret_cast<const std::uint8_t*>(bytes.data()) + start(doc),
                                                 reinterpret_cast<const std::uint8_t*>(bytes.data()) + start(doc + 1));
        const std::size_t n_common = document[0] + 256U * document[1];
        const std::size_t n_rare = document[2] + 256U * document[3];
        const std::size_t highs = n_common / 32 * 16 + std::min<std::size_t>(n_common % 32, 16);
        const auto copy = [&](std::size_t from, std::size_t n, std::size_t zeros) {
            old_bytes.insert(old_bytes.end(), document.begin() + static_cast<std::ptrdiff_t>(from),
                             document.begin() + static_cast<std::ptrdiff_t>(from + n));
            old_bytes.insert(old_bytes.end(), zeros, 0);
        };
        copy(0, 2, 0);
        copy(2, 3, 1);
        copy(5, n_common + highs, 0);
        const std::size_t rare = 5 + n_common + highs;
        for (std::size_t i = 0; i < n_rare; ++i) copy(rare + 3 * i, 3, 1);
        copy(rare + 3 * n_rare, document.size() - rare - 3 * n_rare, 0);
        old_starts.push_back(static_cast<std::uint32_t>(old_bytes.size()));
    }
    old_bytes.insert(old_bytes.end(), 64, 0);
    const auto old_format = buffer_of(format);
    const auto starts_before = buffer_of(old_starts);
    const auto bytes_before = buffer_of(old_bytes);
    SectionList old;
    old.add("forward/format", old_format);
    old.add("forward/starts", starts_before);
    old.add("forward/bytes", bytes_before);
    return load_as(old, 3, layout, layout.nnz());
}

TEST(ForwardIndex, IsSavedAndLoadedInEveryVersion) {
    Random random(7);
    for (const Rows& rows : collections_of_every_width()) {
        const Built built(rows);
        const Layout layout(rows, built.vocabulary);
        for (const auto& loaded : {load_version_1(layout, layout.nnz()), load_version_2(layout, layout.nnz()),
                                   load_version_3(built.forward, layout)}) {
            Built other = built;
            other.forward = loaded;
            ASSERT_NO_FATAL_FAILURE(expect_same_sections(loaded, built.forward));
            ASSERT_NO_FATAL_FAILURE(expect_reads_back(rows, other));
            ASSERT_NO_FATAL_FAILURE(expect_scores(random, rows, other));
        }
    }
}

// Three documents byte by byte, as docs/format.md says.
TEST(ForwardIndex, IsStoredAsTheFormatSays) {
    const Built built(rows_of(9, {{{2, 1.0F}, {5, 0.5F}}, {{5, 2.0F}}, {{5, 1.5F}, {7, 1.0F}}}));
    const auto slot = [&](std::uint32_t term) { return static_cast<std::uint8_t>(built.vocabulary.slot(term)); };
    // From 0.5, 0x3800, to 2.0, 0x4000: 0x800 takes 12 bits.
    EXPECT_EQ(format_of(built.forward), (std::array<std::uint32_t, 3>{1, 12, 0x3800}));
    const std::vector<std::uint8_t> first{2, 0, 0, 0, slot(2), slot(5), 0, 0, 0x00, 0x04, 0x00};
    const std::vector<std::uint8_t> second{1, 0, 0, 0, slot(5), 0, 0x00, 0x08};
    const std::vector<std::uint8_t> third{2, 0, 0, 0, slot(5), slot(7), 0, 0, 0x00, 0x06 | 0x00, 0x40};
    std::vector<std::uint8_t> all = first;
    all.insert(all.end(), second.begin(), second.end());
    all.insert(all.end(), third.begin(), third.end());
    all.resize(all.size() + 64);
    const auto bytes = section_of(built.forward, "forward/bytes");
    const std::vector<std::uint8_t> got(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                        reinterpret_cast<const std::uint8_t*>(bytes.data()) + bytes.size());
    EXPECT_EQ(got, all);
}

TEST(ForwardIndex, RefusesAFormatThatNoneHas) {
    const Rows rows = rows_of(9, {{{2, 1.0F}, {5, 0.5F}}});
    const Built built(rows);
    const Layout layout(rows, built.vocabulary);
    const auto offsets = buffer_of(std::vector<std::uint32_t>{0, 0});
    const auto bytes = buffer_of(std::vector<std::uint8_t>(64));
    for (const auto& words :
         std::vector<std::vector<std::uint32_t>>{{2, 3, 0}, {0, 32, 0}, {1, UINT32_MAX, 0}, {1, 1}}) {
        const auto format = buffer_of(words);
        SectionList sections;
        sections.add("forward/format", format);
        sections.add("forward/starts", offsets);
        sections.add("forward/bytes", bytes);
        EXPECT_THROW(load_as(sections, 3, layout, 2), FormatError);
    }
}

// An older file that no collection can have given, opened without a look at its checksums.
TEST(ForwardIndex, RefusesPostingsOfOlderVersionsThatNoDocumentCanHave) {
    const Rows rows = rows_of(9, {{{2, 1.0F}, {5, 0.3F}}, {{5, 2.0F}}, {{5, 1.5F}, {7, 1.0F}}});
    const Layout layout(rows, Built(rows).vocabulary);
    const auto refuses = [&](const std::function<void(Layout&)>& alter) {
        Layout wrong = layout;
        alter(wrong);
        EXPECT_THROW(load_version_1(wrong, layout.nnz()), FormatError);
    };
    for (const float weight :
         {0.0F, -1.0F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        refuses([&](Layout& wrong) { wrong.floats[1] = weight; });
    }
    refuses([&](Layout& wrong) { wrong.slots16[3] = 3; });
    refuses([&](Layout& wrong) { wrong.offsets[0] = 1; });
    refuses([&](Layout& wrong) { std::swap(wrong.offsets[1], wrong.offsets[2]); });
    refuses([&](Layout& wrong) { wrong.offsets[3] = 6; });
}

TEST(ForwardIndex, RefusesPostingsOfAnotherSize) {
    for (const Rows& rows : collections_of_every_width()) {
        const Layout layout(rows, Built(rows).vocabulary);
        const std::size_t slot_bytes = layout.n_slots <= 65536 ? 2 : 4;
        for (const std::size_t size : {
                 layout.postings.size() + 1,
                 layout.postings.size() - 1,
                 layout.postings.size() + 2,
                 layout.postings.size() - 2,
                 layout.postings.size() + layout.posting_bytes(),
                 layout.postings.size() - layout.posting_bytes(),
                 layout.postings.size() / 2,
                 std::size_t{0},
                 2 * layout.nnz(),
                 3 * layout.nnz(),
                 5 * layout.nnz(),
                 7 * layout.nnz(),
                 12 * layout.nnz(),
                 (6 - slot_bytes) * layout.nnz(),  // slots of the other width alone
                 (10 - slot_bytes) * layout.nnz(),
             }) {
            const bool fits = size == (slot_bytes + 2) * layout.nnz() || size == (slot_bytes + 4) * layout.nnz();
            if (fits || size > 2 * layout.postings.size() + 100) continue;
            Layout wrong = layout;
            wrong.postings.resize(size);
            EXPECT_THROW(load_version_2(wrong, layout.nnz()), FormatError) << size << " bytes, " << layout.nnz();
        }
        for (const std::size_t size : {layout.n_docs, layout.n_docs + 2}) {
            Layout wrong = layout;
            wrong.offsets.resize(size);
            EXPECT_THROW(load_version_2(wrong, layout.nnz()), FormatError) << size << " offsets";
        }
        for (const std::size_t nnz : {layout.nnz() - 1, layout.nnz() + 1, 2 * layout.nnz() + 1, SIZE_MAX}) {
            EXPECT_THROW(load_version_2(layout, nnz), FormatError) << nnz << " postings";
        }
    }
}

TEST(ForwardIndex, RefusesSectionsOfVersion1ThatDisagree) {
    for (const Rows& rows : collections_of_every_width()) {
        const Layout layout(rows, Built(rows).vocabulary);
        if (layout.nnz() == 0) continue;
        const auto refuses = [&](const std::function<void(Layout&)>& alter) {
            Layout wrong = layout;
            alter(wrong);
            try {
                load_version_1(wrong, layout.nnz());
            } catch (const FormatError&) {
                return true;
            }
            return false;
        };
        ASSERT_FALSE(refuses([](Layout&) {}));
        const bool narrow = !layout.slots16.empty();
        const bool half = !layout.halves.empty();
        const std::size_t n = layout.nnz();
        const auto resized = [&](auto Layout::* section, std::size_t size) {
            return refuses([&](Layout& wrong) { (wrong.*section).resize(size); });
        };
        for (const std::size_t size : {std::size_t{0}, n - 1, n + 1, 2 * n}) {
            EXPECT_TRUE(narrow ? resized(&Layout::slots16, size) : resized(&Layout::slots32, size)) << size;
            EXPECT_TRUE(half ? resized(&Layout::halves, size) : resized(&Layout::floats, size)) << size;
        }
        for (const std::size_t size : {std::size_t{1}, n}) {  // both
            EXPECT_TRUE(narrow ? resized(&Layout::slots32, size) : resized(&Layout::slots16, size)) << size;
            EXPECT_TRUE(half ? resized(&Layout::floats, size) : resized(&Layout::halves, size)) << size;
        }
        EXPECT_TRUE(refuses([&](Layout& wrong) {
            wrong.slots16.resize(narrow ? 0 : n);
            wrong.slots32.resize(narrow ? n : 0);
        })) << "slots of the other width";
        EXPECT_TRUE(refuses([&](Layout& wrong) {
            wrong.slots16.resize(narrow ? n - 1 : 1);
            wrong.slots32.resize(narrow ? 1 : n - 1);
        })) << "slots of both widths";
        EXPECT_TRUE(refuses([&](Layout& wrong) {
            wrong.halves.resize(n - 1);
            wrong.floats.resize(1);
        })) << "weights of both widths";
        EXPECT_TRUE(resized(&Layout::offsets, layout.n_docs));
        EXPECT_TRUE(resized(&Layout::offsets, layout.n_docs + 2));
    }
}

TEST(ForwardIndex, RefusesTheSectionsOfAnotherVersion) {
    const Rows rows = distinct_terms(1000, 0.5F);
    const Built built(rows);
    const Layout layout(rows, built.vocabulary);
    SectionList sections;
    built.forward.save(sections);
    EXPECT_NO_THROW(load_as(sections, 3, layout, layout.nnz()));
    EXPECT_THROW(load_as(sections, 2, layout, layout.nnz()), FormatError);
    EXPECT_THROW(load_as(sections, 1, layout, layout.nnz()), FormatError);
}

// The sections of a forward index, to be altered.
struct Stored {
    explicit Stored(const ForwardIndex& forward) {
        const auto copy = [&](const char* name, auto& values) {
            const auto section = section_of(forward, name);
            values.resize(section.size() / sizeof values[0]);
            std::memcpy(values.data(), section.data(), section.size());
        };
        copy("forward/format", format);
        copy("forward/starts", offsets);
        copy("forward/bytes", bytes);
    }
    ForwardIndex load(const Layout& layout) const {
        const auto words = buffer_of(format);
        const auto begins = buffer_of(offsets);
        const auto documents = buffer_of(bytes);
        SectionList sections;
        sections.add("forward/format", words);
        sections.add("forward/starts", begins);
        sections.add("forward/bytes", documents);
        return load_as(sections, 4, layout, layout.nnz());
    }
    std::vector<std::uint32_t> format;
    std::vector<std::uint32_t> offsets;
    std::vector<std::uint8_t> bytes;
};

TEST(ForwardIndex, StaysInBoundsWhateverTheFileSays) {
    Random random(8);
    for (const std::uint32_t n_terms : {65536U, 65537U}) {
        const Rows rows = distinct_terms(n_terms, 0.3F);
        const Built built(rows);
        const Layout layout(rows, built.vocabulary);
        const Stored stored(built.forward);
        SlotQuery query;
        for (std::uint32_t slot = 0; slot < n_terms; ++slot) {
            query.slots.push_back(slot);
            query.weights.push_back(1.0F);
        }
        QueryTable table(built.vocabulary.n_slots());
        table.load(query);
        const std::uint32_t end = stored.offsets.back();
        for (int round = 0; round < 40; ++round) {
            Stored wrong = stored;
            for (std::size_t i = 0; i + 1 < wrong.offsets.size(); ++i) {
                const std::uint32_t offsets[] = {0, 1, end - 1, end, end + 1, 2 * end, 1U << 31, UINT32_MAX};
                const auto choice = test::uniform(random, 0, 16);
                if (choice < 8) wrong.offsets[i] = offsets[choice];
                if (choice == 8) wrong.offsets[i] = static_cast<std::uint32_t>(random() % end);
            }
            for (int byte = 0; byte < round * 10; ++byte) {
                wrong.bytes[random() % end] = static_cast<std::uint8_t>(random());
            }
            wrong.format[1] = static_cast<std::uint32_t>(test::uniform(random, 0, 31));
            wrong.format[2] = static_cast<std::uint32_t>(random());
            const ForwardIndex forward = wrong.load(layout);
            std::vector<Posting> postings;
            for (std::size_t doc = 0; doc < layout.n_docs; ++doc) {
                forward.prefetch_range(doc);
                forward.prefetch(doc);
                forward.read(doc, postings);
                forward.score(doc, table);
                for (const Posting& posting : postings) ASSERT_LT(posting.slot, n_terms);
            }
        }
        Stored shorter = stored;
        shorter.bytes.pop_back();
        EXPECT_THROW(shorter.load(layout), FormatError);
        shorter.bytes.resize(63);
        EXPECT_THROW(shorter.load(layout), FormatError);
        Stored longer = stored;
        longer.bytes.push_back(0);
        EXPECT_THROW(longer.load(layout), FormatError);
        Stored fewer = stored;
        fewer.offsets.pop_back();
        EXPECT_THROW(fewer.load(layout), FormatError);
    }
}

TEST(ForwardIndex, LeavesOutSlotsThatNoTermHas) {
    const Rows rows = distinct_terms(65537, 0.5F);
    const Built built(rows);
    const Layout layout(rows, built.vocabulary);
    Stored stored(built.forward);
    // Of the last document, whose 537 slots are all rare, every other one.
    const std::size_t first = stored.offsets[65] + 2 + 3;
    const std::uint32_t wrong[] = {65537, 65537 + 1024, 70000, 1U << 23, (1U << 24) - 1};
    for (std::size_t i = 0; i < 268; ++i) std::memcpy(stored.bytes.data() + first + 6 * i, &wrong[i % 5], 3);
    SlotQuery query;
    for (std::uint32_t slot = 0; slot < 65537; ++slot) {
        query.slots.push_back(slot);
        query.weights.push_back(2.0F);
    }
    QueryTable table(built.vocabulary.n_slots());
    table.load(query);
    const ForwardIndex forward = stored.load(layout);
    std::vector<Posting> postings;
    forward.read(65, postings);
    EXPECT_EQ(postings.size(), 537U - 268);
    EXPECT_EQ(forward.score(65, table), 537 - 268);
    forward.read(1, postings);
    EXPECT_EQ(postings.size(), 1000U);
}

}  // namespace
}  // namespace thresher
