#include "traversal.hpp"

#include <algorithm>

namespace thresher {

void Traversal::start(const CompressedPostings& postings, const IntegerQuery& query, std::size_t n_docs,
                      std::size_t k) {
    k_ = k;
    non_negative_ = query.non_negative();
    expected_ = 0;
    candidates_.reset(k, query.lowest, query.slack);
    window_.reserve(n_docs);
    lists_.clear();
    negative_.clear();
    if (cursors_.size() < query.terms.size()) cursors_.resize(query.terms.size());
    for (std::size_t i = 0; i < query.terms.size(); ++i) {
        const auto& [slot, weight] = query.terms[i];
        cursors_[i].open(postings, slot, weight);
        (weight > 0 ? lists_ : negative_).push_back(&cursors_[i]);
        expected_ = std::max(expected_, weight * postings.kth_impact(slot, k));
    }
    // Where nothing lowers a score, that many documents score at least what one term alone gives them.
    if (non_negative_ && expected_ > 0) candidates_.expect(expected_);
    order_by_bound();
}

void Traversal::order_by_bound() {
    std::ranges::sort(lists_, {}, &PostingCursor::bound);
    bounds_.assign(1, 0);
    for (const PostingCursor* list : lists_) bounds_.push_back(bounds_.back() + list->bound());
}

void Traversal::narrow(std::uint32_t first, std::uint32_t end) {
    for (PostingCursor* list : lists_) list->narrow(first, end);
    order_by_bound();
}

std::size_t Traversal::n_not_essential(std::size_t at_least) const noexcept {
    std::size_t n = at_least;
    while (n < lists_.size() && bounds_[n + 1] < cutoff()) ++n;
    return n;
}

std::size_t Traversal::score_window(std::uint32_t first, std::uint32_t end, bool sparse) {
    window_.start(first, end, sparse);
    std::size_t n = lists_.size();
    while (n > 0 && bounds_[n] >= cutoff()) {
        --n;
        window_.add(*lists_[n], std::max(cutoff() - bounds_[n], 1));
        // Looking at all scores should cost much less than the list that it may spare.
        if (n > 0 && window_.sparse() && 8 * window_.size() < lists_[n - 1]->n_postings()) learn_from_window();
    }
    window_.keep(cutoff() - bounds_[n]);
    learn_from_window();
    while (n > 0 && window_.prefers_merging(*lists_[n - 1])) {
        window_.merge(*lists_[--n]);
        window_.keep(cutoff() - bounds_[n]);
        learn_from_window();
    }
    window_.finish();
    return n;
}

// Where nothing lowers a score, the k-th best of scores that are not complete is one that k documents have.
void Traversal::learn_from_window() {
    if (!non_negative_) return;
    expected_ = window_.kth_best(k_, expected_);
    if (expected_ > 0) candidates_.expect(expected_);
}

void Traversal::offer(std::uint32_t doc, std::int32_t score) {
    for (PostingCursor* list : negative_) {
        list->next_geq(doc);
        if (list->doc() == doc) score += list->score();
    }
    constexpr std::uint32_t kItself = 0;
    if (score >= candidates_.cutoff()) candidates_.add(doc, &kItself, &score, 1);
}

}  // namespace thresher
