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

namespace thresher {

namespace {

constexpr std::size_t kRowsPerTask = 4096;
constexpr std::size_t kChunk = 256;         // postings scored at a time
constexpr std::size_t kDescribed = 20'000;  // documents whose own terms are counted for an estimate

using kernels::DocumentFormat;
using kernels::WeightFormat;
using kernels::Weights;
#include "../../kernels/document_layout.inc"

// Writes the slots of a document of which `postings` has the common postings, then the `n_rare` others. Returns where
// its weights are to be.
std::uint8_t* write_slots(std::span<const Posting> postings, std::size_t n_rare, const DocumentFormat& format,
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
    return rare + n_rare * format.slot_bytes;
}

// As docs/format.md has it: what it is, bits, the smallest pattern.
Buffer<std::uint32_t> words_of(const WeightFormat& format) {
    Filling<std::uint32_t> words(3);
    words.items[0] = static_cast<std::uint32_t>(format.kind);
    words.items[1] = format.bits;
    words.items[2] = format.least;
    return std::move(words.buffer);
}

WeightFormat format_of(const Buffer<std::uint32_t>& words) {
    return {static_cast<Weights>(words[0]), words[1], words[2]};
}

void raise(std::atomic<float>& max, float value) noexcept {
    float known = max;
    while (known < value && !max.compare_exchange_weak(known, value)) {
    }
}

// Of the full weights of all documents: half a byte is left over behind each's, on average.
double full_weight_bytes(const CollectionStatistics& statistics) noexcept {
    return statistics.nnz() * statistics.weight_bits / 8 + static_cast<double>(statistics.n_docs) / 2;
}

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

// Documents in the order in which they are stored, common postings before the others.
class ForwardIndex::Ordered {
  public:
    Ordered(const DocumentSource& documents, const DocumentOrder& order, unsigned threads, Progress& progress)
        : documents_(documents), order_(order), sizes_(documents.n_docs()) {
        const unsigned workers = worker_count(threads, size() / kRowsPerTask + 1);
        std::vector<WeightRange> ranges(workers);
        std::vector<std::size_t> nnz(workers);
        parallel_for_rows(size(), kRowsPerTask, workers, progress,
                          [&](std::size_t begin, std::size_t end, unsigned worker) {
                              WeightRange range = ranges[worker];
                              std::vector<Posting> postings;
                              for (std::size_t position = begin; position < end; ++position) {
                                  read(position, postings);
                                  for (const auto& [slot, weight] : postings) {
                                      ++(slot < kCommonSlots ? sizes_[position].n_common : sizes_[position].n_rare);
                                      range.add(weight);
                                  }
                                  nnz[worker] += postings.size();
                              }
                              ranges[worker] = range;
                          });
        for (const WeightRange& range : ranges) range_.add(range);
        nnz_ = std::accumulate(nnz.begin(), nnz.end(), std::size_t{0});
    }

    std::size_t size() const noexcept { return sizes_.size(); }
    std::size_t nnz() const noexcept { return nnz_; }
    const WeightRange& range() const noexcept { return range_; }
    std::size_t n_postings(std::size_t position) const noexcept { return n_common(position) + n_rare(position); }
    std::size_t n_common(std::size_t position) const noexcept { return sizes_[position].n_common; }
    std::size_t n_rare(std::size_t position) const noexcept { return sizes_[position].n_rare; }

    std::vector<Posting> operator[](std::size_t position) const {
        std::vector<Posting> postings;
        read(position, postings);
        const auto rare = std::stable_partition(postings.begin(), postings.end(),
                                                [](const Posting& posting) { return posting.slot < kCommonSlots; });
        const auto n = static_cast<std::size_t>(rare - postings.begin());
        if (postings.size() != n_postings(position) || n != n_common(position)) reject_changed();
        return postings;
    }
    float max_error(std::size_t position) const noexcept { return documents_.max_error(id_of(position)); }
    void reject_changed() const { documents_.reject_changed(); }

