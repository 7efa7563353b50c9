#include "candidates.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace thresher {

namespace {

constexpr std::size_t kSpare = 64;
constexpr std::uint32_t kBias = 0x80000000U;

std::uint64_t pack(std::int32_t score, std::uint32_t doc) noexcept {
    return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(score) ^ kBias) << 32) | doc;
}

std::int32_t score_of(std::uint64_t entry) noexcept {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(entry >> 32) ^ kBias);
}

std::int32_t saturate(std::int64_t score) noexcept {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(score, std::numeric_limits<std::int32_t>::min(),
                                                              std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

void Candidates::reset(std::size_t k, std::int64_t lowest, std::int64_t slack) {
    k_ = k;
    capacity_ = 2 * k + kSpare;
    lowest_ = lowest;
    slack_ = slack;
    cutoff_ = saturate(lowest);
    entries_.clear();
}

// What a document must reach to be among the k best where the k-th best scores this.
std::int64_t Candidates::reach(std::int64_t kth_score) const noexcept {
    // Scores are returned as float32: documents within its rounding of the k-th may tie with it.
    const std::int64_t rounding = (kth_score >> 22) + 1;
    return kth_score - 2 * slack_ - rounding;
}

void Candidates::expect(std::int64_t kth_score) { raise_lowest(reach(kth_score)); }

void Candidates::require(double kth_score) {
    // A true score is that of a document within one slack, not two.
    const double max = std::min(kth_score, static_cast<double>(std::numeric_limits<std::int32_t>::max()));
    raise_lowest(reach(static_cast<std::int64_t>(std::floor(max))) + slack_);
}

void Candidates::raise_lowest(std::int64_t lowest) noexcept {
    lowest_ = std::max(lowest_, lowest);
    cutoff_ = std::max(cutoff_, saturate(lowest_));
}

void Candidates::add(std::uint32_t first_doc, const std::uint32_t* docs, const std::int32_t* scores, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) entries_.push_back(pack(scores[i], first_doc + docs[i]));
    if (entries_.size() >= capacity_) {
        raise_cutoff();
        capacity_ = std::max(capacity_, 2 * entries_.size());  // many within the slack: keep the cost amortised
    }
}

void Candidates::raise_cutoff() {
    if (k_ == 0 || entries_.size() < k_) return;
    const auto kth = entries_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(entries_.begin(), kth, entries_.end(), std::greater<>{});
    cutoff_ = saturate(std::max(lowest_, reach(score_of(*kth))));
    const std::uint64_t min = pack(cutoff_, 0);
    entries_.erase(std::remove_if(entries_.begin() + static_cast<std::ptrdiff_t>(k_), entries_.end(),
                                  [&](std::uint64_t entry) { return entry < min; }),
                   entries_.end());
}

std::span<const std::uint32_t> Candidates::finish() {
    raise_cutoff();
    docs_.clear();
    for (const std::uint64_t entry : entries_) docs_.push_back(static_cast<std::uint32_t>(entry));
    return docs_;
}

}  // namespace thresher
