// A place in a term's compressed postings, which only moves on: what every document-at-a-time traversal is written in.
//
// `doc` is the document it stands at, kNoMoreDocuments behind the last. Moving to a document skips blocks by their last
// documents, without reading them, and unpacks the one that it ends in. Bounds of blocks can be asked for ahead of that
// (`peek`), and cost no unpacking at all.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "compressed_postings.hpp"

namespace thresher {

inline constexpr std::uint32_t kNoMoreDocuments = std::numeric_limits<std::uint32_t>::max();

class PostingCursor {
  public:
    // Stands at the first posting. `postings` must outlive it. Weights as in IntegerQuery.
    void open(const CompressedPostings& postings, std::uint32_t slot, std::int32_t weight) {
        postings_ = &postings;
        list_ = postings.list(slot);
        weight_ = weight;
        bound_ = weight > 0 ? weight * Quantiser::kMaxImpact : 0;
        peeked_ = 0;
        enter(0);
    }

    std::uint32_t doc() const noexcept { return doc_; }
    std::int32_t score() const noexcept { return weight_ * impacts_[at_]; }
    std::uint32_t n_postings() const noexcept { return list_.n_postings; }
    // The first document behind the list's last.
    std::uint32_t end() const noexcept { return list_.n_blocks == 0 ? 0 : list_.lasts[list_.n_blocks - 1] + 1; }
    // Postings for each document before that.
    double density() const noexcept { return static_cast<double>(list_.n_postings) / (end() + 1.0); }
    // No posting of the list scores more, or none of a range that it was narrowed to; of a negative weight, 0.
    std::int32_t bound() const noexcept { return bound_; }

    void next() {
        if (++at_ < size_) {
            doc_ = docs_[at_];
        } else {
            enter(block_ + 1);
        }
    }
    // To the first document from `doc` on.
    void next_geq(std::uint32_t doc) {
        if (doc <= doc_) return;
        if (list_.lasts[block_] < doc) {
            enter(find_block(block_ + 1, doc));
            if (doc <= doc_) return;
        }
        at_ = find_in_block(doc);
        doc_ = docs_[at_];
    }

    // The block that holds the first document from `doc` on, which must not be before the cursor nor before one peeked
    // at.
    void peek(std::uint32_t doc) noexcept {
        peeked_ = std::max(peeked_, block_);
        if (peeked_ < list_.n_blocks && list_.lasts[peeked_] < doc) peeked_ = find_block(peeked_ + 1, doc);
    }
    // Of the block peeked at: the first document behind it, and the most that a posting scores in there;
    // kNoMoreDocuments and 0 behind the last block.
    std::uint32_t peeked_end() const noexcept {
        return peeked_ < list_.n_blocks ? list_.lasts[peeked_] + 1 : kNoMoreDocuments;
    }
    std::int32_t peeked_bound() const noexcept {
        return weight_ > 0 && peeked_ < list_.n_blocks ? weight_ * list_.maxima[peeked_] : 0;
    }
    // Narrows `bound` to the blocks that hold documents [doc, end), for doc as in `peek`.
    void narrow(std::uint32_t doc, std::uint32_t end) noexcept {
        peek(doc);
        std::uint8_t max = 0;
        for (std::uint32_t b = peeked_; b < list_.n_blocks; ++b) {
            max = std::max(max, list_.maxima[b]);
            if (list_.lasts[b] >= end) break;
        }
        bound_ = weight_ > 0 ? weight_ * max : 0;
    }

    // Calls visit(documents, impacts, n) for stretches of postings that hold all before `end`, and moves behind them.
    template <class Visit>
    void for_each_stretch_before(std::uint32_t end, const Visit& visit) {
        while (doc_ < end) {
            const bool whole = list_.lasts[block_] < end;
            const std::uint32_t stop = whole ? size_ : find_in_block(end);
            visit(docs_ + at_, impacts_ + at_, stop - at_);
            if (!whole) {
                at_ = stop;
                doc_ = docs_[at_];
                return;
            }
            enter(block_ + 1);
        }
    }
    // Calls visit(document, score) for each posting before `end`, and moves behind them.
    template <class Visit>
    void for_each_before(std::uint32_t end, const Visit& visit) {
        for_each_stretch_before(end, [&](const std::uint32_t* docs, const std::uint8_t* impacts, std::uint32_t n) {
            for (std::uint32_t p = 0; p < n; ++p) visit(docs[p], weight_ * impacts[p]);
        });
    }
    std::int32_t weight() const noexcept { return weight_; }

  private:
    // Unpacks a block and stands at its first posting.
    void enter(std::uint32_t block) {
        block_ = block;
        at_ = 0;
        if (block >= list_.n_blocks) {
            size_ = 0;
            doc_ = kNoMoreDocuments;
            return;
        }
        postings_->prefetch(list_, block + 1);
        impacts_ = postings_->read(list_, block, docs_);
        size_ = list_.block_size(block);
        doc_ = docs_[0];
    }
    // The first block from `block` on whose last document reaches `doc`: steps that double, then halve.
    std::uint32_t find_block(std::uint32_t block, std::uint32_t doc) const noexcept {
        std::uint32_t step = 1;
        while (block < list_.n_blocks && list_.lasts[block] < doc) {
            block += step;
            step *= 2;
        }
        std::uint32_t low = block - step / 2 + (step > 1 ? 1 : 0);
        std::uint32_t high = std::min(block, list_.n_blocks);
        while (low < high) {
            const std::uint32_t middle = low + (high - low) / 2;
            if (list_.lasts[middle] < doc) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return high;
    }
    // The place of the first document from `doc` on, for a doc that the block's last reaches.
    std::uint32_t find_in_block(std::uint32_t doc) const noexcept {
        constexpr std::uint32_t kNear = 4;
        std::uint32_t at = at_;
        const std::uint32_t near = std::min(at + kNear, size_ - 1);
        while (at < near && docs_[at] < doc) ++at;
        if (at < near || docs_[at] >= doc) return at;
        std::uint32_t n = size_ - at;  // the answer is one of these
        while (n > 1) {
            const std::uint32_t half = n / 2;
            // No branch: nothing foresees it.
            at += half & (0U - static_cast<std::uint32_t>(docs_[at + half - 1] < doc));
            n -= half;
        }
        return at;
    }

    const CompressedPostings* postings_ = nullptr;
    CompressedPostings::List list_;
    const std::uint8_t* impacts_ = nullptr;
    std::int32_t weight_ = 0;
    std::int32_t bound_ = 0;
    std::uint32_t doc_ = kNoMoreDocuments;
    std::uint32_t block_ = 0;
    std::uint32_t at_ = 0;
    std::uint32_t size_ = 0;
    std::uint32_t peeked_ = 0;
    std::uint32_t docs_[CompressedPostings::kRoom];
};

}  // namespace thresher
