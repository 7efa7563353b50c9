#include "block_tiles.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "../documents/row_room.hpp"
#include "block_maxima.hpp"

namespace thresher {

namespace {

constexpr std::size_t kBlocksPerTask = 1024;

}  // namespace

BlockTiles BlockTiles::build(const ForwardIndex& forward, const Quantiser& quantiser, std::uint32_t block_size,
                             std::uint32_t n_rows, unsigned threads, Progress& progress) {
    BlockTiles tiles;
    tiles.block_size_ = block_size;
    tiles.n_rows_ = n_rows;
    const std::size_t n_blocks = (forward.n_docs() + block_size - 1) / block_size;
    Filling<std::uint8_t> codes(n_blocks * tiles.stride());
    std::vector<std::vector<Posting>> scratch(worker_count(threads, n_blocks));
    parallel_for_rows(
        n_blocks, kBlocksPerTask, threads, progress, [&](std::size_t begin, std::size_t end, unsigned worker) {
            auto& postings = scratch[worker];
            for (std::size_t doc = begin * block_size; doc < std::min(end * block_size, forward.n_docs()); ++doc) {
                const std::size_t member = doc % block_size;
                std::uint8_t* tile = codes.items.data() + doc / block_size * tiles.stride();
                forward.read(doc, postings);
                for (const auto& [slot, weight] : postings) {
                    if (slot >= n_rows) continue;
                    const unsigned code = BlockMaxima::code_of(quantiser.ceiling(slot, weight));
                    std::uint8_t& both = tile[slot * std::size_t{block_size} / 2 + member / 2];
                    both = static_cast<std::uint8_t>(both | (code << (member % 2 * 4)));
                }
            }
        });
    tiles.codes_ = std::move(codes.buffer);
    return tiles;
}

std::size_t BlockTiles::room(std::size_t n_docs, std::uint32_t block_size) noexcept {
    const std::size_t n_blocks = (n_docs + block_size - 1) / block_size;
    return row_room(n_blocks * block_size / 2, 2);
}

double BlockTiles::estimated_nbytes(std::size_t n_docs, std::uint32_t block_size, std::uint32_t n_rows) noexcept {
    const std::size_t n_blocks = (n_docs + block_size - 1) / block_size;
    return static_cast<double>(n_blocks) * static_cast<double>(stride_of(block_size, n_rows));
}

void BlockTiles::save(Parameters& counts, SectionList& sections) const {
    counts.set("n_tile_rows", std::uint64_t{n_rows_});
    sections.add("tiles/codes", codes_);
}

BlockTiles BlockTiles::load(const IndexFile& file, std::size_t n_docs, std::uint32_t block_size,
                            std::uint32_t n_slots) {
    BlockTiles tiles;
    const std::uint64_t n_rows = file.integer("n_tile_rows");
    file.require(n_rows <= n_slots, "more tile rows than slots");
    tiles.block_size_ = block_size;
    tiles.n_rows_ = static_cast<std::uint32_t>(n_rows);
    tiles.codes_ = file.section<std::uint8_t>("tiles/codes", (n_docs + block_size - 1) / block_size * tiles.stride());
    return tiles;
}

}  // namespace thresher
