// How a build orders its documents: as the caller says, or with similar ones side by side, or not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "../base/parallel.hpp"
#include "document_order.hpp"
#include "forward_index.hpp"
#include "vocabulary.hpp"

namespace thresher {

// The documents, each once, in an order to store them in that the caller gives.
using GivenOrder = std::optional<std::span<const std::uint32_t>>;

// How a build orders documents: as given by the caller, or with similar ones side by side, or not at all.
class Ordering {
  public:
    // Throws std::invalid_argument if `given` is not of n_docs documents.
    Ordering(bool reorder, const GivenOrder& given, std::size_t n_docs);

    bool reorders() const noexcept { return reorder_; }
    // Passes over the documents that `apply` makes.
    unsigned passes(std::uint32_t block_size) const noexcept;
    // Puts the documents of `forward` in order, and returns it. Throws std::invalid_argument if the order given does
    // not have each document once.
    DocumentOrder apply(ForwardIndex& forward, const Vocabulary& vocabulary, std::uint32_t block_size, unsigned threads,
                        Progress& progress) const;

  private:
    bool reorder_;
    std::size_t n_docs_;
    GivenOrder given_;
};

}  // namespace thresher
