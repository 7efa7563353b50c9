#include "forward_index.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <stdexcept>
#include <string>
#include <utility>

#include "../kernels/kernels.hpp"

namespace thresher {

namespace {

constexpr std::size_t kRowsPerTask = 4096;
constexpr std::size_t kChunk = 256;  // postings scored at a time
// Rounding adds up to 255 a term to an integer score: this many terms still fit 32 bits.
constexpr std::size_t kMostQueryTerms = 4'000'000;

// The binary16 pattern of a positive float if that is exactly its value, otherwise 0.
std::uint16_t exact_half(float weight) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(weight);
    const std::uint32_t exponent = bits >> 23;
    if (exponent >= 113 && exponent <= 142) {  // normal halves: 2^-14 <= weight < 2^16
        return (bits & 0x1FFFU) == 0 ? static_cast<std::uint16_t>((bits >> 13) - (112U << 10)) : std::uint16_t{0};
    }
    if (exponent >= 103 && exponent < 113) {  // subnormal halves: multiples of 2^-24
        const float units = weight * 0x1p24F;
        const auto whole = static_cast<std::uint16_t>(units);
        return static_cast<float>(whole) == units ? whole : std::uint16_t{0};
    }
    return 0;
}

// Writes the positions in [0, n) whose slot the query has, and returns how many: a document shares few terms with a
// query, and without a branch the processor runs ahead to the next document's cache misses.
template <class Slot>
std::size_t shared_terms(const Slot* slots, std::size_t n, std::span<const std::uint8_t> has,
                         std::uint16_t* positions) noexcept {
    std::size_t count = 0;
    for (std::size_t i = 0; i < n; ++i) {
        positions[count] = static_cast<std::uint16_t>(i);
        if constexpr (sizeof(Slot) == 2) {
            count += has[slots[i]];
        } else {
            count += slots[i] < has.size() ? has[slots[i]] : 0U;
        }
    }
    return count;
}

}  // namespace

void SlotQuery::assign(const CsrView& queries, std::size_t row, const Vocabulary& vocabulary) {
    const auto terms = queries.row_terms(row);
    const auto term_weights = queries.row_weights(row);
    if (terms.size() > kMostQueryTerms) {
        throw std::invalid_argument("queries: row " + std::to_string(row) + " has " + std::to_string(terms.size()) +
                                    " terms; at most " + std::to_string(kMostQueryTerms) + " are supported");
    }
    slots.clear();
    weights.clear();
    for (std::size_t i = 0; i < terms.size(); ++i) {
        const std::uint32_t slot = vocabulary.slot(terms[i]);
        if (slot == kNoSlot) continue;
        slots.push_back(slot);
        weights.push_back(term_weights[i]);
    }
}

ForwardIndex ForwardIndex::build(const CsrView& docs, const Vocabulary& vocabulary, unsigned threads,
                                 Progress& progress) {
    ForwardIndex forward;
    forward.n_slots_ = vocabulary.n_slots();
    Filling<std::uint64_t> offsets(docs.n_rows() + 1);
    std::copy(docs.indptr.begin(), docs.indptr.end(), offsets.items.begin());
    forward.offsets_ = std::move(offsets.buffer);

    const bool narrow = vocabulary.n_slots() <= 65536;
    Filling<std::uint16_t> slots16(narrow ? docs.nnz() : 0);
    Filling<std::uint32_t> slots32(narrow ? 0 : docs.nnz());
    std::atomic<bool> halves_suffice{true};
    parallel_for_rows(docs.n_rows(), kRowsPerTask, threads, progress,
                      [&](std::size_t begin, std::size_t end, unsigned) {
                          bool exact = true;
                          const auto last = static_cast<std::size_t>(docs.indptr[end]);
                          for (auto p = static_cast<std::size_t>(docs.indptr[begin]); p < last; ++p) {
                              const std::uint32_t slot = vocabulary.slot(docs.terms[p]);
                              if (narrow) {
                                  slots16.items[p] = static_cast<std::uint16_t>(slot);
                              } else {
                                  slots32.items[p] = slot;
                              }
                              exact &= exact_half(docs.weights[p]) != 0;
                          }
                          if (!exact) halves_suffice.store(false, std::memory_order_relaxed);
                      });
    const bool half = halves_suffice;
    Filling<std::uint16_t> halves(half ? docs.nnz() : 0);
    Filling<float> floats(half ? 0 : docs.nnz());
    parallel_for_rows(docs.n_rows(), kRowsPerTask, threads, progress,
                      [&](std::size_t begin, std::size_t end, unsigned) {
                          const auto first = static_cast<std::size_t>(docs.indptr[begin]);
                          const auto last = static_cast<std::size_t>(docs.indptr[end]);
                          for (std::size_t p = first; p < last; ++p) {
                              if (half) {
                                  halves.items[p] = exact_half(docs.weights[p]);
                              } else {
                                  floats.items[p] = docs.weights[p];
                              }
                          }
                      });
    forward.slots16_ = std::move(slots16.buffer);
    forward.slots32_ = std::move(slots32.buffer);
    forward.halves_ = std::move(halves.buffer);
    forward.floats_ = std::move(floats.buffer);
    return forward;
}

