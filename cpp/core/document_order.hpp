// The order in which an index stores its documents, and the way back to the ids that the caller gave them.
#pragma once

#include <cstdint>
#include <span>

#include "buffer.hpp"
#include "index_file.hpp"

namespace thresher {

// A permutation; the identity takes no memory.
class DocumentOrder {
  public:
    DocumentOrder() = default;
    // given[position] is the caller's id of the document stored at `position`: each of 0 .. n - 1 once. Throws
    // std::invalid_argument otherwise.
    explicit DocumentOrder(std::span<const std::uint32_t> given);

    bool is_identity() const noexcept { return given_.size() == 0; }
    // In range for any file: an altered one gives a wrong document, not one outside the index.
    std::uint32_t given(std::uint32_t position) const noexcept { return at(given_, position); }
    std::uint32_t position(std::uint32_t given) const noexcept { return at(positions_, given); }

    std::size_t nbytes() const noexcept { return given_.nbytes() + positions_.nbytes(); }
    void save(SectionList& sections) const;
    static DocumentOrder load(const IndexFile& file);

  private:
    static std::uint32_t at(const Buffer<std::uint32_t>& permutation, std::uint32_t i) noexcept {
        if (permutation.size() == 0) return i;
        return permutation[i] < permutation.size() ? permutation[i] : 0;
    }

    Buffer<std::uint32_t> given_;
    Buffer<std::uint32_t> positions_;
};

}  // namespace thresher
