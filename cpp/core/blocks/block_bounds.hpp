// Upper bounds on the scores of blocks of documents, summed in integers: from the rows of block maxima for frequent
// terms, and from posting lists for the others.
//
// The lists may hold documents (which are then mapped to their blocks; what two members give to one block is added
// rather than maximised, which is as safe, and for such terms nearly as tight) or blocks themselves. A query's terms
// can be cut to those that contribute most: the bounds then hold for what those terms give, and rank blocks well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "../base/buffer.hpp"
#include "../documents/forward_index.hpp"
#include "../documents/quantiser.hpp"
#include "../selection/selection.hpp"
#include "../windowed/windowed_postings.hpp"
#include "block_maxima.hpp"

namespace thresher {

// A query in the integer units of its bounds: a block's bound * unit is at least the score of its members. Terms with a
// negative weight can't raise a score, and have no part in it.
struct BoundPlan {
    struct Lists {
        std::vector<std::uint32_t> lists;
        std::vector<std::uint32_t> factors;
        std::vector<std::uint32_t> rounding;
        void clear() noexcept;
        void add(std::uint32_t list, std::uint32_t factor, std::uint32_t round);
    };
    double unit = 0;  // 0: no term that can raise a score
    double kept = 1;  // fraction of what the query's terms can contribute that those left by the cut can
    std::size_t n_rows = 0;
    std::vector<std::uint32_t> rows;  // slots with block maxima, padded to an even number with weight 0
    std::vector<std::uint8_t> row_weights;
    // The other slots: a posting adds (factor * impact + rounding) >> 16.
    Lists lists;
    Lists rare;  // by slot
    std::vector<std::pair<double, std::size_t>>
        contributions;  // scratch: (largest contribution, position in the query)
};

class BlockBounds {
  public:
    // A saturated bound may stand for any score.
    static constexpr std::int32_t kSaturated = 65535;

    // What summing needs, kept from query to query.
    struct Context {
        explicit Context(std::size_t n_superblocks);
        BoundPlan plan;
        // Of the blocks summed last, all or those of some groups, in whole superblocks and beyond: any 16-bit block is
        // in bounds.
        Filling<std::uint16_t> bounds;
        Filling<std::uint16_t> maxima;  // of superblocks of `bounds`: the largest bound

        // Bounds there are of `n_blocks` blocks in all; there may be others behind them.
        std::size_t n_bounds(std::size_t n_blocks) const noexcept {
            return groups.empty() ? n_blocks : n_groups * kernels::kGroup;
        }
        // The block that bounds[i] is of. Beyond the last block if the last group has fewer.
        std::uint32_t block_at(std::uint32_t i) const noexcept {
            if (groups.empty()) return i;
            const auto size = static_cast<std::uint32_t>(kernels::kGroup);
            return groups[i / size] * size + i % size;
        }

      private:
        friend class BlockBounds;
        // A part of a posting list, and the bounds of the blocks of its window.
        struct Run {
            const std::uint16_t* items;
            const std::uint8_t* impacts;
            std::uint32_t n;
            std::uint32_t factor;
            std::uint32_t rounding;
            std::uint16_t* bounds;
        };
        std::vector<Run> runs;
        std::vector<const std::uint8_t*> rows;
        Filling<std::uint16_t> super_bounds;
        Filling<std::uint16_t> super_maxima;
        std::vector<std::uint64_t> ranked;
        // The groups that were summed, and what is fetched beyond the last; empty if all were.
        std::vector<std::uint32_t> groups;
        std::size_t n_groups = 0;
        Filling<std::uint32_t> places;  // group -> its place among them
        Filling<std::uint8_t> chosen;   // a bit for each group: whether it is among them
    };

    struct Cut {
        double fraction = 1;                                        // of the terms
        std::size_t max = std::numeric_limits<std::size_t>::max();  // terms
    };

    // `maxima`: rows for the slots [0, maxima.n_rows()), which have no list in `postings` or one that is not read.
    // `items_per_block`: 1 where lists hold blocks, otherwise the size of a block, a power of two. Borrows all three.
    BlockBounds(const Quantiser& quantiser, const BlockMaxima& maxima, const WindowedPostings& postings,
                std::uint32_t items_per_block);

    // Terms that a query may have without overflow of a bound.
    std::size_t max_terms() const noexcept;

    // Prepares a query of at most `max_terms` terms after the cut. Lists are on their way to the cache then.
    void plan(const SlotQuery& query, const Cut& cut, Context& context) const;
    // Sums the bounds of all blocks.
    void sum(Context& context) const;
    // Sums, by the maxima of superblocks, the bounds of the best `superblock_budget` of them that have any of `allowed`
    // (nullptr: all documents); the maxima of the others are then 0.
    void sum(const BlockMaxima& superblocks, std::size_t superblock_budget, const Selection* allowed,
             Context& context) const;

    // Sums the bounds of the blocks of some groups of kernels::kGroup consecutive blocks, at least one, ascending.
    // Windows of the lists are of 8 groups, or a multiple.
    void sum(std::span<const std::uint32_t> groups, Context& context) const;

  private:
    void start_lists(Context& context) const;
    void add_lists(std::size_t first_window, std::size_t end_window, Context& context) const;
    void add_lists_to_groups(Context& context) const;
    void add_rare(Context& context) const;
    void sum(const BlockMaxima& from, std::size_t first, std::size_t n, std::uint16_t* into, std::uint16_t* into_maxima,
             Context& context) const;
    static void fetch(const Context::Run& run) noexcept;
    static void add(Context::Run run, unsigned shift) noexcept;

    const Quantiser& quantiser_;
    const BlockMaxima& maxima_;
    const WindowedPostings& postings_;
    unsigned shift_;
};

}  // namespace thresher
