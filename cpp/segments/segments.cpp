#include "segments.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include "../engines/query_batches.hpp"

namespace thresher {

namespace {

// Tells of the searches of all segments as of one.
class PartOfMonitor final : public Monitor {
  public:
    PartOfMonitor(Monitor* whole, std::size_t n_parts) : whole_(whole), n_parts_(n_parts) {}

    Monitor* of(std::size_t part) noexcept {
        part_ = part;
        return whole_ == nullptr ? nullptr : this;
    }
    void poll() override { whole_->poll(); }
    void progress(std::uint64_t done, std::uint64_t total) override {
        whole_->progress((part_ * total + done) / n_parts_, total);
    }

  private:
    Monitor* whole_;
    std::size_t n_parts_;
    std::size_t part_ = 0;
};

// Hits of segments, put together query by query.
class Gathered {
  public:
    // `margins`: what scores of each query must differ by for their order to be certain.
    Gathered(const HitsView& hits, std::vector<double> margins)
        : hits_(hits), margins_(std::move(margins)), floors_(margins_.size()), left_out_(margins_.size()) {
        std::ranges::fill(hits.exact, std::uint8_t{1});
        std::ranges::fill(hits.ids, kNoDocument);
        std::ranges::fill(hits.scores, -std::numeric_limits<float>::infinity());
        for (auto& row : hits.rows) row.clear();
    }

    std::span<const float> floors() const noexcept { return floors_; }

    void add(Hits& found, std::size_t start) {
        for (std::size_t row = 0; row < floors_.size(); ++row) {
            hits_.exact[row] &= found.exact[row];
            merge(row, found, start);
        }
    }
    void add(std::span<std::vector<Hit>> rows, std::span<const std::uint8_t> exact, std::size_t start) {
        for (std::size_t row = 0; row < floors_.size(); ++row) {
            hits_.exact[row] &= exact[row];
            for (const Hit& hit : rows[row]) {
                hits_.rows[row].push_back({hit.score, static_cast<std::uint32_t>(start + hit.doc)});
            }
        }
    }
    void sort_rows() {
        for (auto& row : hits_.rows) std::sort(row.begin(), row.end(), better);
    }
    // Segments proved the order of their own hits.
    void keep_certain() {
        for (std::size_t row = 0; row < margins_.size(); ++row) {
            if (margins_[row] > 0 && !hits_.are_certain(row, margins_[row], left_out_[row])) hits_.exact[row] = 0;
        }
    }

  private:
    // Both rows are in order, best first.
    void merge(std::size_t row, const Hits& found, std::size_t start) {
        const std::size_t k = hits_.n_columns;
        merged_.clear();
        std::size_t mine = row * k;
        std::size_t theirs = row * found.k;
        const std::size_t end = mine + k;
        const std::size_t their_end = theirs + found.k;
        while (merged_.size() < k) {
            const bool has_mine = mine < end && hits_.ids[mine] >= 0;
            const bool has_theirs = theirs < their_end && found.ids[theirs] >= 0;
            if (!has_mine && !has_theirs) break;
            const std::int64_t id = has_theirs ? static_cast<std::int64_t>(start) + found.ids[theirs] : kNoDocument;
            const bool takes_mine = has_mine && (!has_theirs || hits_.scores[mine] > found.scores[theirs] ||
                                                 (hits_.scores[mine] == found.scores[theirs] && hits_.ids[mine] < id));
            if (takes_mine) {
                merged_.emplace_back(hits_.scores[mine], hits_.ids[mine]);
                ++mine;
            } else {
                merged_.emplace_back(found.scores[theirs], id);
                ++theirs;
            }
        }
        if (mine < end && hits_.ids[mine] >= 0) left_out_[row] = std::max(left_out_[row], hits_.scores[mine]);
        if (theirs < their_end && found.ids[theirs] >= 0) {
            left_out_[row] = std::max(left_out_[row], found.scores[theirs]);
        }
        for (std::size_t rank = 0; rank < merged_.size(); ++rank) {
            std::tie(hits_.scores[row * k + rank], hits_.ids[row * k + rank]) = merged_[rank];
        }
        if (k == 0 || merged_.size() < k) return;
        floors_[row] = floor_of(merged_.back().first, margins_[row]);
    }
    // What a document must score to be of use, or to leave a doubt.
    static float floor_of(float score, double margin) noexcept {
        if (!(margin > 0)) return std::max(score, 0.0F);
        const auto floor = static_cast<float>(static_cast<double>(score) - margin);
        return std::max(std::nextafter(floor, -std::numeric_limits<float>::infinity()), 0.0F);
    }

