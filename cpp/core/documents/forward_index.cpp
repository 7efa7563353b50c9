#include "forward_index.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "../../kernels/kernels.hpp"
#include "../base/bit_writer.hpp"
#include "../base/error.hpp"

namespace thresher {

namespace {

constexpr std::size_t kRowsPerTask = 4096;
constexpr std::size_t kChunk = 256;         // postings scored at a time
constexpr std::size_t kDescribed = 20'000;  // documents whose own terms are counted for an estimate

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

// The pattern of a weight as it is stored.
std::uint32_t pattern_of(float weight, bool halves) noexcept {
    return halves ? exact_half(weight) : std::bit_cast<std::uint32_t>(weight);
}

// The range of a collection's weights, and whether all of them are halves.
struct WeightRange {
    bool halves = true;
    float min = std::numeric_limits<float>::max();
    float max = 0;

    void add(float weight) noexcept {
        halves &= exact_half(weight) != 0;
        min = std::min(min, weight);
        max = std::max(max, weight);
    }
    void add(const WeightRange& other) noexcept {
        halves &= other.halves;
        min = std::min(min, other.min);
        max = std::max(max, other.max);
    }
    // Of a weight as it is stored. There is one at least.
    std::uint32_t bits() const noexcept {
        return static_cast<std::uint32_t>(std::bit_width(pattern_of(max, halves) - pattern_of(min, halves)));
    }
};

// Bytes of a slot that is stored whole.
std::uint32_t slot_width(std::uint32_t n_slots) noexcept { return n_slots <= 65536 ? 2 : 4; }

float float_of(std::uint16_t half) noexcept {
    float weight;
    kernels::active().widen_halves(&half, 1, &weight);
    return weight;
}

using kernels::DocumentFormat;
#include "../../kernels/document_layout.inc"

// Writes a document of which `postings` has the common postings, then the `n_rare` others. False if it has a weight
// that the format does not hold, which leaves its stretch with other weights.
bool write_document(std::span<const Posting> postings, std::size_t n_rare, const DocumentFormat& format,
                    std::uint8_t* to) {
    const std::size_t n_common = postings.size() - n_rare;
    const auto common_size = static_cast<std::uint16_t>(n_common);
    const auto rare_size = static_cast<std::uint32_t>(n_rare);
    std::memcpy(to, &common_size, 2);
    std::memcpy(to + 2, &rare_size, format.slot_bytes);  // little-endian
    std::uint8_t* const lows = to + 2 + format.slot_bytes;
    std::uint8_t* const nibbles = lows + n_common;
    std::uint8_t* const rare = nibbles + nibble_bytes(n_common);
    for (std::size_t i = 0; i < n_common; ++i) {
        const std::size_t in_group = i % kSlotGroup;
        const std::uint32_t high = postings[i].slot >> 8;
        lows[i] = static_cast<std::uint8_t>(postings[i].slot);
        nibbles[i / kSlotGroup * (kSlotGroup / 2) + in_group % (kSlotGroup / 2)] |=
            static_cast<std::uint8_t>(in_group < kSlotGroup / 2 ? high : high << 4);
    }
    for (std::size_t i = 0; i < n_rare; ++i) {
        std::memcpy(rare + i * format.slot_bytes, &postings[n_common + i].slot, format.slot_bytes);
    }
    BitWriter weights(rare + n_rare * format.slot_bytes, format.weight_bits);
    std::uint32_t all = 0;
    for (const Posting& posting : postings) {
        const std::uint32_t weight = pattern_of(posting.weight, format.halves) - format.least_weight;
        all |= weight;
        weights.put(weight);
    }
    weights.finish();
    return all >> format.weight_bits == 0;
}

}  // namespace

namespace {

// A number from a slot such that two collections of slots hardly ever have the same sum.
std::uint64_t fingerprint(std::uint64_t slot) noexcept {
    const std::uint64_t x = (slot + 1) * 0x9E3779B97F4A7C15U;
    return (x ^ (x >> 32)) * 0xBF58476D1CE4E5B9U;
}

std::uint64_t fingerprint(const Vocabulary& vocabulary) noexcept {
    std::uint64_t sum = 0;
    vocabulary.for_each_class([&](std::uint32_t frequency, std::uint32_t first, std::uint32_t end) {
        for (std::uint32_t slot = first; slot < end; ++slot) sum += frequency * fingerprint(slot);
    });
    return sum;
}

}  // namespace

ForwardIndex ForwardIndex::build(const DocumentSource& documents, const DocumentOrder& order,
                                 const Vocabulary& vocabulary, unsigned threads, Progress& progress) {
    std::atomic<std::uint64_t> seen{0};
    auto forward = encode(documents, order, vocabulary.n_slots(), threads, progress, &seen);
    if (seen != fingerprint(vocabulary)) documents.reject_changed();
    return forward;
}

ForwardIndex ForwardIndex::encode(const DocumentSource& documents, const DocumentOrder& order, std::uint32_t n_slots,
                                  unsigned threads, Progress& progress, std::atomic<std::uint64_t>* seen) {
    // The size of every document, and the range of the weights.
    struct Range : WeightRange {
        std::size_t nnz = 0;
    };
    struct Size {
        std::uint32_t n_common = 0;
        std::uint32_t n_rare = 0;
    };
    const std::size_t n_docs = documents.n_docs();
    std::vector<Size> sizes(n_docs);  // by position
    const unsigned workers = worker_count(threads, n_docs / kRowsPerTask + 1);
    std::vector<Range> ranges(workers);
    parallel_for_rows(n_docs, kRowsPerTask, workers, progress,
                      [&](std::size_t begin, std::size_t end, unsigned worker) {
                          Range range = ranges[worker];
                          std::vector<Posting> postings;
                          for (std::size_t position = begin; position < end; ++position) {
                              documents.read(order.id_of(static_cast<std::uint32_t>(position)), postings);
                              for (const auto& [slot, weight] : postings) {
                                  ++(slot < kCommonSlots ? sizes[position].n_common : sizes[position].n_rare);
                                  range.add(weight);
                              }
                              range.nnz += postings.size();
                          }
                          ranges[worker] = range;
                      });
    Range all;
    for (const Range& range : ranges) {
        all.add(range);
        all.nnz += range.nnz;
    }

    ForwardIndex forward;
    forward.n_slots_ = n_slots;
    forward.nnz_ = all.nnz;
    DocumentFormat& format = forward.format_;
    format.slot_bytes = slot_width(n_slots);
    format.halves = all.halves;
    if (all.nnz > 0) {
        format.least_weight = pattern_of(all.min, all.halves);
        format.weight_bits = all.bits();
    }
    forward.docs_ = Stretches::build(
        n_docs, workers, progress,
        [&](std::size_t position) { return document_bytes(sizes[position].n_common, sizes[position].n_rare, format); },
        [&](std::size_t position, std::uint8_t* to) {
            const auto [n_common, n_rare] = sizes[position];
            std::vector<Posting> postings;
            documents.read(order.id_of(static_cast<std::uint32_t>(position)), postings);
            const auto rare = std::stable_partition(postings.begin(), postings.end(),
                                                    [](const Posting& posting) { return posting.slot < kCommonSlots; });
            if (postings.size() != n_common + n_rare || rare - postings.begin() != n_common) documents.reject_changed();
            if (seen != nullptr) {
                std::uint64_t sum = 0;
                for (const Posting& posting : postings) sum += fingerprint(posting.slot);
                seen->fetch_add(sum, std::memory_order_relaxed);
            }
            if (!write_document(postings, n_rare, format, to)) documents.reject_changed();
        });
    Filling<std::uint32_t> words(3);
    words.items[0] = format.halves ? 1 : 0;
    words.items[1] = format.weight_bits;
    words.items[2] = format.least_weight;
    forward.format_words_ = std::move(words.buffer);
    return forward;
}

void ForwardIndex::append(std::size_t doc, std::vector<Posting>& postings) const {
    const auto bytes = docs_[doc];
    const DocumentLayout document(bytes.data(), bytes.size(), format_);
    const std::size_t n = document.n_common + document.n_rare;
    interruption_point(4 * n);  // of whatever goes through documents: nearly all of a build
    for (std::size_t first = 0; first < n; first += kChunk) {
        const std::size_t size = std::min(kChunk, n - first);
        std::uint16_t halves[kChunk];
        float weights[kChunk];
        for (std::size_t i = 0; i < size; ++i) {
            const std::uint32_t pattern = document.weight_pattern(first + i, format_);
            halves[i] = static_cast<std::uint16_t>(pattern);
            weights[i] = std::bit_cast<float>(pattern);
        }
        if (format_.halves) kernels::active().widen_halves(halves, size, weights);
        for (std::size_t i = 0; i < size; ++i) {
            const std::uint32_t slot = first + i < document.n_common
                                           ? document.common_slot(first + i)
                                           : document.rare_slot(first + i - document.n_common, format_);
            if (slot < n_slots_) postings.push_back({slot, weights[i]});
        }
    }
}

void ForwardIndex::describe(const CsrView& docs, const Vocabulary& vocabulary, unsigned threads, Progress& progress,
                            CollectionStatistics& statistics) {
    if (docs.nnz() == 0) return;
    const unsigned workers = worker_count(threads, docs.n_rows() / kRowsPerTask + 1);
    std::vector<WeightRange> ranges(workers);
    parallel_for_rows(docs.nnz(), kRowsPerTask, workers, progress,
                      [&](std::size_t begin, std::size_t end, unsigned worker) {
                          WeightRange range = ranges[worker];
                          for (std::size_t p = begin; p < end; ++p) range.add(std::fabs(docs.weights[p]));
                          ranges[worker] = range;
                      });
    WeightRange all;
    for (const WeightRange& range : ranges) all.add(range);
    statistics.weight_bits = all.bits();

    const std::size_t n_described = std::min(docs.n_rows(), kDescribed);
    std::vector<std::size_t> nibbles(workers);
    parallel_for_rows(
        n_described, kRowsPerTask, workers, progress, [&](std::size_t begin, std::size_t end, unsigned worker) {
            for (std::size_t i = begin; i < end; ++i) {
                std::size_t n_common = 0;
                const std::size_t row = i * docs.n_rows() / n_described;
                for (std::size_t p = 0; p < docs.row_size(row); ++p) {
                    const Posting posting = vocabulary.posting(docs.row_terms(row)[p], docs.row_weights(row)[p]);
                    if (posting.slot < kCommonSlots) ++n_common;
                }
                nibbles[worker] += nibble_bytes(n_common);
            }
        });
    const std::size_t total = std::accumulate(nibbles.begin(), nibbles.end(), std::size_t{0});
    statistics.nibble_bytes = static_cast<double>(total) / static_cast<double>(n_described);
}

double ForwardIndex::estimated_nbytes(const CollectionStatistics& statistics) noexcept {
    const DocumentFormat format{.slot_bytes = slot_width(statistics.n_slots()), .weight_bits = statistics.weight_bits};
    const auto n_docs = static_cast<double>(statistics.n_docs);
    const double n_common = statistics.postings(0, std::min<std::uint32_t>(statistics.n_slots(), kCommonSlots));
    const double n_rare = statistics.nnz() - n_common;
    const double halves = statistics.nibble_bytes + 0.5;  // half a byte is left over behind the weights, on average
    const double bytes = n_docs * (static_cast<double>(document_bytes(0, 0, format)) + halves) + n_common +
                         n_rare * format.slot_bytes + statistics.nnz() * format.weight_bits / 8;
    return 3 * sizeof(format_words_[0]) + Stretches::estimated_nbytes(n_docs, bytes);
}

void ForwardIndex::save(SectionList& sections) const {
    sections.add("forward/format", format_words_);
    docs_.save(sections, "forward");
}

ForwardIndex ForwardIndex::load(const IndexFile& file, std::size_t n_docs, std::size_t nnz, std::uint32_t n_slots) {
    if (file.format_version() == 1) return load_version_1(file, n_docs, nnz, n_slots);
    if (file.format_version() == 2) return load_version_2(file, n_docs, nnz, n_slots);
    ForwardIndex forward;
    forward.n_slots_ = n_slots;
    forward.nnz_ = nnz;
    forward.format_words_ = file.section<std::uint32_t>("forward/format", 3);
    const auto& words = forward.format_words_;
    file.require(words[0] <= 1 && words[1] <= 31, "the forward index has weights of an unknown format");
    forward.format_ = {slot_width(n_slots), words[1], words[2], words[0] != 0};
    forward.docs_ = Stretches::load(file, "forward", n_docs);
    return forward;
}

namespace {

// Documents as files of older versions have them. `posting_at(first, n, i)`: posting i of a document whose `n` postings
// are numbered from `first` in the collection.
template <class PostingAt>
class OldDocuments final : public DocumentSource {
  public:
    OldDocuments(const IndexFile& file, std::size_t n_docs, std::size_t nnz, std::uint32_t n_slots,
                 const PostingAt& posting_at)
        : file_(file),
          n_slots_(n_slots),
          posting_at_(posting_at),
          offsets_(file.section<std::uint64_t>("forward/offsets", n_docs + 1)) {
        file.require(offsets_[0] == 0 && offsets_[n_docs] == nnz && std::ranges::is_sorted(offsets_.items()),
                     "the forward index's documents do not lie one behind the other");
    }

