// Greedy packing of similar documents into blocks whose maxima are tight.
//
// Each block starts with the heaviest document left; then comes the one that raises the block's expected bound least,
// relative to its own, over and over. (Relative, because otherwise short documents fill the blocks of long ones and
// leave the long ones to each other.) The expected bound is the sum of a block's maxima, each term weighed by what it
// may be expected to have in a query. What this gives: docs/internals/document-order.md.
//
// A document raises the bound by its own, less its overlap with the block: the sum over terms of the smaller of its
// contribution and the block's. Overlaps of all documents are kept up as the block grows. Contributions are codes of a
// byte; terms that many of the documents have are rows of codes, which the kernel add_overlaps takes side by side, the
// others lists. Quadratic in the documents packed at a time, of which there should be a few thousand at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "../base/buffer.hpp"
#include "posting_source.hpp"

namespace thresher {

// What a posting is expected to contribute to a bound.
struct ExpectedContributions {
    std::vector<float> weights;  // of a query, by slot, in units in which no contribution exceeds 1
    float max_weight = 0;        // of a posting, beyond which it counts no more

    // From a sample of the documents: a term's weight in a query is taken to be its mean weight in documents.
    static ExpectedContributions of(const PostingSource& documents, std::uint32_t n_slots);
    float of(const Posting& posting) const noexcept;
};

// Packs documents; its memory is scratch, of a constant size but for eight bytes a slot, for one
// thread.
class Packer {
  public:
    Packer(const PostingSource& documents, const ExpectedContributions& expected, std::uint32_t block_size)
        : documents_(documents), expected_(expected), block_size_(block_size) {}

    // Reorders `docs`, 65,536 at most, so that each `block_size` consecutive ones make a good block.
    void pack(std::span<std::uint32_t> docs);

  private:
    // A term of a document, numbered among those that `docs` have, and its code: not 0.
    struct Code {
        std::uint32_t term : 24;
        std::uint32_t code : 8;
    };
    // A term's codes: those of row `row`, or entries [begin, end) of the lists.
    struct Term {
        std::uint32_t slot;
        std::uint32_t n_docs;
        std::uint32_t row;
        std::uint32_t begin;
        std::uint32_t end;
        std::uint32_t max;  // of the block
    };

    void read(std::uint32_t doc);
    double codes_per_unit(std::span<const std::uint32_t> docs);
    void quantise(std::span<const std::uint32_t> docs);
    void sort_lanes();
    void lay_out();
    void take(std::size_t lane);
    std::size_t best_lane(std::size_t left) const noexcept;
    void cover(std::size_t lane, std::size_t left);
    void end_block(std::size_t begin);
    std::span<const Code> codes_of(std::size_t lane) const noexcept;

    const PostingSource& documents_;
    const ExpectedContributions& expected_;
    std::size_t block_size_;

    std::vector<Posting> contributions_;  // of a document
    // By document, as given.
    LargeVector<Code> codes_;
    std::vector<std::size_t> offsets_;
    std::vector<std::uint32_t> own_;  // sums of codes

    std::vector<std::uint32_t> term_of_slot_;
    std::vector<Term> terms_;
    LargeVector<std::uint8_t> rows_;
    std::size_t n_rows_ = 0;
    LargeVector<std::uint16_t> listed_lanes_;
    LargeVector<std::uint8_t> listed_codes_;

    // By lane: documents by falling sum of codes.
    std::vector<std::uint32_t> lanes_;     // documents, as given
    std::vector<std::uint16_t> overlaps_;  // with the block
    std::vector<float> inverses_;          // of sums of codes; 0 for documents taken
    std::vector<bool> taken_;
    std::vector<std::uint32_t> packed_;  // lanes

    // Rows to add, and by how much the block's maxima rise.
    std::vector<std::uint32_t> raised_rows_;
    std::vector<std::uint8_t> floors_;
    std::vector<std::uint8_t> rises_;
};

}  // namespace thresher
