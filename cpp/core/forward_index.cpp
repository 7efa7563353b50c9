#include "forward_index.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
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

// Little-endian and unaligned: a document's stretch starts at any even byte.
template <class T>
T value_at(const std::uint8_t* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

std::size_t slot_width(std::uint32_t n_slots) noexcept { return n_slots <= 65536 ? 2 : 4; }

// Writes document `doc`'s slots and weights, `n` of each, as its stretch of the forward index.
template <class Slot, class Weight>
void write_document(std::uint8_t* to, std::size_t n, Slot&& slot, Weight&& weight) noexcept {
    using SlotType = decltype(slot(n));
    using WeightType = decltype(weight(n));
    for (std::size_t i = 0; i < n; ++i) {
        const SlotType value = slot(i);
        std::memcpy(to + i * sizeof value, &value, sizeof value);
    }
    to += n * sizeof(SlotType);
    for (std::size_t i = 0; i < n; ++i) {
        const WeightType value = weight(i);
        std::memcpy(to + i * sizeof value, &value, sizeof value);
    }
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
    std::atomic<bool> halves_suffice{true};
    parallel_for_rows(docs.n_rows(), kRowsPerTask, threads, progress,
                      [&](std::size_t begin, std::size_t end, unsigned) {
                          bool exact = true;
                          const auto last = static_cast<std::size_t>(docs.indptr[end]);
                          for (auto p = static_cast<std::size_t>(docs.indptr[begin]); p < last; ++p) {
                              exact &= exact_half(docs.weights[p]) != 0;
                          }
                          if (!exact) halves_suffice.store(false, std::memory_order_relaxed);
                      });
    ForwardIndex forward;
    forward.n_slots_ = vocabulary.n_slots();
    forward.nnz_ = docs.nnz();
    forward.slot_bytes_ = slot_width(vocabulary.n_slots());
    forward.weight_bytes_ = halves_suffice ? 2 : 4;
    Filling<std::uint64_t> offsets(docs.n_rows() + 1);
    std::copy(docs.indptr.begin(), docs.indptr.end(), offsets.items.begin());
    Filling<std::uint8_t> postings(docs.nnz() * forward.posting_bytes());
    const auto fill = [&](auto slot_type, auto weight_of) {
        parallel_for_rows(docs.n_rows(), kRowsPerTask, threads, progress,
                          [&](std::size_t begin, std::size_t end, unsigned) {
                              for (std::size_t doc = begin; doc < end; ++doc) {
                                  const auto first = static_cast<std::size_t>(docs.indptr[doc]);
                                  write_document(
                                      postings.items.data() + first * forward.posting_bytes(), docs.row_size(doc),
                                      [&](std::size_t i) {
                                          const std::uint32_t slot = vocabulary.slot(docs.terms[first + i]);
                                          return static_cast<decltype(slot_type)>(slot);
                                      },
                                      [&](std::size_t i) { return weight_of(docs.weights[first + i]); });
                              }
                          });
    };
    const auto fill_slots = [&](auto weight_of) {
        forward.slot_bytes_ == 2 ? fill(std::uint16_t{}, weight_of) : fill(std::uint32_t{}, weight_of);
    };
    forward.weight_bytes_ == 2 ? fill_slots(exact_half) : fill_slots([](float weight) { return weight; });
    forward.offsets_ = std::move(offsets.buffer);
    forward.postings_ = std::move(postings.buffer);
    return forward;
}

ForwardIndex ForwardIndex::reordered(std::span<const std::uint32_t> order, unsigned threads, Progress& progress) const {
    Filling<std::uint64_t> offsets(order.size() + 1);
    for (std::size_t i = 0; i < order.size(); ++i) {
        offsets.items[i + 1] = offsets.items[i] + offsets_[order[i] + 1] - offsets_[order[i]];
    }
    Filling<std::uint8_t> postings(postings_.size());
    parallel_for_rows(order.size(), kRowsPerTask, threads, progress, [&](std::size_t begin, std::size_t end, unsigned) {
        for (std::size_t i = begin; i < end; ++i) {
            const Range source = range(order[i]);
            std::copy_n(slots(source), (source.end - source.begin) * posting_bytes(),
                        postings.items.data() + offsets.items[i] * posting_bytes());
        }
    });
    ForwardIndex forward = *this;
    forward.offsets_ = std::move(offsets.buffer);
    forward.postings_ = std::move(postings.buffer);
    return forward;
}

double ForwardIndex::score(std::size_t doc, const QueryTable& query) const {
    const Range found = range(doc);
    return kernels::active().score_document(slots(found), slot_bytes_, weights(found), weight_bytes_,
                                            found.end - found.begin, query.filter(), query.weights().data(),
                                            query.weights().size());
}

void ForwardIndex::prefetch(std::size_t doc) const noexcept {
    const Range found = range(doc);
    const auto* const end = weights(found) + (found.end - found.begin) * weight_bytes_;
    // From the line's start: the last line may begin less than 64 bytes before the end.
    const auto* line = slots(found);
    line -= reinterpret_cast<std::uintptr_t>(line) % 64;
    for (; line < end; line += 64) thresher::prefetch(line);
}

void ForwardIndex::append(std::size_t doc, std::vector<Posting>& postings) const {
    const Range found = range(doc);
    const std::size_t n = found.end - found.begin;
    const auto* slot_at = slots(found);
    const auto* weight_at = weights(found);
    for (std::size_t first = 0; first < n; first += kChunk) {
        const std::size_t size = std::min(kChunk, n - first);
        std::uint16_t halves[kChunk];
        float floats[kChunk];
        if (weight_bytes_ == 2) {
            std::memcpy(halves, weight_at + first * 2, size * 2);
            kernels::active().widen_halves(halves, size, floats);
        } else {
            std::memcpy(floats, weight_at + first * 4, size * 4);
        }
        for (std::size_t i = 0; i < size; ++i) {
            const std::uint32_t slot = slot_bytes_ == 2 ? value_at<std::uint16_t>(slot_at + (first + i) * 2)
                                                        : value_at<std::uint32_t>(slot_at + (first + i) * 4);
            if (slot < n_slots_) postings.push_back({slot, floats[i]});
        }
    }
}

std::size_t ForwardIndex::nbytes() const noexcept { return offsets_.nbytes() + postings_.nbytes(); }

void ForwardIndex::save(SectionList& sections) const {
    sections.add("forward/offsets", offsets_);
    sections.add("forward/postings", postings_);
}

ForwardIndex ForwardIndex::load(const IndexFile& file, std::size_t n_docs, std::size_t nnz, std::uint32_t n_slots) {
    if (file.format_version() == 1) return load_version_1(file, n_docs, nnz, n_slots);
    ForwardIndex forward;
    forward.n_slots_ = n_slots;
    forward.nnz_ = nnz;
    forward.slot_bytes_ = slot_width(n_slots);
    forward.offsets_ = file.section<std::uint64_t>("forward/offsets", n_docs + 1);
    forward.postings_ = file.section<std::uint8_t>("forward/postings");
    const std::size_t size = forward.postings_.size();
    forward.weight_bytes_ = size / (forward.slot_bytes_ + 4) == nnz ? 4 : 2;
    file.require(size % forward.posting_bytes() == 0 && size / forward.posting_bytes() == nnz,
                 "the forward index does not have the collection's number of postings");
    return forward;
}

// Version 1 kept the slots of all documents in one section and their weights in another.
ForwardIndex ForwardIndex::load_version_1(const IndexFile& file, std::size_t n_docs, std::size_t nnz,
                                          std::uint32_t n_slots) {
    ForwardIndex forward;
    forward.n_slots_ = n_slots;
    forward.nnz_ = nnz;
    forward.slot_bytes_ = slot_width(n_slots);
    forward.offsets_ = file.section<std::uint64_t>("forward/offsets", n_docs + 1);
    const auto slots16 = file.section<std::uint16_t>("forward/slots16");
    const auto slots32 = file.section<std::uint32_t>("forward/slots32");
    const auto halves = file.section<std::uint16_t>("forward/halves");
    const auto floats = file.section<float>("forward/floats");
    file.require(
        (forward.slot_bytes_ == 2 ? slots16.size() : slots32.size()) == nnz && slots16.size() + slots32.size() == nnz,
        "the forward index does not have the collection's number of postings");
    file.require(halves.size() + floats.size() == nnz && (halves.size() == 0 || floats.size() == 0),
                 "the forward index does not have one weight for each posting");
    forward.weight_bytes_ = floats.size() == 0 ? 2 : 4;
    Filling<std::uint8_t> postings(nnz * forward.posting_bytes());
    forward.postings_ = std::move(postings.buffer);
    const auto fill = [&](const auto& slots, const auto& weights) {
        for (std::size_t doc = 0; doc < n_docs; ++doc) {
            const Range found = forward.range(doc);
            write_document(
                postings.items.data() + found.begin * forward.posting_bytes(), found.end - found.begin,
                [&](std::size_t i) { return slots[found.begin + i]; },
                [&](std::size_t i) { return weights[found.begin + i]; });
        }
    };
    const auto fill_slots = [&](const auto& weights) {
        forward.slot_bytes_ == 2 ? fill(slots16, weights) : fill(slots32, weights);
    };
    forward.weight_bytes_ == 2 ? fill_slots(halves) : fill_slots(floats);
    return forward;
}

}  // namespace thresher
