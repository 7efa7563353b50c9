#include "csr.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

namespace thresher {

namespace {

constexpr std::size_t kRowsPerTask = 4096;

// The shortest text that reads back as the same float: "nan" and "-inf" among them.
std::string describe(float weight) {
    std::array<char, 32> text{};
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), weight).ptr};
}

[[noreturn]] void reject(std::string_view name, std::size_t row, const std::string& what) {
    throw std::invalid_argument(std::string(name) + ": row " + std::to_string(row) + " has " + what);
}

void check_indptr(const CsrView& rows, std::string_view name) {
    const auto fail = [&](const std::string& what) { throw std::invalid_argument(std::string(name) + ": " + what); };
    if (rows.indptr.empty()) fail("indptr is empty; it must have n_rows + 1 elements");
    if (rows.indptr.front() != 0) fail("indptr[0] must be 0, got " + std::to_string(rows.indptr.front()));
    if (rows.terms.size() != rows.weights.size()) {
        fail("indices and data differ in length: " + std::to_string(rows.terms.size()) + " and " +
             std::to_string(rows.weights.size()));
    }
    for (std::size_t row = 0; row + 1 < rows.indptr.size(); ++row) {
        if (rows.indptr[row + 1] < rows.indptr[row]) {
            fail("indptr decreases at row " + std::to_string(row) + ", from " + std::to_string(rows.indptr[row]) +
                 " to " + std::to_string(rows.indptr[row + 1]));
        }
    }
    if (static_cast<std::uint64_t>(rows.indptr.back()) != rows.terms.size()) {
        fail("indptr ends at " + std::to_string(rows.indptr.back()) + ", but there are " +
             std::to_string(rows.terms.size()) + " indices");
    }
}

// Throws for what can't be mended; returns whether the row is canonical.
bool check_row(const CsrView& rows, std::size_t row, Signs signs, std::string_view name) {
    const auto terms = rows.row_terms(row);
    const auto weights = rows.row_weights(row);
    const float lowest = signs == Signs::any ? std::numeric_limits<float>::lowest() : 0;
    bool canonical = true;
    bool valid = true;
    std::int64_t previous = -1;
    for (std::size_t i = 0; i < terms.size(); ++i) {
        const auto term = static_cast<std::int64_t>(terms[i]);
        canonical &= term > previous;  // no branches: nearly every posting passes every test
        canonical &= weights[i] != 0;
        valid &= terms[i] < rows.n_terms;
        valid &= weights[i] >= lowest && weights[i] <= std::numeric_limits<float>::max();
        previous = term;
    }
    if (valid) return canonical;
    for (std::size_t i = 0; i < terms.size(); ++i) {
        if (terms[i] >= rows.n_terms) {
            reject(
                name, row,
                "term " + std::to_string(terms[i]) + ", but there are only " + std::to_string(rows.n_terms) + " terms");
        }
        if (!std::isfinite(weights[i])) {
            reject(name, row,
                   "weight " + describe(weights[i]) + " for term " + std::to_string(terms[i]) +
                       "; weights must be finite float32 values");
        }
        if (signs == Signs::non_negative && weights[i] < 0) {
            reject(name, row,
                   "weight " + describe(weights[i]) + " for term " + std::to_string(terms[i]) +
                       "; document weights must be >= 0");
        }
    }
    return canonical;
}

// Copies of one row, sorted by term (stably), duplicates summed, zeros dropped.
class RowSorter {
  public:
    void load(std::span<const std::uint32_t> terms, std::span<const float> weights) {
        order_.resize(terms.size());
        std::iota(order_.begin(), order_.end(), std::size_t{0});
        std::stable_sort(order_.begin(), order_.end(),
                         [&](std::size_t a, std::size_t b) { return terms[a] < terms[b]; });
        terms_.clear();
        weights_.clear();
        for (std::size_t i = 0; i < order_.size();) {
            const std::uint32_t term = terms[order_[i]];
            float sum = 0;
            for (; i < order_.size() && terms[order_[i]] == term; ++i) sum += weights[order_[i]];
            if (sum == 0) continue;
            terms_.push_back(term);
            weights_.push_back(sum);
        }
    }
    std::vector<std::uint32_t>& terms() noexcept { return terms_; }
    std::vector<float>& weights() noexcept { return weights_; }

  private:
    std::vector<std::size_t> order_;
    std::vector<std::uint32_t> terms_;
    std::vector<float> weights_;
};

}  // namespace

CanonicalCsr::CanonicalCsr(const CsrView& rows, Signs signs, std::string_view name, unsigned threads,
                           Progress& progress)
    : view_(rows) {
    check_indptr(rows, name);
    std::atomic<bool> canonical{true};
    parallel_for_rows(rows.n_rows(), kRowsPerTask, threads, progress,
                      [&](std::size_t begin, std::size_t end, unsigned) {
                          bool all = true;
                          for (std::size_t row = begin; row < end; ++row) all &= check_row(rows, row, signs, name);
                          if (!all) canonical.store(false, std::memory_order_relaxed);
                      });
    if (canonical) return;

    Progress silent(progress.monitor());
    std::vector<RowSorter> sorters(worker_count(threads, rows.n_rows()));
    indptr_.assign(rows.n_rows() + 1, 0);
    const auto for_each_row = [&](const auto& visit) {
        parallel_for_rows(rows.n_rows(), kRowsPerTask, threads, silent,
                          [&](std::size_t begin, std::size_t end, unsigned worker) {
                              for (std::size_t row = begin; row < end; ++row) {
                                  sorters[worker].load(rows.row_terms(row), rows.row_weights(row));
                                  visit(row, sorters[worker]);
                              }
                          });
    };
    for_each_row([&](std::size_t row, RowSorter& sorted) {
        for (std::size_t i = 0; i < sorted.terms().size(); ++i) {
            if (!std::isfinite(sorted.weights()[i])) {
                reject(name, row,
                       "duplicates of term " + std::to_string(sorted.terms()[i]) + " whose sum overflows float32");
            }
        }
        indptr_[row + 1] = static_cast<std::int64_t>(sorted.terms().size());
    });
    std::partial_sum(indptr_.begin(), indptr_.end(), indptr_.begin());
    terms_.resize(static_cast<std::size_t>(indptr_.back()));
    weights_.resize(terms_.size());
    for_each_row([&](std::size_t row, RowSorter& sorted) {
        std::copy(sorted.terms().begin(), sorted.terms().end(), terms_.begin() + indptr_[row]);
        std::copy(sorted.weights().begin(), sorted.weights().end(), weights_.begin() + indptr_[row]);
    });
    view_ = {rows.n_terms, indptr_, terms_, weights_};
}

}  // namespace thresher
