// Every instruction set against plain references: the contracts of kernels.hpp, bit for bit.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/kernels.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using kernels::Kernels;
using kernels::kFilter;
using kernels::kGroup;
using kernels::kGroupsAhead;
using kernels::kStrip;
using kernels::kSuperblock;
using test::Random;
using test::uniform;

std::vector<const Kernels*> tables() {
    const auto all = kernels::available();
    return {all.tables, all.tables + all.count};
}

class EveryTable : public testing::TestWithParam<const Kernels*> {
  protected:
    const Kernels& table() const { return *GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Kernels, EveryTable, testing::ValuesIn(tables()),
                         [](const auto& suite) { return std::string(suite.param->name); });

template <class T>
T pick(Random& random, const std::vector<T>& choices) {
    return choices[static_cast<std::size_t>(uniform(random, 0, static_cast<std::int64_t>(choices.size()) - 1))];
}

struct PostingLists {
    std::vector<std::uint32_t> offsets{0};
    std::vector<std::uint16_t> docs;
    std::vector<std::uint8_t> impacts;

    void add(Random& random, std::int64_t length) {
        for (std::int64_t p = 0; p < length; ++p) {
            docs.push_back(static_cast<std::uint16_t>(uniform(random, 0, 65535)));
            impacts.push_back(static_cast<std::uint8_t>(uniform(random, 0, 255)));
        }
        offsets.push_back(static_cast<std::uint32_t>(docs.size()));
    }
};

void expect_accumulates(const Kernels& table, Random& random, const PostingLists& all,
                        const std::vector<std::uint32_t>& lists, std::uint32_t n_postings) {
    std::vector<std::int32_t> weights;
    for (std::size_t i = 0; i < lists.size(); ++i) {
        weights.push_back(pick<std::int32_t>(random, {1, -1, 32767, -32767, 0, 1 << 30, 1234567, -7654321}));
    }
    std::vector<std::int32_t> scores(65536);
    for (auto& score : scores) score = static_cast<std::int32_t>(random());
    auto expected = scores;
    for (std::size_t i = 0; i < lists.size(); ++i) {
        const std::uint32_t end = std::min(all.offsets[lists[i] + 1], n_postings);
        for (std::uint32_t p = all.offsets[lists[i]]; p < end; ++p) {
            const std::int64_t sum = std::int64_t{expected[all.docs[p]]} + std::int64_t{weights[i]} * all.impacts[p];
            expected[all.docs[p]] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum));
        }
    }
    table.accumulate_lists(lists.data(), weights.data(), lists.size(), all.offsets.data(), n_postings, all.docs.data(),
                           all.impacts.data(), scores.data());
    ASSERT_EQ(scores, expected);
}

TEST_P(EveryTable, AccumulatesListsOfEveryLength) {
    Random random(1);
    PostingLists all;
    for (std::int64_t length = 0; length <= 40; ++length) all.add(random, length);
    all.add(random, 1000);
    const auto n_postings = static_cast<std::uint32_t>(all.docs.size());
    expect_accumulates(table(), random, all, {}, n_postings);
    for (std::uint32_t list = 0; list <= 41; ++list) expect_accumulates(table(), random, all, {list}, n_postings);
    for (int round = 0; round < 20; ++round) {
        std::vector<std::uint32_t> lists;
        for (std::uint32_t list = 0; list <= 41; ++list) {
            if (uniform(random, 0, 1) == 1) lists.push_back(list);
        }
        expect_accumulates(table(), random, all, lists, n_postings);
    }
}

TEST_P(EveryTable, AccumulatesAnyNumberOfLists) {
    Random random(6);
    PostingLists all;
    for (int list = 0; list < 300; ++list) all.add(random, uniform(random, 0, 9));
    const auto n_postings = static_cast<std::uint32_t>(all.docs.size());
    for (const std::uint32_t n : {1U, 3U, 4U, 5U, 63U, 64U, 65U, 127U, 128U, 129U, 300U}) {
        std::vector<std::uint32_t> lists(n);
        for (std::uint32_t i = 0; i < n; ++i) lists[i] = (i * 7) % 300;  // in no order
        expect_accumulates(table(), random, all, lists, n_postings);
    }
}

