// An inverted index of impacts, cut into windows of consecutive documents, in the form that fits each term:
//
//   rows    frequent terms: one byte a document, zero where the term is absent; read by SIMD, 64 documents at once
//   lists   the others: (16-bit document within the window, impact) postings, a list for each window
//   rare    terms with hardly a posting in a window: (32-bit document, impact) postings, one list in all
//
// Slots fall into the three by document frequency, so each form holds a range of slots. Everything that one window
// needs lies together: while a batch of queries works on it, it stays in cache, and so do the window's scores
// (windowed accumulation: SINDI, Li et al., arXiv 2509.08395; rows for frequent terms are ours,
// docs/internals/exact.md).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "../documents/collection_statistics.hpp"
#include "../documents/forward_index.hpp"
#include "../documents/posting_source.hpp"
#include "../documents/quantiser.hpp"
#include "../documents/rare_lists.hpp"
#include "../documents/vocabulary.hpp"
#include "../storage/index_file.hpp"

namespace thresher {

class WindowedPostings {
  public:
    WindowedPostings() = default;

    // `window`: documents in a window, a multiple of 64 up to 65,536. A term becomes a row if its documents
    // are at least the fraction `row_density` of what the row has room for (documents/row_room).
    static WindowedPostings build(const ForwardIndex& forward, const Vocabulary& vocabulary, const Quantiser& quantiser,
                                  std::uint32_t window, double row_density, unsigned threads, Progress& progress);
    // Lists alone, of items that no document frequency of `vocabulary` is below.
    static WindowedPostings build(const PostingSource& source, const Vocabulary& vocabulary, const Quantiser& quantiser,
                                  std::uint32_t window, unsigned threads, Progress& progress);

    std::uint32_t window() const noexcept { return window_; }
    std::size_t n_windows() const noexcept { return n_windows_; }
    std::uint32_t first_doc(std::size_t w) const noexcept { return static_cast<std::uint32_t>(w) * window_; }
    std::uint32_t window_docs(std::size_t w) const noexcept {
        return w + 1 < n_windows_ ? window_ : n_docs_ - first_doc(w);
    }

    std::uint32_t n_rows() const noexcept { return n_rows_; }
    std::uint32_t n_lists() const noexcept { return n_lists_; }

    // Row of slot `row` (slots [0, n_rows)): window_docs(w) bytes, and zeros up to the next multiple of 64.
    const std::uint8_t* row(std::size_t w, std::uint32_t row) const noexcept {
        return cells_.data() + w * full_stride() * n_rows_ + row * stride(w);
    }

    // Window w's lists, of slots [n_rows, n_rows + n_lists): list i spans postings [offsets[i], offsets[i + 1]).
    struct Lists {
        const std::uint32_t* offsets;
        std::uint32_t n_postings;
        const std::uint16_t* docs;  // relative to first_doc(w)
        const std::uint8_t* impacts;
    };
    Lists lists(std::size_t w) const noexcept;

    // Slots [n_rows + n_lists, n_slots): ascending documents and their impacts.
    RareLists::List rare(std::uint32_t slot) const noexcept { return rare_[slot - n_rows_ - n_lists_]; }

    std::size_t rows_nbytes() const noexcept { return cells_.nbytes(); }
    std::size_t lists_nbytes() const noexcept;
    std::size_t rare_nbytes() const noexcept { return rare_.nbytes(); }
    // Slots that `build` makes rows of.
    static std::uint32_t n_rows_of(const CollectionStatistics& statistics, std::uint32_t window, double row_density);
    // Bytes of each form, parameters as for `build`.
    static std::vector<EstimatedPart> estimated_parts(const CollectionStatistics& statistics, std::uint32_t window,
                                                      double row_density);
    // The same for lists alone, of `n_items` items, of which no list has more than `max`. Slots below `first` have
    // none; how many items another slot has, at most its documents, depends on what items have in common.
    static std::vector<EstimatedPart> estimated_parts(const CollectionStatistics& statistics, std::size_t n_items,
                                                      std::uint32_t window, std::uint32_t first, double max);
    void save(Parameters& counts, SectionList& sections) const;
    static WindowedPostings load(const IndexFile& file, std::uint32_t n_docs, std::uint32_t n_slots,
                                 std::uint32_t window);

  private:
    // Rows of a whole window would lie a multiple of 4 KiB apart and compete for the same cache sets: a line between
    // them spreads them out.
    static std::size_t stride_for(std::size_t docs) noexcept { return (docs + 63) / 64 * 64 + 64; }
    std::size_t full_stride() const noexcept { return stride_for(window_); }
    std::size_t stride(std::size_t w) const noexcept { return stride_for(window_docs(w)); }
    static std::size_t row_bytes(std::size_t n_docs, std::uint32_t window) noexcept;
    std::size_t cells_size() const noexcept { return n_rows_ * row_bytes(n_docs_, window_); }

    // How slots fall into the three forms.
    struct Division {
        std::uint32_t n_rows;
        std::uint32_t n_lists;
    };
    // `frequencies`: a Vocabulary, or CollectionStatistics.
    template <class Frequencies>
    static Division divide(const Frequencies& frequencies, std::size_t n_items, std::uint32_t window,
                           double row_density);
    static constexpr std::size_t kListedBytes = sizeof(std::uint16_t) + sizeof(std::uint8_t);  // of a posting
    static EstimatedPart estimated_lists(std::size_t n_windows, std::uint32_t n_lists);
    void build_from(const PostingSource& source, const Vocabulary& vocabulary, const Quantiser& quantiser,
                    std::uint32_t window, double row_density, unsigned threads, Progress& progress);
    void count_lists(const PostingSource& source, RareListsBuilder& rare, unsigned threads, Progress& progress);
    void fill(const PostingSource& source, const Quantiser& quantiser, RareListsBuilder& rare, unsigned threads,
              Progress& progress);

    std::uint32_t n_docs_ = 0;
    std::uint32_t window_ = 64;
    std::size_t n_windows_ = 0;
    std::uint32_t n_rows_ = 0;
    std::uint32_t n_lists_ = 0;
    std::uint32_t n_rare_ = 0;

    Buffer<std::uint8_t> cells_;
    Buffer<std::uint64_t> list_bases_;    // window -> its first posting; n_windows + 1
    Buffer<std::uint32_t> list_offsets_;  // (window, list) -> posting relative to the base; n_lists + 1 a window
    Buffer<std::uint16_t> list_docs_;
    Buffer<std::uint8_t> list_impacts_;
    RareLists rare_;
};

}  // namespace thresher
