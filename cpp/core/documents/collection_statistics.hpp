// What the size of an index depends on, known before it is built; and the size of a part of it.
//
// A part's `estimated_nbytes` stands beside its `save`, and takes from here what its build takes from the documents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "../base/parallel.hpp"
#include "csr.hpp"

namespace thresher {

struct CollectionStatistics {
    std::size_t n_docs = 0;
    std::uint64_t n_terms = 0;
    // Document frequencies of the terms that occur, falling: slots, as Vocabulary numbers them, of which a term with
    // weights of both signs has two. No whole numbers where they are those of a collection of another size.
    std::vector<double> frequencies;
    bool is_signed = false;  // whether any weight is negative
    // Bits of a weight in the forward index, and bytes of a document's high halves of common slots, on average.
    std::uint32_t weight_bits = 0;
    double nibble_bytes = 0;

    std::uint32_t n_slots() const noexcept { return static_cast<std::uint32_t>(frequencies.size()); }
    double nnz() const noexcept { return postings(0, n_slots()); }
    // Slots [0, n) are those that at least `min` documents have.
    std::uint32_t n_with(double min) const noexcept;
    // Slots [0, n) are those whose documents are at least the fraction `frequency` of `of_docs`, as in Vocabulary.
    std::uint32_t n_frequent(double frequency, std::size_t of_docs) const noexcept;
    // Postings of the slots [first, last).
    double postings(std::uint32_t first, std::uint32_t last) const noexcept;
    // The same, but no more than `max` of each.
    double postings(std::uint32_t first, std::uint32_t last, double max) const noexcept;

    // Of `n_docs` documents like `docs`, canonical rows of which one at least has a term. Document frequencies are
    // taken to grow with the documents, and the number of terms as from a half of `docs` to the whole (Heaps' law).
    // Some passes of `progress`.
    static CollectionStatistics of(const CsrView& docs, std::size_t n_docs, unsigned threads, Progress& progress);
};

// A part of an index, as its `nbytes` names it: `fixed` bytes, which follow from statistics; and up to `variable` more,
// by how alike documents are, which only the build of a sample tells. `usual`: the fraction of these that documents of
// learned encoders take.
struct EstimatedPart {
    std::string name;
    double fixed = 0;
    double variable = 0;
    double usual = 0;

    double nbytes() const noexcept { return fixed + usual * variable; }
};

// Adds parts behind those of `to`.
inline void append(const std::vector<EstimatedPart>& parts, std::vector<EstimatedPart>& to) {
    to.insert(to.end(), parts.begin(), parts.end());
}

}  // namespace thresher
