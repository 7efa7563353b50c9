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
#include <utility>
#include <vector>

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
bool check_row(const CsrView& rows, std::size_t row, std::string_view name) {
    const auto terms = rows.row_terms(row);
    const auto weights = rows.row_weights(row);
    bool canonical = true;
    bool valid = true;
    std::int64_t previous = -1;
    for (std::size_t i = 0; i < terms.size(); ++i) {
        const auto term = static_cast<std::int64_t>(terms[i]);
        canonical &= term > previous;  // no branches: nearly every posting passes every test
        canonical &= weights[i] != 0;
        valid &= terms[i] < rows.n_terms;
        valid &= std::fabs(weights[i]) <= std::numeric_limits<float>::max();
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
    }
    return canonical;
}

// A copy of one row, sorted by term (stably), duplicates summed, zeros dropped.
class RowSorter {
  public:
    void load(std::span<const std::uint32_t> terms, std::span<const float> weights) {
        postings_.clear();
        for (std::size_t i = 0; i < terms.size(); ++i) {
            postings_.push_back({read_once(terms[i]), read_once(weights[i])});
        }
        std::stable_sort(postings_.begin(), postings_.end(),
                         interruptible([](const auto& a, const auto& b) { return a.term < b.term; }));
        std::size_t n = 0;
        for (std::size_t i = 0; i < postings_.size();) {
            const std::uint32_t term = postings_[i].term;
            float sum = 0;
            for (; i < postings_.size() && postings_[i].term == term; ++i) sum += postings_[i].weight;
            if (sum != 0) postings_[n++] = {term, sum};
        }
        postings_.resize(n);
    }

    struct Posting {
        std::uint32_t term;
        float weight;
    };
    std::span<const Posting> postings() const noexcept { return postings_; }

  private:
    std::vector<Posting> postings_;
};

}  // namespace

void reject_changed(std::string_view name) {
    throw std::invalid_argument(std::string(name) + ": changed by another thread while they were read");
}

CanonicalCsr::CanonicalCsr(const CsrView& rows, std::string_view name, unsigned threads, Progress& progress)
    : view_(rows) {
    if (rows.n_rows() == 1) {
        one_row_ = {read_once(rows.indptr[0]), read_once(rows.indptr[1])};
        view_.indptr = one_row_;
    } else {
        indptr_.assign(rows.indptr.begin(), rows.indptr.end());
        view_.indptr = indptr_;
    }
    check_indptr(view_, name);
    std::atomic<bool> canonical{true};
    parallel_for_rows(view_.n_rows(), kRowsPerTask, threads, progress,
                      [&](std::size_t begin, std::size_t end, unsigned) {
                          bool all = true;
                          for (std::size_t row = begin; row < end; ++row) {
                              interruption_point(view_.row_size(row));
                              all &= check_row(view_, row, name);
                          }
                          if (!all) canonical.store(false, std::memory_order_relaxed);
                      });
    if (!canonical) canonicalise(name, threads, progress);
}

void CanonicalCsr::canonicalise(std::string_view name, unsigned threads, Progress& progress) {
    Progress silent(progress.monitor());
    const std::size_t n_rows = view_.n_rows();
    std::vector<RowSorter> sorters(worker_count(threads, n_rows));
    const auto for_each_row = [&](const auto& visit) {
        parallel_for_rows(n_rows, kRowsPerTask, threads, silent,
                          [&](std::size_t begin, std::size_t end, unsigned worker) {
                              for (std::size_t row = begin; row < end; ++row) {
                                  interruption_point(view_.row_size(row) * 8);
                                  sorters[worker].load(view_.row_terms(row), view_.row_weights(row));
                                  visit(row, sorters[worker].postings());
                              }
                          });
    };
    LargeVector<std::int64_t> indptr(n_rows + 1);
    for_each_row([&](std::size_t row, std::span<const RowSorter::Posting> postings) {
        for (const auto& [term, weight] : postings) {
            if (!std::isfinite(weight)) {
                reject(name, row, "duplicates of term " + std::to_string(term) + " whose sum overflows float32");
            }
        }
        indptr[row + 1] = static_cast<std::int64_t>(postings.size());
    });
    std::partial_sum(indptr.begin(), indptr.end(), indptr.begin());
    terms_.resize(static_cast<std::size_t>(indptr.back()));
    weights_.resize(terms_.size());
    for_each_row([&](std::size_t row, std::span<const RowSorter::Posting> postings) {
        auto at = static_cast<std::size_t>(indptr[row]);
        if (postings.size() != static_cast<std::size_t>(indptr[row + 1]) - at) reject_changed(name);
        for (const auto& [term, weight] : postings) {
            if (term >= view_.n_terms || !std::isfinite(weight)) reject_changed(name);
            terms_[at] = term;
            weights_[at++] = weight;
        }
    });
    indptr_ = std::move(indptr);
    view_ = {view_.n_terms, indptr_, terms_, weights_};
}

}  // namespace thresher
