// The documents' weights by position: what scores are rescored from, and what `vectors` gives back.
//
// A document is one stretch of memory (kernels/document_layout.inc), so that scoring it is one stream of cache lines,
// and a short one: slots below 4,096, which most postings have, take 12 bits, and a weight as many as the collection's
// range needs (documents/weight_patterns), so that nothing is lost; or 8 bits, which are off by a known error. With
// `Precision::both` these are what lies in memory, and the full weights, in a stretch of their own, what is read for
// the few documents that may be hits: coarse in memory, fine on disk, as dense vectors are in BiDR (Xiao et al.,
// *Progressively Optimized Bi-Granular Document Representation for Scalable Embedding Based Retrieval*, WWW 2022).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "../../kernels/kernels.hpp"
#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "../storage/index_file.hpp"
#include "../storage/stretches.hpp"
#include "document_order.hpp"
#include "document_source.hpp"
#include "posting.hpp"
#include "precision.hpp"
#include "query_table.hpp"
#include "vocabulary.hpp"
#include "weight_patterns.hpp"

namespace thresher {

class ForwardIndex {
  public:
    ForwardIndex() = default;
    // The documents in the order in which they are stored, each read two or three times; as many passes of `progress`.
    static ForwardIndex build(const DocumentSource& documents, const DocumentOrder& order, const Vocabulary& vocabulary,
                              Precision precision, unsigned threads, Progress& progress);
    static unsigned passes(Precision precision) noexcept { return precision == Precision::both ? 3 : 2; }

    std::size_t n_docs() const noexcept { return docs_.size(); }
    std::size_t nnz() const noexcept { return nnz_; }

    Precision precision() const noexcept {
        if (format_.weights.kind != kernels::Weights::codes) return Precision::full;
        return has_fine() ? Precision::both : Precision::codes;
    }
    // Of the weights that scores go by, against those that were given: 0 unless there are only codes.
    float max_error() const noexcept { return precision() == Precision::codes ? max_error_[0] : 0; }

    // Inner product with the table's query, summed in double precision in a fixed order.
    double score(std::size_t doc, const QueryTable& query) const {
        if (!has_fine()) return score_by(nullptr, doc, query);
        const auto weights = fine_[doc];
        const kernels::OtherWeights fine{weights.data(), weights.size(), fine_format_};
        return score_by(&fine, doc, query);
    }
    // Whether what lies in memory gives less than the score.
    bool has_fine() const noexcept { return fine_.size() > 0; }
    // What it gives, and by how much it is off at most. Only if `has_fine`.
    double coarse_score(std::size_t doc, const QueryTable& query, double& max_error) const {
        return score_by(nullptr, doc, query, &max_error);
    }
    // Starts fetching what `prefetch(doc)` will read.
    void prefetch_range(std::size_t doc) const noexcept { docs_.prefetch_offset(doc); }
    // Starts fetching what `score(doc, ...)` will read.
    void prefetch(std::size_t doc) const noexcept { docs_.prefetch(doc); }

    // Starts fetching the full weights beside codes.
    void prefetch_fine(std::size_t doc) const noexcept { fine_.prefetch(doc); }

    // The document's postings into `postings` (overwritten): those of the 4,096 most frequent terms, then the others,
    // both in ascending order of their terms.
    void read(std::size_t doc, std::vector<Posting>& postings) const {
        postings.clear();
        append(doc, postings);
    }
    // The same behind what `postings` has.
    void append(std::size_t doc, std::vector<Posting>& postings) const;

    std::size_t nbytes() const noexcept { return format_words_.nbytes() + docs_.nbytes() + max_error_.nbytes(); }
    // Of the full weights beside codes.
    std::size_t fine_nbytes() const noexcept { return fine_words_.nbytes() + fine_.nbytes(); }
    // Fills in what `estimated_nbytes` takes from the documents themselves: canonical rows. Two passes of `progress`.
    static void describe(const CsrView& docs, const Vocabulary& vocabulary, unsigned threads, Progress& progress,
                         CollectionStatistics& statistics);
    static double estimated_nbytes(const CollectionStatistics& statistics, Precision precision) noexcept;
    static double estimated_fine_nbytes(const CollectionStatistics& statistics) noexcept;
    void save(SectionList& sections) const;
    static ForwardIndex load(const IndexFile& file, std::size_t n_docs, std::size_t nnz, std::uint32_t n_slots);

  private:
    class Ordered;
    // Bytes of a slot that is stored whole; versions below 4 knew no slots of three.
    static std::uint32_t slot_width(std::uint32_t n_slots) noexcept {
        return n_slots <= 1U << 16 ? 2 : n_slots <= 1U << 24 ? 3 : 4;
    }
    static std::uint32_t old_slot_width(std::uint32_t n_slots) noexcept { return n_slots <= 1U << 16 ? 2 : 4; }
    // As `build`; calls see(postings) with those of each document that are stored, from several threads.
    using See = std::function<void(const std::vector<Posting>& postings)>;
    static ForwardIndex encode(const DocumentSource& documents, const DocumentOrder& order, std::uint32_t n_slots,
                               Precision precision, unsigned threads, Progress& progress, const See& see);
    double score_by(const kernels::OtherWeights* others, std::size_t doc, const QueryTable& query,
                    double* max_error = nullptr) const {
        const auto document = docs_[doc];
        return kernels::active().score_document(document.data(), document.size(), format_, others, query.filter(),
                                                query.weights().data(), query.weights().size(), max_error);
    }
    template <class PostingAt>
    static ForwardIndex convert(const IndexFile& file, std::size_t n_docs, std::size_t nnz, std::uint32_t n_slots,
                                const PostingAt& posting_at);
    static ForwardIndex load_stretches(const IndexFile& file, std::size_t n_docs, std::size_t nnz,
                                       std::uint32_t n_slots, std::uint32_t slot_bytes);
    static ForwardIndex load_version_3(const IndexFile& file, std::size_t n_docs, std::size_t nnz,
                                       std::uint32_t n_slots);
    static ForwardIndex load_version_1(const IndexFile& file, std::size_t n_docs, std::size_t nnz,
                                       std::uint32_t n_slots);
    static ForwardIndex load_version_2(const IndexFile& file, std::size_t n_docs, std::size_t nnz,
                                       std::uint32_t n_slots);

    std::uint32_t n_slots_ = 0;
    std::size_t nnz_ = 0;
    kernels::DocumentFormat format_;
    Buffer<std::uint32_t> format_words_;  // the weights' as it is saved
    Stretches docs_;
    Buffer<float> max_error_;  // of codes; one element
    kernels::WeightFormat fine_format_;
    Buffer<std::uint32_t> fine_words_;
    Stretches fine_;
};

}  // namespace thresher
