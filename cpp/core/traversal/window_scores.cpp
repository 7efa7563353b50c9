#include "window_scores.hpp"

#include <functional>
#include <utility>

#include "../../kernels/kernels.hpp"

namespace thresher {

namespace {

// Postings that are read in the time of looking up one document.
constexpr double kLookup = 16;

}  // namespace

WindowScores::WindowScores(std::size_t n_docs)
    : scores_(std::min<std::size_t>((n_docs + kernels::kStrip - 1) / kernels::kStrip * kernels::kStrip, kWindow)),
      docs_(scores_.size() + 1),
      doc_scores_(scores_.size() + 1) {}

void WindowScores::start(std::uint32_t first, std::uint32_t end, bool sparse) noexcept {
    first_ = first;
    end_ = std::min<std::uint32_t>(end, first + static_cast<std::uint32_t>(scores_.size()));
    sparse_ = noted_ = sparse;
    n_ = 0;
}

void WindowScores::add(PostingCursor& list, std::int32_t min) {
    std::int32_t* const scores = scores_.data();
    if (!sparse_) {
        list.for_each_before(end_, [&](std::uint32_t doc, std::int32_t score) { scores[doc - first_] += score; });
        return;
    }
    std::uint32_t* const docs = docs_.data();
    std::size_t n = n_;
    list.for_each_before(end_, [&](std::uint32_t doc, std::int32_t score) {
        const std::uint32_t at = doc - first_;
        const std::int32_t before = scores[at];
        const bool is_new = before == 0;
        const bool reaches = score >= min;
        docs[n] = at;
        n += static_cast<std::size_t>(is_new) & static_cast<std::size_t>(reaches);
        scores[at] = before + (score & -static_cast<std::int32_t>(!is_new | reaches));
    });
    n_ = n;
}

void WindowScores::merge(PostingCursor& list) {
    std::int32_t* const scores = scores_.data();
    list.next_geq(first_);
    list.for_each_before(end_, [&](std::uint32_t doc, std::int32_t score) {
        std::int32_t& sum = scores[doc - first_];
        sum += score & -static_cast<std::int32_t>(sum != 0);
    });
}

bool WindowScores::prefers_merging(const PostingCursor& list) const noexcept {
    return list.density() * (end_ - first_) < kLookup * static_cast<double>(n_);
}

void WindowScores::keep(std::int32_t cutoff) {
    std::int32_t* const scores = scores_.data();
    if (!noted_) {
        n_ = kernels::active().select_candidates(nullptr, nullptr, 0, scores, (end_ - first_ + 63) / 64 * 64, nullptr,
                                                 cutoff, docs_.data(), doc_scores_.data());
        for (std::size_t i = 0; i < n_; ++i) scores[docs_[i]] = doc_scores_[i];
        noted_ = true;
        return;
    }
    std::uint32_t* const docs = docs_.data();
    std::size_t n = 0;
    for (std::size_t i = 0; i < n_; ++i) {
        const std::uint32_t at = docs[i];
        const std::int32_t score = scores[at];
        const bool kept = score >= cutoff;
        docs[n] = at;
        n += kept;
        scores[at] = score & -static_cast<std::int32_t>(kept);
    }
    n_ = n;
}

std::int32_t WindowScores::kth_best(std::size_t k, std::int32_t score, const Selection* allowed) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < n_; ++i) {
        doc_scores_[n] = scores_[docs_[i]];
        n += doc_scores_[n] > score && (allowed == nullptr || allowed->has(first_ + docs_[i]));
    }
    if (n < k || k == 0) return score;
    const auto kth = doc_scores_.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::nth_element(doc_scores_.begin(), kth, doc_scores_.begin() + static_cast<std::ptrdiff_t>(n), std::greater<>{});
    return *kth;
}

void WindowScores::finish() {
    std::sort(docs_.begin(), docs_.begin() + static_cast<std::ptrdiff_t>(n_));
    for (std::size_t i = 0; i < n_; ++i) doc_scores_[i] = std::exchange(scores_[docs_[i]], 0);
}

}  // namespace thresher
