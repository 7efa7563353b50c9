// The order in which an index stores its documents, and the way back to the ids that the caller gave them.
#pragma once

#include <cstdint>
#include <span>

#include "../base/buffer.hpp"
#include "../storage/index_file.hpp"

namespace thresher {

// A permutation; the identity takes no memory.
class DocumentOrder {
  public:
    DocumentOrder() = default;
    // ids[position] is the caller's id of the document stored at `position`: each of 0 .. n - 1 once. Throws
    // std::invalid_argument otherwise.
    explicit DocumentOrder(std::span<const std::uint32_t> ids);

    bool is_identity() const noexcept { return ids_.size() == 0; }
    // In range for any file: an altered one gives a wrong document, not one outside the index.
    std::uint32_t id_of(std::uint32_t position) const noexcept { return at(ids_, position); }
    std::uint32_t position(std::uint32_t id) const noexcept { return at(positions_, id); }

    std::size_t nbytes() const noexcept { return ids_.nbytes() + positions_.nbytes(); }
    // Of an order that is not the identity.
    static double estimated_nbytes(std::size_t n_docs) noexcept {
        return static_cast<double>(n_docs) * (sizeof(ids_[0]) + sizeof(positions_[0]));
    }
    void save(SectionList& sections) const;
    static DocumentOrder load(const IndexFile& file);

  private:
    static std::uint32_t at(const Buffer<std::uint32_t>& permutation, std::uint32_t i) noexcept {
        if (permutation.size() == 0) return i;
        return permutation[i] < permutation.size() ? permutation[i] : 0;
    }

    Buffer<std::uint32_t> ids_;
    Buffer<std::uint32_t> positions_;
};

}  // namespace thresher
