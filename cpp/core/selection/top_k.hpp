// The best k documents seen so far, and the score that a further one must reach.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "hits.hpp"
#include "scratch.hpp"
#include "wanted.hpp"

namespace thresher {

class TopK {
  public:
    // Of those that score at least `min_score`.
    void reset(std::size_t k, float min_score) {
        k_ = k;
        threshold_ = min_score;
        empty_scratch(hits_, k);
    }
    // Of those that are wanted, of which those apart have been seen.
    void reset(const Wanted& wanted) {
        reset(wanted.k, wanted.min_score);
        for (const ApartDocument& document : wanted.apart) {
            if (wants(document.hit.score)) add(document.hit);
        }
    }
    std::size_t capacity() const noexcept { return k_; }
    bool full() const noexcept { return hits_.size() >= k_; }
    // The worst score kept once full, the least that is wanted before. A document that scores less can't be among the
    // best; one that ties may, by id.
    float threshold() const noexcept { return threshold_; }

    // Whether a document of this score may be among the best.
    bool wants(float score) const noexcept { return score >= threshold_; }

    // One whose score is wanted. Amortised O(log k).
    void add(const Hit& hit) {
        if (!full()) {
            hits_.push_back(hit);
            if (!full()) return;
            std::make_heap(hits_.begin(), hits_.end(), better);
        } else if (k_ > 0 && better(hit, hits_.front())) {
            std::pop_heap(hits_.begin(), hits_.end(), better);
            hits_.back() = hit;
            std::push_heap(hits_.begin(), hits_.end(), better);
        } else {
            return;
        }
        threshold_ = hits_.front().score;
    }

    // In no particular order.
    std::vector<Hit>& hits() noexcept { return hits_; }
    const std::vector<Hit>& hits() const noexcept { return hits_; }

  private:
    std::size_t k_ = 0;
    float threshold_ = 0;
    std::vector<Hit> hits_;  // once full, a heap, the worst in front
};

}  // namespace thresher
