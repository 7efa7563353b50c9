#include "documents.hpp"

#include <algorithm>

#include "stored_documents.hpp"

namespace thresher {

std::size_t Documents::n_docs() const noexcept {
    if (const CsrView* const given = rows()) return given->n_rows();
    std::size_t n = 0;
    for (const KeptDocuments& part : *parts()) n += part.positions.size();
    return n;
}

std::uint64_t Documents::n_terms() const noexcept {
    if (const CsrView* const given = rows()) return given->n_terms;
    std::uint64_t n = 0;
    for (const KeptDocuments& part : *parts()) n = std::max(n, part.documents->vocabulary.n_terms());
    return n;
}

}  // namespace thresher
