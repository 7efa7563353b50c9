#include "forward_index.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <utility>

#include "../kernels/kernels.hpp"

namespace thresher {

namespace {

constexpr std::size_t kRowsPerTask = 4096;
constexpr std::size_t kWidened = 256;  // halves widened at a time, on the stack

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

// Four sums side by side, so that one addition need not wait for the last.
template <class Slot>
void add_products(const Slot* slots, const float* weights, std::size_t n, std::span<const float> table,
                  double sums[4]) noexcept {
    const auto factor = [&](Slot slot) {
        if constexpr (sizeof(Slot) == 2) {
            return static_cast<double>(table[slot]);
        } else {
            return slot < table.size() ? static_cast<double>(table[slot]) : 0.0;
        }
    };
    std::size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (std::size_t lane = 0; lane < 4; ++lane) {
            sums[lane] += factor(slots[i + lane]) * static_cast<double>(weights[i + lane]);
        }
    }
    for (; i < n; ++i) sums[i % 4] += factor(slots[i]) * static_cast<double>(weights[i]);
}

}  // namespace

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

double ForwardIndex::score(std::size_t doc, const QueryTable& query) const {
    const auto [begin, end] = range(doc);
    double sums[4] = {};
    const auto add = [&](std::size_t first, const float* weights, std::size_t n) {
        if (slots32_.size() == 0) {
            add_products(slots16_.data() + first, weights, n, query.weights(), sums);
        } else {
            add_products(slots32_.data() + first, weights, n, query.weights(), sums);
        }
    };
    if (halves_.size() == 0) {
        add(begin, floats_.data() + begin, end - begin);
    } else {
        float widened[kWidened];
        for (std::size_t p = begin; p < end; p += kWidened) {
            const std::size_t n = std::min(kWidened, end - p);
            kernels::active().widen_halves(halves_.data() + p, n, widened);
            add(p, widened, n);
        }
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void ForwardIndex::prefetch(std::size_t doc) const noexcept {
    const auto [begin, end] = range(doc);
    const auto fetch = [](const auto* first, const auto* last) {
        for (const auto* line = first; line < last; line += 64 / sizeof *first) __builtin_prefetch(line);
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
    for (std::size_t p = begin; p < end; ++p) {
        const std::uint32_t slot = slots32_.size() == 0 ? slots16_[p] : slots32_[p];
        float weight = 0;
        if (halves_.size() == 0) {
            weight = floats_[p];
        } else {
            kernels::active().widen_halves(halves_.data() + p, 1, &weight);
        }
        if (slot < n_slots_) postings.push_back({slot, weight});
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
