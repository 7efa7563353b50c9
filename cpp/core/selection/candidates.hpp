// The documents that may still be in the top k, judged by approximate scores with a known error.
//
// Contract: |true score - score| <= slack for every document, in the units of `score`. A document among the true
// top k then has score >= (k-th best score) - 2 * slack: what falls below that cutoff is dropped, the rest is rescored
// in full precision. Amortised O(1) an added document.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace thresher {

class Candidates {
  public:
    // `lowest`: no document below this score is ever wanted.
    void reset(std::size_t k, std::int64_t lowest, std::int64_t slack);

    // At least k documents have a score of `kth_score`, whether or not they are ever added.
    void expect(std::int64_t kth_score);

    // At least k documents have a true score of this, in the units of `score`.
    void require(double kth_score);

    // Only documents that reach this need be added; it rises as better ones come in.
    std::int32_t cutoff() const noexcept { return cutoff_; }
    void add(std::uint32_t first_doc, const std::uint32_t* docs, const std::int32_t* scores, std::size_t n);

    // The documents that remain, in no particular order.
    std::span<const std::uint32_t> finish();

  private:
    std::int64_t reach(std::int64_t kth_score) const noexcept;
    void raise_lowest(std::int64_t lowest) noexcept;
    void raise_cutoff();

    std::size_t k_ = 0;
    std::size_t capacity_ = 0;
    std::int64_t lowest_ = 0;
    std::int64_t slack_ = 0;
    std::int32_t cutoff_ = 0;
    std::vector<std::uint64_t> entries_;  // score (biased to unsigned) in the high half, document in the low half
    std::vector<std::uint32_t> docs_;
};

}  // namespace thresher
