// Documents on their way into an index, their terms as slots of its vocabulary: rows as a caller has them, or the
// documents of other indexes.
#pragma once

#include <cstddef>
#include <vector>

#include "csr.hpp"
#include "posting.hpp"
#include "posting_source.hpp"
#include "vocabulary.hpp"

namespace thresher {

class DocumentSource {
  public:
    virtual ~DocumentSource() = default;

    virtual std::size_t n_docs() const noexcept = 0;
    // Overwrites `postings` with the document's, in ascending order of terms, finite and > 0: magnitudes. From several
    // threads at once, and any number of times.
    virtual void read(std::size_t doc, std::vector<Posting>& postings) const = 0;
    // Of the document's weights as they are read, against those that were given once.
    virtual float max_error(std::size_t /*doc*/) const noexcept { return 0; }
    // Throws: documents are not what they were.
    [[noreturn]] virtual void reject_changed() const = 0;

    PostingSource postings() const {
        return {n_docs(), [this](std::size_t doc, std::vector<Posting>& postings) { read(doc, postings); }};
    }
};

// Canonical rows. Borrows both; what another thread changes in the rows meanwhile is found out where it matters.
class GivenDocuments final : public DocumentSource {
  public:
    GivenDocuments(const CsrView& rows, const Vocabulary& vocabulary) : rows_(rows), vocabulary_(vocabulary) {}

    std::size_t n_docs() const noexcept override { return rows_.n_rows(); }
    void read(std::size_t doc, std::vector<Posting>& postings) const override;
    [[noreturn]] void reject_changed() const override { thresher::reject_changed("docs"); }

  private:
    CsrView rows_;
    const Vocabulary& vocabulary_;
};

}  // namespace thresher