TEST_P(EveryTable, ClampsListsToThePostingsThereAre) {
    Random random(2);
    PostingLists all;
    for (int list = 0; list < 10; ++list) all.add(random, uniform(random, 0, 9));
    const std::vector<std::uint32_t> lists{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    for (std::uint32_t n = 0; n <= all.docs.size(); ++n) {
        PostingLists fewer = all;
        fewer.docs.resize(n);
        fewer.impacts.resize(n);
        expect_accumulates(table(), random, fewer, lists, n);
    }
    for (int round = 0; round < 100; ++round) {  // offsets of an altered file
        PostingLists altered = all;
        for (auto& offset : altered.offsets) {
            if (uniform(random, 0, 2) == 0) offset = pick<std::uint32_t>(random, {0, 1, 5, 1U << 31, UINT32_MAX});
        }
        expect_accumulates(table(), random, altered, lists, static_cast<std::uint32_t>(all.docs.size()));
    }
}

struct Strips {
    Strips(Random& random, std::size_t docs, std::size_t n_rows)
        : n_docs(docs), cells(n_rows * (docs + 1) + 1), scores(docs) {
        for (auto& cell : cells) {
            cell =
                static_cast<std::uint8_t>(uniform(random, 0, 2) == 0 ? 0 : pick<int>(random, {1, 17, 128, 254, 255}));
        }
        for (std::size_t r = 0; r < n_rows; ++r) {
            rows.push_back(cells.data() + 1 + r * (docs + 1));  // of every alignment
            weights.push_back(pick<std::int16_t>(random, {0, 1, -1, 32767, -32767, 300, -300}));
        }
        for (auto& score : scores) {
            score = pick<std::int32_t>(random, {0, 0, 1, -1, 1 << 30, -(1 << 30), 12345});
        }
    }

    std::int32_t sum(std::size_t doc) const {
        std::int32_t total = scores[doc];
        for (std::size_t r = 0; r < rows.size(); ++r) total += weights[r] * rows[r][doc];
        return total;
    }

    std::size_t n_docs;
    std::vector<std::uint8_t> cells;
    std::vector<const std::uint8_t*> rows;
    std::vector<std::int16_t> weights;
    std::vector<std::int32_t> scores;
};

void expect_selects(const Kernels& table, const Strips& strips, std::int32_t cutoff,
                    const std::uint64_t* allowed = nullptr) {
    std::vector<std::uint32_t> expected_docs;
    std::vector<std::int32_t> expected_scores;
    for (std::size_t doc = 0; doc < strips.n_docs; ++doc) {
        if (strips.sum(doc) < cutoff) continue;
        if (allowed != nullptr && (allowed[doc / kStrip] >> doc % kStrip & 1) == 0) continue;
        expected_docs.push_back(static_cast<std::uint32_t>(doc));
        expected_scores.push_back(strips.sum(doc));
    }
    auto scores = strips.scores;
    std::vector<std::uint32_t> docs(strips.n_docs);
    std::vector<std::int32_t> doc_scores(strips.n_docs);
    const std::size_t n =
        table.select_candidates(strips.rows.data(), strips.weights.data(), strips.rows.size(), scores.data(),
                                strips.n_docs, allowed, cutoff, docs.data(), doc_scores.data());
    ASSERT_EQ(n, expected_docs.size());
    docs.resize(n);
    doc_scores.resize(n);
    ASSERT_EQ(docs, expected_docs);
    ASSERT_EQ(doc_scores, expected_scores);
    ASSERT_EQ(scores, std::vector<std::int32_t>(strips.n_docs)) << "scores are left for the next query";
}

TEST_P(EveryTable, SelectsWhatReachesTheCutoff) {
    Random random(3);
    for (const std::size_t n_docs : {std::size_t{0}, kStrip, 2 * kStrip, 3 * kStrip, 8 * kStrip}) {
        for (const std::size_t n_rows : {0, 2, 4, 6, 16}) {
            for (int round = 0; round < 4; ++round) {
                const Strips strips(random, n_docs, n_rows);
                for (const std::int32_t cutoff : {INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX}) {
                    expect_selects(table(), strips, cutoff);
                }
                for (std::size_t doc = 0; doc < n_docs; doc += 13) {  // equal to a score, and one off
                    for (const std::int32_t off : {-1, 0, 1}) expect_selects(table(), strips, strips.sum(doc) + off);
                }
                std::vector<std::uint64_t> allowed(n_docs / kStrip);
                for (auto& word : allowed) word = pick<std::uint64_t>(random, {0, ~0U, random(), random() << 32, 1});
                for (const std::int32_t cutoff : {INT32_MIN, -1, 1, 12345}) {
                    expect_selects(table(), strips, cutoff, allowed.data());
                }
            }
        }
    }
}

TEST_P(EveryTable, SelectsScoresAtTheEndsOfTheRange) {
    Random random(4);
    Strips strips(random, kStrip, 0);
    strips.scores[0] = INT32_MIN;
    strips.scores[17] = INT32_MAX;
    for (const std::int32_t cutoff : {INT32_MIN, INT32_MIN + 1, INT32_MAX - 1, INT32_MAX}) {
        expect_selects(table(), strips, cutoff);
    }
}

// Rows of 4-bit codes over whole superblocks, of every alignment.
struct CodeRows {
    CodeRows(Random& random, std::size_t superblocks, std::size_t n_rows, const std::vector<std::uint8_t>& choices)
        : n_superblocks(superblocks), bytes(n_rows * (superblocks * kSuperblock / 2 + 1) + 1) {
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
        for (std::size_t r = 0; r < n_rows; ++r) {
            rows.push_back(bytes.data() + 1 + r * (superblocks * kSuperblock / 2 + 1));
            weights.push_back(pick<std::uint8_t>(random, choices));
        }
    }
    std::uint32_t code(std::size_t row, std::size_t block) const {
        const std::uint32_t both = rows[row][block / 32 * 16 + block % 16];
        return block % 32 < 16 ? both % 16 : both / 16;
    }

    std::size_t n_superblocks;
    std::vector<std::uint8_t> bytes;
    std::vector<const std::uint8_t*> rows;
    std::vector<std::uint8_t> weights;
};

void expect_sums(const Kernels& table, const CodeRows& codes, std::vector<std::uint16_t> bounds) {
    auto expected = bounds;
    std::vector<std::uint16_t> expected_maxima(codes.n_superblocks);
    for (std::size_t block = 0; block < bounds.size(); ++block) {
        std::uint64_t sum = bounds[block];
        for (std::size_t r = 0; r < codes.rows.size(); ++r) sum += codes.weights[r] * codes.code(r, block);
        expected[block] = static_cast<std::uint16_t>(std::min<std::uint64_t>(sum, 65535));
        auto& max = expected_maxima[block / kSuperblock];
        max = std::max(max, expected[block]);
    }
    std::vector<std::uint16_t> maxima(codes.n_superblocks, 12345);
    table.sum_bounds(codes.rows.data(), codes.weights.data(), codes.rows.size(), bounds.data(), codes.n_superblocks,
                     maxima.data());
    ASSERT_EQ(bounds, expected);
    ASSERT_EQ(maxima, expected_maxima);
}

TEST_P(EveryTable, SumsBounds) {
    Random random(9);
    for (const std::size_t n_superblocks : {0, 1, 2, 3, 11, 20}) {
        for (const std::size_t n_rows : {0, 2, 4, 6, 30}) {
            const CodeRows codes(random, n_superblocks, n_rows, {0, 1, 2, 63, 64, 100, 126, 127});
            std::vector<std::uint16_t> bounds(n_superblocks * kSuperblock);
            expect_sums(table(), codes, bounds);
            for (auto& bound : bounds) bound = pick<std::uint16_t>(random, {0, 0, 1, 3000, 32767, 32768, 65534, 65535});
            expect_sums(table(), codes, bounds);
        }
    }
}

TEST_P(EveryTable, SaturatesBounds) {
    Random random(10);
    for (const std::size_t n_rows : {40, 68, 80, 300}) {  // 35 rows of 15 * 127 reach 65,535
        const CodeRows codes(random, 2, n_rows, {127});
        expect_sums(table(), codes, std::vector<std::uint16_t>(2 * kSuperblock));
        expect_sums(table(), codes, std::vector<std::uint16_t>(2 * kSuperblock, 65535));
    }
}

// Groups of blocks, and those that may be fetched behind them.
std::vector<std::uint32_t> groups_of(Random& random, std::size_t n, std::size_t n_groups) {
    std::vector<std::uint32_t> groups;
    for (std::size_t i = 0; i < n + kGroupsAhead; ++i) {
        groups.push_back(static_cast<std::uint32_t>(uniform(random, 0, static_cast<std::int64_t>(n_groups) - 1)));
    }
    return groups;
}

void expect_sums_of_groups(const Kernels& table, Random& random, const CodeRows& codes, std::size_t n_superblocks) {
    constexpr std::size_t kGroups = kSuperblock / kGroup;
    const auto groups = groups_of(random, n_superblocks * kGroups, codes.n_superblocks * kGroups);
    std::vector<std::uint16_t> bounds(n_superblocks * kSuperblock);
    for (auto& bound : bounds) bound = pick<std::uint16_t>(random, {0, 0, 1, 3000, 32767, 32768, 65534, 65535});
    auto expected = bounds;
    std::vector<std::uint16_t> expected_maxima(n_superblocks);
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        std::uint64_t sum = bounds[i];
        const std::size_t block = groups[i / kGroup] * kGroup + i % kGroup;
        for (std::size_t r = 0; r < codes.rows.size(); ++r) sum += codes.weights[r] * codes.code(r, block);
        expected[i] = static_cast<std::uint16_t>(std::min<std::uint64_t>(sum, 65535));
        auto& max = expected_maxima[i / kSuperblock];
        max = std::max(max, expected[i]);
    }
    std::vector<std::uint16_t> maxima(n_superblocks, 12345);
    table.sum_groups(codes.rows.data(), codes.weights.data(), codes.rows.size(), groups.data(), bounds.data(),
                     n_superblocks, maxima.data());
    ASSERT_EQ(bounds, expected);
    ASSERT_EQ(maxima, expected_maxima);
}

