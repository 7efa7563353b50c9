// One query's levels in the order in which they are to be read, and what is still open after each.
//
// A query's score of a document is bounded by what the levels read have added up to, plus `remaining`: for every
// term, the weight of its heaviest level not read. Two orders serve two ends. To *prove* which documents are best,
// levels come by how much they lower that bound for each posting: long levels of light levels, most of the
// postings, come last and are mostly never read. To *find* most of the best within few postings, levels come by
// contribution (query weight times impact; Lin, Trotman, ICTIR 2015), discounted by the fourth root of their length.
// What these and other orders gave: docs/internals/impact.md.
//
// Sums are integers of 16 bits: `amounts` round up, so that a sum times `unit` plus what remains is never below the
// score. A term of negative weight contributes at most 0 to what remains.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "../documents/forward_index.hpp"
#include "../documents/quantiser.hpp"
#include "impact_levels.hpp"

namespace thresher {

class LevelPlan {
  public:
    // Microseconds that a posting takes to be added to its document's sum.
    static constexpr double kPostingTime = 0.00073;

    enum class Order : std::uint8_t { prove, find };

    struct Term {
        std::uint32_t slot;
        std::uint32_t read;    // levels from this on are in the sums; kLevels + 1: none
        std::uint32_t wanted;  // levels from this on are to be
        std::array<std::int16_t, ImpactLevels::kLevels + 1> amounts;  // what a posting of a level adds; [0] is unused
    };

    // Slots of `query` must be of `levels`. The `max_terms` that can contribute most are planned for, others never
    // read; there are at most kMaxTerms in any case.
    void assign(const SlotQuery& query, const ImpactLevels& levels, const Quantiser& quantiser, std::size_t max_terms);
    bool empty() const noexcept { return levels_.empty(); }
    // Arranges the levels; those wanted so far are forgotten. To be called after `assign`.
    void arrange(Order order);

    // Levels that are not empty; a rare term is one.
    std::size_t n_levels() const noexcept { return places_.size(); }
    // Microseconds that reading the first `n` levels is expected to take.
    double time(std::size_t n) const noexcept { return n == 0 ? 0 : places_[n - 1].time; }
    // Postings of the first `n` levels.
    std::uint64_t n_postings(std::size_t n) const noexcept { return n == 0 ? 0 : places_[n - 1].postings; }
    // What the levels after the first `n` can add to a score at most.
    double remaining(std::size_t n) const noexcept { return n == 0 ? total_ : places_[n - 1].remaining; }

    // The fewest levels after which at most `bound` remains; all of them, if that is never so.
    std::size_t first_below(double bound) const noexcept;
    // The most levels that have at most `postings` postings.
    std::size_t max_within(std::uint64_t postings) const noexcept;
    // The most levels that are expected to be read in `time`.
    std::size_t max_in_time(double time) const noexcept;

    // Marks the first `n` levels as wanted, and no others.
    void want(std::size_t n);
    // The reader sets `read`.
    std::span<Term> terms() noexcept { return terms_; }

    // What 1 in a sum stands for, in scores.
    double unit() const noexcept { return unit_; }

  private:
    // More would leave no precision in 16 bits.
    static constexpr std::size_t kMaxTerms = 8192;

    struct Step {  // what one level of a term adds to a score
        double step;
        std::uint32_t slot;
    };
    struct Level {
        std::uint32_t term;
        std::uint32_t number;
        std::uint32_t n_postings;
        double contribution;  // of a posting, without its sign
        double lowers;        // what is open of the term, without its sign
        double lowers_bound;  // what remains
    };
    struct Place {
        std::uint32_t index;     // among `levels_`
        std::uint64_t postings;  // of the levels up to this one
        double time;             // as `time` says
        double remaining;        // after it
    };

    void choose_terms(const SlotQuery& query, const Quantiser& quantiser, std::size_t max);
    void add_levels(const ImpactLevels& levels, std::uint32_t slot, double step);
    // Whether level `i` is of the same term as the one before, a level further down.
    bool continues(std::size_t i) const noexcept { return i > 0 && levels_[i - 1].term == levels_[i].term; }

    std::vector<Step> steps_;
    std::vector<Term> terms_;
    std::vector<Level> levels_;  // by term and falling level
    std::vector<float> priorities_;
    std::vector<Place> places_;  // in order
    std::size_t wanted_ = 0;
    double n_windows_ = 0;
    double unit_ = 0;
    double total_ = 0;
    double never_read_ = 0;  // of terms that are not planned for
};

}  // namespace thresher
