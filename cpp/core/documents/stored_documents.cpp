#include "stored_documents.hpp"

#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "merged_documents.hpp"

namespace thresher {

void check_collection(const Documents& docs) {
    if (docs.n_docs() > kMaxDocs) {
        throw std::invalid_argument("docs: " + std::to_string(docs.n_docs()) + " rows; at most 2^31 are supported");
    }
    if (docs.n_terms() > kMaxTerms) {
        throw std::invalid_argument("docs: " + std::to_string(docs.n_terms()) +
                                    " columns; at most 2^32 - 1 are supported");
    }
}

void StoredDocuments::check_words() const {
    if (words && words->size() > vocabulary.n_terms()) {
        throw std::invalid_argument("words: " + std::to_string(words->size()) + " for " +
                                    std::to_string(vocabulary.n_terms()) + " terms");
    }
    if (names && names->size() != forward.n_docs()) {
        throw std::invalid_argument("names: " + std::to_string(names->size()) + " for " +
                                    std::to_string(forward.n_docs()) + " documents");
    }
}

namespace {

// What an index of full weights says is exact, so that it is not made of weights that are off.
void check_weights(const std::vector<KeptDocuments>& parts, Precision precision) {
    if (precision == Precision::codes) return;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const float error = parts[i].documents->forward.max_error();
        if (error == 0 || parts[i].positions.empty()) continue;
        char shown[32];
        std::snprintf(shown, sizeof shown, "%g", static_cast<double>(error));
        throw std::invalid_argument("indexes[" + std::to_string(i) + "] has weights in 8 bits alone, off by up to " +
                                    shown + ", of which only an index in 8 bits can be made");
    }
}

}  // namespace

StoredDocuments StoredDocuments::build(const Documents& docs, const Ordering& ordering, std::uint32_t block_size,
                                       Precision precision, unsigned threads, Progress& progress) {
    StoredDocuments stored;
    const auto store = [&](const DocumentSource& source) {
        stored.order = ordering.of(source, stored.vocabulary.n_slots(), block_size, threads, progress);
        stored.forward = ForwardIndex::build(source, stored.order, stored.vocabulary, precision, threads, progress);
    };
    if (const CsrView* const rows = docs.rows()) {
        const CanonicalCsr canonical(*rows, "docs", threads, progress);
        stored.vocabulary = Vocabulary::build(canonical.view(), threads, progress);
        store(GivenDocuments(canonical.view(), stored.vocabulary));
    } else {
        check_weights(*docs.parts(), precision);
        stored.vocabulary = merged_vocabulary(*docs.parts(), threads, progress);
        store(MergedDocuments(*docs.parts(), stored.vocabulary));
    }
    return stored;
}

unsigned StoredDocuments::passes(const Ordering& ordering, std::uint32_t block_size, Precision precision) noexcept {
    return 2 + ordering.passes(block_size) + ForwardIndex::passes(precision);
}

std::vector<std::pair<std::string, std::size_t>> StoredDocuments::nbytes() const {
    std::vector<std::pair<std::string, std::size_t>> parts{{"vocabulary", vocabulary.nbytes()},
                                                           {"forward", forward.nbytes()}};
    if (forward.has_fine()) parts.emplace_back("fine", forward.fine_nbytes());
    if (!order.is_identity()) parts.emplace_back("order", order.nbytes());
    if (words) parts.emplace_back("words", words->nbytes());
    if (names) parts.emplace_back("names", names->nbytes());
    return parts;
}

std::vector<EstimatedPart> StoredDocuments::estimated_parts(const CollectionStatistics& statistics, bool reordered,
                                                            Precision precision) {
    std::vector<EstimatedPart> parts{{"vocabulary", Vocabulary::estimated_nbytes(statistics)},
                                     {"forward", ForwardIndex::estimated_nbytes(statistics, precision)}};
    if (precision == Precision::both) parts.push_back({"fine", ForwardIndex::estimated_fine_nbytes(statistics)});
    if (reordered) parts.push_back({"order", DocumentOrder::estimated_nbytes(statistics.n_docs)});
    return parts;
}

void StoredDocuments::save(Parameters& counts, SectionList& sections) const {
    counts.set("n_docs", static_cast<std::uint64_t>(forward.n_docs()));
    counts.set("n_terms", vocabulary.n_terms());
    counts.set("nnz", static_cast<std::uint64_t>(forward.nnz()));
    vocabulary.save(sections);
    forward.save(sections);
    if (words) words->save(counts, sections, "words");
    if (names) names->save(counts, sections, "names");
}

StoredDocuments StoredDocuments::load(const IndexFile& file, DocumentOrder order) {
    const std::uint64_t n_docs = file.integer("n_docs");
    const std::uint64_t n_terms = file.integer("n_terms");
    const std::uint64_t nnz = file.integer("nnz");
    file.require(n_docs <= kMaxDocs, "more than 2^31 documents");
    file.require(n_terms <= kMaxTerms, "more than 2^32 - 1 terms");
    auto vocabulary = Vocabulary::load(file, n_terms);
    file.require(vocabulary.n_postings() == nnz, "its terms do not have the collection's number of postings");
    auto forward =
        ForwardIndex::load(file, static_cast<std::size_t>(n_docs), static_cast<std::size_t>(nnz), vocabulary.n_slots());
    auto words = Words::load(file, "words");
    file.require(!words || words->size() <= n_terms, "more words than terms");
    auto names = Words::load(file, "names");
    file.require(!names || names->size() == n_docs, "not a name for each document");
    return {std::move(vocabulary), std::move(forward), std::move(order), std::move(words), std::move(names)};
}

}  // namespace thresher
