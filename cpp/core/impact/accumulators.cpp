#include "accumulators.hpp"

#include "../base/prefetch.hpp"

namespace thresher {

namespace {

// Terms whose directory entry, and whose postings, are fetched ahead of the one being added.
constexpr std::size_t kEntriesAhead = 6;
constexpr std::size_t kPostingsAhead = 3;
// Cache lines of postings to fetch; the hardware follows from there.
constexpr std::uint32_t kLinesAhead = 4;
// Of a term in a window, about, in nanoseconds.
constexpr std::size_t kTermTime = 1000;
constexpr std::uint32_t kDocsInLine = 64 / sizeof(std::uint16_t);

// 16-bit documents are in bounds wherever `sums` has 65,536 elements.
void add_level(const std::uint16_t* docs, std::uint32_t n, std::int16_t amount, std::int16_t* sums) noexcept {
    const auto add = [&](std::uint16_t doc) { sums[doc] = static_cast<std::int16_t>(sums[doc] + amount); };
    std::uint32_t p = 0;
    for (; n - p >= 4; p += 4) {
        add(docs[p]);
        add(docs[p + 1]);
        add(docs[p + 2]);
        add(docs[p + 3]);
    }
    for (; p < n; ++p) add(docs[p]);
}

void add_levels(const ImpactLevels::Window& window, const LevelPlan::Term& term, std::int16_t* sums) noexcept {
    std::uint32_t begin = window.end(term.read);
    for (std::uint32_t level = term.read - 1; level >= term.wanted; --level) {
        const std::uint32_t end = window.end(level);
        if (end > begin) add_level(window.docs() + begin, end - begin, term.amounts[level], sums);
        begin = end;
    }
}

}  // namespace

Accumulators::Accumulators(std::size_t n_docs)
    : n_docs_(n_docs),
      n_sums_((n_docs + kernels::kStrip - 1) / kernels::kStrip * kernels::kStrip),
      // Any 16-bit document of the last window is in bounds, whatever a file says.
      sums_((n_docs + ImpactLevels::kWindow - 1) / ImpactLevels::kWindow * ImpactLevels::kWindow + 65536),
      selected_(kStep),
      selected_sums_(kStep) {}

void Accumulators::add(const ImpactLevels& levels, LevelPlan& plan) {
    start(levels, plan);
    for (std::size_t w = 0; w < levels.n_windows(); ++w) add_window(levels, w);
    finish();
}

void Accumulators::start(const ImpactLevels& levels, LevelPlan& plan) {
    wanted_.clear();
    for (LevelPlan::Term& term : plan.terms()) {
        if (term.wanted == term.read) continue;
        if (term.slot < levels.n_levelled()) {
            wanted_.push_back(&term);
        } else {
            add_rare(levels.rare(term.slot), term);
            term.read = term.wanted;
        }
    }
    entries_ = postings_ = WindowTermCursor(levels.n_windows(), wanted_.size());
    for (std::size_t i = 0; i < kEntriesAhead; ++i) fetch_entry(levels);
    for (std::size_t i = 0; i < kPostingsAhead; ++i) fetch_postings(levels);
}

void Accumulators::add_window(const ImpactLevels& levels, std::size_t w) {
    interruption_point(wanted_.size() * kTermTime);
    std::int16_t* sums = sums_.items.data() + w * ImpactLevels::kWindow;
    for (const LevelPlan::Term* term : wanted_) {
        fetch_entry(levels);
        fetch_postings(levels);
        add_levels(levels.window(w, term->slot), *term, sums);
    }
}

void Accumulators::finish() {
    for (LevelPlan::Term* term : wanted_) term->read = term->wanted;
}

void Accumulators::fetch_entry(const ImpactLevels& levels) {
    if (entries_.ended()) return;
    levels.prefetch(entries_.window, wanted_[entries_.term]->slot);
    entries_.advance();
}

void Accumulators::fetch_postings(const ImpactLevels& levels) {
    if (postings_.ended()) return;
    const LevelPlan::Term& term = *wanted_[postings_.term];
    const auto window = levels.window(postings_.window, term.slot);
    const std::uint32_t begin = window.end(term.read);
    const std::uint32_t end = std::min(window.end(term.wanted), begin + kLinesAhead * kDocsInLine);
    for (std::uint32_t p = begin; p < end; p += kDocsInLine) prefetch(window.docs() + p);
    postings_.advance();
}

void Accumulators::add_rare(const RareLists::List& rare, const LevelPlan::Term& term) noexcept {
    for (std::size_t p = 0; p < rare.docs.size(); ++p) {
        const std::uint32_t doc = rare.docs[p];
        if (doc >= n_docs_ || rare.impacts[p] > ImpactLevels::kLevels) continue;  // in an altered file
        std::int16_t& sum = sums_.items[doc];
        sum = static_cast<std::int16_t>(sum + term.amounts[rare.impacts[p]]);
    }
}

}  // namespace thresher
