// Which documents a search by graph goes on to from each: edges to similar documents in many directions.
//
// A document chooses its edges among those of greatest inner product with it, best first, and leaves out a candidate
// that a chosen one stands for, being closer to the candidate, by angle, than the document is. (By angle, because by
// inner product a long document is closer to everything than anything else.) Edges are then made to lead both ways,
// where there is room: up to twice as many a document, the most similar first. A few are added so that a path leads
// from every document to every other; a document then has at most three times as many and two.
//
// Leaving out: the relative neighbourhood of HNSW (Malkov and Yashunin, TPAMI 2020, arXiv 1603.09320) with the
// relaxation of Vamana (Subramanya et al., *DiskANN*, NeurIPS 2019). What other rules gave: docs/internals/graph.md.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "../documents/forward_index.hpp"
#include "../selection/hits.hpp"
#include "../storage/position_lists.hpp"

namespace thresher {

class GraphBuilder {
  public:
    // Scratch memory of a thread.
    struct Context {
        explicit Context(std::uint32_t n_slots) : table(n_slots) {}

        QueryTable table;
        std::vector<Posting> postings;
        SlotQuery document;
        std::vector<std::uint32_t> chosen;
        std::span<std::uint8_t> room;  // of the builder, for what is chosen next
    };

    // `forward` and `vocabulary` must outlive it. `degree`: edges that a document chooses at most.
    GraphBuilder(const ForwardIndex& forward, const Vocabulary& vocabulary, std::size_t degree, unsigned threads,
                 Progress& progress);

    // Chooses the edges of `doc` among `candidates`: positions and inner products with `doc`, best first, without it.
    // Different documents may be connected on several threads at once.
    void connect(std::size_t doc, std::span<const Hit> candidates, Context& context);

    // How many near-copies a document has among its candidates, in the mean of those connected so far.
    double mean_copies() const noexcept {
        return static_cast<double>(n_copies_) / static_cast<double>(std::max<std::size_t>(sizes_.size(), 1));
    }

    // The edges of every document, in both directions and strongly connected. Two passes of `progress`.
    PositionLists finish(unsigned threads, Progress& progress);

    static constexpr unsigned kPasses = 3;

    // What the edges of `n_docs` documents take; how many each has depends on how alike they are.
    static EstimatedPart estimated_edges(std::size_t n_docs, std::size_t degree);

  private:
    class BothWays;
    // Keeps the positions that `context` has as those that `doc` has chosen.
    void keep(std::size_t doc, Context& context);
    // Calls visit(position) for each that `doc` has chosen, ascending.
    template <class Visit>
    void for_each_chosen(std::size_t doc, const Visit& visit) const {
        if (chosen_[doc] != nullptr) decode_positions({chosen_[doc], max_bytes()}, visit);
    }
    // Of what a document chooses, with the byte of 0 behind it.
    std::size_t max_bytes() const noexcept { return degree_ * static_cast<std::size_t>(PositionLists::kMaxBytes) + 1; }
    // Makes `doc` the document that context.table gives inner products with.
    void load(std::size_t doc, Context& context) const;
    void reach_all(BothWays& edges) const;
    static std::vector<bool> leading_back(const BothWays& edges);

    const ForwardIndex& forward_;
    const Vocabulary& vocabulary_;
    std::size_t degree_;
    LargeVector<float> lengths_;  // Euclidean, of each document
    // What each document has chosen: how many, and where in the rooms they are, as in PositionLists and then a byte of
    // 0.
    LargeVector<std::uint32_t> sizes_;
    LargeVector<const std::uint8_t*> chosen_;
    std::mutex adding_room_;
    std::vector<LargeVector<std::uint8_t>> rooms_;
    std::atomic<std::uint64_t> n_copies_{0};
};

}  // namespace thresher