TEST_P(EveryTable, SumsBoundsOfGroups) {
    Random random(19);
    for (const std::size_t n_superblocks : {0, 1, 2, 7}) {
        for (const std::size_t n_rows : {0, 2, 6, 80}) {
            const CodeRows codes(random, 11, n_rows, {0, 1, 2, 63, 64, 100, 126, 127});
            ASSERT_NO_FATAL_FAILURE(expect_sums_of_groups(table(), random, codes, n_superblocks));
        }
    }
}

void expect_adds_to_groups(const Kernels& table, Random& random, std::size_t n, unsigned shift, unsigned one_in) {
    constexpr std::size_t kGroups = 65536 / kGroup;
    std::vector<std::uint8_t> chosen(kGroups / 8);
    std::vector<std::uint32_t> places(kGroups, 1U << 30);  // of those that are not chosen, never read
    std::uint32_t n_chosen = 0;
    for (std::size_t group = 0; group < kGroups; ++group) {
        if (uniform(random, 1, one_in) > 1) continue;
        chosen[group / 8] = static_cast<std::uint8_t>(chosen[group / 8] | 1U << group % 8);
        places[group] = n_chosen++;
    }
    std::vector<std::uint16_t> items;
    std::vector<std::uint8_t> impacts;
    for (std::size_t p = 0; p < n; ++p) {
        items.push_back(static_cast<std::uint16_t>(random()));
        impacts.push_back(static_cast<std::uint8_t>(random()));
    }
    std::vector<std::uint16_t> bounds(n_chosen * kGroup);
    for (auto& bound : bounds) bound = static_cast<std::uint16_t>(random());
    const auto factor = static_cast<std::uint32_t>(random());
    const auto rounding = static_cast<std::uint32_t>(random());
    auto expected = bounds;
    for (std::size_t p = 0; p < n; ++p) {
        const std::size_t block = std::size_t{items[p]} >> shift;
        if ((chosen[block / kGroup / 8] >> block / kGroup % 8) % 2 == 0) continue;
        auto& bound = expected[places[block / kGroup] * kGroup + block % kGroup];
        bound = static_cast<std::uint16_t>(bound + ((factor * impacts[p] + rounding) >> 16));
    }
    table.add_to_groups(items.data(), impacts.data(), n, shift, factor, rounding, chosen.data(), places.data(),
                        bounds.data());
    ASSERT_EQ(bounds, expected) << n << " postings, shift " << shift << ", one in " << one_in;
}

