// The documents' weights by position: what scores are finished from, and what `vectors` gives back.
//
// A document is one stretch of memory (kernels/document_layout.inc), so that scoring it is one stream of cache lines,
// and a short one: slots below 4,096, which most postings have, take 12 bits, and a weight as many as the collection's
// range needs. Nothing is lost: weights are kept as float16 only if every one of them survives the round trip (encoders
// that run in half precision give such weights), otherwise as float32.
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
#include "stretches.hpp"
#include "vocabulary.hpp"

namespace thresher {

struct Posting {
    std::uint32_t slot;
    float weight;
};

// A query's terms that occur in the collection, as slots, and their weights.
struct SlotQuery {
    std::vector<std::uint32_t> slots;
    std::vector<float> weights;

    std::size_t size() const noexcept { return slots.size(); }
    // Row `row` of canonical queries; terms that no document has are left out. Throws std::invalid_argument for more
    // terms than integer scores can sum.
    void assign(const CsrView& queries, std::size_t row, const Vocabulary& vocabulary);
    // A document as a query.
    void assign(std::span<const Posting> document);
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

class ForwardIndex {
  public:
    ForwardIndex() = default;
    static ForwardIndex build(const CsrView& docs, const Vocabulary& vocabulary, unsigned threads, Progress& progress);

    // The same documents in another order: position i of the result holds document order[i].
    ForwardIndex reordered(std::span<const std::uint32_t> order, unsigned threads, Progress& progress) const;

    std::size_t n_docs() const noexcept { return docs_.size(); }
    std::size_t nnz() const noexcept { return nnz_; }

    // Inner product with the table's query, summed in double precision in a fixed order.
    double score(std::size_t doc, const QueryTable& query) const {
        const auto document = docs_[doc];
        return kernels::active().score_document(document.data(), document.size(), format_, query.filter(),
                                                query.weights().data(), query.weights().size());
    }
    // Starts fetching what `prefetch(doc)` will read.
    void prefetch_range(std::size_t doc) const noexcept { docs_.prefetch_start(doc); }
    // Starts fetching what `score(doc, ...)` will read.
    void prefetch(std::size_t doc) const noexcept { docs_.prefetch(doc); }

    // The document's postings into `postings` (overwritten): those of the 4,096 most frequent terms, then the others,
    // both in ascending order of their terms.
    void read(std::size_t doc, std::vector<Posting>& postings) const {
        postings.clear();
        append(doc, postings);
    }
    // The same behind what `postings` has.
    void append(std::size_t doc, std::vector<Posting>& postings) const;

    std::size_t nbytes() const noexcept { return format_words_.nbytes() + docs_.nbytes(); }
    void save(SectionList& sections) const;
    static ForwardIndex load(const IndexFile& file, std::size_t n_docs, std::size_t nnz, std::uint32_t n_slots);

  private:
    // Calls for_each(doc, visit) to have visit(slot, weight) called for every posting of a document, in ascending order
    // of terms. Two passes of `progress`.
    template <class ForEach>
    static ForwardIndex encode(std::size_t n_docs, std::uint32_t n_slots, unsigned threads, Progress& progress,
                               const ForEach& for_each);
    template <class PostingAt>
    static ForwardIndex convert(const IndexFile& file, std::size_t n_docs, std::size_t nnz, std::uint32_t n_slots,
                                const PostingAt& posting_at);
    static ForwardIndex load_version_1(const IndexFile& file, std::size_t n_docs, std::size_t nnz,
                                       std::uint32_t n_slots);
    static ForwardIndex load_version_2(const IndexFile& file, std::size_t n_docs, std::size_t nnz,
                                       std::uint32_t n_slots);

    std::uint32_t n_slots_ = 0;
    std::size_t nnz_ = 0;
    kernels::DocumentFormat format_;
    Buffer<std::uint32_t> format_words_;  // the same as it is saved
    Stretches docs_;
};

}  // namespace thresher
