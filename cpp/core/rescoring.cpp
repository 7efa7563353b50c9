#include "rescoring.hpp"

namespace thresher {

namespace {

// Documents fetched from the forward index ahead of the one being scored, and where they start.
constexpr std::size_t kDocsAhead = 6;
constexpr std::size_t kStartsAhead = 24;

}  // namespace

std::vector<Hit>& Rescoring::rescore(const SlotQuery& query, std::span<const std::uint32_t> docs,
                                     const ForwardIndex& forward, const DocumentOrder& order) {
    const std::size_t n_docs = forward.n_docs();
    found_.clear();
    table_.load(query);
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
        fetch_start(i + kStartsAhead);
        fetch(i + kDocsAhead);
        if (!is_doc(i)) continue;
        const std::uint32_t doc = docs[i];
        const auto score = static_cast<float>(forward.score(doc, table_));
        if (score > 0) found_.push_back({score, order.given(doc)});
    }
    table_.clear(query);
    return found_;
}

}  // namespace thresher