ForwardIndex ForwardIndex::reordered(std::span<const std::uint32_t> order, unsigned threads, Progress& progress) const {
    ForwardIndex forward;
    forward.n_slots_ = n_slots_;
    Filling<std::uint64_t> offsets(order.size() + 1);
    for (std::size_t i = 0; i < order.size(); ++i) {
        offsets.items[i + 1] = offsets.items[i] + offsets_[order[i] + 1] - offsets_[order[i]];
    }
    Filling<std::uint16_t> slots16(slots16_.size());
    Filling<std::uint32_t> slots32(slots32_.size());
    Filling<std::uint16_t> halves(halves_.size());
    Filling<float> floats(floats_.size());
    parallel_for_rows(order.size(), kRowsPerTask, threads, progress, [&](std::size_t begin, std::size_t end, unsigned) {
        const auto copy = [](const auto& from, Range source, auto& to, std::size_t target) {
            if (from.size() != 0) {
                std::copy(from.data() + source.begin, from.data() + source.end, to.items.data() + target);
            }
        };
        for (std::size_t i = begin; i < end; ++i) {
            const auto target = static_cast<std::size_t>(offsets.items[i]);
            copy(slots16_, range(order[i]), slots16, target);
            copy(slots32_, range(order[i]), slots32, target);
            copy(halves_, range(order[i]), halves, target);
            copy(floats_, range(order[i]), floats, target);
        }
    });
    forward.slots16_ = std::move(slots16.buffer);
    forward.slots32_ = std::move(slots32.buffer);
    forward.halves_ = std::move(halves.buffer);
    forward.floats_ = std::move(floats.buffer);
    forward.offsets_ = std::move(offsets.buffer);
    return forward;
}

double ForwardIndex::score(std::size_t doc, const QueryTable& query) const {
    const auto [begin, end] = range(doc);
    const auto table = query.weights();
    double sum = 0;
    for (std::size_t first = begin; first < end; first += kChunk) {
        const std::size_t n = std::min(kChunk, end - first);
        std::uint16_t positions[kChunk];
        std::uint16_t halves[kChunk];
        float weights[kChunk];
        const bool narrow = slots32_.size() == 0;
        const std::size_t n_shared = narrow ? shared_terms(slots16_.data() + first, n, query.has(), positions)
                                            : shared_terms(slots32_.data() + first, n, query.has(), positions);
        if (halves_.size() == 0) {
            for (std::size_t i = 0; i < n_shared; ++i) weights[i] = floats_[first + positions[i]];
        } else {
            for (std::size_t i = 0; i < n_shared; ++i) halves[i] = halves_[first + positions[i]];
            kernels::active().widen_halves(halves, n_shared, weights);
        }
        for (std::size_t i = 0; i < n_shared; ++i) {
            const std::size_t p = first + positions[i];
            const std::uint32_t slot = narrow ? slots16_[p] : slots32_[p];
            sum += static_cast<double>(table[slot]) * static_cast<double>(weights[i]);
        }
    }
    return sum;
}

void ForwardIndex::prefetch(std::size_t doc) const noexcept {
    const auto [begin, end] = range(doc);
    const auto fetch = [](const auto* first, const auto* last) {
        for (const auto* line = first; line < last; line += 64 / sizeof *first) thresher::prefetch(line);
    };
    if (slots32_.size() == 0) {
        fetch(slots16_.data() + begin, slots16_.data() + end);
    } else {
        fetch(slots32_.data() + begin, slots32_.data() + end);
    }
    if (halves_.size() == 0) {
        fetch(floats_.data() + begin, floats_.data() + end);
    } else {
        fetch(halves_.data() + begin, halves_.data() + end);
    }
}

void ForwardIndex::read(std::size_t doc, std::vector<Posting>& postings) const {
    const auto [begin, end] = range(doc);
    postings.clear();
    for (std::size_t first = begin; first < end; first += kChunk) {
        const std::size_t n = std::min(kChunk, end - first);
        float widened[kChunk];
        const float* weights = widened;
        if (halves_.size() == 0) {
            weights = floats_.data() + first;
        } else {
            kernels::active().widen_halves(halves_.data() + first, n, widened);
        }
        for (std::size_t i = 0; i < n; ++i) {
            const std::uint32_t slot = slots32_.size() == 0 ? slots16_[first + i] : slots32_[first + i];
            if (slot < n_slots_) postings.push_back({slot, weights[i]});
        }
    }
}

std::size_t ForwardIndex::nbytes() const noexcept {
    return offsets_.nbytes() + slots16_.nbytes() + slots32_.nbytes() + halves_.nbytes() + floats_.nbytes();
}

void ForwardIndex::save(SectionList& sections) const {
    sections.add("forward/offsets", offsets_);
    sections.add("forward/slots16", slots16_);
    sections.add("forward/slots32", slots32_);
    sections.add("forward/halves", halves_);
    sections.add("forward/floats", floats_);
}

ForwardIndex ForwardIndex::load(const IndexFile& file, std::size_t n_docs, std::size_t nnz, std::uint32_t n_slots) {
    ForwardIndex forward;
    forward.n_slots_ = n_slots;
    forward.offsets_ = file.section<std::uint64_t>("forward/offsets", n_docs + 1);
    forward.slots16_ = file.section<std::uint16_t>("forward/slots16");
    forward.slots32_ = file.section<std::uint32_t>("forward/slots32");
    forward.halves_ = file.section<std::uint16_t>("forward/halves");
    forward.floats_ = file.section<float>("forward/floats");
    const bool narrow = n_slots <= 65536;
    file.require(forward.slots16_.size() == (narrow ? nnz : 0) && forward.slots32_.size() == (narrow ? 0 : nnz),
                 "the forward index does not have the collection's number of postings");
    file.require(forward.halves_.size() + forward.floats_.size() == nnz &&
                     (forward.halves_.size() == 0 || forward.floats_.size() == 0),
                 "the forward index does not have one weight for each posting");
    return forward;
}

}  // namespace thresher
