// The documents of an index, whatever its engine: which terms they use, what they weigh, where each is, and what the
// caller calls terms and documents.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../storage/words.hpp"
#include "collection_statistics.hpp"
#include "document_order.hpp"
#include "document_source.hpp"
#include "documents.hpp"
#include "forward_index.hpp"
#include "ordering.hpp"
#include "vocabulary.hpp"

namespace thresher {

// The most that the library takes.
inline constexpr std::uint64_t kMaxDocs = std::uint64_t{1} << 31;
inline constexpr std::uint64_t kMaxTerms = (std::uint64_t{1} << 32) - 1;

// Throws std::invalid_argument unless the collection is within these limits.
void check_collection(const Documents& docs);

struct StoredDocuments {
    Vocabulary vocabulary;
    ForwardIndex forward;  // in the order `order`
    DocumentOrder order;
    std::optional<Words> words = {};  // of the first terms  NOLINT(readability-redundant-member-init)
    std::optional<Words> names = {};  // of all documents  NOLINT(readability-redundant-member-init)

    // Of documents, of which rows are checked, ordered for blocks of `block_size`. Passes of `progress`: those of
    // `passes`. A sorted copy of rows, where one is needed, is gone when it returns.
    static StoredDocuments build(const Documents& docs, const Ordering& ordering, std::uint32_t block_size,
                                 Precision precision, unsigned threads, Progress& progress);
    static unsigned passes(const Ordering& ordering, std::uint32_t block_size, Precision precision) noexcept;

    // Throws std::invalid_argument if there are more words than terms, or names of another number than documents.
    void check_words() const;
    std::vector<std::pair<std::string, std::size_t>> nbytes() const;
    // What `nbytes` will tell.
    static std::vector<EstimatedPart> estimated_parts(const CollectionStatistics& statistics, bool reordered,
                                                      Precision precision);
    // Without the order, which files of some engines lack.
    void save(Parameters& counts, SectionList& sections) const;
    static StoredDocuments load(const IndexFile& file, DocumentOrder order);
};

}  // namespace thresher
