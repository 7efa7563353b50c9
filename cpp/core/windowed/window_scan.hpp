// One query's scan of windowed postings: integer scores of a window's documents, those that reach a cutoff picked
// out by SIMD, 64 documents at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../../kernels/kernels.hpp"
#include "../base/buffer.hpp"
#include "../selection/selection.hpp"
#include "windowed_postings.hpp"

namespace thresher {

// A query's integer weights, divided by the form of the postings that they meet.
class ScanPlan {
  public:
    void clear() noexcept;
    // Slots in any order; |weight| <= 32,767: rows take 16 bits.
    void add(const WindowedPostings& postings, std::uint32_t slot, std::int32_t weight);
    // To be called after the last `add`.
    void seal();
    std::size_t n_terms() const noexcept { return rows_.size() + lists_.size() + rare_.size(); }
    bool empty() const noexcept { return rows_.empty() && lists_.empty() && rare_.empty(); }

  private:
    friend class WindowScan;
    struct Rare {
        RareLists::List postings;
        std::int32_t weight;
        std::size_t next;  // first posting of the windows to come
    };
    std::vector<std::uint32_t> rows_;  // an even number, padded with weight 0
    std::vector<std::int16_t> row_weights_;
    std::vector<std::uint32_t> lists_;
    std::vector<std::int32_t> list_weights_;
    std::vector<Rare> rare_;
};

// Scratch memory of a thread's scans.
class WindowScan {
  public:
    WindowScan() : scores_(65536), docs_(kStep), doc_scores_(kStep) {}

    // Scores window `w`; windows must come in ascending order. Calls, for each few hundred documents,
    //   sink.cutoff() -> std::int32_t
    //   sink.add(first_doc, docs, scores, n)
    // with the documents (relative to first_doc) that reach the cutoff, of those that are `allowed`: nullptr: all.
    template <class Sink>
    void scan(const WindowedPostings& postings, std::size_t w, ScanPlan& plan, const Selection* allowed, Sink& sink) {
        accumulate(postings, w, plan);
        const std::uint32_t n_docs = (postings.window_docs(w) + 63) / 64 * 64;
        const std::uint64_t* bits = allowed == nullptr ? nullptr : allowed->words().data() + postings.first_doc(w) / 64;
        rows_.resize(plan.rows_.size());
        for (std::size_t r = 0; r < rows_.size(); ++r) rows_[r] = postings.row(w, plan.rows_[r]);
        for (std::uint32_t first = 0; first < n_docs; first += kStep) {
            const std::uint32_t step = std::min(kStep, n_docs - first);
            const std::size_t n = kernels::active().select_candidates(
                rows_.data(), plan.row_weights_.data(), rows_.size(), scores_.items.data() + first, step,
                bits == nullptr ? nullptr : bits + first / 64, sink.cutoff(), docs_.data(), doc_scores_.data());
            sink.add(postings.first_doc(w) + first, docs_.data(), doc_scores_.data(), n);
            for (const std::uint8_t*& row : rows_) row += step;
        }
    }

  private:
    // Documents between two looks at the cutoff: few, because it rises fastest at the start.
    static constexpr std::uint32_t kStep = 512;

    void accumulate(const WindowedPostings& postings, std::size_t w, ScanPlan& plan);

    Filling<std::int32_t> scores_;  // zero between windows; any 16-bit document is in bounds
    std::vector<const std::uint8_t*> rows_;
    std::vector<std::uint32_t> docs_;
    std::vector<std::int32_t> doc_scores_;
};

}  // namespace thresher
