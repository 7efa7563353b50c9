// Where a search by graph starts: for each term, the documents in which it is heaviest.
//
// Inner product is not a metric, and no document is near to all: a fixed entry (HNSW's) is far from most queries. The
// documents in which a query's own heaviest terms are heaviest are near to it, and finding them costs nothing.
#pragma once

#include <cstdint>

#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "../documents/forward_index.hpp"
#include "../documents/vocabulary.hpp"
#include "../storage/index_file.hpp"
#include "../storage/position_lists.hpp"

namespace thresher {

class EntryPoints {
  public:
    EntryPoints() = default;
    // At most `max` documents for each term; of equal weights those of smaller positions. Two passes of `progress`.
    static EntryPoints build(const ForwardIndex& forward, const Vocabulary& vocabulary, std::size_t max,
                             unsigned threads, Progress& progress);

    // The largest weight of a slot's term.
    float heaviest(std::uint32_t slot) const noexcept { return heaviest_[slot]; }
    // The positions of the documents in which a slot's term is heaviest, ascending.
    const PositionLists& documents() const noexcept { return documents_; }

    std::size_t nbytes() const noexcept { return heaviest_.nbytes() + documents_.nbytes(); }
    static double estimated_nbytes(const CollectionStatistics& statistics, std::size_t max) noexcept;
    void save(SectionList& sections) const;
    static EntryPoints load(const IndexFile& file, std::size_t n_slots);

  private:
    Buffer<float> heaviest_;
    PositionLists documents_;
};

}  // namespace thresher
