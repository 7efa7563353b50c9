// The documents of the greatest sums, as a scan finds them.
//
// A histogram of the sums seen so far tells, without a sort, below which sum a document can't be among the best: a few
// entries too many are kept until the end. Memory is bounded, however many documents tie. Amortised O(1) an added
// document.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include "../selection/ranked.hpp"
#include "../selection/scratch.hpp"

namespace thresher {

class BestAccumulators {
  public:
    // As many documents are listed where all are wanted.
    static constexpr std::size_t kMaxListed = 65536;
    static constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

    // Keeps the best `n`, or kAll, of those whose sum, a number of 16 bits, is at least `lowest`; ties go to the
    // smaller document.
    void reset(std::size_t n, std::int32_t lowest) {
        n_ = n;
        max_entries_ = n == kAll ? kMaxListed : std::max(kMaxListed, 2 * n);
        overflowed_ = false;
        cutoff_ = lowest;
        max_dropped_ = std::min(lowest, -kMaxSum - 1) - 1;
        empty_scratch(entries_, kMaxListed);
        counts_.fill(0);
        bucket_ = bucket_of(std::clamp(lowest, -kMaxSum - 1, kMaxSum));
        above_ = 0;
    }

    // Only documents that reach this need be added; it rises as better ones come in.
    std::int32_t cutoff() const noexcept { return cutoff_; }
    void add(std::uint32_t first_doc, const std::uint32_t* docs, const std::int32_t* sums, std::size_t n) {
        if (entries_.size() + n > max_entries_) make_room();
        for (std::size_t i = 0; i < n; ++i) {
            if (!overflowed_) entries_.push_back(ranked(sums[i], first_doc + docs[i]));
            ++counts_[bucket_of(sums[i])];
        }
        above_ += n;
        while (above_ - counts_[bucket_] >= n_ && bucket_ + 1 < kBuckets) {
            above_ -= counts_[bucket_];
            cutoff_ = std::max(cutoff_, first_of(++bucket_));
        }
    }
    // Of all there are so many that they are only counted.
    bool overflowed() const noexcept { return overflowed_; }
    // About how many documents were added whose sum is at least `sum`, and reach the cutoff.
    std::size_t count(std::int32_t sum) const noexcept {
        const std::uint32_t from = std::max(bucket_, bucket_of(std::clamp(sum, -kMaxSum - 1, kMaxSum)));
        return std::accumulate(counts_.begin() + from, counts_.end(), std::size_t{0});
    }
    // Keeps only the best `n`. To be called after the last `add`.
    void keep(std::size_t n) {
        const std::int32_t cutoff = cutoff_;
        std::erase_if(entries_, [cutoff](std::uint64_t entry) { return score_of(entry) < cutoff; });
        max_dropped_ = std::max(max_dropped_, cutoff - 1);
        if (entries_.size() <= n) return;
        const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(n);
        std::nth_element(entries_.begin(), end, entries_.end(), std::greater<>{});
        max_dropped_ = std::max(max_dropped_, score_of(*end));
        entries_.erase(end, entries_.end());
    }

    // `ranked`, in no particular order.
    std::vector<std::uint64_t>& entries() noexcept { return entries_; }
    const std::vector<std::uint64_t>& entries() const noexcept { return entries_; }

    // After `keep`: no document that was not kept has a greater sum.
    std::int32_t max_dropped() const noexcept { return max_dropped_; }

  private:
    static constexpr std::int32_t kMaxSum = 32767;
    static constexpr std::int32_t kBucket = 64;  // sums in a bucket
    static constexpr std::uint32_t kBuckets = 65536 / kBucket;

    static std::uint32_t bucket_of(std::int32_t sum) noexcept {
        return static_cast<std::uint32_t>(sum + kMaxSum + 1) / kBucket;
    }
    static std::int32_t first_of(std::uint32_t bucket) noexcept {
        return static_cast<std::int32_t>(bucket) * kBucket - kMaxSum - 1;
    }
    void make_room() {
        if (n_ == kAll) {
            overflowed_ = true;
            entries_.clear();
        } else {
            keep(n_);
        }
    }

    std::size_t n_ = 0;
    std::size_t max_entries_ = 0;
    bool overflowed_ = false;
    std::int32_t cutoff_ = 0;
    std::int32_t max_dropped_ = 0;
    std::uint32_t bucket_ = 0;  // that the cutoff is in
    std::size_t above_ = 0;     // entries of this bucket and higher ones
    std::array<std::uint32_t, kBuckets> counts_{};
    std::vector<std::uint64_t> entries_;
};

}  // namespace thresher
