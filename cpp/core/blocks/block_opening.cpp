#include "block_opening.hpp"

#include <algorithm>
#include <functional>

#include "../../kernels/kernels.hpp"
#include "../base/prefetch.hpp"
#include "../selection/scratch.hpp"
#include "../selection/ties.hpp"

namespace thresher {

namespace {

// Members rescored between two looks at which of the others can still matter, at least.
constexpr std::size_t kMinPart = 64;
// Members that may be left of the blocks opened so far before they are rescored and the next blocks opened.
constexpr std::size_t kMaxMembers = 65536;
// Tiles fetched ahead of the one in work.
constexpr std::size_t kTilesAhead = 12;
// Blocks between two interruption points, and about the nanoseconds that each takes.
constexpr std::size_t kAtATime = 16;
constexpr std::size_t kOpeningTime = 100;

}  // namespace

BlockOpening::BlockOpening(const StoredDocuments& documents, const BlockTiles& tiles, std::size_t k,
                           const BoundPlan& plan, double factor, Gate& gate, Context& context)
    : forward_(documents.forward), tiles_(tiles), gate_(gate), k_(k), scale_(factor / plan.unit), context_(context) {
    empty_scratch(context.members, kMaxMembers);
    context.tile_rows.clear();
    context.tile_weights.clear();
    auto& lines = context.tile_lines;
    lines.clear();
    for (std::size_t i = 0; i < plan.n_rows; ++i) {
        if (plan.rows[i] >= tiles.n_rows()) continue;
        context.tile_rows.push_back(plan.rows[i]);
        context.tile_weights.push_back(plan.row_weights[i]);
        lines.push_back(plan.rows[i] * tiles.block_size() / 2 / 64 * 64);
    }
    std::sort(lines.begin(), lines.end());
    lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    raise_cutoff();
}

void BlockOpening::open(std::span<const std::uint64_t> blocks) {
    auto& members = context_.members;
    members.clear();
    for (std::size_t i = 0; i < std::min(blocks.size(), kTilesAhead); ++i) fetch_tile(item_of(blocks[i]));
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        if (i % kAtATime == 0) interruption_point(kAtATime * kOpeningTime);
        if (i + kTilesAhead < blocks.size()) fetch_tile(item_of(blocks[i + kTilesAhead]));
        bound_members(blocks[i]);
        if (members.size() < kMaxMembers) continue;
        rescore_members();
        members.clear();
    }
    rescore_members();
}

void BlockOpening::rescore_members() {
    auto& members = context_.members;
    // Best first by parts that double: a sort's order at the price of a few selections.
    std::size_t part = std::max(k_, kMinPart);
    for (auto first = members.begin(); first != members.end(); part *= 2) {
        const auto last =
            std::partition(first, members.end(), [&](auto member) { return score_of(member) >= cutoff_; });
        const auto end =
            static_cast<std::size_t>(last - first) > part ? first + static_cast<std::ptrdiff_t>(part) : last;
        if (end != last) std::nth_element(first, end, last, std::greater<>{});
        if (part <= kMinPart) std::sort(first, end, std::greater<>{});
        rescore_all({first, end});
        if (last == end) break;
        first = end;
        members.erase(last, members.end());
    }
}

void BlockOpening::rescore_all(std::span<const std::uint64_t> members) {
    for (std::size_t i = 0; i < std::min(members.size(), kDocsAhead); ++i) fetch_member(members[i]);
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (i % kScoredAtATime == 0) interruption_point(kScoredAtATime * kScoringNanoseconds);
        if (i + kDocsAhead < members.size()) fetch_member(members[i + kDocsAhead]);
        if (score_of(members[i]) < cutoff_) continue;
        gate_.offer(item_of(members[i]));
        raise_cutoff();
    }
}

void BlockOpening::fetch_tile(std::size_t block) const {
    const std::uint8_t* tile = tiles_.tile(block);
    for (const std::uint32_t line : context_.tile_lines) prefetch(tile + line);
    forward_.prefetch_range(block * tiles_.block_size());
}

void BlockOpening::fetch_member(std::uint64_t member) const {
    if (score_of(member) >= cutoff_) forward_.prefetch(item_of(member));
}

void BlockOpening::bound_members(std::uint64_t block) {
    const std::uint32_t size = tiles_.block_size();
    const std::int32_t bound = score_of(block);
    const std::uint32_t first = item_of(block) * size;
    const auto n = std::min<std::size_t>(size, forward_.n_docs() - first);
    std::uint16_t lacks[64];
    kernels::active().bound_members(tiles_.tile(item_of(block)), context_.tile_rows.data(),
                                    context_.tile_weights.data(), context_.tile_rows.size(), size, lacks);
    for (std::uint32_t d = 0; d < n; ++d) {
        const std::int32_t own = bound == BlockBounds::kSaturated ? bound : std::max(bound - lacks[d], 0);
        if (own >= cutoff_ && gate_.allows(first + d)) context_.members.push_back(ranked(own, first + d));
    }
}

void BlockOpening::raise_cutoff() {
    if (gate_.threshold() <= threshold_) return;
    threshold_ = gate_.threshold();
    const double reached = lowest_that_may_tie(static_cast<double>(threshold_));
    if (!(reached > 0)) return;  // the scale may be infinite
    cutoff_ = std::max(cutoff_, static_cast<std::int32_t>(std::min<double>(reached * scale_, BlockBounds::kSaturated)));
}

}  // namespace thresher
