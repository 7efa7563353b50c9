// Kernel microbenchmark: nanoseconds an element and GB/s read, for each instruction set that this machine runs.
//
// Every figure is the median of many repetitions over data that stay in cache, so that it is the kernel that is
// measured and not the memory. Prints one table a kernel.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <vector>

#include "kernels/kernels.hpp"

namespace {

using thresher::kernels::Kernels;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kRepetitions = 201;
constexpr std::uint32_t kWindow = 8192;

double median_seconds(const std::function<void()>& run) {
    std::vector<double> seconds(kRepetitions);
    run();
    for (double& elapsed : seconds) {
        const auto start = Clock::now();
        run();
        elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    }
    std::nth_element(seconds.begin(), seconds.begin() + kRepetitions / 2, seconds.end());
    return seconds[kRepetitions / 2];
}

void report(const char* kernel, const Kernels& table, double seconds, double elements, double bytes) {
    std::printf("%-18s %-8s %10.3f %10.2f\n", kernel, table.name, seconds / elements * 1e9, bytes / seconds * 1e-9);
}

// Lists of a window as a collection has them: ascending documents, some hundreds to a list.
void accumulate_lists(const Kernels& table) {
    constexpr std::uint32_t kLists = 40;
    constexpr double kDensity = 0.03;
    std::mt19937 random(1);
    std::vector<std::uint32_t> lists(kLists);
    std::vector<std::uint32_t> offsets{0};
    std::vector<std::int32_t> weights(kLists, 1000);
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
    const double seconds = median_seconds([&] {
        table.accumulate_lists(lists.data(), weights.data(), kLists, offsets.data(), offsets.back(), docs.data(),
                               impacts.data(), scores.data());
    });
    const auto postings = static_cast<double>(docs.size());
    report("accumulate_lists", table, seconds, postings, 3 * postings);
}

void select_candidates(const Kernels& table) {
    constexpr std::size_t kRows = 16;
    const std::vector<std::uint8_t> cells(kRows * (kWindow + 64), 3);
    std::vector<const std::uint8_t*> rows(kRows);
    for (std::size_t r = 0; r < kRows; ++r) rows[r] = cells.data() + r * (kWindow + 64);
    const std::vector<std::int16_t> weights(kRows, 1000);
    std::vector<std::int32_t> scores(kWindow);
    std::vector<std::uint32_t> candidates(kWindow);
    std::vector<std::int32_t> candidate_scores(kWindow);
    const double seconds = median_seconds([&] {
        table.select_candidates(rows.data(), weights.data(), kRows, scores.data(), kWindow, INT32_MAX,
                                candidates.data(), candidate_scores.data());
    });
    report("select_candidates", table, seconds, double{kRows} * kWindow, double{kRows} * kWindow + 4.0 * kWindow);
}

// Documents and a query of learned sizes, more of frequent slots than of rare ones; documents differ, so that no branch
// is learned by heart.
void score_document(const Kernels& table) {
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
    const thresher::kernels::DocumentFormat format{2, 13, 11551, true};
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
    const std::size_t n_bytes = docs.size();
    docs.resize(n_bytes + 64);
    double sum = 0;
    const double seconds = median_seconds([&] {
        for (std::size_t doc = 0; doc < kDocs; ++doc) {
            sum += table.score_document(docs.data() + starts[doc], starts[doc + 1] - starts[doc], format, filter.data(),
                                        weights.data(), weights.size());
        }
    });
    if (sum == 0) std::abort();
    report("score_document", table, seconds, double{kDocs} * kPostings, static_cast<double>(n_bytes));
}

void widen_halves(const Kernels& table) {
    constexpr std::size_t kHalves = 8192;
    const std::vector<std::uint16_t> halves(kHalves, 0x3555);
    std::vector<float> floats(kHalves);
    const double seconds = median_seconds([&] { table.widen_halves(halves.data(), kHalves, floats.data()); });
    report("widen_halves", table, seconds, kHalves, 2.0 * kHalves);
}

void checksum_blocks(const Kernels& table) {
    constexpr std::size_t kBlock = 65536;
    constexpr std::size_t kBlocks = 8;
    const std::vector<std::uint8_t> data(kBlock * kBlocks, 5);
    std::vector<std::uint32_t> checksums(kBlocks);
    const double seconds =
        median_seconds([&] { table.checksum_blocks(data.data(), kBlock, kBlocks, checksums.data()); });
    report("checksum_blocks", table, seconds, double{kBlock} * kBlocks, double{kBlock} * kBlocks);
}

}  // namespace

int main() {
    const auto available = thresher::kernels::available();
    std::printf("%-18s %-8s %10s %10s\n", "kernel", "isa", "ns/element", "GB/s");
    for (const auto& bench : {accumulate_lists, select_candidates, score_document, widen_halves, checksum_blocks}) {
        for (std::size_t t = 0; t < available.count; ++t) bench(*available.tables[t]);
    }
}
