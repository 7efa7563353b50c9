#include "index.hpp"

#include <algorithm>
#include <stdexcept>

#include "../core/base/interruption.hpp"
#include "../core/documents/csr.hpp"
#include "../core/documents/stored_documents.hpp"
#include "../core/storage/index_file.hpp"

namespace thresher {

namespace {

void check_k(std::size_t k) {
    if (k < 1) throw std::invalid_argument("k must be >= 1, got " + std::to_string(k));
}

}  // namespace

Index::Index(std::shared_ptr<const StoredDocuments> documents)
    : documents_(std::move(documents)),
      n_docs_(documents_->forward.n_docs()),
      n_terms_(documents_->vocabulary.n_terms()),
      nnz_(documents_->forward.nnz()) {}

Index::~Index() = default;

std::vector<std::pair<std::string, std::size_t>> Index::nbytes() const {
    auto parts = documents_->nbytes();
    for (auto& part : engine_nbytes()) parts.push_back(std::move(part));
    return parts;
}

void Index::check_and_search(const CsrView& queries, const SearchOptions& options,
                             const std::function<void(const CsrView&)>& search_canonical) const {
    check_k(options.k);
    CsrView within = queries;  // columns beyond the index's may be there, as long as nothing is in them
    within.n_terms = std::min(queries.n_terms, n_terms());
    Progress checking(options.monitor);
    const CanonicalCsr canonical(within, Signs::any, "queries", options.threads, checking);
    search_canonical(canonical.view());
}

void Index::check_and_search_one(std::span<const std::uint32_t> terms, std::span<const float> weights,
                                 const SearchOptions& options,
                                 const std::function<void(const CsrView&)>& search_canonical) const {
    if (terms.size() != weights.size()) {
        throw std::invalid_argument("terms and weights differ in length: " + std::to_string(terms.size()) + " and " +
                                    std::to_string(weights.size()));
    }
    const std::int64_t indptr[2] = {0, static_cast<std::int64_t>(terms.size())};
    check_and_search({n_terms(), indptr, terms, weights}, options, search_canonical);
}

void Index::search(const CsrView& queries, const SearchOptions& options, const HitsView& hits) const {
    check_and_search(queries, options, [&](const CsrView& checked) { search_canonical(checked, options, hits); });
}

Hits Index::search(const CsrView& queries, const SearchOptions& options) const {
    Hits hits(queries.n_rows(), options.k);
    search(queries, options, hits.view());
    return hits;
}

void Index::search_one(std::span<const std::uint32_t> terms, std::span<const float> weights,
                       const HitsView& hits) const {
    const SearchOptions options{hits.k, 1, nullptr};
    check_and_search_one(terms, weights, options,
                         [&](const CsrView& query) { search_canonical(query, options, hits); });
}

Hits Index::search_one(std::span<const std::uint32_t> terms, std::span<const float> weights, std::size_t k) const {
    Hits hits(1, k);
    search_one(terms, weights, hits.view());
    return hits;
}

Index::Rows Index::vectors(std::span<const std::int64_t> docs) const {
    const auto& [vocabulary, forward, order] = *documents_;
    Rows rows;
    rows.indptr.push_back(0);
    std::vector<Posting> postings;
    const auto by_term = [&terms = documents_->vocabulary](const Posting& a, const Posting& b) {
        return terms.term(a.slot) < terms.term(b.slot);
    };
    for (const std::int64_t doc : docs) {
        if (doc < 0 || static_cast<std::uint64_t>(doc) >= n_docs()) {
            throw std::invalid_argument("ids: " + std::to_string(doc) + " is not a document; the index has " +
                                        std::to_string(n_docs()));
        }
        forward.read(order.position(static_cast<std::uint32_t>(doc)), postings);
        std::sort(postings.begin(), postings.end(), interruptible(by_term));
        for (const auto& [slot, weight] : postings) {
            rows.terms.push_back(vocabulary.term(slot));
            rows.weights.push_back(weight);
        }
        rows.indptr.push_back(static_cast<std::int64_t>(rows.terms.size()));
    }
    return rows;
}

void Index::save(const std::string& path, Monitor* monitor) const {
    Parameters all;
    save_parameters(all);
    SectionList sections;
    documents_->save(all, sections);
    save_engine(all, sections);
    save_search_params(all);
    write_index_file(path, engine(), all, sections, monitor);
}

}  // namespace thresher