TEST_P(EveryTable, AddsPostingsToGroups) {
    Random random(20);
    for (const unsigned shift : {0U, 2U, 6U}) {
        for (const unsigned one_in : {1U, 3U, 40U}) {
            for (std::size_t n = 0; n <= 130; ++n) {
                ASSERT_NO_FATAL_FAILURE(expect_adds_to_groups(table(), random, n, shift, one_in));
            }
            ASSERT_NO_FATAL_FAILURE(expect_adds_to_groups(table(), random, 20'000, shift, one_in));
        }
    }
}

void expect_selects_blocks(const Kernels& table, const std::vector<std::uint16_t>& bounds,
                           const std::vector<std::uint16_t>& maxima, std::uint32_t low, std::uint32_t high) {
    std::vector<std::uint32_t> expected;
    std::vector<std::uint16_t> expected_bounds;
    for (std::size_t block = 0; block < bounds.size(); ++block) {
        if (maxima[block / kSuperblock] < low || bounds[block] < low || bounds[block] >= high) continue;
        expected.push_back(static_cast<std::uint32_t>(block));
        expected_bounds.push_back(bounds[block]);
    }
    std::vector<std::uint32_t> blocks(bounds.size());
    std::vector<std::uint16_t> block_bounds(bounds.size());
    const std::size_t n =
        table.select_blocks(bounds.data(), maxima.data(), maxima.size(), low, high, blocks.data(), block_bounds.data());
    ASSERT_EQ(n, expected.size()) << low << " to " << high;
    blocks.resize(n);
    block_bounds.resize(n);
    ASSERT_EQ(blocks, expected) << low << " to " << high;
    ASSERT_EQ(block_bounds, expected_bounds) << low << " to " << high;
}

TEST_P(EveryTable, SelectsBlocks) {
    Random random(11);
    const std::vector<std::uint32_t> edges{0, 1, 2, 999, 1000, 1001, 32767, 32768, 65534, 65535, 65536, 70000};
    for (const std::size_t n_superblocks : {0, 1, 2, 5}) {
        for (int round = 0; round < 3; ++round) {
            std::vector<std::uint16_t> bounds(n_superblocks * kSuperblock);
            for (auto& bound : bounds) {
                bound = pick<std::uint16_t>(random, {0, 1, 2, 1000, 32767, 32768, 65534, 65535});
                if (round == 1) bound = static_cast<std::uint16_t>(random());
            }
            std::vector<std::uint16_t> maxima(n_superblocks);
            for (std::size_t block = 0; block < bounds.size(); ++block) {
                auto& max = maxima[block / kSuperblock];
                max = std::max(max, bounds[block]);
            }
            // Superblocks that are not bounded have a maximum of 0, whatever the bounds of their blocks.
            if (round == 2 && n_superblocks > 1) maxima[1] = 0;
            for (const std::uint32_t low : edges) {
                for (const std::uint32_t high : edges) expect_selects_blocks(table(), bounds, maxima, low, high);
            }
        }
    }
}

TEST_P(EveryTable, SelectsSums) {
    Random random(13);
    const std::vector<std::int16_t> extremes{-32768, -32767, -1, 0, 1, 999, 1000, 1001, 32766, 32767};
    const Kernels* scalar = kernels::available().tables[0];
    for (const std::size_t n : {std::size_t{0}, kStrip, 2 * kStrip, 5 * kStrip, 2048 + kStrip}) {
        for (int round = 0; round < 3; ++round) {
            std::vector<std::int16_t> sums(n + 1);  // of every alignment
            for (auto& sum : sums) sum = round == 0 ? pick(random, extremes) : static_cast<std::int16_t>(random());
            if (round == 2) {  // what is selected is few and far between
                for (auto& sum : sums) sum = uniform(random, 0, 50) == 0 ? sum : std::int16_t{-32768};
            }
            const std::int16_t* first = sums.data() + round % 2;
            for (const std::int16_t min : extremes) {
                std::vector<std::uint32_t> expected;
                std::vector<std::int32_t> expected_sums;
                for (std::size_t i = 0; i < n; ++i) {
                    if (first[i] < min) continue;
                    expected.push_back(static_cast<std::uint32_t>(i));
                    expected_sums.push_back(first[i]);
                }
                for (const Kernels* kernels : {&table(), scalar}) {
                    std::vector<std::uint32_t> items(n);
                    std::vector<std::int32_t> item_sums(n);
                    const std::size_t found = kernels->select_sums(first, n, min, items.data(), item_sums.data());
                    items.resize(found);
                    item_sums.resize(found);
                    ASSERT_EQ(items, expected) << n << " sums, least " << min;
                    ASSERT_EQ(item_sums, expected_sums) << n << " sums, least " << min;
                }
            }
        }
    }
}

TEST_P(EveryTable, FindsMaximaOfStretches) {
    Random random(17);
    for (const std::size_t n : {0, 1, 2, 5}) {
        for (int round = 0; round < 20; ++round) {
            std::vector<std::uint8_t> bytes(n * kernels::kStretch);
            for (auto& byte : bytes) byte = round % 2 == 0 ? 0 : static_cast<std::uint8_t>(uniform(random, 0, 200));
            // A maximum anywhere, also where every other byte is 0.
            std::vector<std::uint8_t> expected;
            for (std::size_t s = 0; s < n; ++s) {
                const auto largest = static_cast<std::uint8_t>(uniform(random, 201, 255));
                bytes[s * kernels::kStretch + static_cast<std::size_t>(uniform(random, 0, kernels::kStretch - 1))] =
                    largest;
                expected.push_back(largest);
            }
            std::vector<std::uint8_t> maxima(n);
            table().stretch_maxima(bytes.data(), n, maxima.data());
            ASSERT_EQ(maxima, expected) << n << " stretches";
        }
    }
}

TEST_P(EveryTable, SelectsBytes) {
    Random random(18);
    for (const std::size_t n : {std::size_t{0}, kStrip, 3 * kStrip, 2048 + kStrip}) {
        for (const int fraction : {0, 1, 10, 100}) {  // in a hundred, of bytes that are not 0
            std::vector<std::uint8_t> bytes(n + 1);   // of every alignment
            for (auto& byte : bytes) {
                byte = uniform(random, 1, 100) <= fraction ? static_cast<std::uint8_t>(uniform(random, 1, 255)) : 0;
            }
            const std::uint8_t* first = bytes.data() + fraction % 2;
            for (const int min : {1, 2, 127, 128, 129, 254, 255}) {
                std::vector<std::uint32_t> expected;
                for (std::size_t i = 0; i < n; ++i) {
                    if (first[i] >= min) expected.push_back(static_cast<std::uint32_t>(i));
                }
                constexpr std::uint32_t kUntouched = 0xABABABAB;
                std::vector<std::uint32_t> items(n + kernels::kSelectMargin + 1, kUntouched);
                items.resize(table().select_bytes(first, n, static_cast<std::uint8_t>(min), items.data()));
                ASSERT_EQ(items, expected) << n << " bytes, least " << min;
            }
        }
    }
}

TEST_P(EveryTable, BoundsMembers) {
    Random random(12);
    for (const std::size_t block_size : {4, 8, 16, 32, 64}) {
        for (const std::size_t n_rows : {0, 1, 2, 3, 4, 5, 10, 33, 34, 35, 36, 100}) {
            const bool saturates = n_rows >= 33;  // 35 rows that lack 15 * 127 reach 65,535
            std::vector<std::uint8_t> tile(200 * block_size / 2);
            for (auto& byte : tile) {
                byte = saturates ? pick<std::uint8_t>(random, {0xF0, 0xF0, 0xF0, 0xF0, 0xF0, 0x0F, 0xFE})
                                 : static_cast<std::uint8_t>(random());
            }
            std::vector<std::uint32_t> rows;
            std::vector<std::uint8_t> weights;
            for (std::size_t r = 0; r < n_rows; ++r) {
                rows.push_back(static_cast<std::uint32_t>(r == 1 ? 199 : uniform(random, 0, 199)));
                weights.push_back(saturates ? 127 : pick<std::uint8_t>(random, {0, 1, 2, 64, 100, 127}));
            }
            std::vector<std::uint32_t> sums(block_size);
            for (std::size_t r = 0; r < n_rows; ++r) {
                std::vector<std::uint32_t> codes;
                for (std::size_t d = 0; d < block_size; ++d) {
                    const std::uint32_t both = tile[rows[r] * block_size / 2 + d / 2];
                    codes.push_back(d % 2 == 0 ? both % 16 : both / 16);
                }
                const std::uint32_t max = *std::max_element(codes.begin(), codes.end());
                for (std::size_t d = 0; d < block_size; ++d) sums[d] += weights[r] * (max - codes[d]);
            }
            std::vector<std::uint16_t> lacks(block_size + 8, 7);
            table().bound_members(tile.data(), rows.data(), weights.data(), n_rows, block_size, lacks.data());
            for (std::size_t d = 0; d < lacks.size(); ++d) {
                ASSERT_EQ(lacks[d], d < block_size ? std::min(sums[d], 65535U) : 7U)
                    << "blocks of " << block_size << ", " << n_rows << " rows, member " << d;
            }
        }
    }
}

TEST_P(EveryTable, AddsOverlaps) {
    Random random(17);
    constexpr std::size_t kTileRows = 70;
    for (const std::size_t n_tiles : {0, 1, 2, 5}) {
        const std::size_t n = n_tiles * kernels::kLanes;
        std::vector<std::uint8_t> tiles(n * kTileRows);
        for (auto& code : tiles) code = pick<std::uint8_t>(random, {0, 0, 1, 2, 100, 127, 128, 200, 254, 255});
        for (const std::size_t n_rows : {0, 1, 2, 3, 10, 1000}) {
            const bool saturates = n_rows == 1000;
            std::vector<std::uint32_t> rows;
            std::vector<std::uint8_t> floors;
            std::vector<std::uint8_t> rises;
            for (std::size_t r = 0; r < n_rows; ++r) {
                rows.push_back(static_cast<std::uint32_t>(r == 1 ? kTileRows - 1 : uniform(random, 0, kTileRows - 1)));
                floors.push_back(saturates ? 0 : pick<std::uint8_t>(random, {0, 0, 1, 127, 128, 199}));
                const auto most = static_cast<std::uint8_t>(255 - floors.back());
                rises.push_back(pick<std::uint8_t>(random, {1, 2, most, most, most}));
            }
            std::vector<std::uint16_t> before(n + 1, 7);
            for (auto& overlap : before) overlap = pick<std::uint16_t>(random, {0, 1, 1000, 65534, 65535});
            auto overlaps = before;
            table().add_overlaps(tiles.data(), kTileRows, rows.data(), floors.data(), rises.data(), n_rows, n_tiles,
                                 overlaps.data());
            EXPECT_EQ(overlaps.back(), before.back());
            for (std::size_t d = 0; d < n; ++d) {
                const std::uint8_t* const tile = tiles.data() + d / kernels::kLanes * kTileRows * kernels::kLanes;
                std::int64_t sum = before[d];
                for (std::size_t r = 0; r < n_rows; ++r) {
                    const int code = tile[rows[r] * kernels::kLanes + d % kernels::kLanes];
                    sum += std::min(std::max(code - floors[r], 0), int{rises[r]});
                }
                ASSERT_EQ(overlaps[d], std::min<std::int64_t>(sum, 65535)) << n_rows << " rows, document " << d;
            }
        }
    }
}

TEST_P(EveryTable, FindsTheBestOverlap) {
    Random random(18);
    const auto best_of = [&](const std::vector<std::uint16_t>& overlaps, const std::vector<float>& factors) {
        return table().best_overlap(overlaps.data(), factors.data(), overlaps.size());
    };
    EXPECT_EQ(best_of({}, {}), 0U);
    for (const std::size_t n : {128, 256, 1280}) {
        EXPECT_EQ(best_of(std::vector<std::uint16_t>(n, 9), std::vector<float>(n)), n);
        EXPECT_EQ(best_of(std::vector<std::uint16_t>(n), std::vector<float>(n, 1)), n);
        EXPECT_EQ(best_of(std::vector<std::uint16_t>(n, 9), std::vector<float>(n, 1)), 0U);
        for (int trial = 0; trial < 50; ++trial) {
            std::vector<std::uint16_t> overlaps;
            std::vector<float> factors;
            for (std::size_t d = 0; d < n; ++d) {
                overlaps.push_back(pick<std::uint16_t>(random, {0, 1, 3, 40000, 65535}));
                factors.push_back(pick<float>(random, {0.0F, 1.0F / 3, 1.0F / 65535, 1.0F / 65521}));
            }
            std::size_t expected = n;
            float max = 0;
            for (std::size_t d = 0; d < n; ++d) {
                if (const float product = static_cast<float>(overlaps[d]) * factors[d]; product > max) {
                    max = product;
                    expected = d;
                }
            }
            ASSERT_EQ(best_of(overlaps, factors), expected);
        }
    }
}

// The value of a binary16 by its definition.
double half_value(std::uint32_t half) {
    const double sign = (half & 0x8000U) != 0 ? -1.0 : 1.0;
    const int exponent = static_cast<int>((half >> 10) & 0x1FU);
    const double fraction = half & 0x3FFU;
    if (exponent == 31) return fraction == 0 ? sign * HUGE_VAL : std::nan("");
    return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

std::vector<std::uint32_t> unpacked_one_by_one(const std::vector<std::uint8_t>& packed, unsigned width, std::size_t n,
                                               std::uint32_t next, std::uint32_t last) {
    std::vector<std::uint32_t> docs;
    std::uint32_t doc = next - 1;
    for (std::size_t i = 0; i < n; ++i) {
        std::uint32_t gap = 0;
        for (unsigned bit = 0; bit < width; ++bit) {
            const std::size_t at = i * width + bit;
            gap |= static_cast<std::uint32_t>(packed[at / 8] >> (at % 8) & 1U) << bit;
        }
        doc += gap + 1;
        docs.push_back(std::min(doc, last));
    }
    return docs;
}

TEST_P(EveryTable, UnpacksDocumentsOfEveryWidthAndNumber) {
    constexpr std::uint32_t kUntouched = 0xABCDABCD;
    Random random(31);
    for (unsigned width = 0; width <= 32; ++width) {
        for (const std::size_t n : {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 100, 127, 128}) {
            // Gaps end where a page that can't be read would begin, but for the 64 bytes of the contract.
            std::vector<std::uint8_t> packed((n * width + 7) / 8 + 64);
            for (std::uint8_t& byte : packed) byte = static_cast<std::uint8_t>(uniform(random, 0, 255));
            const auto next = static_cast<std::uint32_t>(uniform(random, 0, 1) * uniform(random, 0, 0x7FFFFFFF));
            const auto last =
                static_cast<std::uint32_t>(uniform(random, 0, 2) == 0 ? uniform(random, 0, 0x7FFFFFFF) : 0xFFFFFFFF);
            std::vector<std::uint32_t> docs(n + 16, kUntouched);
            table().unpack_documents(packed.data(), width, n, next, last, docs.data());
            const auto expected = unpacked_one_by_one(packed, width, n, next, last);
            ASSERT_TRUE(std::equal(expected.begin(), expected.end(), docs.begin())) << "width " << width << " n " << n;
            ASSERT_EQ(docs[n + 15], kUntouched) << "width " << width << " n " << n;
        }
    }
}

TEST_P(EveryTable, WidensEveryHalf) {
    std::vector<std::uint16_t> halves(65536);
    for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
    std::vector<float> out(65536);
    table().widen_halves(halves.data(), halves.size(), out.data());
    for (std::uint32_t i = 0; i < 65536; ++i) {
        const double value = half_value(i);
        ASSERT_EQ(std::signbit(out[i]), (i & 0x8000U) != 0) << i;
        if (std::isnan(value)) {
            ASSERT_TRUE(std::isnan(out[i])) << i;
        } else {
            ASSERT_EQ(static_cast<double>(out[i]), value) << i;
        }
    }
}

TEST_P(EveryTable, WidensTailsAndNoFurther) {
    for (std::size_t n = 0; n <= 40; ++n) {
        const std::vector<std::uint16_t> halves(n, 0x3C00);
        std::vector<float> out(n + 16, -7.0F);
        table().widen_halves(halves.data(), n, out.data());
        for (std::size_t i = 0; i < out.size(); ++i) ASSERT_EQ(out[i], i < n ? 1.0F : -7.0F) << n;
    }
}

// Memory that ends where the process may not read on.
class GuardedMemory {
  public:
    explicit GuardedMemory(std::size_t size)
        : page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))), size_((size + page_ - 1) / page_ * page_) {
        void* memory = ::mmap(nullptr, size_ + page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        memory_ = static_cast<std::uint8_t*>(memory);
        ::mprotect(memory_ + size_, page_, PROT_NONE);
    }
    ~GuardedMemory() { ::munmap(memory_, size_ + page_); }
    GuardedMemory(const GuardedMemory&) = delete;
    GuardedMemory& operator=(const GuardedMemory&) = delete;
    // A copy of `bytes`, the last one at the end.
    const std::uint8_t* hold(std::span<const std::uint8_t> bytes) {
        return std::copy(bytes.begin(), bytes.end(), memory_ + size_ - bytes.size()) - bytes.size();
    }

  private:
    std::size_t page_;
    std::size_t size_;
    std::uint8_t* memory_ = nullptr;
};

// A query as the two tables that a document is scored with.
struct FilteredTable {
    FilteredTable(const std::vector<std::uint32_t>& slots, const std::vector<float>& query, std::size_t size)
        : weights(size) {
        for (std::size_t i = 0; i < slots.size(); ++i) {
            weights[slots[i]] = query[i];
            // Ten bits of a slot choose a bit of the filter.
            filter[slots[i] % kFilter] |= static_cast<std::uint16_t>(1U << (slots[i] % 1024 / kFilter));
        }
    }
    std::array<std::uint16_t, kFilter> filter{};
    std::vector<float> weights;
};

using kernels::DocumentFormat;
using kernels::OtherWeights;
using kernels::Weights;

// A document as postings, and as the bytes that document_layout.inc says.
struct Document {
    DocumentFormat format;
    std::vector<std::uint32_t> slots;     // the common ones, below 4,096, first
    std::vector<std::uint32_t> patterns;  // of the weights, or codes
    float scale = 0x1.fp-7F;              // of codes

    void add(std::uint32_t slot, std::uint32_t pattern) {
        // Behind the others of its kind.
        const auto at = slot < 4096 ? static_cast<std::ptrdiff_t>(n_common()) : std::ssize(slots);
        slots.insert(slots.begin() + at, slot);
        patterns.insert(patterns.begin() + at, pattern);
    }
    std::size_t n_common() const {
        return static_cast<std::size_t>(
            std::count_if(slots.begin(), slots.end(), [](std::uint32_t slot) { return slot < 4096; }));
    }
    double weight(std::uint32_t pattern) const {
        switch (format.weights.kind) {
            case Weights::codes:
                return static_cast<double>(scale) * pattern;
            case Weights::halves:
                return half_value(pattern);
            default:
                return static_cast<double>(std::bit_cast<float>(pattern));
        }
    }
    // In the document's order, by the definition.
    double score(const std::vector<float>& table) const {
        double sum = 0;
        for (std::size_t i = 0; i < slots.size(); ++i) {
            if (slots[i] < table.size()) sum += static_cast<double>(table[slots[i]]) * weight(patterns[i]);
        }
        return sum;
    }
    // Of a document of codes: what the score of the weights that were coded may differ by.
    double max_error(const std::vector<float>& table) const {
        double halves = 0;
        for (std::size_t i = 0; i < slots.size(); ++i) {
            if (slots[i] >= table.size()) continue;
            halves += std::fabs(static_cast<double>(table[slots[i]])) * (patterns[i] == 1 ? 2 : 1);
        }
        return halves * 0.5 * static_cast<double>(scale);
    }
    std::vector<std::uint8_t> bytes() const {
        std::vector<std::uint8_t> all;
        const auto put = [&](std::uint64_t value, std::size_t size) {
            for (std::size_t byte = 0; byte < size; ++byte) all.push_back(static_cast<std::uint8_t>(value >> 8 * byte));
        };
        const std::size_t common = n_common();
        put(common, 2);
        put(slots.size() - common, format.slot_bytes);
        for (std::size_t i = 0; i < common; ++i) put(slots[i] & 255, 1);
        for (std::size_t group = 0; group < common; group += 32) {
            for (std::size_t i = group; i < std::min(group + 16, common); ++i) {
                const std::uint32_t other = i + 16 < std::min(group + 32, common) ? slots[i + 16] >> 8 : 0;
                put(slots[i] >> 8 | other << 4, 1);
            }
        }
        for (std::size_t i = common; i < slots.size(); ++i) put(slots[i], format.slot_bytes);
        const auto weights = weight_bytes();
        all.insert(all.end(), weights.begin(), weights.end());
        return all;
    }
    std::vector<std::uint8_t> weight_bytes() const {
        std::vector<std::uint8_t> all;
        if (format.weights.kind == Weights::codes) {
            const auto bits = std::bit_cast<std::array<std::uint8_t, 4>>(scale);
            all.assign(bits.begin(), bits.end());
            for (const std::uint32_t code : patterns) all.push_back(static_cast<std::uint8_t>(code));
            return all;
        }
        std::vector<bool> bits;
        for (const std::uint32_t pattern : patterns) {
            for (unsigned bit = 0; bit < format.weights.bits; ++bit) {
                bits.push_back(((pattern - format.weights.least) >> bit & 1U) != 0);
            }
        }
        for (std::size_t first = 0; first < bits.size(); first += 8) {
            std::uint8_t byte = 0;
            for (std::size_t bit = first; bit < std::min(first + 8, bits.size()); ++bit) {
                byte |= static_cast<std::uint8_t>(bits[bit] ? 1U << (bit - first) : 0U);
            }
            all.push_back(byte);
        }
        return all;
    }
};

template <class T>
std::span<const std::uint8_t> bytes_of(const std::vector<T>& values) {
    return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(T)};
}

