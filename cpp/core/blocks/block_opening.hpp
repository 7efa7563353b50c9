// Opens blocks of documents for one query: tells their members apart by the blocks' tiles, and rescores those that can
// still matter in full precision, best first, so that the threshold rises early.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "../documents/document_order.hpp"
#include "../documents/forward_index.hpp"
#include "../selection/top_k.hpp"
#include "best_blocks.hpp"
#include "block_bounds.hpp"
#include "block_tiles.hpp"

namespace thresher {

class BlockOpening {
  public:
    // Scratch memory, kept from query to query.
    struct Context {
        explicit Context(std::uint32_t n_slots) : table(n_slots) {}
        QueryTable table;
        std::vector<std::uint32_t> tile_rows;  // those of the query's rows that tiles have
        std::vector<std::uint8_t> tile_weights;
        std::vector<std::uint32_t> tile_lines;  // offsets of the cache lines of a tile that they lie in
        std::vector<std::uint64_t> members;     // of the blocks just opened, `ranked`
        TopK top;                               // the hits, by the caller's ids
    };

    // Looks for the best k documents of `query`, which `plan` bounds. A member is rescored, and a block worth opening,
    // if its bound reaches `factor` times the k-th best score: 1 is exact where bounds are of all terms. Borrows
    // everything.
    BlockOpening(const ForwardIndex& forward, const DocumentOrder& order, const BlockTiles& tiles,
                 const SlotQuery& query, std::size_t k, const BoundPlan& plan, double factor, Context& context);
    ~BlockOpening() { context_.table.clear(query_); }
    BlockOpening(const BlockOpening&) = delete;
    BlockOpening& operator=(const BlockOpening&) = delete;

    // The least bound that matters.
    std::int32_t cutoff() const noexcept { return cutoff_; }

    // `blocks`: `ranked`, in any order.
    void open(std::span<const std::uint64_t> blocks);
    // Rescores documents, by position, that are `ranked` or not known better than by the largest bound there is.
    void rescore_all(std::span<const std::uint64_t> members);

  private:
    void fetch_tile(std::size_t block) const;
    void fetch_member(std::uint64_t member) const;
    void bound_members(std::uint64_t block);
    void rescore_members();
    void rescore(std::uint32_t doc);

    const ForwardIndex& forward_;
    const DocumentOrder& order_;
    const BlockTiles& tiles_;
    const SlotQuery& query_;
    double scale_;  // from scores to bounds
    std::int32_t cutoff_ = 1;
    Context& context_;
};

}  // namespace thresher
