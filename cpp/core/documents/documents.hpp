// What an index is built of: rows that the caller has, or the documents of other indexes, which are merged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "csr_view.hpp"

namespace thresher {

struct StoredDocuments;

// Some documents of an index, by position, in the order in which they are to come.
struct KeptDocuments {
    std::shared_ptr<const StoredDocuments> documents;
    std::vector<std::uint32_t> positions;
};

class Documents {
  public:
    // Borrowed.
    Documents(const CsrView& rows) : given_(rows) {}  // NOLINT(google-explicit-constructor): they are documents
    // Those of each index behind those of the one before. Weights are what the indexes score by: all of them, where
    // they are kept.
    explicit Documents(std::vector<KeptDocuments> parts) : given_(std::move(parts)) {}

    std::size_t n_docs() const noexcept;
    std::uint64_t n_terms() const noexcept;
    // What they are: one of the two is null.
    const CsrView* rows() const noexcept { return std::get_if<CsrView>(&given_); }
    const std::vector<KeptDocuments>* parts() const noexcept {
        return std::get_if<std::vector<KeptDocuments>>(&given_);
    }

  private:
    std::variant<CsrView, std::vector<KeptDocuments>> given_;
};

}  // namespace thresher
