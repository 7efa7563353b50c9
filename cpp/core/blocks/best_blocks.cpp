#include "best_blocks.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <span>

#include "../../kernels/kernels.hpp"
#include "../selection/scratch.hpp"

namespace thresher {

namespace {

constexpr std::size_t kGrowth = 4;
// Memory for so many blocks of a round is kept from query to query.
constexpr std::size_t kMaxKept = 65536;
// The best blocks lie in different superblocks if there are this many superblocks for each; otherwise one block in
// `kSample` tells how many there are.
constexpr std::size_t kSuperblocksPerBlock = 3;
constexpr std::size_t kSample = 8;

}  // namespace

BestBlocks::BestBlocks(std::size_t n_superblocks)
    : selected_(n_superblocks * kernels::kSuperblock), selected_bounds_(n_superblocks * kernels::kSuperblock) {}

void BestBlocks::start(const BlockBounds::Context& context, std::size_t n_blocks, std::size_t first, std::size_t budget,
                       const Selection* allowed, std::size_t block_size) {
    context_ = &context;
    empty_scratch(blocks_, kMaxKept);
    n_blocks_ = n_blocks;
    n_bounds_ = context.n_bounds(n_blocks);
    n_superblocks_ = (n_bounds_ + kernels::kSuperblock - 1) / kernels::kSuperblock;
    budget_ = budget;
    n_rounds_ = 0;
    round_ = 0;
    high_ = BlockBounds::kSaturated + 1;
    max_left_out_ = -1;
    allowed_ = allowed;
    block_size_ = block_size;
    if (allowed != nullptr) {  // so many have about `first` among them that are allowed
        const std::size_t n_allowed =
            std::max<std::size_t>(allowed->n_blocks() * allowed->block_size() / block_size, 1);
        first = std::clamp<std::size_t>(first * n_blocks / n_allowed, 1, std::max<std::size_t>(n_blocks, 1));
    }

    // Rounds end at the bounds that so many blocks reach, read off a histogram: of the best block of each superblock,
    // or, where that many would not be among them, of a sample of the blocks.
    const std::span<const std::uint16_t> maxima = context.maxima.items.first(n_superblocks_);
    if (maxima.empty()) return;
    const int width = std::bit_width(*std::max_element(maxima.begin(), maxima.end()));
    const auto shift = static_cast<unsigned>(std::max(width - 8, 0));
    std::uint32_t counts[256] = {};
    if (first * kSuperblocksPerBlock > maxima.size()) {
        const std::span<const std::uint16_t> bounds = context.bounds.items.first(n_bounds_);
        for (std::size_t b = 0; b < n_bounds_; b += kSample) counts[bounds[b] >> shift] += kSample;
    } else {
        for (const std::uint16_t maximum : maxima) ++counts[maximum >> shift];
    }
    std::size_t wanted = first;
    std::size_t reached = 0;
    for (std::int32_t bin = 255; bin > 0 && n_rounds_ + 1 < kMaxRounds; --bin) {
        reached += counts[bin];
        if (reached < wanted) continue;
        lows_[n_rounds_++] = bin << shift;
        while (wanted <= reached) wanted *= kGrowth;
    }
    lows_[n_rounds_++] = 0;  // the last round ends at the cutoff
}

bool BestBlocks::next(std::int32_t cutoff) {
    for (; round_ < n_rounds_ && budget_ > 0; ++round_) {
        const std::int32_t low = std::max(cutoff, lows_[round_]);
        if (low >= high_) continue;
        const std::size_t n = kernels::active().select_blocks(context_->bounds.items.data(),
                                                              context_->maxima.items.data(), n_superblocks_, low, high_,
                                                              selected_.items.data(), selected_bounds_.items.data());
        high_ = low;
        blocks_.clear();
        for (std::size_t i = 0; i < n; ++i) {
            if (selected_.items[i] >= n_bounds_) continue;
            const std::uint32_t block = context_->block_at(selected_.items[i]);
            if (block >= n_blocks_) continue;
            if (allowed_ != nullptr && !allowed_->has_any(block * block_size_, block_size_)) continue;
            blocks_.push_back(ranked(selected_bounds_.items[i], block));
        }
        if (blocks_.size() > budget_) {
            std::nth_element(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(budget_), blocks_.end(),
                             std::greater<>{});
            max_left_out_ = std::max(max_left_out_, score_of(blocks_[budget_]));
            blocks_.resize(budget_);
        }
        budget_ -= blocks_.size();
        if (!blocks_.empty()) {
            ++round_;
            return true;
        }
    }
    return false;
}

}  // namespace thresher
