// The documents' weights by position: what scores are rescored from, and what `vectors` gives back.
//
// A document is one stretch of memory (kernels/document_layout.inc), so that scoring it is one stream of cache lines,
// and a short one: slots below 4,096, which most postings have, take 12 bits, and a weight as many as the collection's
// range needs. Nothing is lost: weights are kept as float16 only if every one of them survives the round trip (encoders
// that run in half precision give such weights), otherwise as float32.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "../../kernels/kernels.hpp"
#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "../storage/index_file.hpp"
#include "../storage/stretches.hpp"
#include "document_order.hpp"
#include "document_source.hpp"
#include "posting.hpp"
#include "query_table.hpp"
#include "vocabulary.hpp"

namespace thresher {

class ForwardIndex {
  public:
    ForwardIndex() = default;
    // The documents in the order in which they are stored, each read twice. Two passes of `progress`.
    static ForwardIndex build(const DocumentSource& documents, const DocumentOrder& order, const Vocabulary& vocabulary,
                              unsigned threads, Progress& progress);

    std::size_t n_docs() const noexcept { return docs_.size(); }
    std::size_t nnz() const noexcept { return nnz_; }

    // Inner product with the table's query, summed in double precision in a fixed order.
    double score(std::size_t doc, const QueryTable& query) const {
        const auto document = docs_[doc];
        return kernels::active().score_document(document.data(), document.size(), format_, query.filter(),
                                                query.weights().data(), query.weights().size());
    }
    // Starts fetching what `prefetch(doc)` will read.
    void prefetch_range(std::size_t doc) const noexcept { docs_.prefetch_offset(doc); }
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
    // Fills in what `estimated_nbytes` takes from the documents themselves: canonical rows. Two passes of `progress`.
    static void describe(const CsrView& docs, const Vocabulary& vocabulary, unsigned threads, Progress& progress,
                         CollectionStatistics& statistics);
    static double estimated_nbytes(const CollectionStatistics& statistics) noexcept;
    void save(SectionList& sections) const;
    static ForwardIndex load(const IndexFile& file, std::size_t n_docs, std::size_t nnz, std::uint32_t n_slots);

  private:
    // As `build`; into `seen`, unless it is nullptr, goes a fingerprint of all postings.
    static ForwardIndex encode(const DocumentSource& documents, const DocumentOrder& order, std::uint32_t n_slots,
                               unsigned threads, Progress& progress, std::atomic<std::uint64_t>* seen);
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