// A copy of `bytes` of which nothing else is allocated, `odd` bytes behind an address of the greatest alignment.
struct Shifted {
    Shifted(std::span<const std::uint8_t> bytes, std::size_t odd) : memory(odd + bytes.size()), shift(odd) {
        std::copy(bytes.begin(), bytes.end(), memory.begin() + static_cast<std::ptrdiff_t>(odd));
    }
    const std::uint8_t* data() const { return memory.data() + shift; }
    std::vector<std::uint8_t> memory;
    std::size_t shift;
};

constexpr std::size_t kLongest = 5000;
constexpr std::size_t kMargin = 64;  // bytes behind a document that can be read

// Scores documents with one query, from memory that ends with what may be read.
class Scoring {
  public:
    Scoring(const Kernels& table, const FilteredTable& query)
        : table_(table),
          query_(query),
          query_memory_(query.weights.size() * sizeof(float)),
          query_weights_(reinterpret_cast<const float*>(query_memory_.hold(bytes_of(query.weights)))) {}

    double score(const std::uint8_t* bytes, std::size_t size, const DocumentFormat& format,
                 const OtherWeights* others = nullptr) const {
        return table_.score_document(bytes, size, format, others, query_.filter.data(), query_weights_,
                                     query_.weights.size(), nullptr);
    }
    void expect_sum(const Document& document, std::uint8_t margin = 0xA7) {
        const auto expected = std::bit_cast<std::uint64_t>(document.score(query_.weights));
        auto bytes = document.bytes();
        const std::size_t size = bytes.size();
        bytes.insert(bytes.end(), kMargin, margin);
        const auto scored = [&](const std::uint8_t* from) {
            return std::bit_cast<std::uint64_t>(score(from, size, document.format));
        };
        const auto described = [&](const char* where) {
            return std::string(where) + ": " + std::to_string(document.slots.size()) + " slots of " +
                   std::to_string(document.format.slot_bytes) + " bytes, weights of " +
                   std::to_string(document.format.weights.bits) + " bits";
        };
        ASSERT_EQ(scored(memory_.hold(bytes)), expected) << described("before a guard page");
        if (document.format.weights.kind == Weights::codes) {
            double max_error = -1;
            const double sum =
                table_.score_document(memory_.hold(bytes), size, document.format, nullptr, query_.filter.data(),
                                      query_weights_, query_.weights.size(), &max_error);
            ASSERT_EQ(std::bit_cast<std::uint64_t>(sum), expected);
            ASSERT_EQ(max_error, document.max_error(query_.weights)) << described("with its error");
        }
        for (const std::size_t odd : {1, 2, 3}) {
            const Shifted shifted(bytes, odd);
            ASSERT_EQ(scored(shifted.data()), expected) << described("unaligned");
        }
    }

