#include "anytime_search.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "../selection/ranked.hpp"
#include "../selection/ties.hpp"
#include "deadline_pacer.hpp"

namespace thresher {

namespace {

// What one unit of work takes, in microseconds, on the machine of docs/internals/README.md: the ratios matter.
constexpr double kPostingTime = LevelPlan::kPostingTime;
constexpr double kScanTime = 0.0001;      // a document's sum looked at, and set to zero
constexpr double kScoringTime = 0.08;     // a document scored in full precision
constexpr double kColdScoringTime = 0.3;  // the same, of a large collection and in small parts

// A proof is first looked for when this fraction of all that a query could score remains, less the more hits are
// wanted: over the fourth root of k.
constexpr double kFirstRemaining = 0.17;
// A limit that leaves at least this fraction of a query's postings to be read is spent on a proof.
constexpr double kProvableShare = 0.25;
constexpr double kProvableShareTimed = 0.5;
// A proof needs the sums looked at so often.
constexpr double kProofScans = 2;

// Without a proof, a query is cut to the terms that can contribute most: so many, and as many as have their fraction of
// the time taken before a posting of theirs is read, which is so much, and so much for each window.
constexpr double kMinTerms = 8;
constexpr double kTermsShare = 0.3;
constexpr double kStartTime = 0.3;
constexpr double kWindowStartTime = 0.04;

// Documents scored before the first look at which of the others can still matter, twice as many before each further
// one; under a deadline always so many, since each look is one at the clock too.
constexpr std::size_t kMinPart = 64;

// A window that is looked at and cleared at once, while it is in cache, takes this fraction of the time.
constexpr double kScanShare = 0.5;

constexpr double kMaxSum = 32768;  // no sum of 16 bits is greater, or less than its negative

}  // namespace

bool AnytimeSearch::search(const SearchedIndex& index, const SlotQuery& query, std::size_t k,
                           const SearchLimits& limits) {
    const Task task{index, query, k, limits, Clock::now()};
    top_.reset(k);
    if (k == 0) return true;
    const bool provable = is_provable(task);
    plan_.assign(query, index.levels, index.quantiser, provable ? query.size() : affordable_terms(task));
    if (plan_.empty()) return plan_.remaining(0) == 0;
    if (provable) {
        plan_.arrange(LevelPlan::Order::prove);
        if (plan_.time(first_look(task)) + kProofScans * scan_time(task) <= task.time_left()) return prove(task);
    }
    plan_.arrange(LevelPlan::Order::find);
    return find(task);
}

// Whether the limits leave enough of the query's postings to be read.
bool AnytimeSearch::is_provable(const Task& task) {
    if (task.limits.postings == std::numeric_limits<std::uint64_t>::max() && !task.timed()) return true;
    double all = 0;
    for (const std::uint32_t slot : task.query.slots) all += task.index.vocabulary.document_frequency(slot);
    return static_cast<double>(task.limits.postings) >= kProvableShare * all &&
           task.limits.microseconds >= kProvableShareTimed * all * kPostingTime;
}

// The terms that it makes sense to plan for, within the limits.
std::size_t AnytimeSearch::affordable_terms(const Task& task) {
    const double time = std::min(static_cast<double>(task.limits.postings) * kPostingTime, task.limits.microseconds);
    const double windows = static_cast<double>(task.index.levels.n_windows()) * (task.timed() ? 2 : 1);
    return static_cast<std::size_t>(kMinTerms + kTermsShare * time / (kStartTime + kWindowStartTime * windows));
}

// The levels to read before a proof is first looked for.
std::size_t AnytimeSearch::first_look(const Task& task) const {
    const double fraction = kFirstRemaining / std::sqrt(std::sqrt(static_cast<double>(task.k)));
    return plan_.first_below(fraction * plan_.remaining(0));
}

// Reads until what remains can be settled by scoring documents.
bool AnytimeSearch::prove(const Task& task) {
    const std::size_t max = plan_.max_within(task.limits.postings);
    std::size_t n_read = std::min(first_look(task), max);
    for (;;) {
        read(task, n_read);
        const double remaining = plan_.remaining(n_read);
        collect(task.k, 1);
        rescore(task, remaining, 0);
        const double known = threshold(0);
        if (known == 0 && n_read < max) {  // fewer than k found: any document may be among the best
            n_read = max;
            continue;
        }
        const std::int32_t lowest = min_sum(known, remaining);
        collect(BestAccumulators::kAll, lowest);
        const std::size_t end = cheapest_end(task, n_read, max, known);
        if (end != n_read) {
            n_read = end;
            continue;
        }
        const bool is_limited = n_read == max && max < plan_.n_levels();
        if (!is_limited && best_.overflowed()) return rescore_in_parts(task, remaining, known);
        if (best_.overflowed()) collect(task.limits.rescored, lowest);
        scores_.clear();
        if (is_limited) best_.keep(task.limits.rescored);
        return rescore(task, remaining, known);
    }
}

// Reads as much as the limits allow; under a deadline, each window as far as its pace demands.
bool AnytimeSearch::find(const Task& task) {
    const ImpactLevels& levels = task.index.levels;
    DeadlinePacer pace(task.limits.microseconds, task.time_left(),
                       static_cast<double>(task.limits.rescored) * kColdScoringTime, kScanShare * scan_time(task),
                       levels.n_windows());
    std::size_t max = plan_.max_within(task.limits.postings);
    if (task.timed()) max = std::min(max, std::max<std::size_t>(plan_.max_in_time(pace.max()), 1));
    std::size_t min_read = max;
    plan_.want(max);
    best_.reset(task.limits.rescored, 1);
    scores_.add_scan_and_clear(levels, plan_, best_, [&](std::size_t) {
        if (!task.timed()) return;
        const std::size_t in_time = plan_.max_in_time(pace.next(task.time_left()));
        const std::size_t n_read = std::min(std::max<std::size_t>(in_time, 1), max);
        plan_.want(n_read);
        pace.expect(plan_.time(n_read));
        min_read = std::min(min_read, n_read);
    });
    best_.keep(task.limits.rescored);
    return rescore(task, plan_.remaining(min_read), 0);
}

double AnytimeSearch::scan_time(const Task& task) {
    return static_cast<double>(task.index.forward.n_docs()) * kScanTime;
}

void AnytimeSearch::read(const Task& task, std::size_t n_levels) {
    plan_.want(n_levels);
    scores_.add(task.index.levels, plan_);
}

// The best `n` documents by their sums, of those that have at least `lowest`.
void AnytimeSearch::collect(std::size_t n, std::int32_t lowest) {
    best_.reset(n, lowest);
    scores_.scan(best_);
    best_.keep(n);
}

// Scores the documents collected, those of the greatest sums first, as far as they can be among the best k; true if no
// others can. `known`: a score that the k-th best is known to reach, or 0.
bool AnytimeSearch::rescore(const Task& task, double remaining, double known) {
    top_.reset(task.k);
    return rescore(task, best_.entries(), remaining, known) &&
           best_.max_dropped() < min_sum(threshold(known), remaining);
}

// What `rescore` does, for all documents that reach the least sum that matters: as a scan finds them, because they are
// too many to be listed.
bool AnytimeSearch::rescore_in_parts(const Task& task, double remaining, double known) {
    struct Sink {
        AnytimeSearch& search;
        const Task& task;
        double remaining;
        double known;
        std::vector<std::uint64_t>& entries;
        bool in_time = true;

        std::int32_t cutoff() const noexcept {
            return in_time ? search.min_sum(search.threshold(known), remaining)
                           : std::numeric_limits<std::int32_t>::max();
        }
        void add(std::uint32_t first_doc, const std::uint32_t* docs, const std::int32_t* sums, std::size_t n) {
            for (std::size_t i = 0; i < n; ++i) entries.push_back(ranked(sums[i], first_doc + docs[i]));
            if (entries.size() > BestAccumulators::kMaxListed / 2) rescore();
        }
        void rescore() {
            in_time = in_time && search.rescore(task, entries, remaining, known);
            entries.clear();
        }
    };
    top_.reset(task.k);
    Sink sink{*this, task, remaining, known, best_.entries()};
    scores_.scan(sink);
    scores_.clear();
    sink.rescore();
    return sink.in_time;
}

// Scores documents into `top_`; false if time is over before.
bool AnytimeSearch::rescore(const Task& task, std::vector<std::uint64_t>& entries, double remaining, double known) {
    std::size_t part = task.timed() ? kMinPart : std::max(task.k, kMinPart);
    for (auto first = entries.begin();; part *= task.timed() ? 1 : 2) {
        const std::int32_t min = min_sum(threshold(known), remaining);
        const auto last =
            std::partition(first, entries.end(), [min](std::uint64_t entry) { return score_of(entry) >= min; });
        if (first == last) break;
        if (task.time_left() < 0 && !top_.hits().empty()) return false;
        const auto end =
            static_cast<std::size_t>(last - first) > part ? first + static_cast<std::ptrdiff_t>(part) : last;
        if (end != last) std::nth_element(first, end, last, std::greater<>{});
        docs_.clear();
        for (; first != end; ++first) docs_.push_back(item_of(*first));
        const SearchedIndex& index = task.index;
        for (const Hit& hit : rescoring_.rescore(task.query, docs_, index.forward, index.order)) {
            top_.add(hit);
        }
        entries.erase(last, entries.end());
    }
    return true;
}

// What a document must score to be among the best k; 0 if any will.
double AnytimeSearch::threshold(double known) const noexcept {
    if (!top_.full()) return known;
    return std::max<double>(known, top_.threshold());
}

// The least sum of a document that may reach `threshold`, where levels that are not read add at most `remaining`.
std::int32_t AnytimeSearch::min_sum(double threshold, double remaining) const noexcept {
    const double min = (lowest_that_may_tie(threshold) - remaining * (1 + 0x1p-40)) / plan_.unit();
    const double lowest = remaining > 0 ? -kMaxSum : 1;
    return static_cast<std::int32_t>(std::clamp(std::floor(min), lowest, kMaxSum));
}

// The levels to read until scoring all documents that still matter is cheapest: `n_read` if that is now.
std::size_t AnytimeSearch::cheapest_end(const Task& task, std::size_t n_read, std::size_t max, double known) const {
    struct End {
        std::size_t n_levels;
        std::int32_t min;
        double n_docs;
    };
    std::array<End, 4> ends{};
    const double remaining = plan_.remaining(n_read);
    for (std::size_t i = 0; i < ends.size(); ++i) {
        const double fraction = static_cast<double>(ends.size() - 1 - i) / static_cast<double>(ends.size());
        const std::size_t n = std::min(plan_.first_below(fraction * remaining), max);
        ends[i] = {n, min_sum(known, plan_.remaining(n)), 0};
    }
    double n_docs = 0;
    if (best_.overflowed()) {
        n_docs = static_cast<double>(best_.count(best_.cutoff()));
        for (End& end : ends) end.n_docs = static_cast<double>(best_.count(end.min));
    } else {
        const auto& entries = best_.entries();
        n_docs = static_cast<double>(entries.size());
        for (const std::uint64_t entry : entries) {
            for (End& end : ends) end.n_docs += score_of(entry) >= end.min ? 1 : 0;
        }
    }
    std::size_t cheapest = n_read;
    double min_time = n_docs * kScoringTime;
    for (const End& end : ends) {
        const double reading =
            static_cast<double>(plan_.n_postings(end.n_levels) - plan_.n_postings(n_read)) * kPostingTime +
            scan_time(task);
        const double time = reading + end.n_docs * kScoringTime;
        if (task.timed() && time + scan_time(task) > task.time_left()) continue;
        if (end.n_levels > n_read && time < min_time) {
            cheapest = end.n_levels;
            min_time = time;
        }
    }
    return cheapest;
}

}  // namespace thresher
