// Every kernel on every instruction set that this machine runs, over Google Benchmark: time an element, and bytes read
// a second. The data stay in cache, so that it is the kernel that is measured and not the memory.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/kernels.hpp"

namespace {

using benchmark::Counter;
using benchmark::State;
using thresher::kernels::Kernels;

constexpr std::uint32_t kWindow = 8192;
constexpr std::size_t kMargin = 64;  // bytes behind its input that a kernel may read

// Runs `call`, of so many elements and bytes, for as long as the library wants.
template <class Call>
void run(State& state, double elements, double bytes, const Call& call) {
    for ([[maybe_unused]] const auto iteration : state) {
        call();
        benchmark::ClobberMemory();
    }
    state.counters["time/element"] = Counter(elements, Counter::kIsIterationInvariantRate | Counter::kInvert);
    state.counters["bytes"] = Counter(bytes, Counter::kIsIterationInvariantRate);
}

// Lists of a window as a collection has them: ascending documents, some hundreds to a list.
void accumulate_lists(State& state, const Kernels& table) {
    constexpr std::uint32_t kLists = 40;
    constexpr double kDensity = 0.03;
    std::mt19937 random(1);
    std::vector<std::uint32_t> lists(kLists);
    std::vector<std::uint32_t> offsets{0};
    const std::vector<std::int32_t> weights(kLists, 1000);
    std::vector<std::uint16_t> docs;
    for (std::uint32_t list = 0; list < kLists; ++list) {
        lists[list] = list;
        for (std::uint32_t doc = 0; doc < kWindow; ++doc) {
            if (std::bernoulli_distribution(kDensity)(random)) docs.push_back(static_cast<std::uint16_t>(doc));
        }
        offsets.push_back(static_cast<std::uint32_t>(docs.size()));
    }
    const std::vector<std::uint8_t> impacts(docs.size(), 7);
    std::vector<std::int32_t> scores(65536);
    const auto postings = static_cast<double>(docs.size());
    run(state, postings, 3 * postings, [&] {
        table.accumulate_lists(lists.data(), weights.data(), kLists, offsets.data(), offsets.back(), docs.data(),
                               impacts.data(), scores.data());
    });
}

void select_candidates(State& state, const Kernels& table) {
    constexpr std::size_t kRows = 16;
    const std::vector<std::uint8_t> cells(kRows * (kWindow + kMargin), 3);
    std::vector<const std::uint8_t*> rows(kRows);
    for (std::size_t r = 0; r < kRows; ++r) rows[r] = cells.data() + r * (kWindow + kMargin);
    const std::vector<std::int16_t> weights(kRows, 1000);
    std::vector<std::int32_t> scores(kWindow);
    std::vector<std::uint32_t> candidates(kWindow);
    std::vector<std::int32_t> candidate_scores(kWindow);
    run(state, double{kRows} * kWindow, double{kRows} * kWindow + 4.0 * kWindow, [&] {
        table.select_candidates(rows.data(), weights.data(), kRows, scores.data(), kWindow, nullptr,
                                std::numeric_limits<std::int32_t>::max(), candidates.data(), candidate_scores.data());
    });
}

// 20 rows of two codes a byte; 64 superblocks are 8,192 blocks.
void sum_bounds(State& state, const Kernels& table) {
    constexpr std::size_t kRows = 20;
    constexpr std::size_t kSuperblocks = 64;
    constexpr std::size_t kBlocks = kSuperblocks * thresher::kernels::kSuperblock;
    const std::vector<std::uint8_t> codes(kRows * kBlocks / 2 + kMargin, 0x21);
    std::vector<const std::uint8_t*> rows(kRows);
    for (std::size_t r = 0; r < kRows; ++r) rows[r] = codes.data() + r * kBlocks / 2;
    const std::vector<std::uint8_t> weights(kRows, 50);
    std::vector<std::uint16_t> bounds(kBlocks);
    std::vector<std::uint16_t> maxima(kSuperblocks);
    run(state, double{kRows} * kBlocks, double{kRows} * kBlocks / 2,
        [&] { table.sum_bounds(rows.data(), weights.data(), kRows, bounds.data(), kSuperblocks, maxima.data()); });
}

// The same rows, one group of 32 blocks in eight: 64 superblocks of four groups each.
void sum_groups(State& state, const Kernels& table) {
    constexpr std::size_t kRows = 20;
    constexpr std::size_t kSuperblocks = 64;
    constexpr std::size_t kSummed = kSuperblocks * thresher::kernels::kSuperblock;
    constexpr std::size_t kBlocks = 8 * kSummed;
    const std::vector<std::uint8_t> codes(kRows * kBlocks / 2 + kMargin, 0x21);
    std::vector<const std::uint8_t*> rows(kRows);
    for (std::size_t r = 0; r < kRows; ++r) rows[r] = codes.data() + r * kBlocks / 2;
    const std::vector<std::uint8_t> weights(kRows, 50);
    std::vector<std::uint32_t> groups(kSummed / thresher::kernels::kGroup + thresher::kernels::kGroupsAhead);
    for (std::size_t i = 0; i < kSummed / thresher::kernels::kGroup; ++i) groups[i] = static_cast<std::uint32_t>(8 * i);
    std::vector<std::uint16_t> bounds(kSummed);
    std::vector<std::uint16_t> maxima(kSuperblocks);
    run(state, double{kRows} * kSummed, double{kRows} * kSummed / 2, [&] {
        table.sum_groups(rows.data(), weights.data(), kRows, groups.data(), bounds.data(), kSuperblocks, maxima.data());
    });
}

// A list of every fourth block, of whose groups one in eight is chosen.
void add_to_groups(State& state, const Kernels& table) {
    constexpr std::size_t kPostings = 16384;
    constexpr std::size_t kGroups = 2048;
    std::vector<std::uint16_t> items(kPostings + kMargin);
    for (std::size_t p = 0; p < kPostings; ++p) items[p] = static_cast<std::uint16_t>(4 * p);
    const std::vector<std::uint8_t> impacts(kPostings + kMargin, 100);
    const std::vector<std::uint8_t> chosen(kGroups / 8, 1);
    std::vector<std::uint32_t> places(kGroups);
    for (std::size_t group = 0; group < kGroups; ++group) places[group] = static_cast<std::uint32_t>(group / 8);
    std::vector<std::uint16_t> bounds(kGroups / 8 * thresher::kernels::kGroup);
    run(state, kPostings, 3.0 * kPostings, [&] {
        table.add_to_groups(items.data(), impacts.data(), kPostings, 0, 5000, 1U << 15U, chosen.data(), places.data(),
                            bounds.data());
    });
}

// A superblock in eight is looked into, and a block in thirty of it chosen.
void select_blocks(State& state, const Kernels& table) {
    constexpr std::size_t kSuperblocks = 512;
    constexpr std::size_t kBlocks = kSuperblocks * thresher::kernels::kSuperblock;
    std::vector<std::uint16_t> bounds(kBlocks, 10);
    std::vector<std::uint16_t> maxima(kSuperblocks, 10);
    for (std::size_t block = 0; block < kBlocks; block += 31) {
        const std::size_t superblock = block / thresher::kernels::kSuperblock;
        if (superblock % 8 == 0) bounds[block] = maxima[superblock] = 1000;
    }
    std::vector<std::uint32_t> blocks(kBlocks);
    std::vector<std::uint16_t> block_bounds(kBlocks);
    run(state, kBlocks, 2.0 * kBlocks / 8 + 2.0 * kSuperblocks, [&] {
        table.select_blocks(bounds.data(), maxima.data(), kSuperblocks, 500, 2000, blocks.data(), block_bounds.data());
    });
}

void select_sums(State& state, const Kernels& table) {
    std::vector<std::int16_t> sums(kWindow, 10);
    for (std::size_t item = 0; item < kWindow; item += 301) sums[item] = 1000;
    std::vector<std::uint32_t> items(kWindow);
    std::vector<std::int32_t> item_sums(kWindow);
    run(state, kWindow, 2.0 * kWindow,
        [&] { table.select_sums(sums.data(), kWindow, 500, items.data(), item_sums.data()); });
}

void stretch_maxima(State& state, const Kernels& table) {
    constexpr std::size_t kStretches = kWindow / thresher::kernels::kStretch;
    const std::vector<std::uint8_t> bytes(kWindow, 10);
    std::vector<std::uint8_t> maxima(kStretches);
    run(state, kWindow, kWindow, [&] { table.stretch_maxima(bytes.data(), kStretches, maxima.data()); });
}

void select_bytes(State& state, const Kernels& table) {
    std::vector<std::uint8_t> bytes(kWindow, 10);
    for (std::size_t item = 0; item < kWindow; item += 301) bytes[item] = 200;
    std::vector<std::uint32_t> items(kWindow + thresher::kernels::kSelectMargin);
    run(state, kWindow, kWindow, [&] { table.select_bytes(bytes.data(), kWindow, 100, items.data()); });
}

// Blocks of four, as the engines have them by default: every second row of 40, two bytes each.
void bound_members(State& state, const Kernels& table) {
    constexpr std::size_t kBlock = 4;
    constexpr std::size_t kRows = 20;
    const std::vector<std::uint8_t> tile(2 * kRows * kBlock / 2 + kMargin, 0x31);
    std::vector<std::uint32_t> rows(kRows);
    for (std::uint32_t r = 0; r < kRows; ++r) rows[r] = 2 * r;
    const std::vector<std::uint8_t> weights(kRows, 50);
    std::vector<std::uint16_t> lacks(kMargin);
    run(state, double{kRows} * kBlock, double{kRows} * (kBlock / 2.0 + 5),
        [&] { table.bound_members(tile.data(), rows.data(), weights.data(), kRows, kBlock, lacks.data()); });
}

// Documents and a query of learned sizes, more of frequent slots than of rare ones; documents differ, so that no branch
// is learned by heart.
void score_document(State& state, const Kernels& table) {
    constexpr std::uint32_t kSlots = 30522;
    constexpr std::size_t kDocs = 64;
    constexpr std::size_t kPostings = 126;
    constexpr std::size_t kTerms = 45;
    std::mt19937 random(1);
    std::uniform_real_distribution<double> unit;
    const auto slot = [&] { return static_cast<std::uint16_t>(kSlots * std::pow(unit(random), 3.0)); };
    std::vector<std::uint16_t> filter(thresher::kernels::kFilter);
    std::vector<float> weights(65536);
    for (std::size_t i = 0; i < kTerms; ++i) {
        const std::size_t term = slot();
        weights[term] = 0.7F;
        filter[term % thresher::kernels::kFilter] |=
            static_cast<std::uint16_t>(1U << (term / thresher::kernels::kFilter % 16));
    }
    // As document_layout.inc says: common slots in 12 bits, the others whole, weights of 13 bits.
    const thresher::kernels::DocumentFormat format{2, {thresher::kernels::Weights::halves, 13, 11551}};
    std::vector<std::uint8_t> docs;
    std::vector<std::size_t> starts{0};
    for (std::size_t doc = 0; doc < kDocs; ++doc) {
        std::vector<std::uint16_t> slots(kPostings);
        std::generate(slots.begin(), slots.end(), slot);
        const auto rare = std::partition(slots.begin(), slots.end(), [](std::uint16_t s) { return s < 4096; });
        const auto n_common = static_cast<std::size_t>(rare - slots.begin());
        const auto put = [&](std::size_t value, std::size_t size) {
            for (std::size_t byte = 0; byte < size; ++byte) {
                docs.push_back(static_cast<std::uint8_t>(value >> 8 * byte));
            }
        };
        put(n_common, 2);
        put(kPostings - n_common, 2);
        for (std::size_t i = 0; i < n_common; ++i) put(slots[i] & 255U, 1);
        for (std::size_t group = 0; group < n_common; group += 32) {
            for (std::size_t i = group; i < std::min(group + 16, n_common); ++i) {
                const std::size_t other = i + 16 < std::min(group + 32, n_common) ? slots[i + 16] >> 8U : 0;
                put(slots[i] >> 8U | other << 4U, 1);
            }
        }
        for (std::size_t i = n_common; i < kPostings; ++i) put(slots[i], 2);
        docs.resize(docs.size() + (kPostings * 13 + 7) / 8, 0x35);
        starts.push_back(docs.size());
    }
    const auto n_bytes = static_cast<double>(docs.size());
    docs.resize(docs.size() + kMargin);
    run(state, double{kDocs} * kPostings, n_bytes, [&] {
        for (std::size_t doc = 0; doc < kDocs; ++doc) {
            benchmark::DoNotOptimize(table.score_document(docs.data() + starts[doc], starts[doc + 1] - starts[doc],
                                                          format, nullptr, filter.data(), weights.data(),
                                                          weights.size(), nullptr));
        }
    });
}

// A block of 128 gaps of 11 bits.
void unpack_documents(State& state, const Kernels& table) {
    constexpr std::size_t kGaps = 128;
    constexpr unsigned kWidth = 11;
    const std::vector<std::uint8_t> packed(kGaps * kWidth / 8 + kMargin, 0x35);
    std::vector<std::uint32_t> docs(kGaps + 15);
    run(state, kGaps, kGaps * kWidth / 8.0,
        [&] { table.unpack_documents(packed.data(), kWidth, kGaps, 5, 1U << 30U, docs.data()); });
}

void widen_halves(State& state, const Kernels& table) {
    constexpr std::size_t kHalves = 8192;
    const std::vector<std::uint16_t> halves(kHalves, 0x3555);
    std::vector<float> floats(kHalves);
    run(state, kHalves, 2.0 * kHalves, [&] { table.widen_halves(halves.data(), kHalves, floats.data()); });
}

void checksum_blocks(State& state, const Kernels& table) {
    constexpr std::size_t kBlock = 65536;
    constexpr std::size_t kBlocks = 8;
    const std::vector<std::uint8_t> data(kBlock * kBlocks, 5);
    std::vector<std::uint32_t> checksums(kBlocks);
    run(state, double{kBlock} * kBlocks, double{kBlock} * kBlocks,
        [&] { table.checksum_blocks(data.data(), kBlock, kBlocks, checksums.data()); });
}

struct Kernel {
    const char* name;
    void (*measure)(State& state, const Kernels& table);
};

constexpr Kernel kKernels[] = {
    {"accumulate_lists", accumulate_lists},
    {"select_candidates", select_candidates},
    {"sum_bounds", sum_bounds},
    {"sum_groups", sum_groups},
    {"add_to_groups", add_to_groups},
    {"select_blocks", select_blocks},
    {"select_sums", select_sums},
    {"stretch_maxima", stretch_maxima},
    {"select_bytes", select_bytes},
    {"bound_members", bound_members},
    {"score_document", score_document},
    {"unpack_documents", unpack_documents},
    {"widen_halves", widen_halves},
    {"checksum_blocks", checksum_blocks},
};

}  // namespace

int main(int argc, char** argv) {
    const auto available = thresher::kernels::available();
    for (const Kernel& kernel : kKernels) {
        for (std::size_t t = 0; t < available.count; ++t) {
            const Kernels& table = *available.tables[t];
            benchmark::RegisterBenchmark((std::string(kernel.name) + "/" + table.name).c_str(), kernel.measure, table);
        }
    }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
