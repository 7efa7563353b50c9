// What is needed to tell the members of one block apart, in one place: a block's tile holds the codes of the most
// frequent terms for each of its documents.
//
// A code is ceil(impact / BlockMaxima::kCodeStep), four bits, so that a block's maximum is exactly the largest code of
// its members: what a member lacks against the maxima can be taken off the block's bound. Codes lie at addresses that
// follow from block, term and member, so that nothing is searched.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "../documents/forward_index.hpp"
#include "../documents/quantiser.hpp"
#include "../storage/index_file.hpp"

namespace thresher {

class BlockTiles {
  public:
    BlockTiles() = default;

    // Tiles for the slots [0, n_rows), blocks as in BlockMaxima. One pass over the documents.
    static BlockTiles build(const ForwardIndex& forward, const Quantiser& quantiser, std::uint32_t block_size,
                            std::uint32_t n_rows, unsigned threads, Progress& progress);

    std::uint32_t block_size() const noexcept { return block_size_; }
    std::uint32_t n_rows() const noexcept { return n_rows_; }
    // Row r (slot r) spans bytes [r * block_size / 2, (r + 1) * block_size / 2); member d's code is in byte d / 2, in
    // the low half if d is even.
    const std::uint8_t* tile(std::size_t block) const noexcept { return codes_.data() + block * stride(); }
    // Bytes from one tile to the next: whole cache lines.
    std::size_t stride() const noexcept { return stride_of(block_size_, n_rows_); }

    std::size_t nbytes() const noexcept { return codes_.nbytes(); }
    // Documents that a row of all tiles has room for (documents/row_room).
    static std::size_t room(std::size_t n_docs, std::uint32_t block_size) noexcept;
    static double estimated_nbytes(std::size_t n_docs, std::uint32_t block_size, std::uint32_t n_rows) noexcept;
    void save(Parameters& counts, SectionList& sections) const;
    static BlockTiles load(const IndexFile& file, std::size_t n_docs, std::uint32_t block_size, std::uint32_t n_slots);

  private:
    static std::size_t stride_of(std::size_t block_size, std::size_t n_rows) noexcept {
        return (n_rows * block_size / 2 + 63) / 64 * 64;
    }

    std::uint32_t block_size_ = 4;
    std::uint32_t n_rows_ = 0;
    Buffer<std::uint8_t> codes_;
};

}  // namespace thresher
