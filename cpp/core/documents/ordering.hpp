// How a build orders its documents: as the caller says, or with similar ones side by side, or not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "../base/parallel.hpp"
#include "document_order.hpp"
#include "document_source.hpp"

namespace thresher {

// The documents, each once, in an order to store them in that the caller gives.
using GivenOrder = std::optional<std::span<const std::uint32_t>>;

// How a build orders documents: as given by the caller, or with similar ones side by side, or not at all.
class Ordering {
  public:
    // As the rows are. Throws std::invalid_argument for an order that is given: the `engine` has no other.
    static Ordering none(std::string_view engine, const GivenOrder& given, std::size_t n_docs);
    // Throws std::invalid_argument if `given` is not of n_docs documents.
    Ordering(bool reorder, const GivenOrder& given, std::size_t n_docs);

    bool reorders() const noexcept { return reorder_; }
    // Passes over the documents that `of` makes.
    unsigned passes(std::uint32_t block_size) const noexcept;
    // The order to store documents in, for blocks of `block_size`. Throws std::invalid_argument if the order given does
    // not have each document once.
    DocumentOrder of(const DocumentSource& documents, std::uint32_t n_slots, std::uint32_t block_size, unsigned threads,
                     Progress& progress) const;

  private:
    bool reorder_;
    std::size_t n_docs_;
    GivenOrder given_;
};

}  // namespace thresher
