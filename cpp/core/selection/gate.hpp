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

// More than what sums in double precision are off by.
inline constexpr double kRounded = 1 + 0x1p-20;

// Scratch memory of one thread.
class Gate {
  public:
    explicit Gate(std::uint32_t n_slots) : table_(n_slots) {}

    // Borrows all until `close`. What is admitted goes to `best`.
    void open(const Task& task, const StoredDocuments& documents, TopK& best) noexcept {
        query_ = task.query;
        allowed_ = task.wanted.allowed;
        apart_ = task.wanted.apart;
        documents_ = &documents;
        best_ = &best;
        table_.load(*query_);
    }
    void close() noexcept { table_.clear(*query_); }

    // A document is named by its position, below n_docs. Whether it may be returned, and was not scored before:
    bool allows(std::size_t position) const noexcept {
        return (allowed_ == nullptr || allowed_->has(position)) && (apart_.empty() || !is_apart(position));
    }
    float score(std::size_t position) const { return static_cast<float>(documents_->forward.score(position, table_)); }
    // Its score, or about: by what lies in memory.
    float coarse_score(std::size_t position) const {
        double error = 0;
        const ForwardIndex& forward = documents_->forward;
        return forward.has_fine() ? static_cast<float>(forward.coarse_score(position, table_, error)) : score(position);
    }
    // What a document must score to be among the best.
    float threshold() const noexcept { return best_->threshold(); }

    // Admits a document if it is allowed and among the best so far; none twice.
    void offer(std::uint32_t position) {
        if (allows(position)) look_at(position);
    }
    // The same of one whose coarse score is known.
    void offer(std::uint32_t position, float coarse_score) {
        if (documents_->forward.has_fine()) return offer(position);
        if (best_->wants(coarse_score) && allows(position)) admit(position, coarse_score);
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
            look_at(positions[i]);
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
    void look_at(std::uint32_t position) {
        if (documents_->forward.has_fine()) {
            double error = 0;
            const double coarse = documents_->forward.coarse_score(position, table_, error);
            if (!best_->wants(static_cast<float>(coarse + error * kRounded))) return;
        }
        admit(position, score(position));
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
};

}  // namespace thresher