  private:
    const Kernels& table_;
    const FilteredTable& query_;
    GuardedMemory query_memory_;
    const float* query_weights_;
    GuardedMemory memory_{kLongest * 8 + 6 + kMargin};
};

// Of either sign, and of magnitudes with which sums in another order differ.
float any_float(Random& random) {
    const auto exponent = uniform(random, 0, 9) == 0 ? uniform(random, -148, -100) : uniform(random, -4, 4);
    return std::ldexp(static_cast<float>(test::unit(random) - 0.5), static_cast<int>(exponent));
}

// The most frequent formats, and those at the limits.
std::vector<DocumentFormat> formats(std::uint32_t slot_bytes) {
    return {{slot_bytes, {Weights::halves, 13, 11551}},      {slot_bytes, {Weights::halves, 0, 0x3C00}},
            {slot_bytes, {Weights::halves, 1, 0x3C00}},      {slot_bytes, {Weights::halves, 16, 0}},
            {slot_bytes, {Weights::floats, 24, 0x3D000000}}, {slot_bytes, {Weights::floats, 31, 0}},
            {slot_bytes, {Weights::floats, 25, 0x3E000001}}, {slot_bytes, {Weights::codes, 8, 0}}};
}

// Lengths about those that a kernel could work in, and all short ones.
std::vector<std::size_t> document_lengths() {
    std::vector<std::size_t> lengths;
    for (std::size_t n = 0; n <= 100; ++n) lengths.push_back(n);
    for (const std::size_t edge : {128, 256, 512, 544, 1024, 1536, 2048, 4096}) {
        for (std::size_t n = edge - 2; n <= edge + 2; ++n) lengths.push_back(n);
        lengths.push_back(edge + 15);
        lengths.push_back(edge + 16);
        lengths.push_back(edge + 17);
    }
    lengths.push_back(kLongest);
    return lengths;
}

