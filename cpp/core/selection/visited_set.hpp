// Which documents a search by graph has come by.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace thresher {

// A byte for each document, the number of the search that came by last: emptying it costs nothing but once in 255
// searches.
class VisitedSet {
  public:
    explicit VisitedSet(std::size_t n_docs) : stamps_(n_docs) {}

    void clear() noexcept {
        if (++search_ != 0) return;
        std::fill(stamps_.begin(), stamps_.end(), std::uint8_t{0});
        search_ = 1;
    }
    // Whether `doc` is new to the set.
    bool insert(std::size_t doc) noexcept {
        if (stamps_[doc] == search_) return false;
        stamps_[doc] = search_;
        return true;
    }

  private:
    std::vector<std::uint8_t> stamps_;
    std::uint8_t search_ = 1;
};

}  // namespace thresher
