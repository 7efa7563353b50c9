// Block-max pruning: exact search that opens only the blocks of documents whose upper bound reaches the k-th score.
//
// A query is answered in three stages. Bounds: for every block of a few documents, an upper bound on the score of its
// members is summed, by SIMD, from 4-bit block maxima (frequent terms) and posting lists (the rest). Opening: the best
// blocks first, what each member lacks against the maxima is taken off the bound, from the block's tile. Rescoring:
// members whose bound still reaches the k-th best score are scored in full precision from the forward index, and raise
// it. Where exact search is asked for and exhaustive search is cheaper (many hits wanted, few documents, few postings),
// the engine does that.
//
// After BMP (Mallia, Suel, Tonellotto, *Faster Learned Sparse Retrieval with Block-Max Pruning*, SIGIR 2024, arXiv
// 2405.01117) and its superblocks (Carlson et al., *Dynamic Superblock Pruning*, SIGIR 2025, arXiv 2504.17045). What
// is different here, and why: docs/internals/block-max.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/base/context_pool.hpp"
#include "../core/blocks/block_bounds.hpp"
#include "../core/blocks/block_maxima.hpp"
#include "../core/blocks/block_tiles.hpp"
#include "../core/documents/ordering.hpp"
#include "../core/windowed/exhaustive_search.hpp"
#include "dials.hpp"
#include "tunable_index.hpp"

namespace thresher {

struct BlockMaxParams {
    // Documents in a block: 4, 8, 16, 32 or 64; 0 is the library's choice, 4 (docs/internals/block-max.md).
    std::int64_t block_size = 0;
    // Whether to store similar documents side by side, so that fewer blocks have to be opened.
    bool reorder = false;
    // Terms that at least this fraction of the documents have get block maxima, others posting lists only.
    double bound_frequency = 0.01;
    // Terms that at least this fraction of the documents have are part of a block's tile.
    double tile_frequency = 0.06;

    template <class Visit>
    static void fields(const Visit& visit) {
        visit("block_size", &BlockMaxParams::block_size);
        visit("reorder", &BlockMaxParams::reorder);
        visit("bound_frequency", &BlockMaxParams::bound_frequency);
        visit("tile_frequency", &BlockMaxParams::tile_frequency);
    }
};

struct BlockMaxSearchParams {
    // A block is opened, and a member of it scored, if its bound, times alpha, reaches the k-th best score so far: 1 is
    // exact, less is faster.
    double alpha = 1.0;
    // Fraction of a query's terms, by their largest possible contribution, that bounds are summed from: 1 is exact.
    double beta = 1.0;
    // Blocks to open at most, best bound first; 0: no limit.
    std::int64_t block_budget = 0;
    // Superblocks (of 128 blocks) whose blocks are bounded at all, best bound first; 0: all.
    std::int64_t superblock_budget = 0;

    bool is_limited() const noexcept { return alpha < 1.0 || beta < 1.0 || block_budget > 0 || superblock_budget > 0; }

    template <class Visit>
    static void fields(const Visit& visit) {
        visit("alpha", &BlockMaxSearchParams::alpha);
        visit("beta", &BlockMaxSearchParams::beta);
        visit("block_budget", &BlockMaxSearchParams::block_budget);
        visit("superblock_budget", &BlockMaxSearchParams::superblock_budget);
    }
};

class BlockMaxIndex final : public TunableIndex<BlockMaxIndex, BlockMaxParams, BlockMaxSearchParams> {
  public:
    static constexpr std::string_view kEngine = "block-max";

    // Rows of `docs` are documents; weights finite. `options.order`: the documents in the order in which to store
    // them, each once, instead of one that is computed. Throws std::invalid_argument.
    static std::unique_ptr<BlockMaxIndex> build(const Documents& docs, const BlockMaxParams& params,
                                                const BuildOptions& options);
    ~BlockMaxIndex() override;

    std::string_view engine() const noexcept override { return kEngine; }
    // Throws std::invalid_argument for build parameters out of range.
    static void check(const BlockMaxParams& params);
    static Dials dials(std::size_t n_docs, std::size_t k);
    static std::vector<EstimatedPart> estimated_parts(const CollectionStatistics& statistics,
                                                      const BlockMaxParams& params);
    // Beside the defaults: similar documents side by side.
    static std::vector<BlockMaxParams> build_variants() { return {{.reorder = true}}; }

  protected:
    std::vector<std::pair<std::string, std::size_t>> engine_nbytes() const override;
    void save_engine(Parameters& counts, SectionList& sections) const override;

  private:
    friend TunableIndex;
    struct Context;

    BlockMaxIndex(const BlockMaxParams& params, StoredDocuments documents, ExhaustiveSearch exhaustive,
                  BlockMaxima blocks, BlockMaxima superblocks, BlockTiles tiles);
    explicit BlockMaxIndex(const IndexFile& file);
    BlockMaxIndex(const BlockMaxIndex& other);

    void check_search(const BlockMaxSearchParams& params) const override;
    std::uint32_t block_size() const noexcept override { return blocks_.block_size(); }
    void search_with(const CsrView& queries, const Request& request, const BlockMaxSearchParams& params,
                     const HitsView& hits) const override;
    bool exhaustive_is_cheaper(const Task& task) const;
    BlockBounds block_bounds() const noexcept;
    // Finds the task's hits, in no particular order, into context.best; true if they are the best for certain.
    bool search_pruned(const Task& task, const BlockMaxSearchParams& params, Context& context) const;

    ExhaustiveSearch exhaustive_;
    BlockMaxima blocks_;
    BlockMaxima superblocks_;
    BlockTiles tiles_;
    mutable ContextPool<Context> contexts_;
};

}  // namespace thresher
