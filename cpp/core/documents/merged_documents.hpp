// The documents of several indexes as one source: read from their forward indexes, a document at a time, and translated
// to the slots of a vocabulary of all of them. Weights stay what they were, bit for bit, and as far off as they were.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../base/parallel.hpp"
#include "document_source.hpp"
#include "documents.hpp"
#include "vocabulary.hpp"

namespace thresher {

// The terms that documents of indexes use. Two passes of `progress`.
Vocabulary merged_vocabulary(const std::vector<KeptDocuments>& parts, unsigned threads, Progress& progress);

// Borrows the parts.
class MergedDocuments final : public DocumentSource {
  public:
    MergedDocuments(const std::vector<KeptDocuments>& parts, const Vocabulary& vocabulary);

    std::size_t n_docs() const noexcept override { return starts_.back(); }
    void read(std::size_t doc, std::vector<Posting>& postings) const override;
    float max_error(std::size_t doc) const noexcept override;
    [[noreturn]] void reject_changed() const override { thresher::reject_changed("the indexes"); }

  private:
    // Which part has the document.
    std::size_t part_of(std::size_t doc) const noexcept;

    const std::vector<KeptDocuments>& parts_;
    std::vector<std::size_t> starts_;                // of each part, and the end
    std::vector<std::vector<std::uint32_t>> slots_;  // of each part: its slot -> the slot here
};

}  // namespace thresher
