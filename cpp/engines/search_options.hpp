// What a search of any engine may be told. An option is added here and where it acts; no engine names one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../core/base/monitor.hpp"
#include "../core/selection/selection.hpp"

namespace thresher {

struct SearchOptions {
    // Selections of the index's documents: none, one for all queries, or one for each.
    using Selections = std::vector<std::shared_ptr<const Selection>>;
    static constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
    static constexpr std::array<std::string_view, 2> kUnknownTerms{"error", "ignore"};

    std::size_t k = 10;          // documents to find for each query, at most; kAll: however many there are
    unsigned threads = 0;        // 0: one for each core
    Monitor* monitor = nullptr;  // borrowed
    // Only these documents may be returned; with no selection, all may.
    Selections allowed = {};  // NOLINT(readability-redundant-member-init): GCC warns without it
    // These may not.
    Selections exclude = {};  // NOLINT(readability-redundant-member-init)
    // The least score, in float32, of what is returned; none: all above 0. One of 0 or less goes with `fill` only.
    std::optional<double> min_score = std::nullopt;
    // Whether rows go on, once no document with a positive score is left, with those of zero and below, best first.
    bool fill = false;
    // Whether answers must be exact: where the engine can't prove that one is, all documents are scored.
    bool exact = false;
    // What a term is in a query that is beyond the index's: an "error", or nothing, "ignore".
    std::string unknown_terms = "error";
    // How deep into the ranking the search reaches, where others have returned what comes first and it excludes that:
    // what engines choose their own budgets by. 0: k.
    std::size_t depth = 0;
    // Where the index is one of several that are searched together (segments). The fraction of all documents that it
    // has, for which engines spend as much of the budgets of their own choice.
    double fraction = 1;
    // For each query, the k-th score that other indexes have: above 0 once they have found k documents. Only those that
    // reach it are of use, and rows may be short of k. Borrowed; none: nothing was found yet.
    std::span<const float> floors = {};
    // For each query, the microseconds that other indexes have left of their deadlines. One that has a deadline adds
    // its own, and leaves what it did not take. Borrowed; none: there are no others.
    std::span<double> time_left = {};

    template <class Visit>
    static void fields(const Visit& visit) {
        visit("k", &SearchOptions::k);
        visit("threads", &SearchOptions::threads);
        visit("allowed", &SearchOptions::allowed);
        visit("exclude", &SearchOptions::exclude);
        visit("min_score", &SearchOptions::min_score);
        visit("fill", &SearchOptions::fill);
        visit("exact", &SearchOptions::exact);
        visit("unknown_terms", &SearchOptions::unknown_terms);
        visit("depth", &SearchOptions::depth);
    }
};

}  // namespace thresher