bool is_finite(std::uint32_t pattern, Weights kind) {
    if (kind == Weights::codes) return true;
    return kind == Weights::halves ? (pattern & 0x7C00U) != 0x7C00U : (pattern & 0x7F800000U) != 0x7F800000U;
}

// Slots of `n_slots` (more of the first ones), some of them beyond the table where they can be.
Document any_document(Random& random, std::size_t n, const DocumentFormat& format, std::uint32_t n_slots,
                      std::size_t table_size) {
    Document document{format, {}, {}};
    std::vector<std::uint32_t> slots;
    for (std::size_t i = 0; i < n; ++i) {
        slots.push_back(static_cast<std::uint32_t>(std::pow(test::unit(random), 3.0) * n_slots));
        if (format.slot_bytes > 2 && uniform(random, 0, 7) == 0) {
            const auto size = static_cast<std::uint32_t>(table_size);
            const std::uint32_t most = UINT32_MAX >> (32 - 8 * format.slot_bytes);
            slots.back() = pick<std::uint32_t>(random, {size, size + 1, size - 1, most / 2 + 1, most});
        }
    }
    std::stable_partition(slots.begin(), slots.end(), [](std::uint32_t slot) { return slot < 4096; });
    document.slots = slots;
    for (std::size_t i = 0; i < n; ++i) {
        std::uint32_t pattern = 0;
        do {
            const auto above = uniform(random, 0, (std::int64_t{1} << format.weights.bits) - 1);
            pattern = format.weights.least + static_cast<std::uint32_t>(above);
        } while (!is_finite(pattern, format.weights.kind));
        document.patterns.push_back(pattern);
    }
    return document;
}

FilteredTable any_query(Random& random, std::size_t n_terms, std::uint32_t n_slots, std::size_t table_size) {
    std::vector<std::uint32_t> slots;
    std::vector<float> weights;
    std::vector<bool> taken(n_slots);
    for (std::size_t i = 0; i < n_terms; ++i) {
        const auto slot = static_cast<std::uint32_t>(i == 0 ? 0 : uniform(random, 0, n_slots - 1));
        if (taken[slot]) continue;
        taken[slot] = true;
        slots.push_back(slot);
        weights.push_back(any_float(random));
    }
    return {slots, weights, table_size};
}

// Of no term, of few, of as many as a query has, and of so many that each slot passes the filter.
constexpr std::size_t kQuerySizes[] = {0, 1, 5, 45, 700, 40000};

void expect_any_document_is_scored(const Kernels& table, std::uint32_t slot_bytes, std::uint32_t n_slots,
                                   std::size_t table_size) {
    Random random(13);
    for (const std::size_t n_terms : kQuerySizes) {
        const FilteredTable query = any_query(random, n_terms, n_slots, table_size);
        Scoring scoring(table, query);
        const auto all = formats(slot_bytes);
        std::size_t next = 0;
        for (const std::size_t n : document_lengths()) {
            const auto document = any_document(random, n, all[next++ % all.size()], n_slots, table_size);
            ASSERT_NO_FATAL_FAILURE(scoring.expect_sum(document)) << n_terms << " terms";
        }
    }
}

// Documents of codes, each with its weights in another format beside it.
TEST_P(EveryTable, ScoresDocumentsByOtherWeights) {
    Random random(17);
    for (const std::uint32_t slot_bytes : {2U, 3U, 4U}) {
        const std::uint32_t n_slots = slot_bytes == 2 ? 30522 : 70000;
        const std::size_t table_size = std::max(n_slots, 65536U);
        const FilteredTable query = any_query(random, 45, n_slots, table_size);
        const Scoring scoring(table(), query);
        for (const DocumentFormat& format : formats(slot_bytes)) {
            for (const std::size_t n : document_lengths()) {
                auto document = any_document(random, n, format, n_slots, table_size);
                const double expected = document.score(query.weights);
                auto weights = document.weight_bytes();
                const std::size_t size = weights.size();
                weights.resize(size + kMargin, 0xA7);
                document.format.weights = {Weights::codes, 8, 0};
                auto bytes = document.bytes();
                const std::size_t n_bytes = bytes.size();
                bytes.resize(n_bytes + kMargin, 0xA7);
                const OtherWeights others{weights.data(), size, format.weights};
                ASSERT_EQ(scoring.score(bytes.data(), n_bytes, document.format, &others), expected) << n;
                if (size == 0) continue;
                const OtherWeights too_few{weights.data(), size - 1, format.weights};
                ASSERT_EQ(scoring.score(bytes.data(), n_bytes, document.format, &too_few), 0) << n;
            }
        }
    }
}

TEST_P(EveryTable, ScoresDocumentsOfNarrowSlots) {
    for (const std::uint32_t n_slots : {200U, 4096U, 30522U, 65536U}) {
        expect_any_document_is_scored(table(), 2, n_slots, 65536);
    }
}

TEST_P(EveryTable, ScoresDocumentsOfWideSlots) {
    for (const std::size_t table_size : {65537, 70000}) {
        expect_any_document_is_scored(table(), 3, static_cast<std::uint32_t>(table_size), table_size);
        expect_any_document_is_scored(table(), 4, static_cast<std::uint32_t>(table_size), table_size);
    }
}

// One term, and the slots that share some or all of the bits that choose its bit of the filter.
void expect_one_slot_is_found(const Kernels& table, std::uint32_t slot_bytes, std::uint32_t n_slots) {
    for (const std::uint32_t asked : {0U, 1U, 31U, 32U, 63U, 64U, 1023U, 1024U, 4095U, 4096U, 5000U, n_slots - 1}) {
        const FilteredTable query({asked}, {3.0F}, n_slots);
        Scoring scoring(table, query);
        for (const std::uint32_t step : {1U, 32U, 64U, 512U, 960U, 1024U, 2048U, 32768U}) {
            std::vector<std::uint32_t> slots;
            for (std::uint32_t i = 0; i < 40; ++i) {
                const std::uint32_t slot = (asked + i * step) % n_slots;
                if (i != 0 && slot == asked) break;
                slots.push_back(slot);
            }
            for (std::size_t turn = 0; turn < slots.size(); ++turn) {  // at every place
                Document document{{slot_bytes, {Weights::floats, 31, 0}}, {}, {}};
                for (std::size_t i = 0; i < slots.size(); ++i) {
                    const auto weight = std::ldexp(1.0F, static_cast<int>((i + turn) % slots.size()));
                    document.add(slots[i], std::bit_cast<std::uint32_t>(weight));
                }
                ASSERT_NO_FATAL_FAILURE(scoring.expect_sum(document)) << asked << " step " << step;
                std::rotate(slots.begin(), slots.begin() + 1, slots.end());
            }
        }
    }
}

