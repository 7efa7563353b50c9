// Score-at-a-time search for one query: reads levels, then scores the documents of the greatest sums in full
// precision.
//
// Without limits the answer is exact: what has been read bounds every document's score, and reading ends once scoring
// all documents whose bound reaches the k-th best score is cheaper than to go on. With limits, reading ends where they
// do, under a deadline in each window where its fraction of the time does, and so many of the best are scored; the
// answer then says whether the bounds prove it all the same.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "../documents/quantiser.hpp"
#include "../documents/stored_documents.hpp"
#include "../selection/gate.hpp"
#include "../selection/top_k.hpp"
#include "accumulators.hpp"
#include "best_accumulators.hpp"
#include "impact_levels.hpp"
#include "level_plan.hpp"

namespace thresher {

struct SearchLimits {
    std::uint64_t postings = std::numeric_limits<std::uint64_t>::max();  // to read
    double microseconds = std::numeric_limits<double>::infinity();       // to take
    std::size_t rescored = 0;  // documents to score once another limit has stopped the reading
};

// What is searched. Borrowed.
struct SearchedIndex {
    const StoredDocuments& documents;
    const ImpactLevels& levels;
    const Quantiser& quantiser;
};

// Scratch memory of one thread.
class AnytimeSearch {
  public:
    explicit AnytimeSearch(std::size_t n_docs) : scores_(n_docs) {}

    // Finds the documents that `task` wants, through `gate`, into `best`; true if they are the best for certain.
    bool search(const SearchedIndex& index, const Task& task, const SearchLimits& limits, Gate& gate, TopK& best);

  private:
    using Clock = std::chrono::steady_clock;

    // The query in work.
    struct Work {
        const SearchedIndex& index;
        const Task& task;
        const SearchLimits& limits;
        Gate& gate;
        TopK& best;
        Clock::time_point start;

        bool timed() const noexcept { return limits.microseconds < std::numeric_limits<double>::infinity(); }
        double time_left() const {
            if (!timed()) return limits.microseconds;
            return limits.microseconds - std::chrono::duration<double, std::micro>(Clock::now() - start).count();
        }
    };

    static bool is_provable(const Work& work);
    static std::size_t affordable_terms(const Work& work);
    static double scan_time(const Work& work);
    static void start_hits(const Work& work);
    static double threshold(const Work& work, double known) noexcept;
    std::size_t first_look(const Work& work) const;
    bool prove(const Work& work);
    bool find(const Work& work);

    void read(const Work& work, std::size_t n_levels);
    void collect(const Work& work, std::size_t n, std::int32_t lowest);
    bool rescore(const Work& work, double remaining, double known);
    bool rescore(const Work& work, std::vector<std::uint64_t>& entries, double remaining, double known);
    bool rescore_in_parts(const Work& work, double remaining, double known);
    std::int32_t min_sum(double threshold, double remaining) const noexcept;
    std::size_t cheapest_end(const Work& work, std::size_t n_read, std::size_t max, double known) const;

    LevelPlan plan_;
    Accumulators scores_;
    BestAccumulators collected_;
    std::vector<std::uint32_t> docs_;
};

}  // namespace thresher
