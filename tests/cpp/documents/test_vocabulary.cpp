// Vocabularies: counts, order and lookup, in both forms of the lookup table and of the counting.
#include "core/documents/vocabulary.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/documents/collection_statistics.hpp"
#include "core/documents/slot_query.hpp"
#include "support/altered_file.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Rows;

constexpr std::uint64_t kMaxTerms = (std::uint64_t{1} << 32) - 1;

Vocabulary build(const Rows& rows, unsigned threads = 1) {
    Progress progress = test::silent();
    return Vocabulary::build(rows.view(), threads, progress);
}

using Counts = std::vector<std::pair<std::uint32_t, std::uint32_t>>;  // slot -> (term, document frequency)

Counts counts_of(const Vocabulary& vocabulary) {
    Counts counts;
    for (std::uint32_t slot = 0; slot < vocabulary.n_slots(); ++slot) {
        counts.emplace_back(vocabulary.term(slot), vocabulary.document_frequency(slot));
    }
    return counts;
}

Counts expected_counts(const Rows& rows) {
    std::map<std::uint32_t, std::uint32_t> frequencies;
    for (const std::uint32_t term : rows.terms) ++frequencies[term];
    Counts counts(frequencies.begin(), frequencies.end());
    std::stable_sort(counts.begin(), counts.end(), [](auto a, auto b) { return a.second > b.second; });
    return counts;
}

void expect_finds_exactly(const Vocabulary& vocabulary, const Counts& counts, const std::vector<std::uint32_t>& asked) {
    std::map<std::uint32_t, std::uint32_t> slots;
    for (std::uint32_t slot = 0; slot < counts.size(); ++slot) slots[counts[slot].first] = slot;
    for (const auto& [term, slot] : slots) ASSERT_EQ(vocabulary.slot(term), slot) << "term " << term;
    for (const std::uint32_t term : asked) {
        const auto found = slots.find(term);
        ASSERT_EQ(vocabulary.slot(term), found == slots.end() ? kNoSlot : found->second) << "term " << term;
    }
}

TEST(Vocabulary, NumbersTermsByFallingFrequencyThenTerm) {
    const Rows rows = test::rows_of(10, {{{2, 1.0F}, {7, 1.0F}}, {{1, 1.0F}, {7, 1.0F}}, {}, {{2, 1.0F}, {9, 1.0F}}});
    const Vocabulary vocabulary = build(rows);
    EXPECT_EQ(vocabulary.n_terms(), 10U);
    EXPECT_EQ(counts_of(vocabulary), (Counts{{2, 2}, {7, 2}, {1, 1}, {9, 1}}));
}

TEST(Vocabulary, OfNothing) {
    for (const std::uint64_t n_terms : {std::uint64_t{0}, std::uint64_t{1}, kMaxTerms}) {
        const Vocabulary vocabulary = build(test::rows_of(n_terms, {{}, {}}));
        EXPECT_EQ(vocabulary.n_slots(), 0U);
        EXPECT_EQ(vocabulary.n_terms(), n_terms);
        for (const std::uint32_t term : {0U, 1U, 65535U, 65536U, 4294967295U})
            EXPECT_EQ(vocabulary.slot(term), kNoSlot);
    }
}

TEST(Vocabulary, FindsEveryTermInADirectTable) {
    Random random(1);
    const Rows rows = test::random_rows(random, 500, 3000, 10, test::real_weight);
    const Vocabulary vocabulary = build(rows);
    ASSERT_EQ(counts_of(vocabulary), expected_counts(rows));
    std::vector<std::uint32_t> asked{3000, 3001, 65536, 4294967294U, 4294967295U};
    for (std::uint32_t term = 0; term < 3000; ++term) asked.push_back(term);
    expect_finds_exactly(vocabulary, expected_counts(rows), asked);
}

TEST(Vocabulary, FindsEveryTermInAHashTable) {
    Random random(2);
    Rows rows = test::random_rows(random, 500, kMaxTerms, 10, test::real_weight);
    rows.add(test::Row{{0, 1.0F}, {4294967294U, 1.0F}});
    std::map<std::uint32_t, float> equal_low_bits;  // would collide in a table by low bits
    for (std::uint32_t i = 1; i < 4000; ++i) equal_low_bits[i << 20] = 1.0F;
    rows.add(equal_low_bits);
    const Vocabulary vocabulary = build(rows);
    ASSERT_EQ(counts_of(vocabulary), expected_counts(rows));
    std::vector<std::uint32_t> asked{1, 2, 4294967295U};
    for (const std::uint32_t term : rows.terms) {
        asked.push_back(term ^ 1U);
        asked.push_back(term ^ (1U << 31));
    }
    expect_finds_exactly(vocabulary, expected_counts(rows), asked);
    EXPECT_LT(vocabulary.nbytes(), 80U * vocabulary.n_slots()) << "memory follows the terms that are used";
}

