// The gate to a query's hits: the one place where a document is admitted. It is tested against the selection, scored in
// full precision, named by its id, and offered to the best k, which raises the score that the next must reach. All that
// comes before may only discard.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "../documents/stored_documents.hpp"
#include "top_k.hpp"
#include "wanted.hpp"

namespace thresher {

// Documents fetched from the forward index ahead of the one being scored, and of which it is fetched where they start.
inline constexpr std::size_t kDocsAhead = 6;
inline constexpr std::size_t kStartsAhead = 24;
// Documents scored between two interruption points, and about the nanoseconds that each takes.
inline constexpr std::size_t kScoredAtATime = 16;
inline constexpr std::size_t kScoringNanoseconds = 200;

// Hits up to which documents wait; where more are wanted, most that are offered are hits.
inline constexpr std::size_t kMaxWaiting = 1024;

// More than what sums in double precision are off by.
inline constexpr double kRounded = 1 + 0x1p-20;

// Scratch memory of one thread.
//
// Where full weights lie on disk beside codes in memory, a document waits with the bounds of its score that codes give,
// and what the others must reach goes by the lower bounds. Only those whose upper bound reaches that in the end are
// scored in full precision, by `settle`.
class Gate {
  public:
    explicit Gate(std::uint32_t n_slots) : table_(n_slots) {}

    // Borrows all until `close`. What is admitted goes to `best`.
    void open(const Task& task, const StoredDocuments& documents, TopK& best) {
        query_ = task.query;
        allowed_ = task.wanted.allowed;
        apart_ = task.wanted.apart;
        documents_ = &documents;
        best_ = &best;
        lets_wait_ = documents.forward.has_fine() && best.capacity() <= kMaxWaiting;
        if (lets_wait_) lower_bounds_ = best;
        waiting_.clear();
        table_.load(*query_);
    }
    void close() {
        settle();
        table_.clear(*query_);
    }
    // Admits those that wait and are among the best: `best` has all that was offered so far.
    void settle() {
        if (waiting_.empty()) return;
        const float least = threshold();
        std::erase_if(waiting_, [&](const Hit& one) { return one.score < least; });
        for (const Hit& one : waiting_) documents_->forward.prefetch_fine(one.doc);
        std::sort(waiting_.begin(), waiting_.end(), better);
        for (const Hit& one : waiting_) {
            if (!best_->wants(one.score)) break;
            admit(one.doc, score(one.doc));
        }
        waiting_.clear();
        lower_bounds_ = *best_;
    }

    // A document is named by its position, below n_docs. Whether it may be returned, and was not scored before:
    bool allows(std::size_t position) const noexcept {
        return (allowed_ == nullptr || allowed_->has(position)) && (apart_.empty() || !is_apart(position));
    }
    float score(std::size_t position) const { return static_cast<float>(documents_->forward.score(position, table_)); }
    // Its score by what lies in memory, and by how much that is off at most.
    struct Estimate {
        double score = 0;
        double max_error = 0;
    };
    Estimate estimate(std::size_t position) const {
        const ForwardIndex& forward = documents_->forward;
        Estimate estimate;
        estimate.score = forward.has_fine() ? forward.coarse_score(position, table_, estimate.max_error)
                                            : forward.score(position, table_);
        return estimate;
    }
    // Whether as many as are wanted have been offered, and what a document must score to be among the best.
    bool full() const noexcept { return lets_wait_ ? lower_bounds_.full() : best_->full(); }
    float threshold() const noexcept { return lets_wait_ ? lower_bounds_.threshold() : best_->threshold(); }

    // Admits a document if it is allowed and among the best so far; none twice.
    void offer(std::uint32_t position) {
        if (allows(position)) look_at(position, estimate(position));
    }
    // The same of one whose estimate is known.
    void offer(std::uint32_t position, const Estimate& estimate) {
        if (allows(position)) look_at(position, estimate);
    }
    // The same of several, in their order, as long as goes_on(i) for the next, asked once one was scored. Positions of
    // no document are left out. What comes next is fetched while a document is scored.
    template <class GoesOn>
    void offer(std::span<const std::uint32_t> positions, const GoesOn& goes_on) {
        const ForwardIndex& forward = documents_->forward;
        const std::size_t n_docs = forward.n_docs();
        const auto is_scored = [&](std::size_t i) {
            return i < positions.size() && positions[i] < n_docs && allows(positions[i]);
        };
        for (std::size_t i = 0; i < kStartsAhead; ++i) {
            if (is_scored(i)) forward.prefetch_range(positions[i]);
        }
        for (std::size_t i = 0; i < kDocsAhead; ++i) {
            if (is_scored(i)) forward.prefetch(positions[i]);
        }
        for (std::size_t i = 0; i < positions.size(); ++i) {
            if (i % kScoredAtATime == 0) interruption_point(kScoredAtATime * kScoringNanoseconds);
            if (is_scored(i + kStartsAhead)) forward.prefetch_range(positions[i + kStartsAhead]);
            if (is_scored(i + kDocsAhead)) forward.prefetch(positions[i + kDocsAhead]);
            if (!is_scored(i)) continue;
            look_at(positions[i], estimate(positions[i]));
            if (i + 1 < positions.size() && !goes_on(i + 1)) return;
        }
    }
    void offer(std::span<const std::uint32_t> positions) {
        offer(positions, [](std::size_t) { return true; });
    }

  private:
    bool is_apart(std::size_t position) const noexcept {
        return std::ranges::binary_search(apart_, position, {}, &ApartDocument::position);
    }
    void look_at(std::uint32_t position, const Estimate& estimate) {
        if (!documents_->forward.has_fine()) return admit(position, static_cast<float>(estimate.score));
        const double error = estimate.max_error * kRounded;
        const auto upper = static_cast<float>(estimate.score + error);
        if (upper < threshold()) return;
        if (!lets_wait_) return admit(position, score(position));
        waiting_.push_back({upper, position});
        const auto lower = static_cast<float>(estimate.score - error);
        if (lower_bounds_.wants(lower)) lower_bounds_.add({lower, documents_->order.id_of(position)});
    }
    void admit(std::uint32_t position, float score) {
        if (best_->wants(score)) best_->add({score, documents_->order.id_of(position)});
    }

    QueryTable table_;
    const SlotQuery* query_ = nullptr;
    const Selection* allowed_ = nullptr;
    std::span<const ApartDocument> apart_;
    const StoredDocuments* documents_ = nullptr;
    TopK* best_ = nullptr;
    bool lets_wait_ = false;
    std::vector<Hit> waiting_;  // positions, with upper bounds
    TopK lower_bounds_;         // of those that wait, and the scores of those that don't
};

}  // namespace thresher