    std::size_t n_docs() const noexcept override { return offsets_.size() - 1; }
    void read(std::size_t doc, std::vector<Posting>& postings) const override {
        const std::size_t n = offsets_[doc + 1] - offsets_[doc];
        interruption_point(4 * n);
        file_.require(n <= n_slots_, "the forward index has a document with more postings than there are terms");
        postings.resize(n);
        for (std::size_t i = 0; i < n; ++i) {
            const Posting posting = posting_at_(offsets_[doc], n, i);
            const bool valid = posting.weight > 0 && posting.weight <= std::numeric_limits<float>::max();
            file_.require(valid && posting.slot < n_slots_,
                          "the forward index has a posting that no document can have");
            postings[i] = posting;
        }
    }
    [[noreturn]] void reject_changed() const override { throw FormatError(file_.path(), "changed while it was read"); }

  private:
    const IndexFile& file_;
    std::uint32_t n_slots_;
    const PostingAt& posting_at_;
    Buffer<std::uint64_t> offsets_;
};

}  // namespace

template <class PostingAt>
ForwardIndex ForwardIndex::convert(const IndexFile& file, std::size_t n_docs, std::size_t nnz, std::uint32_t n_slots,
                                   const PostingAt& posting_at) {
    Progress silent(nullptr);
    return encode(OldDocuments(file, n_docs, nnz, n_slots, posting_at), {}, n_slots, 1, silent, nullptr);
}

// Version 2 kept each document's slots, and then its weights, as they are.
ForwardIndex ForwardIndex::load_version_2(const IndexFile& file, std::size_t n_docs, std::size_t nnz,
                                          std::uint32_t n_slots) {
    const auto bytes = file.section<std::uint8_t>("forward/postings");
    const std::size_t slot_bytes = slot_width(n_slots);
    const std::size_t weight_bytes = bytes.size() / (slot_bytes + 4) == nnz ? 4 : 2;
    const std::size_t posting_bytes = slot_bytes + weight_bytes;
    file.require(bytes.size() % posting_bytes == 0 && bytes.size() / posting_bytes == nnz,
                 "the forward index does not have the collection's number of postings");
    return convert(file, n_docs, nnz, n_slots, [&](std::size_t first, std::size_t n, std::size_t i) {
        const std::uint8_t* const slots = bytes.data() + first * posting_bytes;
        const std::uint8_t* const weight = slots + n * slot_bytes + i * weight_bytes;
        return Posting{
            slot_bytes == 2 ? load_value<std::uint16_t>(slots + i * 2) : load_value<std::uint32_t>(slots + i * 4),
            weight_bytes == 2 ? float_of(load_value<std::uint16_t>(weight)) : load_value<float>(weight)};
    });
}

// Version 1 kept the slots of all documents in one section and their weights in another.
ForwardIndex ForwardIndex::load_version_1(const IndexFile& file, std::size_t n_docs, std::size_t nnz,
                                          std::uint32_t n_slots) {
    const auto slots16 = file.section<std::uint16_t>("forward/slots16");
    const auto slots32 = file.section<std::uint32_t>("forward/slots32");
    const auto halves = file.section<std::uint16_t>("forward/halves");
    const auto floats = file.section<float>("forward/floats");
    const bool narrow = slot_width(n_slots) == 2;
    file.require((narrow ? slots16.size() : slots32.size()) == nnz && slots16.size() + slots32.size() == nnz,
                 "the forward index does not have the collection's number of postings");
    file.require(halves.size() + floats.size() == nnz && (halves.size() == 0 || floats.size() == 0),
                 "the forward index does not have one weight for each posting");
    return convert(file, n_docs, nnz, n_slots, [&](std::size_t first, std::size_t, std::size_t i) {
        return Posting{narrow ? slots16[first + i] : slots32[first + i],
                       floats.size() == 0 ? float_of(halves[first + i]) : floats[first + i]};
    });
}

}  // namespace thresher
