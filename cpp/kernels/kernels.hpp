// The inner loops, once per instruction set, behind one table of function pointers.
//
// Contract: signatures hold raw pointers, sizes and structs of numbers only, and every implementation gives
// bit-identical results (integer arithmetic, or exact conversions), so that a search does not depend on the machine.
// Everything else in an implementation file has internal linkage: a template or an inline function compiled with
// -mavx512f and shared through the linker would crash an older machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace thresher::kernels {

// Documents per call of `select_candidates` come in multiples of this.
inline constexpr std::size_t kStrip = 64;
// Blocks whose bounds are summed at once: a superblock.
inline constexpr std::size_t kSuperblock = 128;
// Consecutive blocks of which some are summed and others left out.
inline constexpr std::size_t kGroup = 32;
// Groups that `sum_groups` fetches ahead of those that it sums.
inline constexpr std::size_t kGroupsAhead = 32;
// Items that `select_bytes` may write behind those that it has found.
inline constexpr std::size_t kSelectMargin = 16;
// Bytes of which `stretch_maxima` finds the largest.
inline constexpr std::size_t kStretch = 512;
// Documents of a tile of `add_overlaps`.
inline constexpr std::size_t kLanes = 128;
// Words of 16 bits in a query's filter.
inline constexpr std::size_t kFilter = 64;

// How a document's weights are stored: as patterns of binary32 or of binary16, or as codes of 8 bits, times a scale.
enum class Weights : std::uint32_t { floats = 0, halves = 1, codes = 2 };

struct WeightFormat {
    Weights kind = Weights::halves;
    std::uint32_t bits = 0;   // of a pattern, less the smallest: at most 31; 8 of codes
    std::uint32_t least = 0;  // the smallest pattern
};

// What all documents of a forward index have in common: see document_layout.inc.
struct DocumentFormat {
    std::uint32_t slot_bytes = 2;  // of a rare slot: 2, 3 or 4
    WeightFormat weights = {};
};

// The weights of a document where they are not to be those behind its slots. 64 bytes behind them can be read.
struct OtherWeights {
    const std::uint8_t* bytes;
    std::size_t size;
    WeightFormat format;
};

struct Kernels {
    const char* name;

    // scores[docs[p]] += weights[i] * impacts[p] for every posting p of each of `n_lists` posting lists.
    // List `lists[i]` spans postings [offsets[lists[i]], offsets[lists[i] + 1]), clamped to `n_postings`.
    // `scores` must have 65,536 elements: any 16-bit document is in bounds.
    void (*accumulate_lists)(const std::uint32_t* lists, const std::int32_t* weights, std::size_t n_lists,
                             const std::uint32_t* offsets, std::uint32_t n_postings, const std::uint16_t* docs,
                             const std::uint8_t* impacts, std::int32_t* scores) noexcept;

    // Adds `n_rows` dense rows of impacts (an even number; rows[i][d] is document d's impact, weights[i] its factor)
    // to scores[0 .. n_docs), n_docs a multiple of kStrip; writes the documents whose sum is >= cutoff, ascending,
    // with their sums, and returns how many; leaves scores zeroed for the next query. The outputs hold n_docs each.
    // Of `allowed`, a bit for each document, kStrip a word, only those are written that have theirs set; nullptr: all.
    std::size_t (*select_candidates)(const std::uint8_t* const* rows, const std::int16_t* weights, std::size_t n_rows,
                                     std::int32_t* scores, std::size_t n_docs, const std::uint64_t* allowed,
                                     std::int32_t cutoff, std::uint32_t* candidates,
                                     std::int32_t* candidate_scores) noexcept;

    // Adds `n_rows` dense rows (an even number) of 4-bit codes, times weights up to 127, to bounds[0 .. n), saturating
    // at 65,535, for n = n_superblocks * kSuperblock blocks; writes the largest bound of each superblock. Byte j of
    // group g of 16 bytes holds the codes of block 32g + j (low half) and block 32g + 16 + j (high half).
    void (*sum_bounds)(const std::uint8_t* const* rows, const std::uint8_t* weights, std::size_t n_rows,
                       std::uint16_t* bounds, std::size_t n_superblocks, std::uint16_t* maxima) noexcept;

    // The same for groups of kGroup blocks, wherever they are: block b of groups[i] has its codes in the rows at
    // groups[i] * kGroup + b, and its bound at bounds[i * kGroup + b]. Reads kGroupsAhead groups beyond the last.
    void (*sum_groups)(const std::uint8_t* const* rows, const std::uint8_t* weights, std::size_t n_rows,
                       const std::uint32_t* groups, std::uint16_t* bounds, std::size_t n_superblocks,
                       std::uint16_t* maxima) noexcept;

    // Adds (factor * impacts[p] + rounding) >> 16, modulo 2^16, to the bound of every posting's block, items[p] >>
    // shift, if its group is chosen: bit g % 8 of chosen[g / 8] for group g = block / kGroup, of 2,048 at most. Block b
    // of group g is bounds[places[g] * kGroup + b % kGroup]. 256 bytes of `chosen` can be read.
    void (*add_to_groups)(const std::uint16_t* items, const std::uint8_t* impacts, std::size_t n, unsigned shift,
                          std::uint32_t factor, std::uint32_t rounding, const std::uint8_t* chosen,
                          const std::uint32_t* places, std::uint16_t* bounds) noexcept;

