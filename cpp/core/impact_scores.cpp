#include "impact_scores.hpp"

#include "prefetch.hpp"

namespace thresher {

namespace {

// Terms whose directory entry, and whose postings, are fetched ahead of the one being added.
constexpr std::size_t kEntriesAhead = 6;
constexpr std::size_t kPostingsAhead = 3;
// Cache lines of postings to fetch; the hardware follows from there.
constexpr std::uint32_t kLinesAhead = 4;
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

void add_levels(const ImpactSegments::Window& window, const SegmentPlan::Term& term, std::int16_t* sums) noexcept {
    std::uint32_t begin = window.end(term.read);
    for (std::uint32_t level = term.read - 1; level >= term.wanted; --level) {
        const std::uint32_t end = window.end(level);
        if (end > begin) add_level(window.docs() + begin, end - begin, term.amounts[level], sums);
        begin = end;
    }
}

}  // namespace

ImpactScores::ImpactScores(std::size_t n_docs)
    : n_docs_(n_docs),
      n_sums_((n_docs + kernels::kStrip - 1) / kernels::kStrip * kernels::kStrip),
      // Any 16-bit document of the last window is in bounds, whatever a file says.
      sums_((n_docs + ImpactSegments::kWindow - 1) / ImpactSegments::kWindow * ImpactSegments::kWindow + 65536),
      selected_(kStep),
      selected_sums_(kStep) {}

void ImpactScores::add(const ImpactSegments& segments, SegmentPlan& plan) {
    start(segments, plan);
    for (std::size_t w = 0; w < segments.n_windows(); ++w) add_window(segments, w);
    finish();
}

void ImpactScores::start(const ImpactSegments& segments, SegmentPlan& plan) {
    wanted_.clear();
    for (SegmentPlan::Term& term : plan.terms()) {
        if (term.wanted == term.read) continue;
        if (term.slot < segments.n_levelled()) {
            wanted_.push_back(&term);
        } else {
            add_rare(segments.rare(term.slot), term);
            term.read = term.wanted;
        }
    }
    entries_ = postings_ = Walk(segments.n_windows(), wanted_.size());
    for (std::size_t i = 0; i < kEntriesAhead; ++i) fetch_entry(segments);
    for (std::size_t i = 0; i < kPostingsAhead; ++i) fetch_postings(segments);
}

void ImpactScores::add_window(const ImpactSegments& segments, std::size_t w) {
    std::int16_t* sums = sums_.items.data() + w * ImpactSegments::kWindow;
    for (const SegmentPlan::Term* term : wanted_) {
        fetch_entry(segments);
        fetch_postings(segments);
        add_levels(segments.window(w, term->slot), *term, sums);
    }
}

void ImpactScores::finish() {
    for (SegmentPlan::Term* term : wanted_) term->read = term->wanted;
}

void ImpactScores::fetch_entry(const ImpactSegments& segments) {
    if (entries_.ended()) return;
    segments.prefetch(entries_.window, wanted_[entries_.term]->slot);
    entries_.advance();
}

void ImpactScores::fetch_postings(const ImpactSegments& segments) {
    if (postings_.ended()) return;
    const SegmentPlan::Term& term = *wanted_[postings_.term];
    const auto window = segments.window(postings_.window, term.slot);
    const std::uint32_t begin = window.end(term.read);
    const std::uint32_t end = std::min(window.end(term.wanted), begin + kLinesAhead * kDocsInLine);
    for (std::uint32_t p = begin; p < end; p += kDocsInLine) prefetch(window.docs() + p);
    postings_.advance();
}

void ImpactScores::add_rare(const ImpactSegments::Rare& rare, const SegmentPlan::Term& term) noexcept {
    for (std::size_t p = 0; p < rare.docs.size(); ++p) {
        if (rare.docs[p] >= n_docs_ || rare.levels[p] > ImpactSegments::kLevels) continue;  // in an altered file
        std::int16_t& sum = sums_.items[rare.docs[p]];
        sum = static_cast<std::int16_t>(sum + term.amounts[rare.levels[p]]);
    }
}

}  // namespace thresher
