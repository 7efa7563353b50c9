// Opens blocks of documents for one query: tells their members apart by the blocks' tiles, and rescores those that can
// still matter in full precision, best first, so that the threshold rises early.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "../documents/stored_documents.hpp"
#include "../selection/gate.hpp"
#include "best_blocks.hpp"
#include "block_bounds.hpp"
#include "block_tiles.hpp"

namespace thresher {

class BlockOpening {
  public:
    // Scratch memory, kept from query to query.
    struct Context {
        std::vector<std::uint32_t> tile_rows;  // those of the query's rows that tiles have
        std::vector<std::uint8_t> tile_weights;
        std::vector<std::uint32_t> tile_lines;  // offsets of the cache lines of a tile that they lie in
        std::vector<std::uint64_t> members;     // of the blocks just opened, `ranked`
    };

    // Looks for the `k` best documents of a query, which `plan` bounds, through `gate`, which is open to it. A member
    // is rescored, and a block worth opening, if its bound reaches `factor` times the score that the gate wants: 1 is
    // exact where bounds are of all terms. Borrows everything.
    BlockOpening(const StoredDocuments& documents, const BlockTiles& tiles, std::size_t k, const BoundPlan& plan,
                 double factor, Gate& gate, Context& context);
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
    void raise_cutoff();

    const ForwardIndex& forward_;
    const BlockTiles& tiles_;
    Gate& gate_;
    std::size_t k_;
    double scale_;         // from scores to bounds
    float threshold_ = 0;  // of the gate, that the cutoff follows
    std::int32_t cutoff_ = 1;
    Context& context_;
};

}  // namespace thresher
