// Impact levels: every posting once, on the level of its weight, whatever the window, and within bounds in any file.
#include "core/impact/impact_levels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/storage/index_file.hpp"
#include "support/altered_file.hpp"
#include "support/impact_parts.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::ImpactParts;
using test::LevelledPosting;
using test::postings_of;
using test::Random;
using test::Row;
using test::Rows;
using test::rows_of;
using test::scattered_rows;
using test::TemporaryDirectory;

constexpr std::uint32_t kLevels = ImpactLevels::kLevels;
constexpr std::uint32_t kWindow = ImpactLevels::kWindow;

using Weights = std::map<std::pair<std::uint32_t, std::uint32_t>, float>;  // (slot, document) -> weight

Weights weights_of(const ForwardIndex& forward) {
    Weights weights;
    std::vector<Posting> postings;
    for (std::uint32_t doc = 0; doc < forward.n_docs(); ++doc) {
        forward.read(doc, postings);
        for (const auto& [slot, weight] : postings) weights[{slot, doc}] = weight;
    }
    return weights;
}

// A slot's postings in one window, as they are said to lie there.
void expect_in_order(const ImpactLevels& levels, std::size_t w, std::uint32_t slot) {
    const auto window = levels.window(w, slot);
    const std::size_t n_docs = std::min<std::size_t>(kWindow, levels.n_docs() - w * kWindow);
    ASSERT_EQ(window.end(kLevels + 1), 0U);
    std::uint32_t begin = 0;
    for (std::uint32_t level = kLevels; level >= 1; --level) {
        const std::uint32_t end = window.end(level);
        ASSERT_GE(end, begin) << "slot " << slot << " level " << level;
        for (std::uint32_t p = begin; p < end; ++p) {
            ASSERT_LT(window.docs()[p], n_docs);
            ASSERT_TRUE(p == begin || window.docs()[p - 1] < window.docs()[p]) << "documents ascend on a level";
        }
        begin = end;
    }
}

void expect_all_once(const ImpactParts& parts) {
    const ImpactLevels& levels = parts.levels;
    ASSERT_EQ(levels.n_docs(), parts.forward.n_docs());
    ASSERT_EQ(levels.n_windows(), (levels.n_docs() + kWindow - 1) / kWindow);
    Weights weights = weights_of(parts.forward);
    for (std::uint32_t slot = 0; slot < parts.vocabulary.n_slots(); ++slot) {
        const auto postings = postings_of(levels, slot);
        std::vector<std::uint32_t> counts(kLevels);
        for (const auto& [doc, level] : postings) {
            ASSERT_TRUE(level >= 1 && level <= kLevels) << "slot " << slot << " document " << doc;
            ++counts[kLevels - level];
            const auto posting = weights.find({slot, doc});
            ASSERT_NE(posting, weights.end()) << "slot " << slot << " document " << doc << ": there is none, or twice";
            // Levels leave out what is apart.
            const auto weight = static_cast<double>(std::min(posting->second, parts.quantiser.largest(slot)));
            const double step = ImpactLevels::step(parts.quantiser, slot);
            ASSERT_GE(level * step * (1 + 1e-12), weight) << "slot " << slot << " document " << doc;
            ASSERT_LT((level - 1) * step * (1 - 1e-12), weight) << "slot " << slot << " document " << doc;
            weights.erase(posting);
        }
        const bool is_levelled = parts.vocabulary.document_frequency(slot) >= 16 * levels.n_windows();
        ASSERT_EQ(slot < levels.n_levelled(), is_levelled) << "slot " << slot;
        if (!is_levelled) {
            const auto by_doc = [](const LevelledPosting& a, const LevelledPosting& b) { return a.doc < b.doc; };
            ASSERT_TRUE(std::is_sorted(postings.begin(), postings.end(), by_doc));
            continue;
        }
        const auto told = levels.counts(slot);
        ASSERT_EQ(std::vector<std::uint32_t>(told.begin(), told.end()), counts) << "slot " << slot;
        for (std::size_t w = 0; w < levels.n_windows(); ++w) {
            ASSERT_NO_FATAL_FAILURE(expect_in_order(levels, w, slot));
        }
    }
    ASSERT_TRUE(weights.empty()) << "postings are lost";
}

