// The documents' weights by id: what scores are finished from, and what `vectors` gives back.
//
// Nothing is lost: weights are stored as float16 only if every one of them survives the round trip (encoders that run
// in half precision give such weights), otherwise as float32. Slots take 16 bits where there are at most 65,536.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

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

// A query as tables over slots, reused from query to query. Zero outside `load` .. `clear`.
class QueryTable {
  public:
    // Room for every slot that a document can name: 16-bit slots are in bounds without a check.
    explicit QueryTable(std::uint32_t n_slots) : has_(n_slots < 65536 ? 65536 : n_slots), weights_(has_.size()) {}
    void load(const SlotQuery& query) noexcept {
        for (std::size_t i = 0; i < query.size(); ++i) {
            has_[query.slots[i]] = 1;
            weights_[query.slots[i]] = query.weights[i];
        }
    }
    void clear(const SlotQuery& query) noexcept {
        for (const std::uint32_t slot : query.slots) {
            has_[slot] = 0;
            weights_[slot] = 0;
        }
    }
    // 1 for each slot of the query, otherwise 0: a quarter of the cache that the weights take.
    std::span<const std::uint8_t> has() const noexcept { return has_; }
    std::span<const float> weights() const noexcept { return weights_; }

  private:
    std::vector<std::uint8_t> has_;
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
    std::size_t nnz() const noexcept { return slots16_.size() + slots32_.size(); }

    // Inner product with the table's query, summed in double precision in a fixed order.
    double score(std::size_t doc, const QueryTable& query) const;
    // Starts fetching what `prefetch(doc)` will read.
    void prefetch_range(std::size_t doc) const noexcept { thresher::prefetch(offsets_.data() + doc); }
    // Starts fetching what `score(doc, ...)` will read.
    void prefetch(std::size_t doc) const noexcept;

    // The document's postings, in ascending order of their terms, into `postings` (overwritten).
    void read(std::size_t doc, std::vector<Posting>& postings) const;

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

    std::uint32_t n_slots_ = 0;
    Buffer<std::uint64_t> offsets_;  // n_docs + 1
    Buffer<std::uint16_t> slots16_;  // one of the two is empty
    Buffer<std::uint32_t> slots32_;
    Buffer<std::uint16_t> halves_;  // one of the two is empty
    Buffer<float> floats_;
};

}  // namespace thresher
