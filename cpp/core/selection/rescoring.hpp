// Rescoring: the scores of a few documents in full precision, from the forward index, which makes them hits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "../documents/document_order.hpp"
#include "../documents/forward_index.hpp"
#include "hits.hpp"

namespace thresher {

// Documents fetched from the forward index ahead of the one being scored.
inline constexpr std::size_t kDocsAhead = 6;

// Calls visit(i, hit) for those documents docs[i] (positions, in any order) whose score by the query in `table` is
// positive, in their order, until it returns false; hits go by ids. Positions of no document are left out. What comes
// next is fetched while a document is scored.
template <class Visit>
void rescore_each(std::span<const std::uint32_t> docs, const QueryTable& table, const ForwardIndex& forward,
                  const DocumentOrder& order, const Visit& visit) {
    // The same of where they start.
    constexpr std::size_t kStartsAhead = 24;
    // Documents between two interruption points, and about the nanoseconds that each takes.
    constexpr std::size_t kAtATime = 16;
    constexpr std::size_t kScoringTime = 200;
    const std::size_t n_docs = forward.n_docs();
    const auto is_doc = [&](std::size_t i) { return i < docs.size() && docs[i] < n_docs; };
    const auto fetch_start = [&](std::size_t i) {
        if (is_doc(i)) forward.prefetch_range(docs[i]);
    };
    const auto fetch = [&](std::size_t i) {
        if (is_doc(i)) forward.prefetch(docs[i]);
    };
    for (std::size_t i = 0; i < kStartsAhead; ++i) fetch_start(i);
    for (std::size_t i = 0; i < kDocsAhead; ++i) fetch(i);
    for (std::size_t i = 0; i < docs.size(); ++i) {
        if (i % kAtATime == 0) interruption_point(kAtATime * kScoringTime);
        fetch_start(i + kStartsAhead);
        fetch(i + kDocsAhead);
        if (!is_doc(i)) continue;
        const auto score = static_cast<float>(forward.score(docs[i], table));
        if (score > 0 && !visit(i, Hit{score, order.id_of(docs[i])})) return;
    }
}

// Scratch memory of one thread.
class Rescoring {
  public:
    explicit Rescoring(std::uint32_t n_slots) : table_(n_slots) {}

    // Those of `docs` whose score is positive, as above. The result is the caller's to reorder until the next call.
    std::vector<Hit>& rescore(const SlotQuery& query, std::span<const std::uint32_t> docs, const ForwardIndex& forward,
                              const DocumentOrder& order);

  private:
    QueryTable table_;
    std::vector<Hit> found_;
};

}  // namespace thresher
