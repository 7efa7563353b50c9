// For each document a few others that are close to it: a k-NN graph, as rows of positions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "../base/buffer.hpp"
#include "../storage/index_file.hpp"

namespace thresher {

class Neighbours {
  public:
    Neighbours() = default;
    // `positions`: n_docs rows of `degree`, padded with the document itself.
    Neighbours(Buffer<std::uint32_t> positions, std::size_t degree)
        : degree_(degree), positions_(std::move(positions)) {}

    std::size_t degree() const noexcept { return degree_; }
    // Closest first; in an altered file perhaps outside the index.
    std::span<const std::uint32_t> of(std::size_t doc) const noexcept {
        return positions_.items().subspan(doc * degree_, degree_);
    }

    std::size_t nbytes() const noexcept { return positions_.nbytes(); }
    static double estimated_nbytes(std::size_t n_docs, std::size_t degree) noexcept {
        return static_cast<double>(n_docs) * static_cast<double>(degree * sizeof(positions_[0]));
    }
    void save(SectionList& sections) const { sections.add("neighbours/positions", positions_); }
    static Neighbours load(const IndexFile& file, std::size_t n_docs, std::size_t degree) {
        return {file.section<std::uint32_t>("neighbours/positions", n_docs * degree), degree};
    }

  private:
    std::size_t degree_ = 0;
    Buffer<std::uint32_t> positions_;
};

}  // namespace thresher
