#include "slot_query.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

namespace thresher {

namespace {

// Rounding adds up to 255 a term, of which a document has one half, to an integer score: this many still fit 32 bits.
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
        if (slot != kNoSlot) add(slot, vocabulary.is_negative(slot) ? -weight : weight, vocabulary);
    }
}

void SlotQuery::assign(std::span<const Posting> document, const Vocabulary& vocabulary) {
    slots.clear();
    weights.clear();
    for (const auto& [slot, weight] : document) add(slot, weight, vocabulary);
}

// A term by one of its halves, and the weight that goes to that.
void SlotQuery::add(std::uint32_t slot, float weight, const Vocabulary& vocabulary) {
    slots.push_back(slot);
    weights.push_back(weight);
    const std::uint32_t opposite = vocabulary.opposite(slot);
    if (opposite == kNoSlot) return;
    slots.push_back(opposite);
    weights.push_back(-weight);
}

}  // namespace thresher