TEST(Vocabulary, CountsTheSameByTablesAndBySorting) {
    Random random(3);
    Rows rows = test::random_rows(random, 30000, 2000, 6, test::real_weight);
    const Counts in_tables = counts_of(build(rows));
    rows.n_terms = kMaxTerms;
    const Counts by_sorting = counts_of(build(rows));
    EXPECT_EQ(in_tables, expected_counts(rows));
    EXPECT_EQ(by_sorting, in_tables);
}

TEST(Vocabulary, DoesNotDependOnTheNumberOfThreads) {
    Random random(4);
    Rows rows = test::random_rows(random, 40000, 1000, 5, test::real_weight);
    for (const std::uint64_t n_terms : {std::uint64_t{1000}, kMaxTerms}) {
        rows.n_terms = n_terms;
        const Counts one = counts_of(build(rows, 1));
        for (unsigned threads = 2; threads <= 4; ++threads) EXPECT_EQ(counts_of(build(rows, threads)), one);
    }
}

TEST(Vocabulary, TellsHowManyTermsAreFrequent) {
    Rows rows;  // terms 0, 1, ... of 1, 2, ... of 10 documents
    rows.n_terms = 10;
    for (std::uint32_t doc = 0; doc < 10; ++doc) {
        test::Row row;
        for (std::uint32_t term = 9 - doc; term < 10; ++term) row.emplace_back(term, 1.0F);
        rows.add(row);
    }
    const Vocabulary vocabulary = build(rows);
    EXPECT_EQ(vocabulary.n_frequent(1.0, 10), 1U);
    EXPECT_EQ(vocabulary.n_frequent(0.95, 10), 1U);
    EXPECT_EQ(vocabulary.n_frequent(0.9, 10), 2U) << "at least this share";
    EXPECT_EQ(vocabulary.n_frequent(0.5, 10), 6U);
    EXPECT_EQ(vocabulary.n_frequent(0.125, 10), 9U);
    EXPECT_EQ(vocabulary.n_frequent(0.1, 10), 10U);
    EXPECT_EQ(vocabulary.n_frequent(1e-300, 10), 10U) << "all terms are in a document";
    EXPECT_EQ(vocabulary.n_frequent(1.0, 11), 0U);
    EXPECT_EQ(build(test::rows_of(5, {})).n_frequent(1.0, 0), 0U);
    EXPECT_EQ(build(test::rows_of(5, {{}, {}})).n_frequent(1e-9, 2), 0U);
}

TEST(Vocabulary, SurvivesAFile) {
    Random random(5);
    const test::TemporaryDirectory directory;
    for (const std::uint64_t n_terms : {std::uint64_t{3000}, kMaxTerms}) {
        const Rows rows = test::random_rows(random, 300, n_terms, 8, test::real_weight);
        const Vocabulary saved = build(rows);
        SectionList sections;
        saved.save(sections);
        write_index_file(directory.path("v"), "test", Parameters{}, sections, nullptr);
        const IndexFile file = IndexFile::open(directory.path("v"), true, nullptr);
        const Vocabulary loaded = Vocabulary::load(file, n_terms);
        EXPECT_EQ(loaded.n_terms(), n_terms);
        EXPECT_EQ(counts_of(loaded), counts_of(saved));
        expect_finds_exactly(loaded, counts_of(saved), {1, 2999, 4294967295U});
        EXPECT_THROW(Vocabulary::load(file, saved.n_slots() - 1), FormatError);
        EXPECT_THROW(Vocabulary::load(file, n_terms == kMaxTerms ? 3000 : kMaxTerms), FormatError);
    }
}

// (term, negative) -> document frequency.
std::map<std::pair<std::uint32_t, bool>, std::uint32_t> halves_of(const Rows& rows) {
    std::map<std::pair<std::uint32_t, bool>, std::uint32_t> halves;
    for (std::size_t p = 0; p < rows.terms.size(); ++p) ++halves[{rows.terms[p], rows.weights[p] < 0}];
    return halves;
}