    // Writes the blocks, ascending, whose bound is >= low and < high, with their bounds, and returns how many.
    // Superblocks whose maximum is below `low` are not looked into.
    std::size_t (*select_blocks)(const std::uint16_t* bounds, const std::uint16_t* maxima, std::size_t n_superblocks,
                                 std::uint32_t low, std::uint32_t high, std::uint32_t* blocks,
                                 std::uint16_t* block_bounds) noexcept;

    // Writes the items, ascending, whose sum is >= least, with their sums, and returns how many; n is a multiple of
    // kStrip. The outputs hold n each.
    std::size_t (*select_sums)(const std::int16_t* sums, std::size_t n, std::int16_t min, std::uint32_t* items,
                               std::int32_t* item_sums) noexcept;

    // maxima[i] = the largest of bytes[i * kStretch .. (i + 1) * kStretch).
    void (*stretch_maxima)(const std::uint8_t* bytes, std::size_t n_stretches, std::uint8_t* maxima) noexcept;

    // Writes the items, ascending, whose byte is >= least, and returns how many; n is a multiple of kStrip. The output
    // holds n + kSelectMargin.
    std::size_t (*select_bytes)(const std::uint8_t* bytes, std::size_t n, std::uint8_t min,
                                std::uint32_t* items) noexcept;

    // What the members of a block lack against its maxima: lacks[d] = sum over rows of weights[i] * (largest code of
    // row rows[i] of the tile - member d's code), saturating at 65,535, for weights up to 127. A row is `block_size`
    // (4, 8, 16, 32 or 64) codes of 4 bits, member d's in byte d / 2, in the low half if d is even.
    void (*bound_members)(const std::uint8_t* tile, const std::uint32_t* rows, const std::uint8_t* weights,
                          std::size_t n_rows, std::size_t block_size, std::uint16_t* lacks) noexcept;

    // Inner product of a document (document_layout.inc) and a query: the sum of table[slot] * weight, in double
    // precision in the document's order. 64 bytes behind the document can be read. Bit (slot / kFilter) % 16 of
    // filter[slot % kFilter] is set for every slot of the query: few other slots pass it, and for them the table is
    // zero. The table has at least 65,536 elements; larger slots are looked up below `table_size`. `others`: its
    // weights, if they are not those in the document; nullptr. A document whose weights are not all there scores 0.
    // `max_error`, where it is not null and weights are codes: by how much the sum is off at most, rounding aside, from
    // that of the weights that were coded. A code is off by half of its scale, and the least one, 1, by all of it.
    double (*score_document)(const std::uint8_t* document, std::size_t size, const DocumentFormat& format,
                             const OtherWeights* others, const std::uint16_t* filter, const float* table,
                             std::size_t table_size, double* max_error) noexcept;

    // Documents from the gaps between them: docs[i] = next + i + (gap 0 + ... + gap i) modulo 2^32, but at most `last`.
    // Gap i is bits [i * width, (i + 1) * width) of `packed`, width <= 32. Reads up to 64 bytes behind the gaps, and
    // writes up to 15 elements behind docs[n - 1].
    void (*unpack_documents)(const std::uint8_t* packed, unsigned width, std::size_t n, std::uint32_t next,
                             std::uint32_t last, std::uint32_t* docs) noexcept;

    // out[i] = the float of the IEEE 754 binary16 `halves[i]`.
    void (*widen_halves)(const std::uint16_t* halves, std::size_t n, float* out) noexcept;

    // What documents overlap with a block by, as its maxima rise: overlaps[d] += sum over i of what row rows[i] has of
    // document d beyond floors[i], but at most rises[i]; saturating at 65,535. Tiles of kLanes documents follow each
    // other, each `tile_rows` rows of kLanes codes.
    void (*add_overlaps)(const std::uint8_t* tiles, std::size_t tile_rows, const std::uint32_t* rows,
                         const std::uint8_t* floors, const std::uint8_t* rises, std::size_t n_rows, std::size_t n_tiles,
                         std::uint16_t* overlaps) noexcept;

    // The lane of the largest product of overlaps[d], as a float, and factors[d]: the first of equals, n if none is
    // above 0. n is a multiple of kLanes.
    std::size_t (*best_overlap)(const std::uint16_t* overlaps, const float* factors, std::size_t n) noexcept;

    // CRC-32C (Castagnoli) of each of `n_blocks` consecutive blocks of `block_size` bytes.
    void (*checksum_blocks)(const std::uint8_t* data, std::size_t block_size, std::size_t n_blocks,
                            std::uint32_t* checksums) noexcept;
};

// The best table that this machine can run, narrowed (never widened) by THRESHER_ISA=scalar|avx2|avx512.
// Chosen once, at the first call. Throws std::invalid_argument if THRESHER_ISA is none of these.
const Kernels& active();

// Every table that this machine can run, scalar first.
struct Available {
    const Kernels* tables[3];
    std::size_t count;
};
Available available() noexcept;

const Kernels& scalar_kernels() noexcept;
const Kernels& avx2_kernels() noexcept;
const Kernels& avx512_kernels() noexcept;

}  // namespace thresher::kernels
