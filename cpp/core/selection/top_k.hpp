// The best k documents seen so far, and the score that a further one must reach.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "hits.hpp"
#include "scratch.hpp"

namespace thresher {

class TopK {
  public:
    void reset(std::size_t k) {
        k_ = k;
        empty_scratch(hits_, k);
    }
    std::size_t capacity() const noexcept { return k_; }
    bool full() const noexcept { return hits_.size() >= k_; }
    // Once full: the worst score kept. A document that scores less can't be among the best; one that ties may, by id.
    float threshold() const noexcept { return hits_.front().score; }

    // Whether a document of this score may be among the best.
    bool wants(float score) const noexcept { return !full() || score >= threshold(); }

    // Amortised O(log k).
    void add(const Hit& hit) {
        if (!full()) {
            hits_.push_back(hit);
            std::push_heap(hits_.begin(), hits_.end(), better);
        } else if (better(hit, hits_.front())) {
            std::pop_heap(hits_.begin(), hits_.end(), better);
            hits_.back() = hit;
            std::push_heap(hits_.begin(), hits_.end(), better);
        }
    }

    // In no particular order.
    std::vector<Hit>& hits() noexcept { return hits_; }

  private:
    std::size_t k_ = 0;
    std::vector<Hit> hits_;  // a heap, the worst in front
};

}  // namespace thresher