void expect_halves(const Vocabulary& vocabulary, const Rows& rows) {
    const auto halves = halves_of(rows);
    ASSERT_TRUE(vocabulary.is_signed());
    ASSERT_EQ(vocabulary.n_slots(), halves.size());
    ASSERT_EQ(vocabulary.n_postings(), rows.terms.size());
    for (const auto& [half, frequency] : halves) {
        const auto& [term, negative] = half;
        const auto [slot, magnitude] = vocabulary.posting(term, negative ? -2.5F : 2.5F);
        ASSERT_LT(slot, vocabulary.n_slots()) << "term " << term;
        ASSERT_EQ(magnitude, 2.5F);
        ASSERT_EQ(vocabulary.term(slot), term);
        ASSERT_EQ(vocabulary.is_negative(slot), negative);
        ASSERT_EQ(vocabulary.document_frequency(slot), frequency);
        ASSERT_EQ(vocabulary.weight({slot, magnitude}), negative ? -2.5F : 2.5F);
        const bool has_other = halves.contains({term, !negative});
        const std::uint32_t other = vocabulary.posting(term, negative ? 1.0F : -1.0F).slot;
        ASSERT_EQ(other == kNoSlot, !has_other);
        ASSERT_EQ(vocabulary.opposite(slot), other);
        ASSERT_EQ(vocabulary.slot(term), has_other && negative ? other : slot) << "the positive half is found";
    }
    for (std::uint32_t slot = 1; slot < vocabulary.n_slots(); ++slot) {
        const auto rank = [&](std::uint32_t of) {
            return std::tuple(-static_cast<std::int64_t>(vocabulary.document_frequency(of)), vocabulary.term(of),
                              vocabulary.is_negative(of));
        };
        ASSERT_LT(rank(slot - 1), rank(slot));
    }
}

TEST(Vocabulary, HalvesTermsOfNegativeWeights) {
    Random random(6);
    for (const std::uint64_t n_terms : {std::uint64_t{50}, std::uint64_t{3000}, kMaxTerms}) {
        Rows rows = test::random_rows(random, 500, n_terms, 10, test::signed_real);
        rows.add(test::Row{{0, -1.0F}, {static_cast<std::uint32_t>(n_terms - 1), -3.0F}});
        for (unsigned threads = 1; threads <= 3; ++threads) expect_halves(build(rows, threads), rows);
        const test::TemporaryDirectory directory;
        const Vocabulary saved = build(rows);
        SectionList sections;
        saved.save(sections);
        write_index_file(directory.path("v"), "test", Parameters{}, sections, nullptr);
        const IndexFile file = IndexFile::open(directory.path("v"), true, nullptr);
        expect_halves(Vocabulary::load(file, n_terms), rows);
    }
    const Rows negative = test::rows_of(9, {{{3, -1.0F}}, {{3, -2.0F}, {8, -1.0F}}});
    expect_halves(build(negative), negative);
}

TEST(Vocabulary, StoresNothingAboutSignsWhereThereAreNone) {
    const Rows rows = test::rows_of(9, {{{3, 1.0F}}, {{3, 2.0F}, {8, 1.0F}}});
    const Vocabulary vocabulary = build(rows);
    EXPECT_FALSE(vocabulary.is_signed());
    EXPECT_FALSE(vocabulary.is_negative(0));
    EXPECT_EQ(vocabulary.opposite(0), kNoSlot);
    EXPECT_EQ(vocabulary.posting(3, -1.0F).weight, -1.0F) << "to be found out by who takes magnitudes alone";
    SectionList sections;
    vocabulary.save(sections);
    for (const Section& section : sections.sections()) {
        EXPECT_EQ(section.name.find("negative"), std::string::npos);
        EXPECT_EQ(section.name.find("opposites"), std::string::npos);
    }
}

TEST(SlotQuery, TurnsRoundWhatGoesToNegativeHalves) {
    const Rows docs = test::rows_of(9, {{{1, 1.0F}, {2, -1.0F}}, {{1, -1.0F}, {3, 1.0F}}, {{1, -2.0F}}});
    const Vocabulary vocabulary = build(docs);
    const auto weights_of = [&](const SlotQuery& query) {
        std::map<std::pair<std::uint32_t, bool>, float> weights;
        for (std::size_t i = 0; i < query.size(); ++i) {
            const std::uint32_t slot = query.slots[i];
            weights[{vocabulary.term(slot), vocabulary.is_negative(slot)}] = query.weights[i];
        }
        EXPECT_EQ(weights.size(), query.size());
        return weights;
    };
    using Weights = std::map<std::pair<std::uint32_t, bool>, float>;
    SlotQuery query;
    query.assign(test::rows_of(9, {{{1, 2.0F}, {2, 3.0F}, {3, -4.0F}, {7, 5.0F}}}).view(), 0, vocabulary);
    EXPECT_EQ(weights_of(query), (Weights{{{1, false}, 2}, {{1, true}, -2}, {{2, true}, -3}, {{3, false}, -4}}));
    const std::vector<Posting> document{vocabulary.posting(1, -2.0F), vocabulary.posting(2, -1.0F)};
    query.assign(document, vocabulary);
    EXPECT_EQ(weights_of(query), (Weights{{{1, false}, -2}, {{1, true}, 2}, {{2, true}, 1}}));
}

