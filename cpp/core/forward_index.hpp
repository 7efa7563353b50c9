// The documents' weights by id: what scores are finished from, and what `vectors` gives back.
//
// A document is one stretch of memory, its slots and then its weights, so that scoring it is one stream of cache lines.
// Nothing is lost: weights are stored as float16 only if every one of them survives the round trip (encoders that run
// in half precision give such weights), otherwise as float32. Slots take 16 bits where there are at most 65,536.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "../kernels/kernels.hpp"
#include "buffer.hpp"
#include "csr.hpp"
#include "index_file.hpp"
#include "parallel.hpp"
#include "prefetch.hpp"
#include "vocabulary.hpp"

namespace thresher {

// A query's terms that occur in the collection, as slots, and their weights.
struct SlotQuery {
    std::vector<std::uint32_t> slots;
    std::vector<float> weights;

    std::size_t size() const noexcept { return slots.size(); }
    // Row `row` of canonical queries; terms that no document has are left out. Throws std::invalid_argument for more
    // terms than integer scores can sum.
    void assign(const CsrView& queries, std::size_t row, const Vocabulary& vocabulary);
};

// A query as a table over slots and a filter in front of it, reused from query to query. Zero outside `load` ..
// `clear`.
class QueryTable {
  public:
    // Room for every slot that a document can name: 16-bit slots are in bounds without a check.
    explicit QueryTable(std::uint32_t n_slots) : weights_(n_slots < 65536 ? 65536 : n_slots) {}
    void load(const SlotQuery& query) noexcept {
        for (std::size_t i = 0; i < query.size(); ++i) {
            const std::uint32_t slot = query.slots[i];
            filter_[slot % kernels::kFilter] |= static_cast<std::uint16_t>(1U << (slot / kernels::kFilter % 16));
            weights_[slot] = query.weights[i];
        }
    }
    void clear(const SlotQuery& query) noexcept {
        filter_.fill(0);
        for (const std::uint32_t slot : query.slots) weights_[slot] = 0;
    }
    // See kernels::Kernels::score_document.
    const std::uint16_t* filter() const noexcept { return filter_.data(); }
    std::span<const float> weights() const noexcept { return weights_; }

  private:
    alignas(64) std::array<std::uint16_t, kernels::kFilter> filter_{};
    std::vector<float> weights_;
};

struct Posting {
    std::uint32_t slot;
    float weight;
};

class ForwardIndex {
  public:
    ForwardIndex() = default;
    static ForwardIndex build(const CsrView& docs, const Vocabulary& vocabulary, unsigned threads, Progress& progress);

    // The same documents in another order: position i of the result holds document order[i].
    ForwardIndex reordered(std::span<const std::uint32_t> order, unsigned threads, Progress& progress) const;

    std::size_t n_docs() const noexcept { return offsets_.size() == 0 ? 0 : offsets_.size() - 1; }
    std::size_t nnz() const noexcept { return nnz_; }

    // Inner product with the table's query, summed in double precision in a fixed order.
    double score(std::size_t doc, const QueryTable& query) const;
    // Starts fetching what `prefetch(doc)` will read.
    void prefetch_range(std::size_t doc) const noexcept { thresher::prefetch(offsets_.data() + doc); }
    // Starts fetching what `score(doc, ...)` will read.
    void prefetch(std::size_t doc) const noexcept;

    // The document's postings, in ascending order of their terms, into `postings` (overwritten).
    void read(std::size_t doc, std::vector<Posting>& postings) const {
        postings.clear();
        append(doc, postings);
    }
    // The same behind what `postings` has.
    void append(std::size_t doc, std::vector<Posting>& postings) const;

    std::size_t nbytes() const noexcept;
    void save(SectionList& sections) const;
    static ForwardIndex load(const IndexFile& file, std::size_t n_docs, std::size_t nnz, std::uint32_t n_slots);

  private:
    struct Range {
        std::size_t begin;
        std::size_t end;
    };
    // Clamped, so that an altered file can't lead out of bounds.
    Range range(std::size_t doc) const noexcept {
        const std::size_t end = offsets_[doc + 1] < nnz() ? static_cast<std::size_t>(offsets_[doc + 1]) : nnz();
        const std::size_t begin = offsets_[doc] < end ? static_cast<std::size_t>(offsets_[doc]) : end;
        return {begin, end};
    }

    std::size_t posting_bytes() const noexcept { return slot_bytes_ + weight_bytes_; }
    // Where document `doc` of `n` postings has its slots, and behind them its weights.
    const std::uint8_t* slots(const Range& doc) const noexcept {
        return postings_.data() + doc.begin * posting_bytes();
    }
    const std::uint8_t* weights(const Range& doc) const noexcept {
        return slots(doc) + (doc.end - doc.begin) * slot_bytes_;
    }
    static ForwardIndex load_version_1(const IndexFile& file, std::size_t n_docs, std::size_t nnz,
                                       std::uint32_t n_slots);

    std::uint32_t n_slots_ = 0;
    std::size_t nnz_ = 0;
    std::size_t slot_bytes_ = 2;     // 2 or 4
    std::size_t weight_bytes_ = 2;   // 2 (binary16) or 4 (binary32)
    Buffer<std::uint64_t> offsets_;  // n_docs + 1, in postings
    Buffer<std::uint8_t> postings_;  // each document's slots, then its weights; unaligned
};

}  // namespace thresher
