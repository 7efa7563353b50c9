// Opens arbitrary bytes as an index file: they must be refused by FormatError or give an index that can be searched,
// whatever comes out of it. Each input is tried as it is, with every checksum verified, and again with its header's
// checksum made right and the others ignored, so that the checks behind the checksums are reached.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/storage/checksum.hpp"
#include "core/storage/words.hpp"
#include "engines/block_max_index.hpp"
#include "engines/clustered_index.hpp"
#include "engines/graph_index.hpp"
#include "engines/impact_index.hpp"
#include "engines/postings_index.hpp"
#include "engines/registry.hpp"

namespace {

// The places of docs/format.md that resealing needs.
constexpr std::size_t kChecksumAt = 12;
constexpr std::size_t kSectionCountAt = 24;
constexpr std::size_t kHeaderSize = 64;
constexpr std::size_t kEntrySize = 64;

// A file in memory, with a path.
class MemoryFile {
  public:
    explicit MemoryFile(std::span<const std::uint8_t> bytes) : descriptor_(::memfd_create("fuzz", 0)) {
        if (descriptor_ < 0 || ::write(descriptor_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
            std::abort();
        }
    }
    ~MemoryFile() { ::close(descriptor_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

  private:
    int descriptor_;
};

void reseal_header(std::span<std::uint8_t> file) {
    if (file.size() < kHeaderSize) return;
    std::uint32_t n_sections = 0;
    std::memcpy(&n_sections, file.data() + kSectionCountAt, sizeof n_sections);
    const std::size_t end = std::min(file.size(), kHeaderSize + std::size_t{n_sections} * kEntrySize);
    std::fill_n(file.begin() + kChecksumAt, sizeof(std::uint32_t), std::uint8_t{0});
    const std::uint32_t checksum = thresher::crc32c(std::as_bytes(file.first(end)));
    std::memcpy(file.data() + kChecksumAt, &checksum, sizeof checksum);
}

// A few of very many: each may take a pass over the file.
void look_up(const thresher::Words* words) {
    if (words == nullptr) return;
    std::string word;
    for (std::size_t number = 0; number < std::min<std::size_t>(words->size(), 100); ++number) {
        words->read(static_cast<std::uint32_t>(number), word);
        const auto found = words->find(word);
        if (found && *found >= words->size()) std::abort();
    }
    if (words->size() != 0) words->read(static_cast<std::uint32_t>(words->size() - 1), word);
    for (const char* wanted : {"", "word", "word 17", "\xff\xff"}) static_cast<void>(words->find(wanted));
}

void search(const thresher::Index& index) {
    look_up(index.words());
    look_up(index.names());
    constexpr std::size_t kHits = 5;
    const std::array<std::uint32_t, 4> terms{0, 1, 7, 0xfffffffe};
    const std::array<float, 4> weights{1.0F, 0.5F, -0.25F, 2.0F};
    std::array<std::int64_t, kHits> ids{};
    std::array<float, kHits> scores{};
    std::array<std::uint8_t, 1> exact{};
    const thresher::HitsView hits{.n_columns = kHits, .ids = ids, .scores = scores, .exact = exact};
    const auto n_fitting = std::count_if(terms.begin(), terms.end(), [&](auto term) { return term < index.n_terms(); });
    const auto n = static_cast<std::size_t>(n_fitting);
    const auto check_ids = [&] {
        for (const std::int64_t id : ids) {
            if (id < -1 || id >= static_cast<std::int64_t>(index.n_docs())) std::abort();
        }
    };
    index.search_one(std::span(terms).first(n), std::span(weights).first(n), hits);
    check_ids();
    std::vector<std::uint8_t> odd(index.n_docs());
    for (std::size_t doc = 1; doc < odd.size(); doc += 2) odd[doc] = 1;
    const thresher::SearchOptions filled{.k = kHits, .threads = 1, .allowed = {index.select(odd)}, .fill = true};
    index.search_one(std::span(terms).first(n), std::span(weights).first(n), filled, hits);
    check_ids();
    // So small a collection is searched exhaustively unless a parameter is given.
    if (const auto* block_max = dynamic_cast<const thresher::BlockMaxIndex*>(&index)) {
        for (const thresher::BlockMaxSearchParams& params :
             {thresher::BlockMaxSearchParams{.block_budget = 1 << 20},
              {.alpha = 0.8, .beta = 0.8, .block_budget = 10, .superblock_budget = 1}}) {
            block_max->search_one(std::span(terms).first(n), std::span(weights).first(n), params, hits);
            check_ids();
        }
    }
    if (const auto* clustered = dynamic_cast<const thresher::ClusteredIndex*>(&index)) {
        for (const thresher::ClusteredSearchParams& params :
             {thresher::ClusteredSearchParams{.query_cut = 1, .heap_factor = 0.8, .cluster_budget = 2},
              {.group_budget = 1},
              {.refine = 3}}) {
            const auto parts = clustered->nbytes();
            const bool grouped =
                std::ranges::any_of(parts, [](const auto& part) { return part.first == "groups" && part.second > 0; });
            if (params.group_budget > 0 && !grouped) continue;
            if (params.refine > 0 && clustered->build_params().neighbours == 0) continue;  // it has no graph
            clustered->search_one(std::span(terms).first(n), std::span(weights).first(n), params, hits);
            check_ids();
        }
    }
    if (const auto* graph = dynamic_cast<const thresher::GraphIndex*>(&index)) {
        for (const thresher::GraphSearchParams& params : {thresher::GraphSearchParams{.ef = 5, .entry_terms = 1},
                                                          {.ef = 1 << 20, .entry_terms = 0},
                                                          {.ef = 5, .entry_terms = 2, .early_stop = 0.9}}) {
            graph->search_one(std::span(terms).first(n), std::span(weights).first(n), params, hits);
            check_ids();
        }
        const std::size_t n_edges_read = std::min<std::size_t>(index.n_docs(), 1000);
        for (std::size_t doc = 0; doc < n_edges_read; ++doc) {
            for (const std::int64_t other : graph->edges(static_cast<std::int64_t>(doc))) {
                if (other < 0 || other >= static_cast<std::int64_t>(index.n_docs())) std::abort();
            }
        }
    }
    if (const auto* impact = dynamic_cast<const thresher::ImpactIndex*>(&index)) {
        for (const thresher::ImpactSearchParams& params :
             {thresher::ImpactSearchParams{.postings_budget = 1, .rescored = kHits},
              {.postings_budget = 40, .rescored = kHits},
              {.deadline_us = 1}}) {
            impact->search_one(std::span(terms).first(n), std::span(weights).first(n), params, hits);
            check_ids();
        }
    }
    if (const auto* postings = dynamic_cast<const thresher::PostingsIndex*>(&index)) {
        for (const char* algorithm : {"wand", "block_max_maxscore", "block_max_wand"}) {
            postings->search_one(std::span(terms).first(n), std::span(weights).first(n), {algorithm}, hits);
            check_ids();
        }
    }
    if (index.n_docs() != 0) {
        const std::array<std::int64_t, 2> docs{0, static_cast<std::int64_t>(index.n_docs()) - 1};
        static_cast<void>(index.vectors(docs));
    }
    static_cast<void>(index.nbytes());
    static_cast<void>(index.parameters());
}

void open_and_search(std::span<const std::uint8_t> bytes, bool verify) {
    const MemoryFile file(bytes);
    try {
        search(*thresher::open_index(file.path(), verify, nullptr));
    } catch (const thresher::FormatError&) {
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span input(data, size);
    open_and_search(input, true);
    std::vector<std::uint8_t> resealed(input.begin(), input.end());
    reseal_header(resealed);
    open_and_search(resealed, false);
    return 0;
}
