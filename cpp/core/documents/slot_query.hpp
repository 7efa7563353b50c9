// A query over slots: those of its terms that the collection has.
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
    // A document as a query.
    void assign(std::span<const Posting> document);
};

}  // namespace thresher