TEST(ImpactLevels, HoldEveryPostingOnceOnTheLevelOfItsWeight) {
    Random random(1);
    const auto any = [](Random& source) {
        return std::ldexp(1.0F + static_cast<float>(test::unit(source)),
                          static_cast<int>(test::uniform(source, -60, 60)));
    };
    const auto subnormal = [](Random& source) { return static_cast<float>(test::uniform(source, 1, 300)) * 0x1p-149F; };
    for (const std::size_t n_docs : {0, 1, 15, 16, 17, 64, 900}) {
        ASSERT_NO_FATAL_FAILURE(
            expect_all_once(ImpactParts(test::random_rows(random, n_docs, 90, 8, test::real_weight))));
    }
    ASSERT_NO_FATAL_FAILURE(expect_all_once(ImpactParts(test::random_rows(random, 300, 50, 8, test::dyadic_weight))));
    ASSERT_NO_FATAL_FAILURE(expect_all_once(ImpactParts(test::random_rows(random, 300, 50, 8, any))));
    ASSERT_NO_FATAL_FAILURE(expect_all_once(ImpactParts(test::random_rows(random, 300, 50, 8, subnormal))));
    ASSERT_NO_FATAL_FAILURE(expect_all_once(ImpactParts(rows_of(5, std::vector<Row>(100)))));
}

TEST(ImpactLevels, OfMoreWindowsThanOne) {
    Random random(2);
    for (const std::size_t n_docs : {65472, 65473, 65537, 2 * 65472 + 70}) {
        const ImpactParts parts(scattered_rows(random, n_docs, 400, 60, 6, test::real_weight));
        ASSERT_NO_FATAL_FAILURE(expect_all_once(parts)) << n_docs << " documents";
        ASSERT_GT(parts.levels.n_levelled(), 0U);
        ASSERT_LT(parts.levels.n_levelled(), parts.vocabulary.n_slots()) << "both forms";
    }
}

TEST(ImpactLevels, OfTermsThatEveryDocumentOfAWindowHas) {
    Rows docs;
    docs.n_terms = 3;
    for (std::uint32_t doc = 0; doc < kWindow + 20; ++doc) {
        Row row{{0, static_cast<float>(1 + doc % 7)}, {1, static_cast<float>(1 + doc % 2)}};
        if (doc % 2000 == 0) row.emplace_back(2, 1.0F);
        docs.add(row);
    }
    const ImpactParts parts(docs);
    ASSERT_NO_FATAL_FAILURE(expect_all_once(parts));
    EXPECT_EQ(parts.levels.n_levelled(), 3U) << "the last of which begins past 16 bits";
    for (const std::uint32_t slot : {0U, 1U}) {
        EXPECT_EQ(parts.levels.window(0, slot).end(1), kWindow);
        EXPECT_EQ(parts.levels.window(1, slot).end(1), 20U);
    }
}

TEST(ImpactLevels, AreRareBelow16PostingsAWindow) {
    for (const std::size_t n_windows : {1, 2}) {
        Rows docs;
        docs.n_terms = 4;
        const auto min = static_cast<std::uint32_t>(16 * n_windows);
        for (std::uint32_t doc = 0; doc < (n_windows - 1) * kWindow + 40; ++doc) {
            Row row;
            if (doc < min + 1) row.emplace_back(0, 1.0F);
            if (doc < min) row.emplace_back(1, 2.0F);
            if (doc < min - 1) row.emplace_back(2, 3.0F);
            docs.add(row);
        }
        const ImpactParts parts(docs);
        EXPECT_EQ(parts.levels.n_levelled(), 2U) << n_windows << " windows";
        ASSERT_NO_FATAL_FAILURE(expect_all_once(parts));
    }
}

