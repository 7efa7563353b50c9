// The documents of the greatest sums, as a scan finds them.
//
// A histogram of the sums seen so far tells, without a sort, below which sum a document can't be among the best: a few
// entries too many are kept until the end. Amortised O(1) an added document.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace thresher {

class BestAccumulators {
  public:
    // Keeps the best `n`, of those whose sum, a number of 16 bits, is at least `lowest`; ties go to the smaller
    // document.
    void reset(std::size_t n, std::int32_t lowest) {
        n_ = n;
        cutoff_ = lowest;
        max_dropped_ = std::min(lowest, -kMaxSum - 1) - 1;
        entries_.clear();
        counts_.fill(0);
        bucket_ = bucket_of(std::clamp(lowest, -kMaxSum - 1, kMaxSum));
        above_ = 0;
    }

    // Only documents that reach this need be added; it rises as better ones come in.
    std::int32_t cutoff() const noexcept { return cutoff_; }
    void add(std::uint32_t first_doc, const std::uint32_t* docs, const std::int32_t* sums, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
            entries_.push_back(entry(sums[i], first_doc + docs[i]));
            ++counts_[bucket_of(sums[i])];
        }
        above_ += n;
        while (above_ - counts_[bucket_] >= n_ && bucket_ + 1 < kBuckets) {
            above_ -= counts_[bucket_];
            cutoff_ = first_of(++bucket_);
        }
    }
    // Keeps only the best `n`. To be called after the last `add`.
    void keep(std::size_t n) {
        const std::int32_t cutoff = cutoff_;
        std::erase_if(entries_, [cutoff](std::uint64_t entry) { return sum_of(entry) < cutoff; });
        max_dropped_ = std::max(max_dropped_, cutoff - 1);
        if (entries_.size() <= n) return;
        const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(n);
        std::nth_element(entries_.begin(), end, entries_.end(), std::greater<>{});
        max_dropped_ = std::max(max_dropped_, sum_of(*end));
        entries_.erase(end, entries_.end());
    }

    // In no particular order, but ordered by sum if compared as numbers.
    std::vector<std::uint64_t>& entries() noexcept { return entries_; }
    const std::vector<std::uint64_t>& entries() const noexcept { return entries_; }
    static std::int32_t sum_of(std::uint64_t entry) noexcept {
        return static_cast<std::int32_t>(static_cast<std::uint32_t>(entry >> 32) ^ kBias);
    }
    static std::uint32_t doc_of(std::uint64_t entry) noexcept { return ~static_cast<std::uint32_t>(entry); }

    // After `keep`: no document that was not kept has a greater sum.
    std::int32_t max_dropped() const noexcept { return max_dropped_; }

  private:
    static constexpr std::uint32_t kBias = 0x80000000U;
    static constexpr std::int32_t kMaxSum = 32767;
    static constexpr std::int32_t kBucket = 64;  // sums in a bucket
    static constexpr std::uint32_t kBuckets = 65536 / kBucket;

    static std::uint32_t bucket_of(std::int32_t sum) noexcept {
        return static_cast<std::uint32_t>(sum + kMaxSum + 1) / kBucket;
    }
    static std::int32_t first_of(std::uint32_t bucket) noexcept {
        return static_cast<std::int32_t>(bucket) * kBucket - kMaxSum - 1;
    }
    static std::uint64_t entry(std::int32_t sum, std::uint32_t doc) noexcept {
        return static_cast<std::uint64_t>(static_cast<std::uint32_t>(sum) ^ kBias) << 32 |
               static_cast<std::uint32_t>(~doc);
    }

    std::size_t n_ = 0;
    std::int32_t cutoff_ = 0;
    std::int32_t max_dropped_ = 0;
    std::uint32_t bucket_ = 0;  // that the cutoff is in
    std::size_t above_ = 0;     // entries of this bucket and higher ones
    std::array<std::uint32_t, kBuckets> counts_{};
    std::vector<std::uint64_t> entries_;
};

}  // namespace thresher
