// Blocks by falling bound, in rounds: a round is all blocks with a bound in a range, so that no sort of all is needed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../base/buffer.hpp"
#include "../selection/ranked.hpp"
#include "../selection/selection.hpp"
#include "block_bounds.hpp"

namespace thresher {

class BestBlocks {
  public:
    explicit BestBlocks(std::size_t n_superblocks);

    // Looks at the bounds that are in `context`, of `n_blocks` blocks in all. The first round has about `first` blocks,
    // each further one about four times as many. At most `budget` blocks in all: the best of a round where they are
    // more. Of blocks of `block_size` documents, only those are among them that have any of `allowed`; nullptr: all.
    void start(const BlockBounds::Context& context, std::size_t n_blocks, std::size_t first, std::size_t budget,
               const Selection* allowed, std::size_t block_size);
    // The blocks of the next round, `ranked` by bound, in no particular order, whose bound is >= cutoff (which may rise
    // from round to round); false where there is none.
    bool next(std::int32_t cutoff);
    std::vector<std::uint64_t>& blocks() noexcept { return blocks_; }

    // No allowed block whose bound is greater was left out for want of budget. To be asked once `next` is false.
    std::int32_t max_left_out() const noexcept {
        return budget_ == 0 && round_ < n_rounds_ ? std::max(max_left_out_, high_ - 1) : max_left_out_;
    }

  private:
    static constexpr std::size_t kMaxRounds = 32;

    const BlockBounds::Context* context_ = nullptr;
    std::size_t n_blocks_ = 0;
    std::size_t n_bounds_ = 0;
    std::size_t n_superblocks_ = 0;
    std::size_t budget_ = 0;
    std::int32_t lows_[kMaxRounds] = {};
    std::size_t n_rounds_ = 0;
    std::size_t round_ = 0;
    std::int32_t high_ = 0;
    std::int32_t max_left_out_ = -1;
    const Selection* allowed_ = nullptr;
    std::size_t block_size_ = 1;
    Filling<std::uint32_t> selected_;
    Filling<std::uint16_t> selected_bounds_;
    std::vector<std::uint64_t> blocks_;
};

}  // namespace thresher
