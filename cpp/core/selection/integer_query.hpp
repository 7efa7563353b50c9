// A query in integers: weights that are multiplied with 8-bit impacts, in a unit chosen for the query.
//
// Invariant: |score - unit * integer score| <= unit * slack for every document, where the integer score is the sum of
// weight * impact over the query's terms, and the score the inner product of the weights that were given. What a search
// drops by integer scores with that in mind (selection/candidates) can't be in the top k.
#pragma once

#include <cstdint>
#include <vector>

#include "../documents/forward_index.hpp"
#include "../documents/quantiser.hpp"

namespace thresher {

// Integer weights fit 16 bits, so that a kernel can multiply them in pairs.
inline constexpr std::int32_t kMaxWeight = 32767;
// Sums of 255 times a weight should stay below this, so that no cutoff or slack overflows.
inline constexpr std::int64_t kMaxScore = std::int64_t{1} << 30;

struct IntegerQuery {
    struct Term {
        std::uint32_t slot;
        std::int32_t weight;  // not 0; |weight| <= kMaxWeight, and > 0 where the weight given is
    };
    std::vector<Term> terms;  // without those whose weight rounds to 0
    double unit = 0;          // what 1 of an integer score stands for; 0 if there is nothing to score
    std::int64_t slack = 0;   // of integer scores
    std::int64_t lowest = 1;  // no document below this integer score has a positive score

    bool empty() const noexcept { return terms.empty(); }
    // No weight given is below 0: a document's integer score is then at least any part of it.
    bool non_negative() const noexcept { return lowest > 0; }
    void assign(const SlotQuery& query, const Quantiser& quantiser);
};

}  // namespace thresher
