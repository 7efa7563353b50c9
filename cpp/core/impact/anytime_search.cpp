#include "anytime_search.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "../selection/ranked.hpp"
#include "../selection/ties.hpp"
#include "allowed_sink.hpp"
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

bool AnytimeSearch::search(const SearchedIndex& index, const Task& task, const SearchLimits& limits, Gate& gate,
                           TopK& best) {
    const Work work{index, task, limits, gate, best, Clock::now()};
    start_hits(work);
    if (task.wanted.k == 0) return true;
    const SlotQuery& query = *task.query;
    const bool provable = is_provable(work);
    plan_.assign(query, index.levels, index.quantiser, provable ? query.size() : affordable_terms(work));
    if (plan_.empty()) return plan_.remaining(0) == 0;
    if (provable) {
        plan_.arrange(LevelPlan::Order::prove);
        if (plan_.time(first_look(work)) + kProofScans * scan_time(work) <= work.time_left()) return prove(work);
    }
    plan_.arrange(LevelPlan::Order::find);
    return find(work);
}

// No hits yet.
void AnytimeSearch::start_hits(const Work& work) { work.best.reset(work.task.wanted); }

// Whether the limits leave enough of the query's postings to be read.
bool AnytimeSearch::is_provable(const Work& work) {
    if (work.limits.postings == std::numeric_limits<std::uint64_t>::max() && !work.timed()) return true;
    double all = 0;
    for (const std::uint32_t slot : work.task.query->slots)
        all += work.index.documents.vocabulary.document_frequency(slot);
    return static_cast<double>(work.limits.postings) >= kProvableShare * all &&
           work.limits.microseconds >= kProvableShareTimed * all * kPostingTime;
}

// The terms that it makes sense to plan for, within the limits.
std::size_t AnytimeSearch::affordable_terms(const Work& work) {
    const double time = std::min(static_cast<double>(work.limits.postings) * kPostingTime, work.limits.microseconds);
    const double windows = static_cast<double>(work.index.levels.n_windows()) * (work.timed() ? 2 : 1);
    return static_cast<std::size_t>(kMinTerms + kTermsShare * time / (kStartTime + kWindowStartTime * windows));
}

// The levels to read before a proof is first looked for.
std::size_t AnytimeSearch::first_look(const Work& work) const {
    const double fraction = kFirstRemaining / std::sqrt(std::sqrt(static_cast<double>(work.task.wanted.k)));
    return plan_.first_below(fraction * plan_.remaining(0));
}

// Reads until what remains can be settled by scoring documents.
bool AnytimeSearch::prove(const Work& work) {
    const std::size_t max = plan_.max_within(work.limits.postings);
    std::size_t n_read = std::min(first_look(work), max);
    for (;;) {
        read(work, n_read);
        const double remaining = plan_.remaining(n_read);
        collect(work, work.task.wanted.k, 1);
        rescore(work, remaining, 0);
        const double known = threshold(work, 0);
        if (known == 0 && n_read < max) {  // fewer than k found: any document may be among the best
            n_read = max;
            continue;
        }
        const std::int32_t lowest = min_sum(known, remaining);
        collect(work, BestAccumulators::kAll, lowest);
        const std::size_t end = cheapest_end(work, n_read, max, known);
        if (end != n_read) {
            n_read = end;
            continue;
        }
        const bool is_limited = n_read == max && max < plan_.n_levels();
        if (!is_limited && collected_.overflowed()) return rescore_in_parts(work, remaining, known);
        if (collected_.overflowed()) collect(work, work.limits.rescored, lowest);
        scores_.clear();
        if (is_limited) collected_.keep(work.limits.rescored);
        return rescore(work, remaining, known);
    }
}

// Reads as much as the limits allow; under a deadline, each window as far as its pace demands.
bool AnytimeSearch::find(const Work& work) {
    const ImpactLevels& levels = work.index.levels;
    DeadlinePacer pace(work.limits.microseconds, work.time_left(),
                       static_cast<double>(work.limits.rescored) * kColdScoringTime, kScanShare * scan_time(work),
                       levels.n_windows());
    std::size_t max = plan_.max_within(work.limits.postings);
    if (work.timed()) max = std::min(max, std::max<std::size_t>(plan_.max_in_time(pace.max()), 1));
    std::size_t min_read = max;
    plan_.want(max);
    collected_.reset(work.limits.rescored, 1);
    AllowedSink sink{collected_, work.task.wanted.allowed};
    scores_.add_scan_and_clear(levels, plan_, sink, [&](std::size_t) {
        if (!work.timed()) return;
        const std::size_t in_time = plan_.max_in_time(pace.next(work.time_left()));
        const std::size_t n_read = std::min(std::max<std::size_t>(in_time, 1), max);
        plan_.want(n_read);
        pace.expect(plan_.time(n_read));
        min_read = std::min(min_read, n_read);
    });
    collected_.keep(work.limits.rescored);
    return rescore(work, plan_.remaining(min_read), 0);
}