  private:
    std::uint32_t id_of(std::size_t position) const noexcept {
        return order_.id_of(static_cast<std::uint32_t>(position));
    }
    struct Size {
        std::uint32_t n_common = 0;
        std::uint32_t n_rare = 0;
    };
    void read(std::size_t position, std::vector<Posting>& postings) const {
        documents_.read(id_of(position), postings);
    }

    const DocumentSource& documents_;
    const DocumentOrder& order_;
    std::vector<Size> sizes_;  // by position
    WeightRange range_;
    std::size_t nnz_ = 0;
};

ForwardIndex ForwardIndex::build(const DocumentSource& documents, const DocumentOrder& order,
                                 const Vocabulary& vocabulary, Precision precision, unsigned threads,
                                 Progress& progress) {
    std::atomic<std::uint64_t> seen{0};
    auto forward =
        encode(documents, order, vocabulary.n_slots(), precision, threads, progress, [&](const auto& postings) {
            std::uint64_t sum = 0;
            for (const Posting& posting : postings) sum += fingerprint(posting.slot);
            seen.fetch_add(sum, std::memory_order_relaxed);
        });
    if (seen != fingerprint(vocabulary)) documents.reject_changed();
    return forward;
}

ForwardIndex ForwardIndex::encode(const DocumentSource& documents, const DocumentOrder& order, std::uint32_t n_slots,
                                  Precision precision, unsigned threads, Progress& progress, const See& see) {
    const Ordered ordered(documents, order, threads, progress);
    const unsigned workers = worker_count(threads, ordered.size() / kRowsPerTask + 1);
    const WeightFormat full = ordered.range().format();
    ForwardIndex forward;
    forward.n_slots_ = n_slots;
    forward.nnz_ = ordered.nnz();
    DocumentFormat& format = forward.format_;
    format = {slot_width(n_slots), precision == Precision::full ? full : WeightFormat{Weights::codes, 8, 0}};
    std::atomic<float> error{0};
    forward.docs_ = Stretches::build(
        ordered.size(), workers, progress,
        [&](std::size_t i) { return document_bytes(ordered.n_common(i), ordered.n_rare(i), format); },
        [&](std::size_t i, std::uint8_t* to) {
            const auto postings = ordered[i];
            see(postings);
            std::uint8_t* const weights = write_slots(postings, ordered.n_rare(i), format, to);
            if (precision == Precision::full) {
                if (!write_patterns(postings, full, weights)) ordered.reject_changed();
            } else {
                raise(error, ordered.max_error(i) + write_codes(postings, weights));
            }
        });
    forward.format_words_ = words_of(format.weights);
    if (precision != Precision::full) {
        Filling<float> max_error(1);
        max_error.items[0] = error;
        forward.max_error_ = std::move(max_error.buffer);
    }
    if (precision == Precision::both) {
        forward.fine_format_ = full;
        forward.fine_words_ = words_of(full);
        forward.fine_ = Stretches::build(
            ordered.size(), workers, progress, [&](std::size_t i) { return weight_bytes(ordered.n_postings(i), full); },
            [&](std::size_t i, std::uint8_t* to) {
                if (!write_patterns(ordered[i], full, to)) ordered.reject_changed();
            });
    }
    return forward;
}

void ForwardIndex::append(std::size_t doc, std::vector<Posting>& postings) const {
    const auto bytes = docs_[doc];
    DocumentLayout document(bytes.data(), bytes.size(), format_);
    const WeightFormat& format = has_fine() ? fine_format_ : format_.weights;
    if (has_fine()) {
        const auto weights = fine_[doc];
        if (weight_bytes(document.n(), format) > weights.size()) return;
        document.weights = weights.data();
    }
    const std::size_t n = document.n();
    interruption_point(4 * n);  // of whatever goes through documents: nearly all of a build
    for (std::size_t first = 0; first < n; first += kChunk) {
        const std::size_t size = std::min(kChunk, n - first);
        std::uint16_t halves[kChunk];
        float weights[kChunk];
        for (std::size_t i = 0; i < size; ++i) {
            if (format.kind == Weights::codes) {
                weights[i] = coded_weight(document.weights, first + i);
                continue;
            }
            const std::uint32_t pattern = weight_pattern(document.weights, first + i, format);
            halves[i] = static_cast<std::uint16_t>(pattern);
            weights[i] = std::bit_cast<float>(pattern);
        }
        if (format.kind == Weights::halves) kernels::active().widen_halves(halves, size, weights);
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
    statistics.weight_bits = all.format().bits;

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

double ForwardIndex::estimated_nbytes(const CollectionStatistics& statistics, Precision precision) noexcept {
    const bool is_full = precision == Precision::full;
    const WeightFormat weights{is_full ? Weights::halves : Weights::codes, 0, 0};
    const DocumentFormat format{.slot_bytes = slot_width(statistics.n_slots()), .weights = weights};
    const auto n_docs = static_cast<double>(statistics.n_docs);
    const double n_common = statistics.postings(0, std::min<std::uint32_t>(statistics.n_slots(), kCommonSlots));
    const double n_rare = statistics.nnz() - n_common;
    const double of_weights = is_full ? full_weight_bytes(statistics) : statistics.nnz();
    const double bytes = n_docs * (static_cast<double>(document_bytes(0, 0, format)) + statistics.nibble_bytes) +
                         n_common + n_rare * format.slot_bytes + of_weights;
    const std::size_t error = is_full ? 0 : sizeof(max_error_[0]);
    return static_cast<double>(3 * sizeof(format_words_[0]) + error) + Stretches::estimated_nbytes(n_docs, bytes);
}

double ForwardIndex::estimated_fine_nbytes(const CollectionStatistics& statistics) noexcept {
    const auto n_docs = static_cast<double>(statistics.n_docs);
    return 3 * sizeof(fine_words_[0]) + Stretches::estimated_nbytes(n_docs, full_weight_bytes(statistics));
}

void ForwardIndex::save(SectionList& sections) const {
    sections.add("forward/format", format_words_);
    docs_.save(sections, "forward");
    if (format_.weights.kind == Weights::codes) sections.add("forward/error", max_error_);
    if (!has_fine()) return;
    sections.add("fine/format", fine_words_);
    fine_.save(sections, "fine");
}

ForwardIndex ForwardIndex::load(const IndexFile& file, std::size_t n_docs, std::size_t nnz, std::uint32_t n_slots) {
    if (file.format_version() == 1) return load_version_1(file, n_docs, nnz, n_slots);
    if (file.format_version() == 2) return load_version_2(file, n_docs, nnz, n_slots);
    if (file.format_version() == 3) return load_version_3(file, n_docs, nnz, n_slots);
    return load_stretches(file, n_docs, nnz, n_slots, slot_width(n_slots));
}

ForwardIndex ForwardIndex::load_stretches(const IndexFile& file, std::size_t n_docs, std::size_t nnz,
                                          std::uint32_t n_slots, std::uint32_t slot_bytes) {
    const auto known = [&](const Buffer<std::uint32_t>& words, std::uint32_t kinds) {
        file.require(words[0] <= kinds && words[1] <= 31, "the forward index has weights of an unknown format");
    };
    ForwardIndex forward;
    forward.n_slots_ = n_slots;
    forward.nnz_ = nnz;
    forward.format_words_ = file.section<std::uint32_t>("forward/format", 3);
    known(forward.format_words_, 2);
    forward.format_ = {slot_bytes, format_of(forward.format_words_)};
    forward.docs_ = Stretches::load(file, "forward", n_docs);
    if (forward.format_.weights.kind != Weights::codes) return forward;
    forward.max_error_ = file.section<float>("forward/error", 1);
    file.require(forward.max_error_[0] >= 0 && forward.max_error_[0] <= std::numeric_limits<float>::max(),
                 "the error of the forward index's weights is not finite and >= 0");
    if (!file.has_section("fine/format")) return forward;
    forward.fine_words_ = file.section<std::uint32_t>("fine/format", 3);
    known(forward.fine_words_, 1);
    forward.fine_format_ = format_of(forward.fine_words_);
    forward.fine_ = Stretches::load(file, "fine", n_docs);
    return forward;
}

}  // namespace thresher
