// Compressed postings of a collection, and what they should hold.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "core/traversal/compressed_postings.hpp"
#include "support/document_parts.hpp"
#include "support/random_rows.hpp"

namespace thresher::test {

struct PostingsOf : DocumentParts {
    explicit PostingsOf(const Rows& docs, unsigned threads = 1) : DocumentParts(docs) {
        Progress progress = silent();
        postings = CompressedPostings::build(forward, vocabulary, quantiser, threads, progress);
        for (std::size_t doc = 0; doc < docs.n_rows(); ++doc) {
            for (std::size_t i = 0; i < docs.view().row_size(doc); ++i) {
                const std::uint32_t slot = vocabulary.slot(docs.view().row_terms(doc)[i]);
                const std::uint8_t impact = quantiser.impact(slot, docs.view().row_weights(doc)[i]);
                lists[slot].emplace_back(static_cast<std::uint32_t>(doc), impact);
            }
        }
    }

    CompressedPostings postings;
    std::map<std::uint32_t, std::vector<std::pair<std::uint32_t, std::uint8_t>>> lists;  // slot -> document, impact
};

}  // namespace thresher::test
