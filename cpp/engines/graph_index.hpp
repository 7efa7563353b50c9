// Approximate search by graph: from documents in which the query's heaviest terms are heaviest, along edges to similar
// documents, always on from the best one found.
//
// Candidates for a document's edges come from ClusteredIndex, searched for the document, instead of from the graph
// itself as it grows (HNSW): that is faster, finds better ones, and does not depend on the order of insertion. There is
// one layer: what HNSW's upper layers are for, an entry close to the query, an inverted probe finds better.
//
// After Malkov and Yashunin, *Efficient and Robust Approximate Nearest Neighbor Search Using Hierarchical Navigable
// Small World Graphs*, TPAMI 2020, arXiv 1603.09320; over sparse vectors: Delfino et al., *kANNolo*, ECIR 2025, arXiv
// 2501.06121. What is different here, and why: docs/internals/graph.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/base/context_pool.hpp"
#include "../core/documents/ordering.hpp"
#include "../core/graph/entry_points.hpp"
#include "../core/storage/position_lists.hpp"
#include "build_growth.hpp"
#include "dials.hpp"
#include "tunable_index.hpp"

namespace thresher {

class ClusteredIndex;

struct GraphParams {
    // Edges that a document chooses, from 1 to 256; with those of documents that chose it at most twice as many.
    std::int64_t m = 16;
    // Candidates that it chooses them from.
    std::int64_t ef_construction = 64;
    // Documents in which a term is heaviest that are entries into the graph, for each term; 0: the library's choice by
    // the number of documents.
    std::int64_t entry_points = 0;
    // Whether to store similar documents side by side.
    bool reorder = true;

    template <class Visit>
    static void fields(const Visit& visit) {
        visit("m", &GraphParams::m);
        visit("ef_construction", &GraphParams::ef_construction);
        visit("entry_points", &GraphParams::entry_points);
        visit("reorder", &GraphParams::reorder);
    }
};

struct GraphSearchParams {
    // The search ends when no document left to go on from is among the best `ef` found; at least k. 0: the library's
    // choice by k.
    std::int64_t ef = 0;
    // Terms of a query, those that can contribute most, whose entry points a search starts from; 0: all.
    std::int64_t entry_terms = 8;
    // It also ends when the best document left scores less than this fraction of the k-th best; in [0, 1], 0: never.
    double early_stop = 0;

    bool is_limited() const noexcept {
        const bool is_cut = entry_terms > 0 && entry_terms < GraphSearchParams{}.entry_terms;
        return ef > 0 || is_cut || early_stop > 0;
    }

    template <class Visit>
    static void fields(const Visit& visit) {
        visit("ef", &GraphSearchParams::ef);
        visit("entry_terms", &GraphSearchParams::entry_terms);
        visit("early_stop", &GraphSearchParams::early_stop);
    }
};

class GraphIndex final : public TunableIndex<GraphIndex, GraphParams, GraphSearchParams> {
  public:
    static constexpr std::string_view kEngine = "graph";

    // Rows of `docs` are documents; weights finite. `options.order`: the documents, each once, in the order to store
    // them in, instead of one that is computed. The index does not depend on the number of threads. Throws
    // std::invalid_argument.
    static std::unique_ptr<GraphIndex> build(const Documents& docs, const GraphParams& params,
                                             const BuildOptions& options);
    ~GraphIndex() override;

    std::string_view engine() const noexcept override { return kEngine; }
    // Throws std::invalid_argument for build parameters out of range.
    static void check(const GraphParams& params);
    static Dials dials(std::size_t n_docs, std::size_t k);
    static std::vector<EstimatedPart> estimated_parts(const CollectionStatistics& statistics,
                                                      const GraphParams& params);
    // Similar documents are found by halving; for each document's candidates, the summaries of all clusters are summed.
    static constexpr BuildGrowth kBuildGrowth{.doubling = 0.06, .million = 0.35};
    // The documents that an edge leads to from document `doc`, ascending. Throws std::invalid_argument if there is no
    // such document.
    std::vector<std::int64_t> edges(std::int64_t doc) const;

  protected:
    std::vector<std::pair<std::string, std::size_t>> engine_nbytes() const override;
    void save_engine(Parameters& counts, SectionList& sections) const override;

  private:
    friend TunableIndex;
    struct Context;

    GraphIndex(const GraphParams& params, std::shared_ptr<const StoredDocuments> documents);
    explicit GraphIndex(const IndexFile& file);
    GraphIndex(const GraphIndex& other);

    // The edges of the documents, among candidates that `guide` finds. Chooses how many entry points `params` has.
    static PositionLists connected(const StoredDocuments& documents, GraphParams& params,
                                   std::unique_ptr<ClusteredIndex> guide, unsigned threads, Progress& progress);
    void check_search(const GraphSearchParams& params) const override;
    void search_with(const CsrView& queries, const Request& request, const GraphSearchParams& params,
                     const HitsView& hits) const override;
    std::size_t width(const Wanted& wanted, const GraphSearchParams& params) const noexcept;
    bool walk_is_dearer(const Wanted& wanted, const GraphSearchParams& params) const noexcept;
    // Finds the task's hits, in no particular order, into context.best; true if they are the best for certain.
    bool search_query(const Task& task, const GraphSearchParams& params, Context& context) const;
    void enter(const SlotQuery& query, std::size_t n_terms, Context& context) const;
    void score_found(Context& context) const;

    EntryPoints entries_;
    PositionLists edges_;
    mutable ContextPool<Context> contexts_;
};

}  // namespace thresher
