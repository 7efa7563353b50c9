#include "level_plan.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace thresher {

namespace {

constexpr std::uint32_t kLevels = ImpactLevels::kLevels;
constexpr double kMaxSum = 32767;

// Priorities are sorted by buckets, of which there are sixteen between a number and its double.
constexpr std::uint32_t kBuckets = 1024;
constexpr unsigned kBucketShift = 19;

// Microseconds, by least squares over queries of 1,000 levels and 180,000 postings in the 16 windows of 985,000
// documents (docs/internals/impact.md), as kPostingTime: a level taken up in a window, a term looked up in a window.
constexpr double kLevelTime = 0.016;
constexpr double kTermTime = 0.051;

}  // namespace

void LevelPlan::assign(const SlotQuery& query, const ImpactLevels& levels, const Quantiser& quantiser,
                       std::size_t max_terms) {
    terms_.clear();
    levels_.clear();
    places_.clear();
    wanted_ = 0;
    n_windows_ = static_cast<double>(levels.n_windows());
    choose_terms(query, quantiser, std::min(max_terms, kMaxTerms));
    total_ = never_read_;
    if (!(unit_ > 0)) return;
    for (const auto& [step, slot] : steps_) {
        Term term{slot, kLevels + 1, kLevels + 1, {}};
        const double per_level = step / unit_;
        for (std::uint32_t level = 1; level <= kLevels; ++level) {
            // A posting's weight is between the level and the one below.
            const double max = (step > 0 ? level : level - 1) * per_level;
            term.amounts[level] = static_cast<std::int16_t>(std::ceil(max));
        }
        terms_.push_back(term);
        add_levels(levels, slot, step);
    }
}

// The terms that can contribute most, what a level of each is worth, and the unit that their sums need.
void LevelPlan::choose_terms(const SlotQuery& query, const Quantiser& quantiser, std::size_t max) {
    steps_.clear();
    never_read_ = 0;
    for (std::size_t i = 0; i < query.size(); ++i) {
        const std::uint32_t slot = query.slots[i];
        steps_.push_back({static_cast<double>(query.weights[i]) * ImpactLevels::step(quantiser, slot), slot});
    }
    if (steps_.size() > max) {
        const auto end = steps_.begin() + static_cast<std::ptrdiff_t>(max);
        std::nth_element(steps_.begin(), end, steps_.end(), [](const Step& a, const Step& b) {
            const double size_a = std::fabs(a.step);
            const double size_b = std::fabs(b.step);
            return size_a != size_b ? size_a > size_b : a.slot < b.slot;
        });
        for (auto other = end; other != steps_.end(); ++other) never_read_ += kLevels * std::max(other->step, 0.0);
        steps_.erase(end, steps_.end());
    }
    double positive = 0;
    double negative = 0;
    for (const Step& term : steps_) (term.step > 0 ? positive : negative) += kLevels * std::fabs(term.step);
    // Each amount may be rounded up by one.
    unit_ = std::max(positive, negative) / (kMaxSum - static_cast<double>(steps_.size()));
}

// Of the term added last.
void LevelPlan::add_levels(const ImpactLevels& levels, std::uint32_t slot, double step) {
    const auto term = static_cast<std::uint32_t>(terms_.size() - 1);
    const double size = std::fabs(step);
    if (slot >= levels.n_levelled()) {
        const auto n = static_cast<std::uint32_t>(levels.rare(slot).docs.size());
        levels_.push_back({term, 1, n, kLevels * size, kLevels * size, kLevels * std::max(step, 0.0)});
        return;
    }
    const auto counts = levels.counts(slot);
    const std::size_t first = levels_.size();
    for (std::uint32_t level = kLevels; level >= 1; --level) {
        const std::uint32_t n = counts[kLevels - level];
        if (n != 0) levels_.push_back({term, level, n, level * size, 0, 0});
    }
    for (std::size_t i = first; i < levels_.size(); ++i) {
        const std::uint32_t next = i + 1 < levels_.size() ? levels_[i + 1].number : 0;
        levels_[i].lowers = (levels_[i].number - next) * size;
        levels_[i].lowers_bound = step > 0 ? levels_[i].lowers : 0;
    }
}

void LevelPlan::arrange(Order order) {
    priorities_.clear();
    float max = 0;
    for (std::size_t i = 0; i < levels_.size(); ++i) {
        const Level& level = levels_[i];
        const auto n = static_cast<float>(level.n_postings);
        const float priority = order == Order::prove
                                   ? static_cast<float>(level.lowers / unit_) / n
                                   : static_cast<float>(level.contribution / unit_) / std::sqrt(std::sqrt(n));
        // A term's levels keep their order: levels fall.
        priorities_.push_back(continues(i) ? std::min(priorities_.back(), priority) : priority);
        max = std::max(max, priority);
    }
    const auto bucket_of = [top = std::bit_cast<std::uint32_t>(max)](float priority) {
        return std::min((top - std::bit_cast<std::uint32_t>(priority)) >> kBucketShift, kBuckets - 1);
    };
    std::array<std::uint32_t, kBuckets + 1> ends{};
    for (const float priority : priorities_) ++ends[bucket_of(priority) + 1];
    for (std::uint32_t b = 0; b < kBuckets; ++b) ends[b + 1] += ends[b];
    places_.resize(levels_.size());
    for (std::size_t i = 0; i < levels_.size(); ++i) {
        places_[ends[bucket_of(priorities_[i])]++].index = static_cast<std::uint32_t>(i);
    }
    std::uint64_t postings = 0;
    double time = 0;
    for (Place& place : places_) {
        const Level& level = levels_[place.index];
        postings += level.n_postings;
        place.postings = postings;
        const double starting = kLevelTime + (continues(place.index) ? 0 : kTermTime);
        time += level.n_postings * kPostingTime + n_windows_ * starting;
        place.time = time;
    }
    // Summed from the last: in differences from the total, what light terms have would drown in the rounding of what
    // heavy ones had.
    total_ = never_read_;
    for (auto place = places_.rbegin(); place != places_.rend(); ++place) {
        place->remaining = total_;
        total_ += levels_[place->index].lowers_bound;
    }
    wanted_ = 0;
}

std::size_t LevelPlan::first_below(double bound) const noexcept {
    if (total_ <= bound) return 0;
    const auto below = [bound](const Place& place) { return place.remaining > bound; };
    const auto last = std::partition_point(places_.begin(), places_.end(), below);
    return std::min<std::size_t>(static_cast<std::size_t>(last - places_.begin()) + 1, places_.size());
}

std::size_t LevelPlan::max_within(std::uint64_t postings) const noexcept {
    const auto within = [postings](const Place& place) { return place.postings <= postings; };
    return static_cast<std::size_t>(std::partition_point(places_.begin(), places_.end(), within) - places_.begin());
}

std::size_t LevelPlan::max_in_time(double time) const noexcept {
    const auto within = [time](const Place& place) { return place.time <= time; };
    return static_cast<std::size_t>(std::partition_point(places_.begin(), places_.end(), within) - places_.begin());
}

void LevelPlan::want(std::size_t n) {
    for (; wanted_ < n; ++wanted_) {
        const Level& level = levels_[places_[wanted_].index];
        terms_[level.term].wanted = level.number;
    }
    for (; wanted_ > n; --wanted_) {
        const std::uint32_t last = places_[wanted_ - 1].index;
        terms_[levels_[last].term].wanted = continues(last) ? levels_[last - 1].number : kLevels + 1;
    }
}

}  // namespace thresher
