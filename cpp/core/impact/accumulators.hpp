// The sums of one query's levels, for every document: what score-at-a-time search accumulates.
//
// Two bytes a document. Levels are added window by window, so that the sums of a window stay in the second-level
// cache while all that is wanted of it is added. Invariant between queries: all sums are zero.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "../../kernels/kernels.hpp"
#include "../base/buffer.hpp"
#include "impact_levels.hpp"
#include "level_plan.hpp"

namespace thresher {

class Accumulators {
  public:
    explicit Accumulators(std::size_t n_docs);

    // Adds what `plan` wants and has not had added.
    void add(const ImpactLevels& levels, LevelPlan& plan);

    // Calls, for each few thousand documents in ascending order,
    //   sink.cutoff() -> std::int32_t
    //   sink.add(first_doc, docs, sums, n)
    // with the documents (relative to first_doc) whose sums reach the cutoff. Behind the last document, up to a
    // multiple of kernels::kStrip, there are sums of zero.
    template <class Sink>
    void scan(Sink& sink) {
        scan(0, n_sums_, sink);
    }

    // All in one: `add`, `scan` and `clear`, window by window while it is in cache. Before each, `before(window)` may
    // have the plan want fewer of the levels that it wants at first.
    template <class Sink, class Before>
    void add_scan_and_clear(const ImpactLevels& levels, LevelPlan& plan, Sink& sink, const Before& before) {
        start(levels, plan);
        for (std::size_t w = 0; w < levels.n_windows(); ++w) {
            before(w);
            add_window(levels, w);
            const std::size_t first = w * ImpactLevels::kWindow;
            const std::size_t end = std::min<std::size_t>(first + ImpactLevels::kWindow, n_sums_);
            scan(first, end, sink);
            std::ranges::fill(sums_.items.subspan(first, end - first), std::int16_t{0});
        }
        finish();
    }

    void clear() noexcept { std::fill_n(sums_.items.begin(), n_sums_, std::int16_t{0}); }

    // Documents that a sink is given at once, at most.
    static constexpr std::size_t kStep = 2048;

  private:
    // A place among all windows, and in each among the terms that are wanted.
    class WindowTermCursor {
      public:
        WindowTermCursor() = default;
        WindowTermCursor(std::size_t n_windows, std::size_t n_terms) : n_windows_(n_windows), n_terms_(n_terms) {}
        bool ended() const noexcept { return window == n_windows_ || n_terms_ == 0; }
        void advance() noexcept {
            if (++term < n_terms_) return;
            term = 0;
            ++window;
        }
        std::size_t window = 0;
        std::size_t term = 0;

      private:
        std::size_t n_windows_ = 0;
        std::size_t n_terms_ = 0;
    };

    void start(const ImpactLevels& levels, LevelPlan& plan);
    void add_window(const ImpactLevels& levels, std::size_t w);
    void finish();
    void add_rare(const RareLists::List& rare, const LevelPlan::Term& term) noexcept;
    void fetch_entry(const ImpactLevels& levels);
    void fetch_postings(const ImpactLevels& levels);

    template <class Sink>
    void scan(std::size_t begin, std::size_t end, Sink& sink) {
        for (std::size_t first = begin; first < end; first += kStep) {
            const std::int32_t cutoff = sink.cutoff();
            if (cutoff > std::numeric_limits<std::int16_t>::max()) return;
            const auto min = std::max<std::int32_t>(cutoff, std::numeric_limits<std::int16_t>::min());
            const std::size_t n =
                kernels::active().select_sums(sums_.items.data() + first, std::min(kStep, end - first),
                                              static_cast<std::int16_t>(min), selected_.data(), selected_sums_.data());
            sink.add(static_cast<std::uint32_t>(first), selected_.data(), selected_sums_.data(), n);
        }
    }

    std::size_t n_docs_;
    std::size_t n_sums_;  // that are looked at
    Filling<std::int16_t> sums_;
    std::vector<std::uint32_t> selected_;
    std::vector<std::int32_t> selected_sums_;

    std::vector<LevelPlan::Term*> wanted_;  // what is being added, but for rare terms
    WindowTermCursor entries_;              // fetched so far
    WindowTermCursor postings_;             // the same
};

}  // namespace thresher
