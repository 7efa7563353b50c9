#include "index.hpp"

#include <algorithm>
#include <stdexcept>

#include "../core/base/error.hpp"

namespace thresher {

namespace {

constexpr std::uint64_t kMaxDocs = std::uint64_t{1} << 31;
constexpr std::uint64_t kMaxTerms = (std::uint64_t{1} << 32) - 1;

void check_k(std::size_t k) {
    if (k < 1) throw std::invalid_argument("k must be >= 1, got " + std::to_string(k));
}

}  // namespace

void check_collection(const CsrView& docs) {
    if (docs.n_rows() > kMaxDocs) {
        throw std::invalid_argument("docs: " + std::to_string(docs.n_rows()) + " rows; at most 2^31 are supported");
    }
    if (docs.n_terms > kMaxTerms) {
        throw std::invalid_argument("docs: " + std::to_string(docs.n_terms) +
                                    " columns; at most 2^32 - 1 are supported");
    }
}

Index::Index(const IndexFile& file, DocumentOrder order) : order_(std::move(order)) {
    const std::uint64_t n_docs = file.integer("n_docs");
    const std::uint64_t n_terms = file.integer("n_terms");
    const std::uint64_t nnz = file.integer("nnz");
    file.require(n_docs <= kMaxDocs, "more than 2^31 documents");
    file.require(n_terms <= kMaxTerms, "more than 2^32 - 1 terms");
    vocabulary_ = Vocabulary::load(file, n_terms);
    file.require(vocabulary_.n_postings() == nnz, "its terms do not have the collection's number of postings");
    forward_ = ForwardIndex::load(file, static_cast<std::size_t>(n_docs), static_cast<std::size_t>(nnz),
                                  vocabulary_.n_slots());
}

std::vector<std::pair<std::string, std::size_t>> Index::nbytes() const {
    std::vector<std::pair<std::string, std::size_t>> parts{{"vocabulary", vocabulary_.nbytes()},
                                                           {"forward", forward_.nbytes()}};
    if (!order_.is_identity()) parts.emplace_back("order", order_.nbytes());
    for (auto& part : engine_nbytes()) parts.push_back(std::move(part));
    return parts;
}

std::vector<EstimatedPart> Index::estimated_parts(const CollectionStatistics& statistics, bool reordered) {
    std::vector<EstimatedPart> parts{{"vocabulary", Vocabulary::estimated_nbytes(statistics)},
                                     {"forward", ForwardIndex::estimated_nbytes(statistics)}};
    if (reordered) parts.push_back({"order", DocumentOrder::estimated_nbytes(statistics.n_docs)});
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

void Index::search_one(std::span<const std::uint32_t> terms, std::span<const float> weights,
                       const HitsView& hits) const {
    const SearchOptions options{hits.k, 1, nullptr};
    check_and_search_one(terms, weights, options,
                         [&](const CsrView& query) { search_canonical(query, options, hits); });
}

Index::Rows Index::vectors(std::span<const std::int64_t> docs) const {
    Rows rows;
    rows.indptr.push_back(0);
    std::vector<Posting> postings;
    const auto by_term = [&](const Posting& a, const Posting& b) {
        return vocabulary_.term(a.slot) < vocabulary_.term(b.slot);
    };
    for (const std::int64_t doc : docs) {
        if (doc < 0 || static_cast<std::uint64_t>(doc) >= n_docs()) {
            throw std::invalid_argument("ids: " + std::to_string(doc) + " is not a document; the index has " +
                                        std::to_string(n_docs()));
        }
        forward_.read(order_.position(static_cast<std::uint32_t>(doc)), postings);
        std::sort(postings.begin(), postings.end(), by_term);
        for (const auto& [slot, weight] : postings) {
            rows.terms.push_back(vocabulary_.term(slot));
            rows.weights.push_back(weight);
        }
        rows.indptr.push_back(static_cast<std::int64_t>(rows.terms.size()));
    }
    return rows;
}

void Index::save(const std::string& path, Monitor* monitor) const {
    Parameters all;
    save_parameters(all);
    all.set("n_docs", static_cast<std::uint64_t>(n_docs()));
    all.set("n_terms", n_terms());
    all.set("nnz", static_cast<std::uint64_t>(nnz()));
    SectionList sections;
    vocabulary_.save(sections);
    forward_.save(sections);
    save_engine(all, sections);
    save_search_params(all);
    write_index_file(path, engine(), all, sections, monitor);
}

}  // namespace thresher
