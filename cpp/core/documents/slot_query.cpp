#include "slot_query.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

namespace thresher {

namespace {

// Rounding adds up to 255 a term to an integer score: this many terms still fit 32 bits.
constexpr std::size_t kMaxQueryTerms = 4'000'000;

}  // namespace

void SlotQuery::assign(const CsrView& queries, std::size_t row, const Vocabulary& vocabulary) {
    const auto terms = queries.row_terms(row);
    const auto term_weights = queries.row_weights(row);
    if (terms.size() > kMaxQueryTerms) {
        throw std::invalid_argument("queries: row " + std::to_string(row) + " has " + std::to_string(terms.size()) +
                                    " terms; at most " + std::to_string(kMaxQueryTerms) + " are supported");
    }
    slots.clear();
    weights.clear();
    for (std::size_t i = 0; i < terms.size(); ++i) {
        const std::uint32_t slot = vocabulary.slot(read_once(terms[i]));
        const float weight = read_once(term_weights[i]);
        if (!std::isfinite(weight)) reject_changed("queries");
        if (slot == kNoSlot) continue;
        slots.push_back(slot);
        weights.push_back(weight);
    }
}

void SlotQuery::assign(std::span<const Posting> document) {
    slots.clear();
    weights.clear();
    for (const auto& [slot, weight] : document) {
        slots.push_back(slot);
        weights.push_back(weight);
    }
}

}  // namespace thresher
