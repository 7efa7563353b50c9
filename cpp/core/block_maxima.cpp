#include "block_maxima.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace thresher {

namespace {

// A block's byte within its superblock, and how far its code is shifted there.
constexpr std::size_t byte_of(std::size_t block) noexcept { return block / 32 * 16 + block % 16; }
constexpr unsigned shift_of(std::size_t block) noexcept { return block % 32 < 16 ? 0 : 4; }

}  // namespace

BlockMaxima BlockMaxima::build(const ForwardIndex& forward, const Quantiser& quantiser, std::uint32_t block_size,
                               std::uint32_t n_rows, unsigned threads, Progress& progress) {
    constexpr std::size_t kBytes = kernels::kSuperblock / 2;
    BlockMaxima maxima;
    maxima.block_size_ = block_size;
    maxima.n_blocks_ = (forward.n_docs() + block_size - 1) / block_size;
    maxima.n_rows_ = n_rows;
    Filling<std::uint8_t> codes(n_rows * maxima.stride());

    struct Scratch {
        std::vector<std::uint8_t> codes;  // kBytes of each row
        std::vector<Posting> postings;
    };
    std::vector<Scratch> scratch(worker_count(threads, maxima.n_superblocks()));
    for (Scratch& mine : scratch) mine.codes.resize(n_rows * kBytes);
    parallel_for(maxima.n_superblocks(), threads, progress, [&](std::size_t superblock, unsigned worker) {
        auto& [mine, postings] = scratch[worker];
        const std::size_t first = superblock * kernels::kSuperblock * block_size;
        const std::size_t end = std::min(first + kernels::kSuperblock * block_size, forward.n_docs());
        for (std::size_t doc = first; doc < end; ++doc) {
            const std::size_t block = (doc - first) / block_size;
            const std::size_t byte = byte_of(block);
            const unsigned shift = shift_of(block);
            forward.read(doc, postings);
            for (const auto& [slot, weight] : postings) {
                if (slot >= n_rows) continue;
                const unsigned code = code_of(quantiser.ceiling(slot, weight));
                std::uint8_t& both = mine[slot * kBytes + byte];
                if (((both >> shift) & 15U) < code) {
                    both = static_cast<std::uint8_t>((both & ~(15U << shift)) | (code << shift));
                }
            }
        }
        for (std::size_t row = 0; row < n_rows; ++row) {
            std::memcpy(codes.items.data() + row * maxima.stride() + superblock * kBytes, mine.data() + row * kBytes,
                        kBytes);
        }
        std::fill(mine.begin(), mine.end(), std::uint8_t{0});
    });
    maxima.codes_ = std::move(codes.buffer);
    return maxima;
}

std::uint8_t BlockMaxima::code(std::uint32_t row_index, std::size_t block) const noexcept {
    return (row(row_index)[byte_of(block)] >> shift_of(block)) & 15U;
}

void BlockMaxima::save(const std::string& name, Parameters& counts, SectionList& sections) const {
    counts.set("n_" + name + "_rows", std::uint64_t{n_rows_});
    sections.add(name + "/codes", codes_);
}

BlockMaxima BlockMaxima::load(const IndexFile& file, const std::string& name, std::size_t n_docs,
                              std::uint32_t block_size, std::uint32_t n_slots) {
    BlockMaxima maxima;
    const std::uint64_t n_rows = file.integer("n_" + name + "_rows");
    file.require(n_rows <= n_slots, "more rows of " + name + " than slots");
    maxima.block_size_ = block_size;
    maxima.n_blocks_ = (n_docs + block_size - 1) / block_size;
    maxima.n_rows_ = static_cast<std::uint32_t>(n_rows);
    maxima.codes_ = file.section<std::uint8_t>(name + "/codes", maxima.n_rows_ * maxima.stride());
    return maxima;
}

}  // namespace thresher
