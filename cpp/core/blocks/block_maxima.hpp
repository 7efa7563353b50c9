// Blocks of consecutive documents, and the largest impact of each frequent term in each block: what upper bounds on the
// score of any member are summed from.
//
// A maximum takes four bits: code = ceil(impact / 17) of impacts rounded up, so that 15 codes cover impacts of 1 to
// 255. Codes of one term lie in a row, over all blocks, half a byte each: SIMD sums the rows of a query's frequent
// terms 128 blocks at a time. 128 consecutive blocks are a superblock. Invariant: 17 * code * (the term's quantiser
// step) >= the weight of the term in every document of the block.
//
// Block-max pruning: Ding, Suel, SIGIR 2011; over ranges of documents: Mallia, Suel, Tonellotto, *Faster Learned Sparse
// Retrieval with Block-Max Pruning*, SIGIR 2024 (arXiv 2405.01117).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "../../kernels/kernels.hpp"
#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "../documents/forward_index.hpp"
#include "../documents/quantiser.hpp"
#include "../storage/index_file.hpp"

namespace thresher {

class BlockMaxima {
  public:
    // Impacts that one step of a code stands for.
    static constexpr std::uint32_t kCodeStep = 17;
    static unsigned code_of(std::uint8_t impact) noexcept { return (impact + kCodeStep - 1) / kCodeStep; }

    BlockMaxima() = default;

    // Blocks of `block_size` documents in the order of `forward`, the last one perhaps smaller; rows for the slots
    // [0, n_rows). One pass over the documents.
    static BlockMaxima build(const ForwardIndex& forward, const Quantiser& quantiser, std::uint32_t block_size,
                             std::uint32_t n_rows, unsigned threads, Progress& progress);
    // As `build`, but the codes are of power means: for each term the eighth root of the mean of its impacts^8 over the
    // members, rounded to the nearest code of 1 to 15. No bounds: guesses at which blocks hold good documents, better
    // ones than maxima where blocks are large, since a mean is greater where several members come near the maximum.
    static BlockMaxima build_means(const ForwardIndex& forward, const Quantiser& quantiser, std::uint32_t block_size,
                                   std::uint32_t n_rows, unsigned threads, Progress& progress);

    std::uint32_t block_size() const noexcept { return block_size_; }
    std::size_t n_blocks() const noexcept { return n_blocks_; }
    std::size_t n_superblocks() const noexcept { return n_superblocks_of(n_blocks_); }
    std::uint32_t n_rows() const noexcept { return n_rows_; }

    // Codes of slot `row` for n_superblocks() * kSuperblock blocks, zero beyond the last, in the order that
    // kernels::sum_bounds reads.
    const std::uint8_t* row(std::uint32_t row) const noexcept { return codes_.data() + row * stride(); }
    std::uint8_t code(std::uint32_t row, std::size_t block) const noexcept;

    std::size_t nbytes() const noexcept { return codes_.nbytes(); }
    // Documents that a row has room for (documents/row_room), with that of superblocks if there is one.
    static std::size_t room(std::size_t n_docs, std::uint32_t block_size, bool with_superblocks) noexcept;
    static double estimated_nbytes(std::size_t n_docs, std::uint32_t block_size, std::uint32_t n_rows) noexcept;
    // `name` sets those of one file apart.
    void save(const std::string& name, Parameters& counts, SectionList& sections) const;
    static BlockMaxima load(const IndexFile& file, const std::string& name, std::size_t n_docs,
                            std::uint32_t block_size, std::uint32_t n_slots);

  private:
    // `Codes` gathers the codes of one superblock.
    template <class Codes>
    static BlockMaxima build_with(const ForwardIndex& forward, const Quantiser& quantiser, std::uint32_t block_size,
                                  std::uint32_t n_rows, unsigned threads, Progress& progress);
    static std::size_t n_superblocks_of(std::size_t n_blocks) noexcept {
        return (n_blocks + kernels::kSuperblock - 1) / kernels::kSuperblock;
    }
    // A line between rows spreads them over the sets of a cache.
    static std::size_t stride_of(std::size_t n_superblocks) noexcept {
        return (n_superblocks + 1) * kernels::kSuperblock / 2;
    }
    std::size_t stride() const noexcept { return stride_of(n_superblocks()); }

    std::uint32_t block_size_ = 4;
    std::size_t n_blocks_ = 0;
    std::uint32_t n_rows_ = 0;
    Buffer<std::uint8_t> codes_;
};

}  // namespace thresher
