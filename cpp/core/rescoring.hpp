// Finishing: the scores of a few documents in full precision, from the forward index, which makes them hits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "document_order.hpp"
#include "forward_index.hpp"
#include "hits.hpp"

namespace thresher {

// Scratch memory of one thread.
class Rescoring {
  public:
    explicit Rescoring(std::uint32_t n_slots) : table_(n_slots) {}

    // Those of `docs` (positions, in any order) whose score is positive, in the same order, by their ids. Positions of
    // no document are left out. The result is the caller's to reorder until the next call.
    std::vector<Hit>& rescore(const SlotQuery& query, std::span<const std::uint32_t> docs, const ForwardIndex& forward,
                              const DocumentOrder& order);

  private:
    QueryTable table_;
    std::vector<Hit> found_;
};

}  // namespace thresher
