#include "candidates.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "ranked.hpp"
#include "scratch.hpp"
#include "ties.hpp"

namespace thresher {

namespace {

constexpr std::size_t kSpare = 64;
// Documents within the slack of the k-th that are kept, at least, and for each that is wanted: if there are more, they
// are to be taken. Few queries come to it: a handful more than k are left where scores differ.
constexpr std::size_t kMaxLeft = 512;
constexpr std::size_t kMaxLeftPerHit = 2;

std::int32_t saturate(std::int64_t score) noexcept {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(score, std::numeric_limits<std::int32_t>::min(),
                                                              std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

void Candidates::reset(std::size_t k, const IntegerQuery& query) {
    k_ = k;
    capacity_ = 2 * k + kSpare;
    lowest_ = query.lowest;
    slack_ = query.slack;
    unit_ = query.unit;
    cutoff_ = saturate(lowest_);
    empty_scratch(entries_, 2 * k);
    empty_scratch(docs_, 2 * k);
}

// What a document must reach to be among the k best where the k-th best has this true score.
std::int64_t Candidates::reach(double true_kth_score) const noexcept {
    constexpr double kFar = 0x1p40;  // beyond any score
    const double lowest = std::floor(lowest_that_may_tie(true_kth_score) / unit_);
    return static_cast<std::int64_t>(std::clamp(lowest, -kFar, kFar)) - slack_;
}

void Candidates::expect(std::int64_t kth_score) {
    raise_lowest(reach(static_cast<double>(kth_score - slack_) * unit_));
}

void Candidates::require(double min_score) {
    if (unit_ > 0) raise_lowest(reach(min_score));
}

void Candidates::raise_lowest(std::int64_t lowest) noexcept {
    lowest_ = std::max(lowest_, lowest);
    cutoff_ = std::max(cutoff_, saturate(lowest_));
}

bool Candidates::add(std::uint32_t first_doc, const std::uint32_t* docs, const std::int32_t* scores, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) entries_.push_back(ranked(scores[i], first_doc + docs[i]));
    if (entries_.size() < capacity_) return false;
    raise_cutoff();
    const std::size_t max = std::max(kMaxLeft, kMaxLeftPerHit * k_);
    if (entries_.size() > max) return true;
    capacity_ = std::max(capacity_, 2 * entries_.size());  // many within the slack: keep the cost amortised
    return false;
}

void Candidates::raise_cutoff() {
    if (k_ == 0 || entries_.size() < k_) return;
    const auto kth = entries_.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    std::nth_element(entries_.begin(), kth, entries_.end(), std::greater<>{});
    expect(score_of(*kth));
    std::erase_if(entries_, [this](std::uint64_t entry) { return score_of(entry) < cutoff_; });
}

std::span<const std::uint32_t> Candidates::take() {
    raise_cutoff();
    docs_.clear();
    for (const std::uint64_t entry : entries_) docs_.push_back(item_of(entry));
    entries_.clear();
    return docs_;
}

}  // namespace thresher
