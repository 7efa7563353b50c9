#include "request.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace thresher {

namespace {

void check(const SearchOptions::Selections& selections, std::size_t n_queries, const StoredDocuments& documents,
           const char* name) {
    if (selections.size() > 1 && selections.size() != n_queries) {
        throw std::invalid_argument(std::string(name) + ": " + std::to_string(selections.size()) + " selections for " +
                                    std::to_string(n_queries) + " queries");
    }
    for (const auto& selection : selections) {
        if (selection == nullptr) throw std::invalid_argument(std::string(name) + ": no selection");
        if (!selection->is_of(documents)) {
            throw std::invalid_argument(std::string(name) + ": the selection is of another index");
        }
    }
}

const Selection& of_query(const SearchOptions::Selections& selections, std::size_t row) {
    return *selections[selections.size() == 1 ? 0 : row];
}

}  // namespace

Request::Request(const SearchOptions& options, std::size_t n_queries, const StoredDocuments& documents, bool is_limited)
    : options_(options),
      documents_(documents),
      is_limited_(is_limited),
      k_(std::min(options.k, documents.forward.n_docs())),
      depth_(std::min(std::max(options.depth, options.k), documents.forward.n_docs())),
      min_score_(kAnyPositive),
      min_fill_(-std::numeric_limits<float>::infinity()) {
    if (options.k < 1) throw std::invalid_argument("k must be >= 1, got " + std::to_string(options.k));
    if (options.min_score) {
        min_fill_ = static_cast<float>(*options.min_score);
        if (std::isnan(min_fill_)) throw std::invalid_argument("min_score must be a number, got nan");
        if (!(min_fill_ > 0) && !options.fill) {
            char shown[32];
            std::snprintf(shown, sizeof shown, "%g", *options.min_score);
            throw std::invalid_argument(std::string("min_score must be > 0 in float32, got ") + shown +
                                        ": documents that score 0 or less are returned with fill only");
        }
        min_score_ = std::max(min_fill_, kAnyPositive);
    }
    if (std::ranges::find(SearchOptions::kUnknownTerms, options.unknown_terms) == SearchOptions::kUnknownTerms.end()) {
        throw std::invalid_argument("unknown_terms must be 'error' or 'ignore', got '" + options.unknown_terms + "'");
    }
    if (!options.floors.empty() && options.floors.size() != n_queries) {
        throw std::invalid_argument("floors: " + std::to_string(options.floors.size()) + " for " +
                                    std::to_string(n_queries) + " queries");
    }
    if (!options.time_left.empty() && options.time_left.size() != n_queries) {
        throw std::invalid_argument("time_left: " + std::to_string(options.time_left.size()) + " for " +
                                    std::to_string(n_queries) + " queries");
    }
    const auto& [allowed, exclude] = std::tie(options.allowed, options.exclude);
    check(allowed, n_queries, documents, "allowed");
    check(exclude, n_queries, documents, "exclude");
    const std::size_t n = std::max(allowed.size(), exclude.size());
    left_.reserve(exclude.empty() ? 0 : n);
    for (std::size_t row = 0; row < n; ++row) {
        if (exclude.empty()) {
            selected_.push_back(allowed[row].get());
            continue;
        }
        const Selection& excluded = of_query(exclude, row);
        left_.push_back(allowed.empty() ? ~excluded : of_query(allowed, row) - excluded);
        selected_.push_back(&left_.back());
    }
}

Wanted Request::wanted(std::size_t row) const noexcept {
    const Selection* allowed = selected_.empty() ? nullptr : selected_[selected_.size() == 1 ? 0 : row];
    return {.k = k_,
            .allowed = allowed,
            .min_score = std::max(min_score_, floor(row)),
            .depth = depth_,
            .budget = options_.fraction};
}

}  // namespace thresher
