#include "index.hpp"

#include <algorithm>
#include <stdexcept>

#include "../core/base/interruption.hpp"
#include "../core/documents/csr.hpp"
#include "../core/documents/stored_documents.hpp"
#include "../core/storage/index_file.hpp"

namespace thresher {

Index::Index(std::shared_ptr<const StoredDocuments> documents)
    : documents_(std::move(documents)),
      n_docs_(documents_->forward.n_docs()),
      n_terms_(documents_->vocabulary.n_terms()),
      nnz_(documents_->forward.nnz()) {}

Index::~Index() = default;

Precision Index::precision() const noexcept { return documents_->forward.precision(); }

float Index::max_error() const noexcept { return documents_->forward.max_error(); }

std::vector<std::pair<std::string, std::size_t>> Index::nbytes() const {
    auto parts = documents_->nbytes();
    for (auto& part : engine_nbytes()) parts.push_back(std::move(part));
    return parts;
}

std::shared_ptr<const Selection> Index::select(std::span<const std::uint8_t> mask, const char* name) const {
    return std::make_shared<const Selection>(Selection::of_mask(documents_, block_size(), mask, name));
}

std::shared_ptr<const Selection> Index::select(std::span<const std::int64_t> ids, const char* name) const {
    return std::make_shared<const Selection>(Selection::of_ids(documents_, block_size(), ids, name));
}

void Index::check_and_search(const CsrView& queries, const SearchOptions& options,
                             const SearchCanonical& search_canonical) const {
    CsrView within = queries;  // columns beyond the index's may be there, as long as nothing is in them
    within.n_terms = options.unknown_terms == "ignore" ? kMaxTerms : std::min(queries.n_terms, n_terms());
    Progress checking(options.monitor);
    const CanonicalCsr canonical(within, "queries", options.threads, checking);
    search_canonical(canonical.view(), options);
}

void Index::check_and_search_one(std::span<const std::uint32_t> terms, std::span<const float> weights,
                                 const SearchOptions& options, const SearchCanonical& search_canonical) const {
    if (terms.size() != weights.size()) {
        throw std::invalid_argument("terms and weights differ in length: " + std::to_string(terms.size()) + " and " +
                                    std::to_string(weights.size()));
    }
    const std::int64_t indptr[2] = {0, static_cast<std::int64_t>(terms.size())};
    check_and_search({n_terms(), indptr, terms, weights}, options, search_canonical);
}

void Index::search(const CsrView& queries, const SearchOptions& options, const HitsView& hits) const {
    check_and_search(queries, options,
                     [&](const CsrView& checked, const SearchOptions& with) { search_canonical(checked, with, hits); });
}

Hits Index::search(const CsrView& queries, const SearchOptions& options) const {
    Hits hits(queries.n_rows(), std::min(options.k, n_docs()));
    search(queries, options, hits.view());
    return hits;
}

void Index::search_one(std::span<const std::uint32_t> terms, std::span<const float> weights,
                       const HitsView& hits) const {
    search_one(terms, weights, SearchOptions{.k = hits.n_columns, .threads = 1}, hits);
}

void Index::search_one(std::span<const std::uint32_t> terms, std::span<const float> weights,
                       const SearchOptions& options, const HitsView& hits) const {
    check_and_search_one(terms, weights, options,
                         [&](const CsrView& query, const SearchOptions& with) { search_canonical(query, with, hits); });
}

Hits Index::search_one(std::span<const std::uint32_t> terms, std::span<const float> weights,
                       const SearchOptions& options) const {
    Hits hits(1, std::min(options.k, n_docs()));
    search_one(terms, weights, options, hits.view());
    return hits;
}

void Index::check(const CsrView& queries, const SearchOptions& options) const {
    check_and_search(queries, options, [](const CsrView&, const SearchOptions&) {});
}

std::vector<std::uint64_t> Index::count(const CsrView& queries, const SearchOptions& options) const {
    SearchOptions all = options;
    all.k = SearchOptions::kAll;
    std::vector<std::uint64_t> counts(queries.n_rows());
    std::vector<std::uint8_t> exact(counts.size());
    check_and_search(queries, all, [&](const CsrView& checked, const SearchOptions& with) {
        search_by_defaults(checked, with, {.exact = exact, .counts = counts});
    });
    return counts;
}

Index::Rows Index::vectors(std::span<const std::int64_t> docs) const {
    const auto& vocabulary = documents_->vocabulary;
    const auto& forward = documents_->forward;
    const auto& order = documents_->order;
    Rows rows;
    rows.indptr.push_back(0);
    std::vector<Posting> postings;
    std::vector<std::pair<std::uint32_t, float>> by_term;
    for (const std::int64_t doc : docs) {
        if (doc < 0 || static_cast<std::uint64_t>(doc) >= n_docs()) {
            throw std::invalid_argument("ids: " + std::to_string(doc) + " is not a document; the index has " +
                                        std::to_string(n_docs()));
        }
        forward.read(order.position(static_cast<std::uint32_t>(doc)), postings);
        by_term.clear();
        for (const Posting& posting : postings) {
            by_term.emplace_back(vocabulary.term(posting.slot), vocabulary.weight(posting));
        }
        std::sort(by_term.begin(), by_term.end(),
                  interruptible([](const auto& a, const auto& b) { return a.first < b.first; }));
        for (const auto& [term, weight] : by_term) {
            rows.terms.push_back(term);
            rows.weights.push_back(weight);
        }
        rows.indptr.push_back(static_cast<std::int64_t>(rows.terms.size()));
    }
    return rows;
}

KeptDocuments Index::kept(std::span<const std::uint8_t> live) const {
    if (!live.empty() && live.size() != n_docs()) {
        throw std::invalid_argument("live: " + std::to_string(live.size()) + " bytes for " + std::to_string(n_docs()) +
                                    " documents");
    }
    KeptDocuments kept{documents_, {}};
    kept.positions.reserve(n_docs());
    for (std::size_t id = 0; id < n_docs(); ++id) {
        if (live.empty() || live[id] != 0) {
            kept.positions.push_back(documents_->order.position(static_cast<std::uint32_t>(id)));
        }
    }
    return kept;
}

const Words* Index::words() const noexcept { return documents_->words ? &*documents_->words : nullptr; }

const Words* Index::names() const noexcept { return documents_->names ? &*documents_->names : nullptr; }

std::unique_ptr<Index> Index::with_words(std::optional<Words> words, std::optional<Words> names) const {
    StoredDocuments documents = *documents_;
    if (words) documents.words = std::move(words);
    if (names) documents.names = std::move(names);
    documents.check_words();
    auto index = copy();
    index->documents_ = std::make_shared<const StoredDocuments>(std::move(documents));
    return index;
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
