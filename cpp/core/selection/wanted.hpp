// What a query's search looks for, whatever the engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "../documents/slot_query.hpp"
#include "hits.hpp"
#include "selection.hpp"

namespace thresher {

// Of finite scores, those above 0 reach it, and no other.
inline constexpr float kAnyPositive = std::numeric_limits<float>::denorm_min();

// A document that was scored before the search, which comes to it no more.
struct ApartDocument {
    std::uint32_t position;
    Hit hit;
};

struct Wanted {
    std::size_t k = 0;  // documents, the best; at most as many as there are
    // Only these; nullptr: any.
    const Selection* allowed = nullptr;
    // Only documents that score at least this.
    float min_score = kAnyPositive;
    // How deep into the ranking the k reach, which is more than k where pages went before: what an engine chooses its
    // own budgets by.
    std::size_t depth = 0;
    // Of the budgets that an engine chooses, the fraction that it may spend: the rest is for other indexes.
    double budget = 1;
    // Allowed documents of which impacts do not tell what they score (documents/outlier_postings), by position.
    std::span<const ApartDocument> apart = {};

    // Of a collection's documents and blocks, the fractions that have any that are allowed.
    double fraction() const noexcept { return allowed == nullptr ? 1 : part(allowed->size(), allowed->n_docs()); }
    double fraction_of_blocks() const noexcept {
        if (allowed == nullptr) return 1;
        return part(allowed->n_blocks() * allowed->block_size(), allowed->n_docs());
    }
    // Documents that a search must not return, however good they are.
    std::size_t n_hidden() const noexcept { return allowed == nullptr ? 0 : allowed->n_docs() - allowed->size(); }

  private:
    static double part(std::size_t n, std::size_t of) noexcept {
        return of == 0 || n >= of ? 1 : static_cast<double>(n) / static_cast<double>(of);
    }
};

// One query of a search: what it asks, what it wants, and the row of the hits that its answer goes to.
struct Task {
    const SlotQuery* query = nullptr;
    Wanted wanted = {};
    std::size_t row = 0;
};

}  // namespace thresher
