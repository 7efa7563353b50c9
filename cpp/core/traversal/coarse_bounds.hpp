// Upper bounds of the scores of a window of documents, a byte each: how MaxScore takes lists that are sparse beside the
// collection.
//
// To add up bytes at the places that postings name takes a nanosecond each: the window stays in the second-level cache,
// and nothing is asked about what was there before. SIMD then looks at 64 documents at once. What bytes leave
// undecided, about one document in a thousand, is scored in full precision.
//
// Invariant: unit * bound >= the document's integer score over the lists added, because every posting is rounded up. No
// bound overflows: the unit is chosen for the sum of all lists' bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "../base/buffer.hpp"
#include "posting_cursor.hpp"

namespace thresher {

// Scratch memory of one thread.
class CoarseBounds {
  public:
    // Documents of a window.
    static constexpr std::uint32_t kWindow = 1U << 19;
    // More lists would leave a byte too few steps.
    static constexpr std::size_t kMaxLists = 64;

    explicit CoarseBounds(std::size_t n_docs);

    // Documents [first, first + kWindow), and at most `n_lists` lists whose bounds sum to `max` > 0.
    void start(std::uint32_t first, std::int32_t max, std::size_t n_lists) noexcept;
    // Adds a list of a positive weight; it moves behind the window.
    void add(PostingCursor& list) noexcept;
    // Notes the documents that may score at least this.
    void select(std::int32_t min) noexcept;
    // Of these, notes somewhat more than the best `n` at least.
    void select_best(std::size_t n, std::int32_t min) noexcept;
    // Drops those noted that can't score at least this, by what has been added since.
    void keep(std::int32_t min) noexcept;
    // Documents noted.
    std::size_t size() const noexcept { return n_; }
    // Takes the best of those noted, best first: `n` at least if there are so many, and more than these and
    // kMaxTaken never.
    static constexpr std::size_t kMaxTaken = 1U << 15;
    struct Bounded {
        std::uint32_t doc;
        std::int64_t bound;  // no score over the lists added is above
    };
    std::span<const Bounded> take_best(std::size_t n);
    // Ends the window.
    void finish() noexcept;

  private:
    std::uint8_t rounded_up(std::int32_t score) const noexcept;
    void note(std::uint8_t min) noexcept;

    std::uint32_t first_ = 0;
    double unit_ = 1;
    Filling<std::uint8_t> bounds_;  // 0 between windows
    std::size_t n_ = 0;
    std::vector<std::uint32_t> docs_;  // noted, relative to first_
    std::vector<std::uint8_t> maxima_;
    std::vector<Bounded> best_;
};

}  // namespace thresher
