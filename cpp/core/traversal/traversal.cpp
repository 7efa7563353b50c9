#include "traversal.hpp"

#include <algorithm>

#include "../selection/scratch.hpp"

namespace thresher {

namespace {

// Documents, beside k, of which a good cutoff is learned.
constexpr std::size_t kSeeds = 54;
// Postings to come that are worth that: their own, and once more for lists so many times as long.
constexpr std::size_t kWorthSeeds = 4000;
constexpr std::size_t kMuchLonger = 4;
// Postings added in the time of scoring one document.
constexpr std::size_t kAddedByScoring = 50;
// More lists of negative weights than this take longer to ask about a document than it takes to score; so many
// documents are scored together.
constexpr std::size_t kFewNegative = 4;
constexpr std::size_t kScoredTogether = 64;

}  // namespace

void Traversal::start(const CompressedPostings& postings, const IntegerQuery& query, const Wanted& wanted, Gate& gate) {
    k_ = wanted.k;
    allowed_ = wanted.allowed;
    const std::size_t k_of_all = k_ + wanted.n_hidden();  // so many leave k that may be returned
    gate_ = &gate;
    scored_.clear();
    worth_seeds_ = kWorthSeeds;
    non_negative_ = query.non_negative();
    expected_ = 0;
    candidates_.reset(k_, query);
    candidates_.require(gate.threshold());
    lists_.clear();
    negative_.clear();
    offered_.clear();
    offered_limits_.clear();
    if (cursors_.size() < query.terms.size()) cursors_.resize(query.terms.size());
    for (std::size_t i = 0; i < query.terms.size(); ++i) {
        const auto& [slot, weight] = query.terms[i];
        cursors_[i].open(postings, slot, weight);
        (weight > 0 ? lists_ : negative_).push_back(&cursors_[i]);
        expected_ = std::max(expected_, weight * postings.kth_impact(slot, k_of_all));
    }
    std::ranges::sort(negative_, {}, &PostingCursor::weight);
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
    expected_ = window_.kth_best(k_, expected_, allowed_);
    if (expected_ > 0) candidates_.expect(expected_);
}

void Traversal::search_sparse(std::uint32_t first) {
    coarse_.start(first, bounds_.back(), lists_.size());
    std::size_t n = lists_.size();
    std::size_t n_added = 0;
    // Lists that bring documents in.
    while (n > 0 && bounds_[n] >= cutoff()) {
        const std::size_t ahead = lists_[n - 1]->n_postings();
        if (n_added >= k_ && is_worth_seeds(ahead)) {
            coarse_.select_best(k_ + kSeeds, cutoff() - bounds_[n]);
            score_best(k_ + kSeeds, n);
            continue;
        }
        coarse_.add(*lists_[--n]);
        n_added += ahead;
    }
    coarse_.select(cutoff() - bounds_[n]);
    // Lists that tell these apart, as long as that costs less than to score them.
    while (n > 0 && lists_[n - 1]->n_postings() < kAddedByScoring * coarse_.size()) {
        if (is_worth_seeds(lists_[n - 1]->n_postings())) score_best(k_ + kSeeds, n);
        coarse_.add(*lists_[--n]);
        coarse_.keep(cutoff() - bounds_[n]);
    }
    while (coarse_.size() > 0) {
        score_best(std::min(coarse_.size(), CoarseBounds::kMaxTaken), n);
        coarse_.keep(cutoff() - bounds_[n]);
    }
    coarse_.finish();
}

// Whether a list of so many postings is worth a better cutoff before it is read; if so, only a much longer one is
// again.
bool Traversal::is_worth_seeds(std::size_t n_postings) noexcept {
    if (n_postings < worth_seeds_) return false;
    worth_seeds_ = kMuchLonger * n_postings;
    return true;
}

// Scores the best of the documents noted, `n` at least, in full precision, as long as they may be wanted whatever they
// have in the first `n_left` lists.
void Traversal::score_best(std::size_t n, std::size_t n_left) {
    empty_scratch(docs_, n);
    empty_scratch(limits_, n);
    for (const auto& [doc, bound] : coarse_.take_best(n)) {
        if (!allows(doc) || !scored_.insert(doc)) continue;
        docs_.push_back(doc);
        limits_.push_back(bound + bounds_[n_left]);
    }
    gate_->offer(docs_, [&](std::size_t next) {
        candidates_.require(gate_->threshold());
        return limits_[next] >= cutoff();
    });
    candidates_.require(gate_->threshold());
}

// Scores documents in full precision whose sums over the lists of positive weights are known.
void Traversal::score_offered() {
    // The rest may be wanted where the next is not.
    std::size_t first = 0;
    while (first < offered_.size()) {
        std::size_t end = first;
        gate_->offer(std::span<const std::uint32_t>(offered_).subspan(first), [&](std::size_t next) {
            candidates_.require(gate_->threshold());
            end = first + next;
            return offered_limits_[end] >= cutoff();
        });
        candidates_.require(gate_->threshold());
        const bool stopped = end > first && offered_limits_[end] < cutoff();
        first = stopped ? end + 1 : offered_.size();
    }
    offered_.clear();
    offered_limits_.clear();
}

void Traversal::finish() {
    score_offered();
    gate_->offer(candidates_.take());
}

void Traversal::offer(std::uint32_t doc, std::int32_t score) {
    if (!allows(doc)) return;
    if (negative_.size() > kFewNegative) {
        if (score < candidates_.cutoff()) return;
        offered_.push_back(doc);
        offered_limits_.push_back(score);
        if (offered_.size() == kScoredTogether) score_offered();
        return;
    }
    for (PostingCursor* list : negative_) {  // which only lower the score
        if (score < candidates_.cutoff()) return;
        list->next_geq(doc);
        if (list->doc() == doc) score += list->score();
    }
    constexpr std::uint32_t kItself = 0;
    if (score < candidates_.cutoff() || !candidates_.add(doc, &kItself, &score, 1)) return;
    finish();
    candidates_.require(gate_->threshold());
}

}  // namespace thresher
