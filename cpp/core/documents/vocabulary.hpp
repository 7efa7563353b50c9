// The terms that a collection uses, numbered by falling document frequency.
//
// A *slot* is a term's number here. Slots are dense (0 .. n_slots - 1) whatever the term ids are, so that everything
// else in an index is an array over slots; frequent terms have small slots, so that the hot part of any table over
// slots is small. Slots take 16 bits wherever a collection uses at most 65,536 distinct terms.
#pragma once

#include <cstdint>
#include <limits>

#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "../storage/index_file.hpp"
#include "collection_statistics.hpp"
#include "csr.hpp"

namespace thresher {

inline constexpr std::uint32_t kNoSlot = std::numeric_limits<std::uint32_t>::max();

class Vocabulary {
  public:
    Vocabulary() = default;

    // Counts the terms of canonical rows; ties in document frequency go to the smaller term. O(nnz).
    static Vocabulary build(const CsrView& docs, unsigned threads, Progress& progress);

    std::uint64_t n_terms() const noexcept { return n_terms_; }
    std::uint32_t n_slots() const noexcept { return static_cast<std::uint32_t>(terms_.size()); }

    // The term's slot, or kNoSlot where no document has it.
    std::uint32_t slot(std::uint32_t term) const noexcept;
    std::uint32_t term(std::uint32_t slot) const noexcept { return terms_[slot]; }
    std::uint32_t document_frequency(std::uint32_t slot) const noexcept { return frequencies_[slot]; }

    // Of all terms together: the collection's postings.
    std::uint64_t n_postings() const noexcept;

    // Slots [0, n) are those that at least `min` documents have.
    std::uint32_t n_with(double min) const noexcept;
    // The least number of documents that is at least the fraction `frequency` of `n_docs`, and not none.
    static double min_documents(double frequency, std::size_t n_docs) noexcept;
    // Slots [0, n) are those whose documents are at least the fraction `frequency` of `n_docs`: of all, or of what a
    // row has room for (row_room).
    std::uint32_t n_frequent(double frequency, std::size_t n_docs) const noexcept;

    std::size_t nbytes() const noexcept { return terms_.nbytes() + frequencies_.nbytes() + lookup_.nbytes(); }
    static double estimated_nbytes(const CollectionStatistics& statistics) noexcept;
    void save(SectionList& sections) const;
    static Vocabulary load(const IndexFile& file, std::uint64_t n_terms);

  private:
    // A table over all terms where that is small, otherwise an open-addressing hash table of (term, slot) pairs:
    // a vocabulary of billions of terms, few of them used, costs no more than the used ones.
    static bool is_direct(std::uint64_t n_terms, std::uint64_t n_slots) noexcept {
        return n_terms <= 4 * n_slots + 65536;
    }
    static std::size_t lookup_size(std::uint64_t n_terms, std::uint64_t n_slots) noexcept;
    void index_terms();

    std::uint64_t n_terms_ = 0;
    bool direct_ = true;
    Buffer<std::uint32_t> terms_;        // slot -> term
    Buffer<std::uint32_t> frequencies_;  // slot -> document frequency
    Buffer<std::uint32_t> lookup_;       // direct: term -> slot; hash: term, slot, term, slot, ...
};

}  // namespace thresher
