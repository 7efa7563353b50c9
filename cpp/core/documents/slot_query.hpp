// A query over slots: those of its terms that the collection has. What it weighs a term goes to the term's positive
// half as it is, and turned round to the negative half, whose postings are magnitudes: any sum over slots is that of
// the weights as they were given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "csr.hpp"
#include "posting.hpp"
#include "vocabulary.hpp"

namespace thresher {

// A query's terms that occur in the collection, as slots, and their weights.
struct SlotQuery {
    std::vector<std::uint32_t> slots;
    std::vector<float> weights;

    std::size_t size() const noexcept { return slots.size(); }
    // Row `row` of canonical queries; terms that no document has are left out. Throws std::invalid_argument for more
    // terms than integer scores can sum.
    void assign(const CsrView& queries, std::size_t row, const Vocabulary& vocabulary);
    // A document of the collection as a query.
    void assign(std::span<const Posting> document, const Vocabulary& vocabulary);

  private:
    void add(std::uint32_t slot, float weight, const Vocabulary& vocabulary);
};

}  // namespace thresher
