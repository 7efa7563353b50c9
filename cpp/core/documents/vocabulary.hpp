// The terms that a collection uses, numbered by falling document frequency.
//
// A *slot* is a term's number here. Slots are dense (0 .. n_slots - 1) whatever the term ids are, so that everything
// else in an index is an array over slots; frequent terms have small slots, so that the hot part of any table over
// slots is small. Slots take 16 bits wherever a collection uses at most 65,536 distinct terms.
//
// A term that has negative weights is halved: a slot has the postings of one sign of one term, by their magnitude.
// Everything else in an index knows magnitudes alone, which are positive: what a query weighs is turned round for
// negative slots (SlotQuery). A term is in one of its halves in each document, and frequencies are of a half. Without
// negative weights there are no such slots, and nothing is stored about them.
//
// Most terms of a huge vocabulary are in a few documents. Slots of the same frequency, a *class*, ascend by term: the
// terms of the largest classes, the *tail*, are kept by their gaps, ten bits each where they are ten million of any
// that 32 bits number, and are searched class by class. The others, the *listed*, have four bytes and a table to find
// them. Frequencies are kept by class. Opening an index looks at none of the tail.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "../storage/ascending_numbers.hpp"
#include "../storage/index_file.hpp"
#include "collection_statistics.hpp"
#include "csr.hpp"
#include "posting.hpp"

namespace thresher {

inline constexpr std::uint32_t kNoSlot = std::numeric_limits<std::uint32_t>::max();

class TermCount;

class Vocabulary {
  public:
    Vocabulary() = default;

    // Counts the terms of canonical rows; ties in document frequency go to the smaller term, and to its positive half.
    // O(nnz).
    static Vocabulary build(const CsrView& docs, unsigned threads, Progress& progress);
    // Of documents that have vocabularies already: how many of them have each slot of theirs.
    struct Counted {
        const Vocabulary* vocabulary;
        std::vector<std::uint32_t> counts;
    };
    static Vocabulary merge(std::span<const Counted> parts, unsigned threads, Progress& progress);

    std::uint64_t n_terms() const noexcept { return n_terms_; }
    std::uint32_t n_slots() const noexcept { return n_slots_; }
    // Slots [0, n) are listed, the others the tail.
    std::uint32_t n_listed() const noexcept { return static_cast<std::uint32_t>(terms_.size()); }

    // The term's slot, or kNoSlot where no document has it; of a halved term, the positive half's.
    std::uint32_t slot(std::uint32_t term) const noexcept;
    // Below n_terms for any file.
    std::uint32_t term(std::uint32_t slot) const noexcept {
        return slot < n_listed() ? terms_[slot] : static_cast<std::uint32_t>(tail_[slot - n_listed()] % n_terms_);
    }

    // Whether any weight is negative; whether a slot's are, and the slot of the term's other half, or kNoSlot.
    bool is_signed() const noexcept { return opposites_.size() != 0; }
    bool is_negative(std::uint32_t slot) const noexcept {
        return is_signed() && (negative_[slot / 64] >> slot % 64 & 1) != 0;
    }
    std::uint32_t opposite(std::uint32_t slot) const noexcept {
        // Clamped, so that an altered file can't lead out of bounds.
        return is_signed() && opposites_[slot] < n_slots() ? opposites_[slot] : kNoSlot;
    }
    // A weight of a term as the posting of a slot: kNoSlot where no document has the term with that sign, if there are
    // negative weights at all. If there are none, a negative one stays as it is.
    Posting posting(std::uint32_t term, float weight) const noexcept {
        const std::uint32_t first = slot(term);
        if (!is_signed() || first == kNoSlot) return {first, weight};
        const bool negative = weight < 0;
        return {is_negative(first) == negative ? first : opposite(first), negative ? -weight : weight};
    }
    // A posting's weight as it was given.
    float weight(const Posting& posting) const noexcept {
        return is_negative(posting.slot) ? -posting.weight : posting.weight;
    }

    std::uint32_t document_frequency(std::uint32_t slot) const noexcept {
        return slot < head_.size() ? head_[slot] : frequency_of(class_of(slot));
    }
    // Calls visit(frequency, first, end) for each class, slots [first, end) in their order.
    template <class Visit>
    void for_each_class(const Visit& visit) const {
        for (std::size_t c = 0; c < n_classes(); ++c) visit(frequency_of(c), first_of(c), first_of(c + 1));
    }

    // Of all terms together: the collection's postings.
    std::uint64_t n_postings() const noexcept;

    // Slots [0, n) are those that at least `min` documents have.
    std::uint32_t n_with(double min) const noexcept;
    // The least number of documents that is at least the fraction `frequency` of `n_docs`, and not none.
    static double min_documents(double frequency, std::size_t n_docs) noexcept;
    // Slots [0, n) are those whose documents are at least the fraction `frequency` of `n_docs`: of all, or of what a
    // row has room for (row_room).
    std::uint32_t n_frequent(double frequency, std::size_t n_docs) const noexcept;

    std::size_t nbytes() const noexcept {
        return classes_.nbytes() + terms_.nbytes() + lookup_.nbytes() + tail_.nbytes() + negative_.nbytes() +
               opposites_.nbytes();
    }
    static std::uint32_t estimated_listed(const CollectionStatistics& statistics) noexcept;
    static double estimated_nbytes(const CollectionStatistics& statistics) noexcept;
    void save(SectionList& sections) const;
    static Vocabulary load(const IndexFile& file, std::uint64_t n_terms);

  private:
    // `used`: ascending.
    static Vocabulary of(std::uint64_t n_terms, const std::vector<TermCount>& used);
    // Of listed terms: a table over all terms where that is small, otherwise an open-addressing hash table of (term,
    // slot) pairs: a vocabulary of billions of terms, few of them used, costs no more than the used ones.
    static bool is_direct(std::uint64_t n_terms, std::uint64_t n_listed) noexcept {
        return n_terms <= 4 * n_listed + 65536;
    }
    static std::size_t lookup_size(std::uint64_t n_terms, std::uint64_t n_listed) noexcept;
    void index_terms();
    std::uint32_t listed_slot(std::uint32_t term) const noexcept;

    std::size_t n_classes() const noexcept { return classes_.size() / 2 - (classes_.size() > 0 ? 1 : 0); }
    std::uint32_t frequency_of(std::size_t c) const noexcept { return classes_[2 * c]; }
    std::uint32_t first_of(std::size_t c) const noexcept { return classes_[2 * c + 1]; }
    // O(log(classes)), of which there are fewer than twice the square root of the postings.
    std::size_t class_of(std::uint32_t slot) const noexcept;
    void spread_frequencies();
    std::size_t n_tail_classes() const noexcept { return n_classes() - first_tail_class_; }

    std::uint64_t n_terms_ = 0;
    std::uint32_t n_slots_ = 0;
    bool direct_ = true;
    Buffer<std::uint32_t> classes_;  // frequency, first slot, ..., by falling frequency; then 0, n_slots
    Buffer<std::uint32_t> head_;     // of the first slots, the frequency; at most 256 KiB, not saved
    Buffer<std::uint32_t> terms_;    // listed slot -> term
    Buffer<std::uint32_t> lookup_;   // direct: term -> slot; hash: term, slot, term, slot, ...
    // Of the slots beyond the listed: number of the class among those of the tail * n_terms + term.
    AscendingNumbers tail_;
    std::size_t first_tail_class_ = 0;
    // Where there are negative weights:
    Buffer<std::uint64_t> negative_;   // a bit for each slot
    Buffer<std::uint32_t> opposites_;  // slot -> the other half's, or kNoSlot
};

}  // namespace thresher
