// The best k of the documents that a search has rescored in full precision as soon as they look good, so that
// the score of the k-th can rule out others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "../documents/document_order.hpp"
#include "../documents/forward_index.hpp"
#include "rescoring.hpp"
#include "top_k.hpp"

namespace thresher {

// Scratch memory of one thread.
class BestDocuments {
  public:
    explicit BestDocuments(std::uint32_t n_slots) : table_(n_slots) {}

    // Borrows all three until `end`.
    void start(const SlotQuery& query, std::size_t k, const ForwardIndex& forward, const DocumentOrder& order) {
        query_ = &query;
        forward_ = &forward;
        order_ = &order;
        table_.load(query);
        best_.reset(k);
    }

    // Scores documents (positions, none twice in a search) in their order, as long as wants(i) for the next: asked once
    // another has turned out to have a positive score.
    template <class Wants>
    void rescore(std::span<const std::uint32_t> docs, const Wants& wants) {
        rescore_each(docs, table_, *forward_, *order_, [&](std::size_t i, const Hit& hit) {
            best_.add(hit);
            return i + 1 < docs.size() && wants(i + 1);
        });
    }

    std::size_t k() const noexcept { return best_.capacity(); }
    // The k-th best score so far, or 0.
    float kth_score() const noexcept { return k() > 0 && best_.full() ? best_.threshold() : 0; }

    // In no particular order.
    std::vector<Hit>& end() noexcept {
        table_.clear(*query_);
        return best_.hits();
    }

  private:
    const SlotQuery* query_ = nullptr;
    const ForwardIndex* forward_ = nullptr;
    const DocumentOrder* order_ = nullptr;
    QueryTable table_;
    TopK best_;
};

}  // namespace thresher
