// An inverted index of impacts, compressed: what document-at-a-time traversals read.
//
//   lists   a term's postings in ascending order of documents, in blocks of 128 (the last is shorter). A block is a
//           stretch of bytes: the width of its gaps; the gaps, each less one, as a stream of numbers of that width;
//           then an impact of 8 bits for each posting. Its last document and its largest impact lie outside, side by
//           side with those of the list's other blocks, so that skipping blocks reads nothing else.
//   rare    terms with so few postings that what describes a block would outweigh what it saves: documents and impacts
//           as they are
//
// Slots fall into the two by document frequency, so each form holds a range of slots. Slots of rare terms with the same
// frequency lie one behind the other: where a list starts follows from its slot. A term's largest impact is 255 by the
// quantiser's making, so that lists need no bound of their own.
//
// Cost: the impact's byte and the entropy of the gaps, within a bit, for each posting: 2.06 bytes in all on learned
// vectors.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "../documents/forward_index.hpp"
#include "../documents/quantiser.hpp"
#include "../documents/rare_lists.hpp"
#include "../documents/vocabulary.hpp"
#include "../storage/index_file.hpp"
#include "../storage/stretches.hpp"

namespace thresher {

class CompressedPostings {
  public:
    static constexpr std::uint32_t kBlock = 128;
    // Postings of a rare term.
    static constexpr std::uint32_t kMaxRare = 8;
    // Documents that `read` writes, whatever a block has: kernels write whole registers.
    static constexpr std::uint32_t kRoom = kBlock + 16;
    // Passes of `build` over the documents, for the progress report.
    static constexpr unsigned kPasses = 3;

    CompressedPostings() = default;
    static CompressedPostings build(const ForwardIndex& forward, const Vocabulary& vocabulary,
                                    const Quantiser& quantiser, unsigned threads, Progress& progress);

    // The postings of a slot as blocks: of a rare term one, unless it has none.
    struct List {
        std::uint32_t n_postings = 0;
        std::uint32_t n_blocks = 0;
        const std::uint32_t* lasts = nullptr;  // the last document of each block
        const std::uint8_t* maxima = nullptr;  // at least the largest impact of each block
        std::size_t first = 0;                 // lists: the first block; rare: the first posting
        bool rare = false;
        std::uint32_t block_size(std::uint32_t block) const noexcept {
            return block + 1 < n_blocks ? kBlock : n_postings - block * kBlock;
        }
    };
    List list(std::uint32_t slot) const noexcept;
    // Writes the documents of a list's block, ascending, the last of them lasts[block], and returns its impacts. In an
    // altered file the order may be any, but each is a document, and the last is as promised.
    const std::uint8_t* read(const List& list, std::uint32_t block, std::uint32_t* docs) const noexcept;
    void prefetch(const List& list, std::uint32_t block) const noexcept {
        if (!list.rare && block < list.n_blocks) blocks_.prefetch(list.first + block);
    }

    // At most the impact of the term's k-th best posting; 0 where too little is kept to say.
    std::uint8_t kth_impact(std::uint32_t slot, std::size_t k) const noexcept;

    std::size_t blocks_nbytes() const noexcept { return blocks_.nbytes(); }
    std::size_t skips_nbytes() const noexcept;
    std::size_t rare_nbytes() const noexcept { return rare_.nbytes(); }
    static std::vector<EstimatedPart> estimated_parts(const CollectionStatistics& statistics);
    void save(Parameters& counts, SectionList& sections) const;
    static CompressedPostings load(const IndexFile& file, const Vocabulary& vocabulary, std::size_t n_docs);

  private:
    // Ranks whose impacts are kept.
    static constexpr std::array<std::uint32_t, 3> kRanks{10, 100, 1000};
    class Transposition;
    struct Measured;

    explicit CompressedPostings(const Vocabulary& vocabulary);
    std::size_t n_rare_postings() const noexcept;
    void number_blocks();
    void encode(Transposition& all, unsigned threads, Progress& progress);
    // One slot's.
    void measure(const Transposition& all, std::size_t slot, Measured& measured) const;
    void write(const Transposition& all, std::size_t slot, const Measured& measured, Stretches::Writer& writer) const;

    Vocabulary vocabulary_;  // shares its memory: the document frequencies say how long lists are
    std::uint32_t n_lists_ = 0;
    // By document frequency: the first slot with no more, and the rare postings before it.
    std::array<std::uint32_t, kMaxRare + 1> rare_slots_{};
    std::array<std::size_t, kMaxRare + 1> rare_offsets_{};

    Buffer<std::uint32_t> first_blocks_;                        // list -> its first block; n_lists + 1
    Buffer<std::uint32_t> lasts_;                               // block -> its last document
    Buffer<std::uint8_t> maxima_;                               // block -> its largest impact
    std::array<Buffer<std::uint8_t>, kRanks.size()> rankings_;  // list -> impact of that rank, while there is one
    Stretches blocks_;
    RarePostings rare_;
};

}  // namespace thresher