// Documents of terms that few have: `n_of[f - 1]` terms of f documents, anywhere below n_terms.
Rows scattered(Random& random, std::uint64_t n_terms, const std::vector<std::size_t>& n_of, bool halved) {
    constexpr std::size_t kDocs = 2000;
    std::vector<std::map<std::uint32_t, float>> docs(kDocs);
    std::set<std::uint32_t> used;
    const auto unused = [&] {
        for (;;) {
            const auto term =
                static_cast<std::uint32_t>(used.size() < 2 ? used.size() * (n_terms - 1) : random() % n_terms);
            if (used.insert(term).second) return term;
        }
    };
    for (std::size_t frequency = 1; frequency <= n_of.size(); ++frequency) {
        for (std::size_t i = 0; i < n_of[frequency - 1]; ++i) {
            const std::uint32_t term = unused();
            for (std::size_t n = 0; n < frequency;) {
                const float weight = halved && random() % 3 == 0 ? -1.0F : 1.0F;
                n += docs[random() % kDocs].emplace(term, weight).second;
            }
        }
    }
    Rows rows;
    rows.n_terms = n_terms;
    for (const auto& doc : docs) rows.add(doc);
    return rows;
}

Vocabulary from_a_file(const Vocabulary& saved) {
    const test::TemporaryDirectory directory;
    SectionList sections;
    saved.save(sections);
    write_index_file(directory.path("v"), "test", Parameters{}, sections, nullptr);
    return Vocabulary::load(IndexFile::open(directory.path("v"), true, nullptr), saved.n_terms());
}

