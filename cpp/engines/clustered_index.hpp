// Approximate search over clusters of similar documents: the clusters whose summaries promise most are scored in full
// precision.
//
// A query is answered in three stages. Summaries: for every cluster, in large collections for those of the groups of
// clusters that look best, what its summary gives to the query's heaviest terms is summed in integers, by SIMD over
// dense rows for frequent terms and from pruned lists for the rest. Opening: the members of the best clusters, up to a
// budget, are told apart by the clusters' tiles, and the best of them scored from the forward index. Refinement: the
// neighbours of the best hits in a k-NN graph are scored too.
//
// After Seismic (Bruch, Nardini, Rulli, Venturini, SIGIR 2024, arXiv 2404.18812; with a k-NN graph: *Pairing Clustered
// Inverted Indexes with k-NN Graphs for Fast Approximate Retrieval over Learned Sparse Representations*, CIKM 2024,
// arXiv 2408.04443). What is different here, and why: docs/internals/clustered.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/base/context_pool.hpp"
#include "../core/blocks/block_opening.hpp"
#include "../core/blocks/block_tiles.hpp"
#include "../core/blocks/cluster_summaries.hpp"
#include "../core/blocks/neighbours.hpp"
#include "../core/documents/ordering.hpp"
#include "../core/documents/quantiser.hpp"
#include "build_growth.hpp"
#include "dials.hpp"
#include "tunable_index.hpp"

namespace thresher {

struct ClusteredParams {
    // Documents in a cluster: 4, 8, 16, 32 or 64; 0 is the library's choice, 4.
    std::int64_t cluster_size = 0;
    // Whether to cluster: to store similar documents side by side. Otherwise clusters are of consecutive documents.
    bool reorder = true;
    // Terms that at least this fraction of the documents have are dense in summaries, others in lists.
    double dense_frequency = 0.015;
    // Terms that at least this fraction of the documents have tell the members of a cluster apart.
    double tile_frequency = 0.06;
    // Terms that at least this fraction of the documents have, and all dense ones, have codes for groups of 32
    // clusters, which large collections are searched by; 0 is the library's choice: none below 1.5 million documents.
    double group_frequency = 0.0;
    // Clusters that a term's list keeps, those where it is heaviest; 0: all.
    std::int64_t n_postings = 0;
    // The fraction of its mass that a summary keeps in lists, its heaviest terms.
    double summary_energy = 1.0;
    // Neighbours of each document in the k-NN graph that `refine` needs; 0: no graph.
    std::int64_t neighbours = 0;

    template <class Visit>
    static void fields(const Visit& visit) {
        visit("cluster_size", &ClusteredParams::cluster_size);
        visit("reorder", &ClusteredParams::reorder);
        visit("dense_frequency", &ClusteredParams::dense_frequency);
        visit("tile_frequency", &ClusteredParams::tile_frequency);
        visit("group_frequency", &ClusteredParams::group_frequency);
        visit("n_postings", &ClusteredParams::n_postings);
        visit("summary_energy", &ClusteredParams::summary_energy);
        visit("neighbours", &ClusteredParams::neighbours);
    }
};

struct ClusteredSearchParams {
    // Terms of a query, those that can contribute most, that clusters are ranked by; 0: all.
    std::int64_t query_cut = 24;
    // A cluster is opened if its summary's score times this reaches the k-th best score so far: less is faster.
    double heap_factor = 1.0;
    // Clusters to open at most, best summary first; 0: the library's choice by k.
    std::int64_t cluster_budget = 0;
    // Groups, the best, whose clusters are ranked at all, about; 0: the library's choice by the clusters to open.
    std::int64_t group_budget = 0;
    // Best hits whose neighbours are scored too.
    std::int64_t refine = 0;

    bool is_limited() const noexcept {
        const bool is_cut = query_cut > 0 && query_cut < ClusteredSearchParams{}.query_cut;
        return is_cut || heap_factor < 1 || cluster_budget > 0 || group_budget > 0;
    }

    template <class Visit>
    static void fields(const Visit& visit) {
        visit("query_cut", &ClusteredSearchParams::query_cut);
        visit("heap_factor", &ClusteredSearchParams::heap_factor);
        visit("cluster_budget", &ClusteredSearchParams::cluster_budget);
        visit("group_budget", &ClusteredSearchParams::group_budget);
        visit("refine", &ClusteredSearchParams::refine);
    }
};

class ClusteredIndex final : public TunableIndex<ClusteredIndex, ClusteredParams, ClusteredSearchParams> {
  public:
    static constexpr std::string_view kEngine = "clustered";

