// The documents of an index, whatever its engine: which terms they use, what they weigh, and where each is.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "collection_statistics.hpp"
#include "document_order.hpp"
#include "forward_index.hpp"
#include "ordering.hpp"
#include "vocabulary.hpp"

namespace thresher {

// The most that the library takes.
inline constexpr std::uint64_t kMaxDocs = std::uint64_t{1} << 31;
inline constexpr std::uint64_t kMaxTerms = (std::uint64_t{1} << 32) - 1;

// Throws std::invalid_argument unless the collection is within these limits.
void check_collection(const CsrView& docs);

struct StoredDocuments {
    Vocabulary vocabulary;
    ForwardIndex forward;  // in the order `order`
    DocumentOrder order;

    // Of canonical rows, ordered for blocks of `block_size`. Passes of `progress`: those of `passes`.
    static StoredDocuments build(const CsrView& rows, const Ordering& ordering, std::uint32_t block_size,
                                 Precision precision, unsigned threads, Progress& progress);
    static unsigned passes(const Ordering& ordering, std::uint32_t block_size, Precision precision) noexcept;

    std::vector<std::pair<std::string, std::size_t>> nbytes() const;
    // What `nbytes` will tell.
    static std::vector<EstimatedPart> estimated_parts(const CollectionStatistics& statistics, bool reordered);
    // Without the order, which files of some engines lack.
    void save(Parameters& counts, SectionList& sections) const;
    static StoredDocuments load(const IndexFile& file, DocumentOrder order);
};

}  // namespace thresher
