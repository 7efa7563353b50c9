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

#include "../documents/document_order.hpp"
#include "../documents/forward_index.hpp"
#include "../documents/quantiser.hpp"
#include "../documents/vocabulary.hpp"
#include "../selection/rescoring.hpp"
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
    const Vocabulary& vocabulary;
    const ImpactLevels& levels;
    const Quantiser& quantiser;
    const ForwardIndex& forward;
    const DocumentOrder& order;
};

// Scratch memory of one thread.
class AnytimeSearch {
  public:
    AnytimeSearch(std::uint32_t n_slots, std::size_t n_docs) : scores_(n_docs), rescoring_(n_slots) {}

    // Finds the best k documents of `query`; true if they are, for certain.
    bool search(const SearchedIndex& index, const SlotQuery& query, std::size_t k, const SearchLimits& limits);
    // In no particular order.
    std::vector<Hit>& hits() noexcept { return top_.hits(); }

  private:
    using Clock = std::chrono::steady_clock;

    // The query in work.
    struct Task {
        const SearchedIndex& index;
        const SlotQuery& query;
        std::size_t k;
        const SearchLimits& limits;
        Clock::time_point start;

        bool timed() const noexcept { return limits.microseconds < std::numeric_limits<double>::infinity(); }
        double time_left() const {
            if (!timed()) return limits.microseconds;
            return limits.microseconds - std::chrono::duration<double, std::micro>(Clock::now() - start).count();
        }
    };

    static bool is_provable(const Task& task);
    static std::size_t affordable_terms(const Task& task);
    static double scan_time(const Task& task);
    std::size_t first_look(const Task& task) const;
    bool prove(const Task& task);
    bool find(const Task& task);

    void read(const Task& task, std::size_t n_levels);
    void collect(std::size_t n, std::int32_t lowest);
    bool rescore(const Task& task, double remaining, double known);
    bool rescore(const Task& task, std::vector<std::uint64_t>& entries, double remaining, double known);
    bool rescore_in_parts(const Task& task, double remaining, double known);
    double threshold(double known) const noexcept;
    std::int32_t min_sum(double threshold, double remaining) const noexcept;
    std::size_t cheapest_end(const Task& task, std::size_t n_read, std::size_t max, double known) const;

    LevelPlan plan_;
    Accumulators scores_;
    BestAccumulators best_;
    Rescoring rescoring_;
    std::vector<std::uint32_t> docs_;
    TopK top_;
};

}  // namespace thresher
