#include "document_source.hpp"

#include <limits>

#include "../base/interruption.hpp"

namespace thresher {

void GivenDocuments::read(std::size_t doc, std::vector<Posting>& postings) const {
    const auto terms = rows_.row_terms(doc);
    const auto weights = rows_.row_weights(doc);
    interruption_point(4 * terms.size());
    postings.resize(terms.size());
    std::int64_t previous = -1;
    for (std::size_t i = 0; i < terms.size(); ++i) {
        const std::uint32_t term = read_once(terms[i]);
        const std::uint32_t slot = vocabulary_.slot(term);
        const float weight = read_once(weights[i]);
        bool canonical = slot != kNoSlot;
        canonical &= term > previous;  // no branches: nearly every posting passes every test
        canonical &= weight > 0;
        canonical &= weight <= std::numeric_limits<float>::max();
        if (!canonical) reject_changed();
        previous = term;
        postings[i] = {slot, weight};
    }
}

}  // namespace thresher
