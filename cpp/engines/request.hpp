// A search's options as engines go by them: checked once, and made out for each of its queries.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "../core/documents/stored_documents.hpp"
#include "../core/selection/wanted.hpp"
#include "search_options.hpp"

namespace thresher {

class Request {
  public:
    // `is_limited`: the caller's search parameters may cost hits, so that rows may stay short. Borrows `options` and
    // `documents`. Throws std::invalid_argument for options out of range.
    Request(const SearchOptions& options, std::size_t n_queries, const StoredDocuments& documents, bool is_limited);

    const SearchOptions& options() const noexcept { return options_; }
    const StoredDocuments& documents() const noexcept { return documents_; }
    bool is_limited() const noexcept { return is_limited_; }

    // What engines look for: documents with a positive score.
    Wanted wanted(std::size_t row) const noexcept;
    // Whether other indexes have found k documents for the query, so that it need not find as many here.
    bool is_settled(std::size_t row) const noexcept { return floor(row) > 0; }
    // Adds the deadline that queries have in this index, in microseconds, to what others have left them.
    void add_time(double deadline) const noexcept {
        for (double& left : options_.time_left) left += deadline;
    }
    // The microseconds that a query has in this index, whose own deadline, `deadline`, was added.
    double time_for(std::size_t row, double deadline) const noexcept {
        return options_.time_left.empty() ? deadline : options_.time_left[row];
    }
    // Leaves the rest to other indexes once a query took some of it.
    void take_time(std::size_t row, double taken) const noexcept {
        if (!options_.time_left.empty()) options_.time_left[row] = std::max(options_.time_left[row] - taken, 0.0);
    }
    // What rows are filled with, if they are.
    float min_fill() const noexcept { return min_fill_; }

  private:
    float floor(std::size_t row) const noexcept { return options_.floors.empty() ? 0 : options_.floors[row]; }

    const SearchOptions& options_;
    const StoredDocuments& documents_;
    bool is_limited_;
    std::size_t k_;
    std::size_t depth_;
    float min_score_;
    float min_fill_;
    std::vector<Selection> left_;             // what `exclude` leaves, for all queries or for each
    std::vector<const Selection*> selected_;  // what may be returned: none, one or one for each query
};

}  // namespace thresher