    // Rows of `docs` are documents; weights finite. `options.order`: the documents in the order in which clusters are
    // cut from them, each once, instead of one that is computed. Throws std::invalid_argument.
    static std::unique_ptr<ClusteredIndex> build(const Documents& docs, const ClusteredParams& params,
                                                 const BuildOptions& options);
    ~ClusteredIndex() override;

    // As a part of the build of another index: `ordering` of docs.n_docs() documents, `passes` passes of `progress`.
    static std::unique_ptr<ClusteredIndex> build(const Documents& docs, const ClusteredParams& params,
                                                 const Ordering& ordering, Precision precision, unsigned threads,
                                                 Progress& progress);
    static unsigned passes(const ClusteredParams& params, const Ordering& ordering, Precision precision) noexcept;

    // Searches for every document: calls found(position, others, worker) with the `k` others that give the greatest
    // inner products with it, or most of them, as positions, best first: of those in the best `n_clusters`, or twice as
    // many where weights hardly differ. Calls for different documents may come on several threads at once, numbered
    // from 0. One pass of `progress`, which counts as so many:
    static constexpr unsigned kSearchPasses = 100;
    void search_documents(
        std::size_t k, std::size_t n_clusters, unsigned threads, Progress& progress,
        const std::function<void(std::size_t position, std::span<const Hit> others, unsigned worker)>& found) const;

    std::string_view engine() const noexcept override { return kEngine; }
    // Throws std::invalid_argument for build parameters out of range.
    static void check(const ClusteredParams& params);
    static Dials dials(std::size_t n_docs, std::size_t k);
    static std::vector<EstimatedPart> estimated_parts(const CollectionStatistics& statistics,
                                                      const ClusteredParams& params);
    // Similar documents are found by halving.
    static constexpr BuildGrowth kBuildGrowth{.doubling = 0.06};

  protected:
    std::vector<std::pair<std::string, std::size_t>> engine_nbytes() const override;
    void save_engine(Parameters& counts, SectionList& sections) const override;

  private:
    friend TunableIndex;
    struct Context;

    ClusteredIndex(const ClusteredParams& params, StoredDocuments documents, Quantiser quantiser,
                   ClusterSummaries summaries, BlockTiles tiles);
    explicit ClusteredIndex(const IndexFile& file);
    ClusteredIndex(const ClusteredIndex& other);

    // Clusters to open, and groups to look into, where the caller does not say.
    struct Budgets {
        std::size_t clusters;
        double groups;
    };
    Budgets budgets(const Wanted& wanted) const noexcept;
    // Plans the bounds of clusters for a query; false if the library's cut leaves so few of its terms that they tell
    // nothing.
    bool plan(const BlockBounds& bounds, const SlotQuery& query, const ClusteredSearchParams& params,
              BlockBounds::Context& context) const;
    // Looks at some documents for how their impacts are spread.
    double mean_impact() const;
    // Impacts hardly differ: a summary tells by how many of a query's terms it has, so that none should be cut.
    bool is_flat() const noexcept { return mean_impact_ > 0.8; }
    // Few documents are so much heavier than the others that summaries do not tell these apart.
    bool is_coarse() const noexcept { return mean_impact_ < 0.06; }
    // Whether summaries give all that members have.
    bool are_whole() const noexcept {
        const auto& params = build_params();
        const bool all_listed =
            params.n_postings == 0 || static_cast<std::size_t>(params.n_postings) >= summaries_.rows().n_blocks();
        return all_listed && params.summary_energy >= 1;
    }
    void connect(unsigned threads, Progress& progress);
    void check_search(const ClusteredSearchParams& params) const override;
    std::uint32_t block_size() const noexcept override { return tiles_.block_size(); }
    void search_with(const CsrView& queries, const Request& request, const ClusteredSearchParams& params,
                     const HitsView& hits) const override;
    // Finds the task's hits, in no particular order, into context.best; true if they are the best for certain. Nothing
    // if summaries are no way to find them.
    std::optional<bool> search_query(const Task& task, const ClusteredSearchParams& params, Context& context) const;
    // The groups that are worth a look, ascending; none: all are.
    std::span<const std::uint32_t> best_groups(const Task& task, std::size_t query_cut, std::size_t budget,
                                               Context& context) const;
    void refine(std::size_t n, BlockOpening& opening, Context& context) const;

    Quantiser quantiser_;
    ClusterSummaries summaries_;
    BlockTiles tiles_;
    Neighbours neighbours_;
    double mean_impact_ = 0;  // of the largest that its term has
    mutable ContextPool<Context> contexts_;
};

}  // namespace thresher