TEST(ImpactLevels, CutATermsWeightsIntoFifteenths) {
    for (const std::uint32_t n_times : {1U, 2U}) {  // rare, and in levels
        Rows docs;
        docs.n_terms = 1;
        std::vector<std::uint32_t> levels;
        for (std::uint32_t i = 0; i < n_times; ++i) {
            docs.add(Row{{0, 15.0F}});
            levels.push_back(15);
            docs.add(Row{{0, 1e-30F}});
            levels.push_back(1);
            for (std::uint32_t level = 1; level < kLevels; level += i == 0 ? 3 : 1) {
                docs.add(Row{{0, static_cast<float>(level) - 0.001F}});
                levels.push_back(level);
                docs.add(Row{{0, static_cast<float>(level) + 0.001F}});
                levels.push_back(level + 1);
            }
        }
        const ImpactParts parts(docs);
        EXPECT_EQ(parts.levels.n_levelled(), n_times - 1);
        EXPECT_NEAR(ImpactLevels::step(parts.quantiser, 0), 1.0, 1e-12);
        auto postings = postings_of(parts.levels, 0);
        ASSERT_EQ(postings.size(), docs.n_rows());
        for (const auto& [doc, level] : postings) EXPECT_EQ(level, levels[doc]) << "weight " << docs.weights[doc];
    }
}

std::vector<std::vector<std::byte>> saved(const ImpactLevels& levels) {
    Parameters counts;
    SectionList list;
    levels.save(counts, list);
    std::vector<std::vector<std::byte>> sections;
    for (const Section& section : list.sections()) sections.emplace_back(section.bytes.begin(), section.bytes.end());
    return sections;
}

TEST(ImpactLevels, DoNotDependOnTheNumberOfThreads) {
    Random random(3);
    const Rows docs = scattered_rows(random, 3 * std::size_t{kWindow} + 9, 500, 60, 6, test::real_weight);
    const auto one = saved(ImpactParts(docs, 1).levels);
    for (unsigned threads = 2; threads <= 4; ++threads) {
        EXPECT_EQ(saved(ImpactParts(docs, threads).levels), one) << threads << " threads";
    }
}

// ---- Files.

// A file of levels and nothing else.
struct SegmentsFile {
    explicit SegmentsFile(const ImpactLevels& levels) {
        Parameters counts;
        SectionList sections;
        levels.save(counts, sections);
        write_index_file(directory.path("f"), "test", counts, sections, nullptr);
        bytes = test::read_bytes(directory.path("f"));
    }
    // Of other bytes.
    IndexFile open(const test::Bytes& altered) const {
        test::write_bytes(directory.path("f"), altered);
        return IndexFile::open(directory.path("f"), false, nullptr);
    }
    IndexFile open() const { return open(bytes); }

    TemporaryDirectory directory;
    test::Bytes bytes;
};

TEST(ImpactLevels, AreTheSameFromAFile) {
    Random random(4);
    for (const std::size_t n_docs : {0, 1, 500, 65500}) {
        const Rows docs = n_docs > 1000 ? scattered_rows(random, n_docs, 400, 60, 6, test::real_weight)
                                        : test::random_rows(random, n_docs, 60, 6, test::real_weight);
        const ImpactParts parts(docs);
        const SegmentsFile file(parts.levels);
        const auto loaded = ImpactLevels::load(file.open(), n_docs, parts.vocabulary.n_slots());
        EXPECT_EQ(saved(loaded), saved(parts.levels));
        EXPECT_EQ(loaded.n_docs(), parts.levels.n_docs());
        EXPECT_EQ(loaded.n_windows(), parts.levels.n_windows());
        EXPECT_EQ(loaded.n_levelled(), parts.levels.n_levelled());
        EXPECT_EQ(loaded.levels_nbytes(), parts.levels.levels_nbytes());
        EXPECT_EQ(loaded.rare_nbytes(), parts.levels.rare_nbytes());
        for (std::uint32_t slot = 0; slot < parts.vocabulary.n_slots(); ++slot) {
            ASSERT_EQ(postings_of(loaded, slot), postings_of(parts.levels, slot));
        }
    }
}