    const HitsView& hits_;
    std::vector<double> margins_;
    std::vector<float> floors_;
    std::vector<float> left_out_;  // the best score that was found and is no hit, above 0
    std::vector<std::pair<float, std::int64_t>> merged_;
};

}  // namespace

Segments::Segments(std::vector<const Index*> indexes) : indexes_(std::move(indexes)), by_size_(indexes_.size()) {
    starts_.push_back(0);
    for (const Index* index : indexes_) {
        if (index == nullptr) throw std::invalid_argument("indexes: no index");
        max_error_ = std::max(max_error_, index->max_error());
        starts_.push_back(starts_.back() + index->n_docs());
    }
    if (n_docs() > std::numeric_limits<std::uint32_t>::max()) {
        throw std::invalid_argument("segments have " + std::to_string(n_docs()) +
                                    " documents together, more than 2**32 - 1");
    }
    std::iota(by_size_.begin(), by_size_.end(), std::size_t{0});
    std::ranges::stable_sort(by_size_, std::ranges::greater{},
                             [&](std::size_t segment) { return indexes_[segment]->n_docs(); });
}

void Segments::search(const CsrView& queries, const SearchOptions& options,
                      std::span<const SearchOptions::Selections> allowed, const HitsView& hits) const {
    if (allowed.size() != indexes_.size()) {
        throw std::invalid_argument("allowed: selections for " + std::to_string(allowed.size()) + " segments of " +
                                    std::to_string(indexes_.size()));
    }
    const std::size_t n_queries = queries.n_rows();
    const bool finds_all = !hits.rows.empty();
    Gathered gathered(hits, margins(queries));
    PartOfMonitor monitor(options.monitor, indexes_.size());
    std::vector<double> time_left(n_queries);
    for (std::size_t i = 0; i < by_size_.size(); ++i) {
        const std::size_t segment = by_size_[i];
        const Index& index = *indexes_[segment];
        if (index.n_docs() == 0) continue;
        SearchOptions own = options;
        own.monitor = monitor.of(i);
        own.allowed = allowed[segment];
        own.time_left = time_left;
        own.fraction = static_cast<double>(index.n_docs()) / static_cast<double>(n_docs());
        if (finds_all) {
            std::vector<std::vector<Hit>> rows(n_queries);
            std::vector<std::uint8_t> exact(n_queries);
            own.k = SearchOptions::kAll;
            index.search(queries, own, HitsView{.exact = exact, .rows = rows});
            gathered.add(rows, exact, starts_[segment]);
        } else {
            own.floors = gathered.floors();
            Hits found = index.search(queries, own);
            gathered.add(found, starts_[segment]);
        }
    }
    if (finds_all) gathered.sort_rows();
    gathered.keep_certain();
}

// The queries are not checked yet.
std::vector<double> Segments::margins(const CsrView& queries) const {
    std::vector<double> margins(queries.n_rows());
    if (max_error_ == 0) return margins;
    const auto n = static_cast<std::int64_t>(queries.weights.size());
    for (std::size_t row = 0; row < margins.size(); ++row) {
        const std::int64_t end = std::clamp(queries.indptr[row + 1], std::int64_t{0}, n);
        const std::int64_t begin = std::clamp(queries.indptr[row], std::int64_t{0}, end);
        const auto weights =
            queries.weights.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
        margins[row] = margin_of(weights, max_error_);
    }
    return margins;
}

}  // namespace thresher