TEST_P(EveryTable, FindsOneSlotAmongThoseThatResembleIt) {
    expect_one_slot_is_found(table(), 2, 65536);
    expect_one_slot_is_found(table(), 3, 70000);
    expect_one_slot_is_found(table(), 4, 65537);
    expect_one_slot_is_found(table(), 4, 70000);
}

// One term, at each place of documents of each length. What is not a slot must not stand for slot 0, if that is asked
// for or if it is not, and no more must what lies behind the document.
void expect_every_place_is_seen(const Kernels& table, std::uint32_t slot_bytes, std::uint32_t other) {
    for (const std::uint32_t asked : {other - other % 4096, other - 1}) {
        const FilteredTable query({asked}, {0.75F}, 65537);
        Scoring scoring(table, query);
        const auto one = std::bit_cast<std::uint32_t>(1.0F);
        for (std::size_t n = 0; n <= 100; ++n) {
            for (std::size_t place = 0; place <= n; ++place) {
                Document document{{slot_bytes, {Weights::floats, 1, one}},
                                  std::vector<std::uint32_t>(n, other),
                                  std::vector<std::uint32_t>(n, one)};
                if (place < n) document.slots[place] = asked;
                ASSERT_EQ(document.score(query.weights), place < n ? 0.75 : 0.0);
                ASSERT_NO_FATAL_FAILURE(scoring.expect_sum(document, static_cast<std::uint8_t>(asked)))
                    << asked << " at " << place;
            }
        }
    }
}

TEST_P(EveryTable, FindsOneSlotAtEveryPlace) {
    for (const std::uint32_t other : {8U, 0x808U, 0x2008U}) {
        expect_every_place_is_seen(table(), 2, other);
        expect_every_place_is_seen(table(), 3, other);
        expect_every_place_is_seen(table(), 4, other);
    }
}

TEST_P(EveryTable, ScoresEveryHalf) {
    const FilteredTable query({9}, {1.0F}, 65536);
    const Scoring scoring(table(), query);
    for (std::uint32_t half = 0; half < 65536; ++half) {
        Document document{{2, {Weights::halves, 16, 0}}, {}, {}};
        document.add(9, half);
        auto bytes = document.bytes();
        const std::size_t size = bytes.size();
        bytes.resize(size + kMargin);
        const double value = half_value(half);
        const double score = scoring.score(bytes.data(), size, document.format);
        if (std::isnan(value)) {
            ASSERT_TRUE(std::isnan(score)) << half;
        } else {
            ASSERT_EQ(score, value) << half;
        }
    }
}

// A document whose bytes end before its postings has none: as in an altered file.
TEST_P(EveryTable, ScoresNothingOfADocumentThatIsCutOff) {
    const FilteredTable query({9, 5000}, {1.0F, 1.0F}, 70000);
    for (const std::uint32_t slot_bytes : {2U, 3U, 4U}) {
        Document document{{slot_bytes, {Weights::halves, 13, 11551}}, {}, {}};
        for (int i = 0; i < 40; ++i) {
            document.add(9, 0x3C00);
            document.add(5000, 0x3C00);
        }
        const auto bytes = document.bytes();
        Scoring scoring(table(), query);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            auto cut = std::vector<std::uint8_t>(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
            GuardedMemory memory(size + kMargin);
            cut.resize(size + kMargin, 0x55);
            ASSERT_EQ(scoring.score(memory.hold(cut), size, document.format), 0.0) << size;
        }
        auto whole = bytes;
        whole.resize(bytes.size() + kMargin);
        ASSERT_EQ(scoring.score(whole.data(), bytes.size(), document.format), 80.0);
        for (std::size_t byte = 0; byte < 2 + slot_bytes; ++byte) {
            auto altered = whole;
            altered[byte] = 0xFF;
            ASSERT_EQ(scoring.score(altered.data(), bytes.size(), document.format), 0.0) << "byte " << byte;
        }
    }
}

// Bit by bit, from the polynomial.
std::uint32_t reference_crc(const std::uint8_t* data, std::size_t size) {
    std::uint32_t crc = ~0U;
    for (std::size_t i = 0; i < size; ++i) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
    }
    return ~crc;
}

TEST_P(EveryTable, ChecksumsThePublishedCheckValue) {
    const std::string_view digits = "123456789";
    std::uint32_t checksum = 0;
    table().checksum_blocks(reinterpret_cast<const std::uint8_t*>(digits.data()), digits.size(), 1, &checksum);
    EXPECT_EQ(checksum, 0xE3069283U);
}

TEST_P(EveryTable, ChecksumsEveryLengthAndNumberOfBlocks) {
    Random random(5);
    for (std::size_t size = 0; size <= 300; ++size) {
        const std::size_t n_blocks = size % 7 == 0 ? 9 : size % 7;
        std::vector<std::uint8_t> data(size * n_blocks);
        for (auto& byte : data) byte = static_cast<std::uint8_t>(random());
        std::vector<std::uint32_t> checksums(n_blocks);
        table().checksum_blocks(data.data(), size, n_blocks, checksums.data());
        for (std::size_t b = 0; b < n_blocks; ++b) {
            ASSERT_EQ(checksums[b], reference_crc(data.data() + b * size, size)) << size << " bytes, block " << b;
        }
    }
    table().checksum_blocks(nullptr, 8, 0, nullptr);
}

TEST(Dispatch, OffersScalarFirst) {
    ASSERT_GE(tables().size(), 1U);
    EXPECT_EQ(tables()[0], &kernels::scalar_kernels());
}

// Runs in a process of its own, because the choice is made once.
[[noreturn]] void choose_under(const char* isa) {
    ::setenv("THRESHER_ISA", isa, 1);
    try {
        std::cerr << "chose " << kernels::active().name << ".";
    } catch (const std::invalid_argument& error) {
        std::cerr << error.what();
    }
    std::exit(0);
}

TEST(Dispatch, NarrowsToTheWish) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    const std::vector<std::string> names{"scalar", "avx2", "avx512"};
    for (std::size_t level = 0; level < names.size(); ++level) {
        const std::string expected = tables()[std::min(level, tables().size() - 1)]->name;
        EXPECT_EXIT(choose_under(names[level].c_str()), testing::ExitedWithCode(0), "chose " + expected);
    }
    EXPECT_EXIT(choose_under(""), testing::ExitedWithCode(0), std::string("chose ") + tables().back()->name);
}

TEST(Dispatch, NamesAWishItDoesNotKnow) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(choose_under("sse9"), testing::ExitedWithCode(0),
                "THRESHER_ISA must be scalar, avx2 or avx512, got 'sse9'");
}

}  // namespace
}  // namespace thresher