TEST(ImpactLevels, TakeTwoBytesAPostingAndAnEntryAWindow) {
    Random random(5);
    const ImpactParts parts(scattered_rows(random, kWindow + 100, 400, 60, 6, test::real_weight));
    const std::size_t n_levelled = parts.levels.n_levelled();
    std::size_t n = 0;
    for (std::uint32_t slot = 0; slot < n_levelled; ++slot) n += parts.vocabulary.document_frequency(slot);
    EXPECT_EQ(parts.levels.levels_nbytes(), 4 * kLevels * n_levelled + 8 * 3 + 32 * 2 * (n_levelled + 1) + 2 * n);
    const std::size_t n_rare = parts.vocabulary.n_slots() - n_levelled;
    EXPECT_LT(parts.levels.rare_nbytes(), n_rare + 64 + 4 * (parts.forward.nnz() - n)) << "17 bits a document";
}

TEST(ImpactLevels, RefuseSectionsOfAnotherSize) {
    Random random(6);
    const ImpactParts parts(test::random_rows(random, 500, 60, 6, test::real_weight));
    const std::uint32_t n_slots = parts.vocabulary.n_slots();
    const SegmentsFile whole(parts.levels);
    const IndexFile file = whole.open();
    const TemporaryDirectory directory;
    const auto loads = [&](const std::string& shortened, std::uint64_t n_levelled) {
        Parameters counts;
        counts.set("n_levelled", n_levelled);
        SectionList sections;  // which borrows
        std::vector<std::shared_ptr<void>> buffers;
        const auto add = [&]<class T>(const std::string& name, const Buffer<T>& buffer) {
            auto values = test::values_of(buffer);
            if (name == shortened) values.pop_back();
            const auto kept = std::make_shared<Buffer<T>>(test::buffer_of(values));
            buffers.push_back(kept);
            sections.add(name, *kept);
        };
        add("segments/counts", file.section<std::uint32_t>("segments/counts"));
        add("segments/bases", file.section<std::uint64_t>("segments/bases"));
        add("segments/directory", file.section<std::uint16_t>("segments/directory"));
        add("segments/docs", file.section<std::uint16_t>("segments/docs"));
        add("rare/offsets/low", file.section<std::uint8_t>("rare/offsets/low"));
        add("rare/offsets/high", file.section<std::uint64_t>("rare/offsets/high"));
        add("rare/offsets/ranks", file.section<std::uint32_t>("rare/offsets/ranks"));
        add("rare/docs", file.section<std::uint8_t>("rare/docs"));
        add("rare/levels", file.section<std::uint8_t>("rare/levels"));
        write_index_file(directory.path("f"), "test", counts, sections, nullptr);
        try {
            ImpactLevels::load(IndexFile::open(directory.path("f"), true, nullptr), 500, n_slots);
        } catch (const FormatError&) {
            return false;
        }
        return true;
    };
    const std::uint64_t n_levelled = parts.levels.n_levelled();
    EXPECT_TRUE(loads("", n_levelled));
    for (const char* name : {"segments/counts", "segments/bases", "segments/directory", "rare/offsets/low",
                             "rare/offsets/high", "rare/offsets/ranks", "rare/docs", "rare/levels"}) {
        EXPECT_FALSE(loads(name, n_levelled)) << name;
    }
    for (const std::uint64_t wrong : {n_levelled - 1, n_levelled + 1, n_levelled + (std::uint64_t{1} << 32),
                                      std::uint64_t{n_slots} + 1, UINT64_MAX}) {
        EXPECT_FALSE(loads("", wrong)) << wrong;
    }
}

