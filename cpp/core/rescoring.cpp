#include "rescoring.hpp"

namespace thresher {

namespace {

// Documents fetched from the forward index ahead of the one being scored.
constexpr std::size_t kFetchAhead = 4;

}  // namespace

std::vector<Hit>& Rescoring::rescore(const SlotQuery& query, std::span<const std::uint32_t> docs,
                                     const ForwardIndex& forward, const DocumentOrder& order) {
    const std::size_t n_docs = forward.n_docs();
    found_.clear();
    table_.load(query);
    for (std::size_t i = 0; i < docs.size() + 2 * kFetchAhead; ++i) {
        const auto doc_at = [&](std::size_t at) { return at < docs.size() && docs[at] < n_docs; };
        if (doc_at(i)) forward.prefetch_range(docs[i]);
        if (i >= kFetchAhead && doc_at(i - kFetchAhead)) forward.prefetch(docs[i - kFetchAhead]);
        if (i < 2 * kFetchAhead) continue;
        const std::uint32_t doc = docs[i - 2 * kFetchAhead];
        if (doc >= n_docs) continue;
        const auto score = static_cast<float>(forward.score(doc, table_));
        if (score > 0) found_.push_back({score, order.given(doc)});
    }
    table_.clear(query);
    return found_;
}

}  // namespace thresher