TEST(Vocabulary, FindsTermsOfATail) {
    Random random(7);
    for (const auto& n_of : {std::vector<std::size_t>{20'000, 300, 17'000, 0, 40}, std::vector<std::size_t>{16'384},
                             std::vector<std::size_t>{10, 20'000, 0, 5, 0, 0, 0, 16'384, 16'500, 7}}) {
        for (const std::uint64_t n_terms : {std::uint64_t{70'000}, std::uint64_t{1} << 24, kMaxTerms}) {
            const Rows rows = scattered(random, n_terms, n_of, false);
            const Vocabulary vocabulary = build(rows, 2);
            const Counts counts = expected_counts(rows);
            std::vector<std::uint32_t> asked{0, 1, 4294967294U, 4294967295U, static_cast<std::uint32_t>(n_terms)};
            for (std::size_t p = 0; p < rows.terms.size(); p += 50) {
                asked.insert(asked.end(), {rows.terms[p] + 1, rows.terms[p] - 1, rows.terms[p] ^ (1U << 31)});
            }
            for (const Vocabulary& read : {vocabulary, from_a_file(vocabulary)}) {
                ASSERT_EQ(counts_of(read), counts);
                ASSERT_NO_FATAL_FAILURE(expect_finds_exactly(read, counts, asked));
                EXPECT_EQ(read.n_postings(), rows.terms.size());
            }
            Progress silent = test::silent();
            const auto statistics = CollectionStatistics::of(rows.view(), rows.n_rows(), 1, silent);
            EXPECT_NEAR(Vocabulary::estimated_nbytes(statistics), static_cast<double>(vocabulary.nbytes()), 1);
        }
    }
}

TEST(Vocabulary, HalvesTermsOfATail) {
    Random random(8);
    for (const std::uint64_t n_terms : {std::uint64_t{90'000}, kMaxTerms}) {
        const Rows rows = scattered(random, n_terms, {30'000, 30'000, 2'000, 0, 0, 0, 0, 0, 0, 50}, true);
        const Vocabulary vocabulary = build(rows);
        ASSERT_NO_FATAL_FAILURE(expect_halves(vocabulary, rows));
        ASSERT_NO_FATAL_FAILURE(expect_halves(from_a_file(vocabulary), rows));
    }
}

TEST(Vocabulary, TakesFewBytesForATermOfATail) {
    Random random(9);
    const Rows rows = scattered(random, kMaxTerms, {100'000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100}, false);
    const Vocabulary vocabulary = build(rows);
    EXPECT_LT(vocabulary.nbytes(), 100'000U * 23 / 10) << "of 100,000 among 2^32, 17.6 bits and less than a byte";
    const Rows dense = scattered(random, 100'000, {100'000}, false);
    EXPECT_LT(build(dense).nbytes(), 65536U * 4 + 100'000U * 3) << "no table of all terms but a small one";
}

TEST(Vocabulary, OfATailStaysInBoundsWhateverTheFile) {
    Random random(10);
    const Rows rows = scattered(random, 1 << 20, {20'000, 17'000, 0, 30}, true);
    const Vocabulary saved = build(rows);
    const test::TemporaryDirectory directory;
    SectionList sections;
    saved.save(sections);
    write_index_file(directory.path("v"), "test", Parameters{}, sections, nullptr);
    const auto whole = test::read_bytes(directory.path("v"));
    for (int round = 0; round < 40; ++round) {
        const auto alter = [&](auto& items) {
            using Item = typename std::decay_t<decltype(items)>::value_type;
            for (auto& item : items) {
                if (round < 20 || random() % 4 == 0)
                    item = static_cast<Item>(round % 3 == 0 ? 0 : round % 3 == 1 ? ~0ULL : random());
            }
        };
        auto file = whole;
        switch (round % 5) {
            case 0:
                test::alter_section<std::uint8_t>(file, "vocabulary/tail/low", alter);
                break;
            case 1:
                test::alter_section<std::uint64_t>(file, "vocabulary/tail/high", alter);
                break;
            case 2:
                test::alter_section<std::uint32_t>(file, "vocabulary/tail/ranks", alter);
                break;
            case 3:
                test::alter_section<std::uint32_t>(file, "vocabulary/opposites", alter);
                break;
            default:
                test::alter_section<std::uint32_t>(file, "vocabulary/lookup", alter);
                break;
        }
        test::write_bytes(directory.path("altered"), file);
        const auto read = Vocabulary::load(IndexFile::open(directory.path("altered"), false, nullptr), rows.n_terms);
        for (std::uint32_t slot = 0; slot < read.n_slots(); slot += 7) {
            ASSERT_LT(read.term(slot), rows.n_terms);
            const std::uint32_t opposite = read.opposite(slot);
            ASSERT_TRUE(opposite == kNoSlot || opposite < read.n_slots());
        }
        for (std::size_t p = 0; p < rows.terms.size(); p += 11) {
            const std::uint32_t slot = read.posting(rows.terms[p], rows.weights[p]).slot;
            ASSERT_TRUE(slot == kNoSlot || slot < read.n_slots());
        }
    }
    for (const auto& classes :
         std::vector<std::vector<std::uint32_t>>{{}, {0}, {0, 5}, {1, 0, 0, 5}, {2, 0, 1, 0, 0, 9}}) {
        SectionList list;
        const auto altered = test::buffer_of(classes);
        list.add("vocabulary/classes", altered);
        const IndexFile file = IndexFile::open(directory.path("v"), true, nullptr);
        for (const Section& section : file.sections()) {
            if (section.name != "vocabulary/classes" && section.name != "parameters")
                test::add_section(list, file, section);
        }
        write_index_file(directory.path("other"), "test", Parameters{}, list, nullptr);
        EXPECT_THROW(Vocabulary::load(IndexFile::open(directory.path("other"), true, nullptr), rows.n_terms),
                     FormatError);
    }
}

// Files of versions 1 to 3 have the frequency of each slot, and list all terms.
TEST(Vocabulary, OfAnOlderFile) {
    const test::TemporaryDirectory directory;
    const auto load = [&](const std::vector<std::uint32_t>& of_slots) {
        const auto terms = test::buffer_of(std::vector<std::uint32_t>{4, 1, 3});
        const auto frequencies = test::buffer_of(of_slots);
        const auto lookup = test::buffer_of(std::vector<std::uint32_t>{kNoSlot, 1, kNoSlot, 2, 0});
        SectionList sections;
        sections.add("vocabulary/terms", terms);
        sections.add("vocabulary/frequencies", frequencies);
        sections.add("vocabulary/lookup", lookup);
        write_index_file(directory.path("v"), "test", Parameters{}, sections, nullptr);
        return Vocabulary::load(IndexFile::open(directory.path("v"), true, nullptr), 5);
    };
    const Vocabulary vocabulary = load({7, 2, 2});
    EXPECT_EQ(counts_of(vocabulary), (Counts{{4, 7}, {1, 2}, {3, 2}}));
    ASSERT_NO_FATAL_FAILURE(expect_finds_exactly(vocabulary, counts_of(vocabulary), {0, 2, 5}));
    EXPECT_THROW(load({2, 7, 2}), FormatError);
    EXPECT_THROW(load({7, 2, 0}), FormatError);
}

}  // namespace
}  // namespace thresher