// Reads all there is to read, and looks whether it lies within the file's sections.
void expect_in_bounds(const IndexFile& file, std::size_t n_docs, std::uint32_t n_slots) {
    const auto levels = ImpactLevels::load(file, n_docs, n_slots);
    const auto docs = file.section<std::uint16_t>("segments/docs").items();
    const auto rare_levels = file.section<std::uint8_t>("rare/levels").items();
    const auto within = [](const auto* begin, std::size_t n, const auto& all) {
        return begin >= all.data() && begin + n <= all.data() + all.size();
    };
    for (std::uint32_t slot = 0; slot < levels.n_levelled(); ++slot) {
        ASSERT_EQ(levels.counts(slot).size(), kLevels);
        for (std::size_t w = 0; w < levels.n_windows(); ++w) {
            levels.prefetch(w, slot);
            const auto window = levels.window(w, slot);
            for (std::uint32_t level = 1; level <= kLevels + 1; ++level) {
                ASSERT_TRUE(within(window.docs(), window.end(level), docs)) << "slot " << slot << " level " << level;
            }
        }
    }
    for (std::uint32_t slot = levels.n_levelled(); slot < n_slots; ++slot) {
        const auto rare = levels.rare(slot);
        ASSERT_EQ(rare.docs.size(), rare.impacts.size());
        std::uint32_t all = 0;
        for (std::size_t p = 0; p < rare.docs.size(); ++p) all |= rare.docs[p];
        ASSERT_LE(all, std::bit_ceil(n_docs) - 1);
        ASSERT_TRUE(within(rare.impacts.data(), rare.impacts.size(), rare_levels)) << "slot " << slot;
    }
}

TEST(ImpactLevels, StayInBoundsWhateverAFileSays) {
    Random random(7);
    const std::size_t n_docs = kWindow + 100;
    const ImpactParts parts(scattered_rows(random, n_docs, 300, 40, 6, test::real_weight));
    const std::uint32_t n_slots = parts.vocabulary.n_slots();
    const SegmentsFile whole(parts.levels);
    ASSERT_NO_FATAL_FAILURE(expect_in_bounds(whole.open(), n_docs, n_slots));
    for (int round = 0; round < 8; ++round) {
        const auto alter = [&](auto& elements) {
            using Element = typename std::decay_t<decltype(elements)>::value_type;
            const std::vector<std::uint64_t> values{0,      1,          elements.size(),    elements.size() + 1, 0x7FFF,
                                                    0xFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, UINT64_MAX};
            for (auto& element : elements) {
                if (round < 3) {
                    element = static_cast<Element>(round == 0 ? 0 : round == 1 ? UINT64_MAX : random());
                } else if (random() % 3 == 0) {
                    element = static_cast<Element>(values[static_cast<std::size_t>(random() % values.size())]);
                }
            }
        };
        for (const std::string name : {"bases", "directory", "docs"}) {
            test::Bytes file = whole.bytes;
            if (name == "bases") test::alter_section<std::uint64_t>(file, "segments/bases", alter);
            if (name == "directory") test::alter_section<std::uint16_t>(file, "segments/directory", alter);
            if (name == "docs") test::alter_section<std::uint16_t>(file, "segments/docs", alter);
            ASSERT_NO_FATAL_FAILURE(expect_in_bounds(whole.open(file), n_docs, n_slots)) << name << " " << round;
        }
        test::Bytes file = whole.bytes;
        test::alter_section<std::uint64_t>(file, "rare/offsets/high", alter);
        if (round % 2 == 0) test::alter_section<std::uint32_t>(file, "rare/offsets/ranks", alter);
        ASSERT_NO_FATAL_FAILURE(expect_in_bounds(whole.open(file), n_docs, n_slots)) << "offsets " << round;
        test::alter_section<std::uint16_t>(file, "segments/directory", alter);
        test::alter_section<std::uint64_t>(file, "segments/bases", alter);
        ASSERT_NO_FATAL_FAILURE(expect_in_bounds(whole.open(file), n_docs, n_slots)) << "all " << round;
    }
}

}  // namespace
}  // namespace thresher
