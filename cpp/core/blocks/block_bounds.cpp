#include "block_bounds.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>

#include "../../kernels/kernels.hpp"
#include "../base/prefetch.hpp"

namespace thresher {

namespace {

constexpr double kMaxBoundWeight = 127;
// A bound must not wrap: rounding adds up to one for each member and list, this much at most in all, and what lists add
// beyond fits the rest (impacts up to 255, errors up to 1, and one more for the rounding of factors).
constexpr std::size_t kMaxRounding = 32768;
constexpr double kMaxListed = 65535 - kMaxRounding;
// Runs of postings fetched ahead of the one in work.
constexpr std::size_t kRunsAhead = 4;
// Runs between two interruption points, and about the nanoseconds that each takes.
constexpr std::size_t kRunsAtATime = 64;
constexpr std::size_t kRunTime = 1000;
// Blocks whose bounds are summed, lists and rows, before the next: they stay in L2.
constexpr std::size_t kSection = 65536;

}  // namespace

void BoundPlan::Lists::clear() noexcept {
    lists.clear();
    factors.clear();
    rounding.clear();
}

void BoundPlan::Lists::add(std::uint32_t list, std::uint32_t factor, std::uint32_t round) {
    lists.push_back(list);
    factors.push_back(factor);
    rounding.push_back(round);
}

BlockBounds::Context::Context(std::size_t n_superblocks)
    : bounds(n_superblocks * kernels::kSuperblock + 65536),
      maxima(n_superblocks),
      super_bounds((n_superblocks + kernels::kSuperblock - 1) / kernels::kSuperblock * kernels::kSuperblock),
      super_maxima(super_bounds.items.size() / kernels::kSuperblock),
      places(n_superblocks * (kernels::kSuperblock / kernels::kGroup)),
      chosen(places.items.size() / 8 + 256) {}

BlockBounds::BlockBounds(const Quantiser& quantiser, const BlockMaxima& maxima, const WindowedPostings& postings,
                         std::uint32_t items_per_block)
    : quantiser_(quantiser),
      maxima_(maxima),
      postings_(postings),
      shift_(static_cast<unsigned>(std::countr_zero(items_per_block))) {}

std::size_t BlockBounds::max_terms() const noexcept { return kMaxRounding >> shift_; }

void BlockBounds::plan(const SlotQuery& query, const Cut& cut, Context& context) const {
    BoundPlan& plan = context.plan;
    plan.rows.clear();
    plan.row_weights.clear();
    plan.lists.clear();
    plan.rare.clear();
    plan.contributions.clear();
    for (std::size_t i = 0; i < query.size(); ++i) {
        const double contribution = static_cast<double>(query.weights[i]) * quantiser_.step(query.slots[i]);
        if (contribution > 0) plan.contributions.emplace_back(contribution, i);
    }
    const auto fraction =
        static_cast<std::size_t>(std::ceil(cut.fraction * static_cast<double>(plan.contributions.size())));
    const std::size_t max = std::min(cut.max, fraction);
    plan.kept = 1;
    if (max < plan.contributions.size()) {
        std::sort(plan.contributions.begin(), plan.contributions.end(), [](const auto& a, const auto& b) {
            return a.first != b.first ? a.first > b.first : a.second < b.second;
        });
        const auto sum = [&](std::size_t n) {
            return std::accumulate(plan.contributions.begin(),
                                   plan.contributions.begin() + static_cast<std::ptrdiff_t>(n), 0.0,
                                   [](double total, const auto& term) { return total + term.first; });
        };
        plan.kept = sum(max) / sum(plan.contributions.size());
        plan.contributions.resize(max);
    }

    // The largest weight of a row fits 7 bits; the sum of all lists fits a bound.
    double largest = 0;
    double listed = 0;
    for (const auto& [contribution, i] : plan.contributions) {
        if (query.slots[i] < maxima_.n_rows()) {
            largest = std::max(largest, contribution * BlockMaxima::kCodeStep);
        } else {
            listed += contribution * static_cast<double>(257U << shift_);
        }
    }
    // A little more, so that the division's rounding can't make a weight of 128.
    plan.unit = std::max(largest / kMaxBoundWeight, listed / kMaxListed) * (1 + 1e-9);
    if (!(plan.unit > 0)) return;

    for (const auto& [contribution, i] : plan.contributions) {
        const std::uint32_t slot = query.slots[i];
        const double impact = contribution / plan.unit;
        if (slot < maxima_.n_rows()) {
            plan.rows.push_back(slot);
            plan.row_weights.push_back(static_cast<std::uint8_t>(std::ceil(impact * BlockMaxima::kCodeStep)));
            continue;
        }
        // Impacts are rounded to the nearest: add the quantiser's error, and round up.
        const double error = impact * quantiser_.error(slot) / quantiser_.step(slot);
        const auto factor = static_cast<std::uint32_t>(std::ceil(impact * 65536));
        const auto rounding = static_cast<std::uint32_t>(std::ceil(error * 65536)) + 65535;
        if (slot < postings_.n_rows() + postings_.n_lists()) {
            const std::uint32_t list = slot - postings_.n_rows();
            plan.lists.add(list, factor, rounding);
            for (std::size_t w = 0; w < postings_.n_windows(); ++w) prefetch(postings_.lists(w).offsets + list);
        } else {
            plan.rare.add(slot, factor, rounding);
        }
    }
    plan.n_rows = plan.rows.size();
    if (plan.rows.size() % 2 != 0) {
        plan.rows.push_back(plan.rows.back());
        plan.row_weights.push_back(0);
    }
}

void BlockBounds::fetch(const Context::Run& run) noexcept {
    for (std::uint32_t p = 0; p < run.n; p += 32) prefetch(run.items + p);
    for (std::uint32_t p = 0; p < run.n; p += 64) prefetch(run.impacts + p);
}

// Scatter by scalar stores, as the accumulate_lists kernel.
void BlockBounds::add(Context::Run run, unsigned shift) noexcept {
    const auto add_posting = [&](std::uint32_t p) {
        std::uint16_t& bound = run.bounds[run.items[p] >> shift];
        bound = static_cast<std::uint16_t>(bound + ((run.factor * run.impacts[p] + run.rounding) >> 16));
    };
    std::uint32_t p = 0;
    for (; run.n - p >= 4; p += 4) {
        add_posting(p);
        add_posting(p + 1);
        add_posting(p + 2);
        add_posting(p + 3);
    }
    for (; p < run.n; ++p) add_posting(p);
}

void BlockBounds::start_lists(Context& context) const {
    const BoundPlan& plan = context.plan;
    std::uint16_t* bounds = context.bounds.items.data();
    auto& runs = context.runs;
    runs.clear();
    for (std::size_t w = 0; w < postings_.n_windows(); ++w) {
        const auto lists = postings_.lists(w);
        for (std::size_t i = 0; i < plan.lists.lists.size(); ++i) {
            const std::uint32_t* range = lists.offsets + plan.lists.lists[i];
            const std::uint32_t end = std::min(range[1], lists.n_postings);  // clamped: the file may be altered
            const std::uint32_t begin = std::min(range[0], end);
            runs.push_back({lists.docs + begin, lists.impacts + begin, end - begin, plan.lists.factors[i],
                            plan.lists.rounding[i], bounds + (postings_.first_doc(w) >> shift_)});
        }
    }
    for (std::size_t i = 0; i < std::min(runs.size(), kRunsAhead); ++i) fetch(runs[i]);
}

void BlockBounds::add_lists(std::size_t first, std::size_t end, Context& context) const {
    const auto& runs = context.runs;
    const std::size_t n_lists = context.plan.lists.lists.size();
    for (std::size_t i = first * n_lists; i < end * n_lists; ++i) {
        if (i % kRunsAtATime == 0) interruption_point(kRunsAtATime * kRunTime);
        if (i + kRunsAhead < runs.size()) fetch(runs[i + kRunsAhead]);
        add(runs[i], shift_);
    }
}

void BlockBounds::add_rare(Context& context) const {
    const BoundPlan& plan = context.plan;
    std::uint16_t* bounds = context.bounds.items.data();
    std::uint16_t* maxima = context.maxima.items.data();
    const std::size_t n_blocks = maxima_.n_superblocks() * kernels::kSuperblock;
    for (std::size_t i = 0; i < plan.rare.lists.size(); ++i) {
        const auto rare = postings_.rare(plan.rare.lists[i]);
        for (std::size_t p = 0; p < rare.docs.size(); ++p) {
            std::size_t block = std::size_t{rare.docs[p]} >> shift_;
            if (block >= n_blocks) continue;  // in an altered file
            if (!context.groups.empty()) {
                const std::size_t group = block / kernels::kGroup;
                if ((context.chosen.items[group / 8] >> group % 8 & 1) == 0) continue;
                block = context.places.items[group] * kernels::kGroup + block % kernels::kGroup;
            }
            const std::uint32_t added = (plan.rare.factors[i] * rare.impacts[p] + plan.rare.rounding[i]) >> 16;
            bounds[block] = static_cast<std::uint16_t>(std::min<std::uint32_t>(bounds[block] + added, kSaturated));
            std::uint16_t& maximum = maxima[block / kernels::kSuperblock];
            maximum = std::max(maximum, bounds[block]);
        }
    }
}

void BlockBounds::sum(const BlockMaxima& from, std::size_t first, std::size_t n, std::uint16_t* into,
                      std::uint16_t* into_maxima, Context& context) const {
    const BoundPlan& plan = context.plan;
    context.rows.clear();
    for (const std::uint32_t row : plan.rows) {
        context.rows.push_back(from.row(row) + first * (kernels::kSuperblock / 2));
    }
    kernels::active().sum_bounds(context.rows.data(), plan.row_weights.data(), plan.rows.size(), into, n, into_maxima);
}

void BlockBounds::sum(Context& context) const {
    context.groups.clear();
    std::uint16_t* bounds = context.bounds.items.data();
    std::uint16_t* maxima = context.maxima.items.data();
    const std::size_t n_superblocks = maxima_.n_superblocks();
    const std::size_t n_windows = postings_.n_windows();
    const std::size_t windows = std::max<std::size_t>(kSection / (postings_.window() >> shift_), 1);
    start_lists(context);
    for (std::size_t s = 0, w = 0; s < n_superblocks; s += kSection / kernels::kSuperblock, w += windows) {
        const std::size_t n = std::min(kSection / kernels::kSuperblock, n_superblocks - s);
        interruption_point(context.plan.n_rows * n * kernels::kSuperblock / 16);
        std::uint16_t* section = bounds + s * kernels::kSuperblock;
        std::memset(section, 0, n * kernels::kSuperblock * sizeof *section);
        add_lists(std::min(w, n_windows), std::min(w + windows, n_windows), context);
        sum(maxima_, s, n, section, maxima + s, context);
    }
    add_rare(context);
}

void BlockBounds::sum(const BlockMaxima& superblocks, std::size_t superblock_budget, const Selection* allowed,
                      Context& context) const {
    const std::size_t n_superblocks = maxima_.n_superblocks();
    if (superblock_budget >= n_superblocks) return sum(context);
    context.groups.clear();
    std::uint16_t* bounds = context.bounds.items.data();
    std::uint16_t* maxima = context.maxima.items.data();
    std::memset(bounds, 0, n_superblocks * kernels::kSuperblock * sizeof *bounds);
    start_lists(context);
    add_lists(0, postings_.n_windows(), context);
    add_rare(context);
    // A superblock's bound: its own maxima, and the largest that lists gave to one of its blocks.
    std::uint16_t* super_bounds = context.super_bounds.items.data();
    for (std::size_t s = 0; s < n_superblocks; ++s) {
        super_bounds[s] = *std::max_element(bounds + s * kernels::kSuperblock, bounds + (s + 1) * kernels::kSuperblock);
    }
    sum(superblocks, 0, superblocks.n_superblocks(), super_bounds, context.super_maxima.items.data(), context);
    auto& ranked = context.ranked;
    ranked.clear();
    const std::size_t size = superblocks.block_size();
    for (std::size_t s = 0; s < n_superblocks; ++s) {
        const bool is_open = allowed == nullptr || allowed->has_any(s * size, size);
        ranked.push_back(std::uint64_t{is_open ? super_bounds[s] : std::uint16_t{0}} << 32 | s);
    }
    std::nth_element(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(superblock_budget), ranked.end(),
                     std::greater<>{});
    std::fill_n(maxima, n_superblocks, std::uint16_t{0});
    for (std::size_t i = 0; i < superblock_budget; ++i) {
        const auto s = static_cast<std::uint32_t>(ranked[i]);
        sum(maxima_, s, 1, bounds + s * kernels::kSuperblock, maxima + s, context);
    }
}

void BlockBounds::sum(std::span<const std::uint32_t> groups, Context& context) const {
    constexpr std::size_t kGroup = kernels::kGroup;
    const std::size_t n_superblocks = (groups.size() * kGroup + kernels::kSuperblock - 1) / kernels::kSuperblock;
    context.n_groups = groups.size();
    context.groups.assign(groups.begin(), groups.end());
    context.groups.resize(n_superblocks * (kernels::kSuperblock / kGroup) + kernels::kGroupsAhead, groups.back());
    std::uint8_t* chosen = context.chosen.items.data();
    for (std::size_t i = 0; i < groups.size(); ++i) {
        context.places.items[groups[i]] = static_cast<std::uint32_t>(i);
        chosen[groups[i] / 8] = static_cast<std::uint8_t>(chosen[groups[i] / 8] | 1U << groups[i] % 8);
    }
    std::uint16_t* bounds = context.bounds.items.data();
    std::memset(bounds, 0, n_superblocks * kernels::kSuperblock * sizeof *bounds);
    start_lists(context);
    add_lists_to_groups(context);
    const BoundPlan& plan = context.plan;
    context.rows.clear();
    for (const std::uint32_t row : plan.rows) context.rows.push_back(maxima_.row(row));
    kernels::active().sum_groups(context.rows.data(), plan.row_weights.data(), plan.rows.size(), context.groups.data(),
                                 bounds, n_superblocks, context.maxima.items.data());
    add_rare(context);
    for (const std::uint32_t group : groups) chosen[group / 8] = 0;
}

void BlockBounds::add_lists_to_groups(Context& context) const {
    const auto& runs = context.runs;
    std::uint16_t* bounds = context.bounds.items.data();
    for (std::size_t i = 0; i < runs.size(); ++i) {
        if (i % kRunsAtATime == 0) interruption_point(kRunsAtATime * kRunTime);
        if (i + kRunsAhead < runs.size()) fetch(runs[i + kRunsAhead]);
        const Context::Run& run = runs[i];
        const std::size_t first = static_cast<std::size_t>(run.bounds - bounds) / kernels::kGroup;
        kernels::active().add_to_groups(run.items, run.impacts, run.n, shift_, run.factor, run.rounding,
                                        context.chosen.items.data() + first / 8, context.places.items.data() + first,
                                        bounds);
    }
}

}  // namespace thresher
