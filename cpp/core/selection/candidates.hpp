// The documents that may still be in the top k, judged by approximate scores with a known error.
//
// Contract: |true score - unit * score| <= unit * slack for every document. A document among the true top k then has
// score >= (k-th best score) - 2 * slack: what falls below that cutoff is dropped, the rest is to be rescored in full
// precision. Amortised O(1) an added document.
//
// Memory is bounded, however many documents are within the slack of the k-th or tie with it: where too many are left,
// `add` asks for them to be taken and rescored at once. The k-th best of the scores found then raises the cutoff
// further than scores with an error can.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "integer_query.hpp"

namespace thresher {

class Candidates {
  public:
    // No document below query.lowest is ever wanted.
    void reset(std::size_t k, const IntegerQuery& query);

    // At least k documents have a score of `kth_score`, whether or not they are ever added.
    void expect(std::int64_t kth_score);

    // What is wanted has a true score of at least this.
    void require(double min_score);

    // Only documents that reach this need be added; it rises as better ones come in.
    std::int32_t cutoff() const noexcept { return cutoff_; }
    // True if so many are left that they are to be taken now.
    [[nodiscard]] bool add(std::uint32_t first_doc, const std::uint32_t* docs, const std::int32_t* scores,
                           std::size_t n);

    // Takes the documents that remain, in no particular order; valid until the next call.
    std::span<const std::uint32_t> take();

    // Memory in use.
    std::size_t capacity_nbytes() const noexcept {
        return entries_.capacity() * sizeof(std::uint64_t) + docs_.capacity() * sizeof(std::uint32_t);
    }

  private:
    std::int64_t reach(double true_kth_score) const noexcept;
    void raise_lowest(std::int64_t lowest) noexcept;
    void raise_cutoff();

    std::size_t k_ = 0;
    std::size_t capacity_ = 0;  // entries before the next look at which are still wanted
    std::int64_t lowest_ = 0;
    std::int64_t slack_ = 0;
    double unit_ = 1;
    std::int32_t cutoff_ = 0;
    std::vector<std::uint64_t> entries_;  // ranked
    std::vector<std::uint32_t> docs_;
};

}  // namespace thresher
