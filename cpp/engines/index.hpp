// What every engine is to its callers: rows in, the best documents out, saved to one file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/base/parallel.hpp"
#include "../core/documents/csr.hpp"
#include "../core/documents/document_order.hpp"
#include "../core/documents/forward_index.hpp"
#include "../core/documents/vocabulary.hpp"
#include "../core/selection/hits.hpp"
#include "../core/storage/fields.hpp"
#include "../core/storage/index_file.hpp"

namespace thresher {

struct SearchOptions {
    std::size_t k = 10;
    unsigned threads = 0;        // 0: one for each core
    Monitor* monitor = nullptr;  // borrowed
};

// An index is immutable: any number of threads may search it at once.
class Index {
  public:
    virtual ~Index() = default;
    Index& operator=(const Index&) = delete;

    virtual std::string_view engine() const noexcept = 0;
    std::size_t n_docs() const noexcept { return forward_.n_docs(); }
    std::uint64_t n_terms() const noexcept { return vocabulary_.n_terms(); }
    std::size_t nnz() const noexcept { return forward_.nnz(); }

    // What it was built with, by name.
    virtual NamedValues parameters() const = 0;
    // Resident bytes by part.
    std::vector<std::pair<std::string, std::size_t>> nbytes() const;

    // Top k of each query by inner product, positive scores only, into hits (of options.k columns). The result does
    // not depend on the number of threads. Throws std::invalid_argument for k = 0 and for queries that have a term
    // beyond the index's or a weight that is not finite.
    void search(const CsrView& queries, const SearchOptions& options, const HitsView& hits) const;

    // One query of any term order, on the calling thread.
    void search_one(std::span<const std::uint32_t> terms, std::span<const float> weights, const HitsView& hits) const;

    // What searches go by: the engine's own parameters, by name.
    virtual NamedValues named_search_params() const = 0;
    // The same index, whose memory it shares, with these in the place of its own of their names. Throws
    // std::invalid_argument for names, types and values that are wrong.
    virtual std::unique_ptr<Index> with_named_search_params(const NamedValues& params) const = 0;

    // The stored weights of documents, canonical rows in the order of `docs`. Throws std::invalid_argument for an id
    // outside [0, n_docs).
    struct Rows {
        std::vector<std::int64_t> indptr;
        std::vector<std::uint32_t> terms;
        std::vector<float> weights;
    };
    Rows vectors(std::span<const std::int64_t> docs) const;

    // Throws FileError; an existing file at `path` is replaced only as a whole.
    void save(const std::string& path, Monitor* monitor) const;

  protected:
    // `forward` holds the documents in the order `order`.
    Index(Vocabulary vocabulary, ForwardIndex forward, DocumentOrder order)
        : vocabulary_(std::move(vocabulary)), forward_(std::move(forward)), order_(std::move(order)) {}
    Index(const IndexFile& file, DocumentOrder order);
    // Another index of the same collection, whose memory they share.
    struct SameCollection {
        const Index& other;
    };
    Index(const Index&) = default;
    explicit Index(SameCollection same)
        : vocabulary_(same.other.vocabulary_), forward_(same.other.forward_), order_(same.other.order_) {}

    // What `nbytes` will tell of the parts that every engine has.
    static std::vector<EstimatedPart> estimated_parts(const CollectionStatistics& statistics, bool reordered);

    const Vocabulary& vocabulary() const noexcept { return vocabulary_; }
    const ForwardIndex& forward() const noexcept { return forward_; }
    const DocumentOrder& order() const noexcept { return order_; }

    // Checks queries and k as `search` promises, and calls `search_canonical` with canonical queries.
    void check_and_search(const CsrView& queries, const SearchOptions& options,
                          const std::function<void(const CsrView&)>& search_canonical) const;
    // The same for one query, on the calling thread.
    void check_and_search_one(std::span<const std::uint32_t> terms, std::span<const float> weights,
                              const SearchOptions& options,
                              const std::function<void(const CsrView&)>& search_canonical) const;

    // Canonical queries no wider than the index, 1 <= k.
    virtual void search_canonical(const CsrView& queries, const SearchOptions& options, const HitsView& hits) const = 0;
    virtual std::vector<std::pair<std::string, std::size_t>> engine_nbytes() const = 0;
    virtual void save_engine(Parameters& counts, SectionList& sections) const = 0;
    virtual void save_parameters(Parameters& to) const = 0;
    virtual void save_search_params(Parameters& to) const = 0;

  private:
    Vocabulary vocabulary_;
    ForwardIndex forward_;
    DocumentOrder order_;
};

// Throws std::invalid_argument unless the collection is within the library's limits (2^31 documents).
void check_collection(const CsrView& docs);

}  // namespace thresher
