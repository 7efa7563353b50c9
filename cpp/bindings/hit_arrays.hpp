// What searches of an index, or of several, write to: arrays of Python.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "../core/selection/hits.hpp"
#include "../engines/search_options.hpp"
#include "conversions.hpp"

namespace thresher {

// The arrays that a search fills.
class HitArrays {
  public:
    // `shape`: (n_queries, k), or (k,) for a single query.
    explicit HitArrays(const std::vector<py::ssize_t>& shape)
        : ids_(shape),
          scores_(shape),
          exact_(shape.size() == 1 ? 1 : shape.front()),
          k_(static_cast<std::size_t>(shape.back())),
          is_single_(shape.size() == 1) {}
    HitsView view() {
        return {.n_columns = k_, .ids = items_of(ids_), .scores = items_of(scores_), .exact = items_of(exact_)};
    }
    // ids, scores and, bool, whether they are exact.
    py::tuple take() {
        if (is_single_) return py::make_tuple(std::move(ids_), std::move(scores_), *exact_.data() != 0);
        return py::make_tuple(std::move(ids_), std::move(scores_), exact_.view("bool"));
    }

  private:
    template <class T>
    static std::span<T> items_of(Array<T>& array) {
        return {array.mutable_data(), static_cast<std::size_t>(array.size())};
    }

    Array<std::int64_t> ids_;
    Array<float> scores_;
    Array<std::uint8_t> exact_;
    std::size_t k_;
    bool is_single_;
};

// The same of a search for all hits of each query, one query's behind the other's.
class AllHitArrays {
  public:
    explicit AllHitArrays(std::size_t n_queries) : rows_(n_queries), exact_(static_cast<py::ssize_t>(n_queries)) {}
    HitsView view() { return {.exact = {exact_.mutable_data(), rows_.size()}, .rows = rows_}; }
    // ids, scores, where each query's hits begin, and, bool, whether they are exact.
    py::tuple take() {
        std::vector<std::int64_t> offsets{0};
        for (const auto& row : rows_) offsets.push_back(offsets.back() + static_cast<std::int64_t>(row.size()));
        Array<std::int64_t> ids(offsets.back());
        Array<float> scores(offsets.back());
        std::int64_t* id = ids.mutable_data();
        float* score = scores.mutable_data();
        for (const auto& row : rows_) {
            for (const Hit& hit : row) {
                *id++ = hit.doc;
                *score++ = hit.score;
            }
        }
        return py::make_tuple(std::move(ids), std::move(scores), to_array(offsets), exact_.view("bool"));
    }

  private:
    std::vector<std::vector<Hit>> rows_;
    Array<std::uint8_t> exact_;
};

inline SearchOptions with_monitor(const SearchOptions& options, Monitor* monitor) {
    SearchOptions all = options;
    all.monitor = monitor;
    return all;
}

}  // namespace thresher