double AnytimeSearch::scan_time(const Work& work) {
    return static_cast<double>(work.index.documents.forward.n_docs()) * kScanTime;
}

void AnytimeSearch::read(const Work& work, std::size_t n_levels) {
    plan_.want(n_levels);
    scores_.add(work.index.levels, plan_);
}

// The best `n` allowed documents by their sums, of those that have at least `lowest`.
void AnytimeSearch::collect(const Work& work, std::size_t n, std::int32_t lowest) {
    collected_.reset(n, lowest);
    AllowedSink sink{collected_, work.task.wanted.allowed};
    scores_.scan(sink);
    collected_.keep(n);
}

// Scores the documents collected, those of the greatest sums first, as far as they can be among the best k; true if no
// others can. `known`: a score that the k-th best is known to reach, or 0.
bool AnytimeSearch::rescore(const Work& work, double remaining, double known) {
    start_hits(work);
    return rescore(work, collected_.entries(), remaining, known) &&
           collected_.max_dropped() < min_sum(threshold(work, known), remaining);
}

// What `rescore` does, for all documents that reach the least sum that matters: as a scan finds them, because they are
// too many to be listed.
bool AnytimeSearch::rescore_in_parts(const Work& work, double remaining, double known) {
    struct Sink {
        AnytimeSearch& search;
        const Work& work;
        double remaining;
        double known;
        std::vector<std::uint64_t>& entries;
        bool in_time = true;

        std::int32_t cutoff() const noexcept {
            return in_time ? search.min_sum(threshold(work, known), remaining)
                           : std::numeric_limits<std::int32_t>::max();
        }
        void add(std::uint32_t first_doc, const std::uint32_t* docs, const std::int32_t* sums, std::size_t n) {
            for (std::size_t i = 0; i < n; ++i) entries.push_back(ranked(sums[i], first_doc + docs[i]));
            if (entries.size() > BestAccumulators::kMaxListed / 2) rescore();
        }
        void rescore() {
            in_time = in_time && search.rescore(work, entries, remaining, known);
            entries.clear();
        }
    };
    start_hits(work);
    Sink sink{*this, work, remaining, known, collected_.entries()};
    AllowedSink allowed{sink, work.task.wanted.allowed};
    scores_.scan(allowed);
    scores_.clear();
    sink.rescore();
    return sink.in_time;
}

// Hands documents to the gate; false if time is over before.
bool AnytimeSearch::rescore(const Work& work, std::vector<std::uint64_t>& entries, double remaining, double known) {
    std::size_t part = work.timed() ? kMinPart : std::max(work.task.wanted.k, kMinPart);
    for (auto first = entries.begin();; part *= work.timed() ? 1 : 2) {
        const std::int32_t min = min_sum(threshold(work, known), remaining);
        const auto last =
            std::partition(first, entries.end(), [min](std::uint64_t entry) { return score_of(entry) >= min; });
        if (first == last) break;
        if (work.time_left() < 0 && !work.best.hits().empty()) return false;
        const auto end =
            static_cast<std::size_t>(last - first) > part ? first + static_cast<std::ptrdiff_t>(part) : last;
        if (end != last) std::nth_element(first, end, last, std::greater<>{});
        docs_.clear();
        for (; first != end; ++first) docs_.push_back(item_of(*first));
        work.gate.open(work.task, work.index.documents, work.best);
        work.gate.offer(docs_);
        work.gate.close();
        entries.erase(last, entries.end());
    }
    return true;
}

// What a document must score to be among the best k; 0 if any positive score will do.
double AnytimeSearch::threshold(const Work& work, double known) noexcept {
    const float own = work.best.threshold();
    return own > kAnyPositive ? std::max<double>(known, own) : known;
}

// The least sum of a document that may reach `threshold`, where levels that are not read add at most `remaining`.
std::int32_t AnytimeSearch::min_sum(double threshold, double remaining) const noexcept {
    const double min = (lowest_that_may_tie(threshold) - remaining * (1 + 0x1p-40)) / plan_.unit();
    const double lowest = remaining > 0 ? -kMaxSum : 1;
    return static_cast<std::int32_t>(std::clamp(std::floor(min), lowest, kMaxSum));
}

// The levels to read until scoring all documents that still matter is cheapest: `n_read` if that is now.
std::size_t AnytimeSearch::cheapest_end(const Work& work, std::size_t n_read, std::size_t max, double known) const {
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
    if (collected_.overflowed()) {
        n_docs = static_cast<double>(collected_.count(collected_.cutoff()));
        for (End& end : ends) end.n_docs = static_cast<double>(collected_.count(end.min));
    } else {
        const auto& entries = collected_.entries();
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
            scan_time(work);
        const double time = reading + end.n_docs * kScoringTime;
        if (work.timed() && time + scan_time(work) > work.time_left()) continue;
        if (end.n_levels > n_read && time < min_time) {
            cheapest = end.n_levels;
            min_time = time;
        }
    }
    return cheapest;
}

}  // namespace thresher
