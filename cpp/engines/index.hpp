// What every engine is to its callers: rows in, the best documents out, saved to one file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/base/monitor.hpp"
#include "../core/documents/csr_view.hpp"
#include "../core/documents/documents.hpp"
#include "../core/documents/precision.hpp"
#include "../core/selection/hits.hpp"
#include "../core/selection/selection.hpp"
#include "../core/storage/named_values.hpp"
#include "search_options.hpp"

namespace thresher {

class Parameters;
class SectionList;
class Words;
struct StoredDocuments;

// What a search finds, query by query: k ids each, best first, and their scores. Missing ones are -1 and -infinity.
struct Hits {
    std::size_t k = 0;
    std::vector<std::int64_t> ids;
    std::vector<float> scores;
    std::vector<std::uint8_t> exact;  // for each query: 1 if it is proven that no better document was left out

    Hits(std::size_t n_queries, std::size_t n_hits)
        : k(n_hits), ids(n_queries * n_hits), scores(n_queries * n_hits), exact(n_queries) {}
    HitsView view() noexcept { return {.n_columns = k, .ids = ids, .scores = scores, .exact = exact}; }
};

// An index is immutable: any number of threads may search it at once.
class Index {
  public:
    virtual ~Index();
    Index& operator=(const Index&) = delete;

    virtual std::string_view engine() const noexcept = 0;
    std::size_t n_docs() const noexcept { return n_docs_; }
    std::uint64_t n_terms() const noexcept { return n_terms_; }
    std::size_t nnz() const noexcept { return nnz_; }
    // What it keeps of the weights that it was given, and by how much those that it scores by are off at most.
    Precision precision() const noexcept;
    float max_error() const noexcept;

    // What it was built with, by name.
    virtual NamedValues parameters() const = 0;
    // Resident bytes by part.
    std::vector<std::pair<std::string, std::size_t>> nbytes() const;

    // A set of documents for `SearchOptions`: those of which `mask` has a byte that is not 0, one for each document; or
    // those of these ids. Throws std::invalid_argument, whose message calls the argument `name`.
    std::shared_ptr<const Selection> select(std::span<const std::uint8_t> mask, const char* name = "mask") const;
    std::shared_ptr<const Selection> select(std::span<const std::int64_t> ids, const char* name = "ids") const;

    // Top k of each query by inner product into hits: of at least options.k columns, or of n_docs() where that is less.
    // The result does not depend on the number of threads. Throws std::invalid_argument for options out of range and
    // for queries that have a weight that is not finite or, unless that is to be ignored, a term beyond the index's.
    void search(const CsrView& queries, const SearchOptions& options, const HitsView& hits) const;
    Hits search(const CsrView& queries, const SearchOptions& options = {}) const;

    // One query of any term order, on the calling thread; without options, as many documents as hits have columns.
    void search_one(std::span<const std::uint32_t> terms, std::span<const float> weights, const HitsView& hits) const;
    void search_one(std::span<const std::uint32_t> terms, std::span<const float> weights, const SearchOptions& options,
                    const HitsView& hits) const;
    Hits search_one(std::span<const std::uint32_t> terms, std::span<const float> weights,
                    const SearchOptions& options = {}) const;

    // Throws what a search of these would, and searches nothing.
    void check(const CsrView& queries, const SearchOptions& options) const;

    // How many documents a search finds for each query where none is left out: options.k counts nothing, and neither do
    // the index's own search parameters.
    std::vector<std::uint64_t> count(const CsrView& queries, const SearchOptions& options = {}) const;

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

    // Its documents, for the build of another index: those of which `live` has a byte that is not 0, one for each
    // document by id, or all if it has none; in ascending order of ids. Throws std::invalid_argument for another number
    // of bytes.
    KeptDocuments kept(std::span<const std::uint8_t> live = {}) const;

    // What the caller calls terms, perhaps only the first of them, and documents; null if the index does not know.
    const Words* words() const noexcept;
    const Words* names() const noexcept;
    // The same index, whose memory it shares, with these in the place of its own; those that are not given stay. Throws
    // std::invalid_argument if there are more words than terms, or not a name for each document.
    std::unique_ptr<Index> with_words(std::optional<Words> words, std::optional<Words> names) const;

    // Throws FileError; an existing file at `path` is replaced only as a whole.
    void save(const std::string& path, Monitor* monitor = nullptr) const;

  protected:
    explicit Index(std::shared_ptr<const StoredDocuments> documents);
    Index(const Index&) = default;

    const StoredDocuments& documents() const noexcept { return *documents_; }
    // For another index of the same documents, whose memory the two share.
    static const std::shared_ptr<const StoredDocuments>& documents_of(const Index& index) noexcept {
        return index.documents_;
    }

    // Calls `search_canonical` with canonical queries, once they are checked as `search` promises.
    using SearchCanonical = std::function<void(const CsrView&, const SearchOptions&)>;
    void check_and_search(const CsrView& queries, const SearchOptions& options,
                          const SearchCanonical& search_canonical) const;
    // The same for one query, on the calling thread.
    void check_and_search_one(std::span<const std::uint32_t> terms, std::span<const float> weights,
                              const SearchOptions& options, const SearchCanonical& search_canonical) const;

    // Canonical queries. By the index's own parameters, or by the library's.
    virtual void search_canonical(const CsrView& queries, const SearchOptions& options, const HitsView& hits) const = 0;
    virtual void search_by_defaults(const CsrView& queries, const SearchOptions& options,
                                    const HitsView& hits) const = 0;
    // Documents that the engine looks at together, which selections count.
    virtual std::uint32_t block_size() const noexcept { return 1; }
    virtual std::unique_ptr<Index> copy() const = 0;
    virtual std::vector<std::pair<std::string, std::size_t>> engine_nbytes() const = 0;
    virtual void save_engine(Parameters& counts, SectionList& sections) const = 0;
    virtual void save_parameters(Parameters& to) const = 0;
    virtual void save_search_params(Parameters& to) const = 0;

  private:
    std::shared_ptr<const StoredDocuments> documents_;
    std::size_t n_docs_;
    std::uint64_t n_terms_;
    std::size_t nnz_;
};

}  // namespace thresher
