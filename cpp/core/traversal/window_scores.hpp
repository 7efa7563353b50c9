// Integer scores of a window of documents, added up term at a time: how MaxScore takes the lists that most of its
// candidates would be looked up in, as Lucene's bulk scorer does.
//
// First the essential lists bring documents in (`add`); then others are merged into what is kept of these (`merge`).
// What can't reach a cutoff is dropped in between (`keep`). Where essential lists are sparse the documents that they
// bring are noted one by one; where they are dense, SIMD looks at all of a window that fits the L1 cache. Reading a
// posting costs a nanosecond or two; looking a document up in a list, with a block to find and to unpack and branches
// that nothing foresees, costs twenty.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../selection/selection.hpp"
#include "posting_cursor.hpp"

namespace thresher {

class WindowScores {
  public:
    // Documents of a window.
    static constexpr std::uint32_t kWindow = 16384;
    // Postings for each document of the collection up to which lists are sparse.
    static constexpr double kMaxSparse = 0.5;

    explicit WindowScores(std::size_t n_docs);

    // Documents [first, end), at most kWindow of them.
    void start(std::uint32_t first, std::uint32_t end, bool sparse) noexcept;
    // Adds a list's postings; it moves behind the window and must not stand before it. A document without a score need
    // not get one that is below `min` > 0. Before the first `keep`.
    void add(PostingCursor& list, std::int32_t min);
    // Adds a list's postings to the documents that are kept. After the first `keep`.
    void merge(PostingCursor& list);
    // Whether to merge a list is less work than to look up in it what is kept.
    bool prefers_merging(const PostingCursor& list) const noexcept;
    // Drops the documents that do not reach `cutoff` > 0.
    void keep(std::int32_t cutoff);
    // The k-th best score so far, of allowed documents (nullptr: all), if that is above `score`, otherwise that. Before
    // the first `keep` only if sparse.
    std::int32_t kth_best(std::size_t k, std::int32_t score, const Selection* allowed);
    // Ends the window: what is kept can be read, in ascending order.
    void finish();

    bool sparse() const noexcept { return sparse_; }
    std::size_t size() const noexcept { return n_; }
    std::uint32_t doc(std::size_t i) const noexcept { return first_ + docs_[i]; }
    std::int32_t score(std::size_t i) const noexcept { return doc_scores_[i]; }

  private:
    std::uint32_t first_ = 0;
    std::uint32_t end_ = 0;
    bool sparse_ = false;
    bool noted_ = false;                // docs_ has all documents that scores_ has scores of
    std::size_t n_ = 0;                 // of them
    std::vector<std::int32_t> scores_;  // 0 for all others
    // One element more than can be needed: what does not count is written behind the last.
    std::vector<std::uint32_t> docs_;  // relative to first_
    std::vector<std::int32_t> doc_scores_;
};

}  // namespace thresher
