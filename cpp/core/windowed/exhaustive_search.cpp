#include "exhaustive_search.hpp"

#include <algorithm>

namespace thresher {

// Takes what a scan of windows finds for one query. Where that is too much, it is rescored before the scan goes on.
struct ExhaustiveSearch::Sink {
    Context::Plan& plan;
    const SlotQuery& query;
    const ForwardIndex& forward;
    const DocumentOrder& order;
    Rescoring& rescoring;

    std::int32_t cutoff() const noexcept { return plan.candidates.cutoff(); }
    void add(std::uint32_t first_doc, const std::uint32_t* docs, const std::int32_t* scores, std::size_t n) {
        if (plan.candidates.add(first_doc, docs, scores, n)) rescore();
    }
    void rescore() {
        auto& [scan, candidates, best] = plan;
        for (const Hit& hit : rescoring.rescore(query, candidates.take(), forward, order)) best.add(hit);
        if (best.full()) candidates.require(best.threshold());
    }
};

void ExhaustiveSearch::search(std::span<const SlotQuery* const> queries, std::span<const std::size_t> rows,
                              const ForwardIndex& forward, const DocumentOrder& order, Context& context,
                              const HitsView& hits) const {
    const std::size_t k = std::min(hits.k, forward.n_docs());
    if (context.plans_.size() < queries.size()) context.plans_.resize(queries.size());
    for (std::size_t q = 0; q < queries.size(); ++q) plan(*queries[q], k, context, context.plans_[q]);
    for (std::size_t w = 0; w < postings_.n_windows(); ++w) {
        for (std::size_t q = 0; q < queries.size(); ++q) {
            Context::Plan& plan = context.plans_[q];
            if (plan.scan.empty()) continue;
            Sink sink{plan, *queries[q], forward, order, context.rescoring_};
            context.scan_.scan(postings_, w, plan.scan, sink);
            // A term's postings in a window, of one document in sixteen or of all in a row, take about this.
            interruption_point(plan.scan.n_terms() * postings_.window_docs(w) / 16);
        }
    }
    for (std::size_t q = 0; q < queries.size(); ++q) {
        // Where a cutoff is below 0, the zeros that pad the last window are candidates too: rescoring leaves them out.
        auto& [scan, candidates, best] = context.plans_[q];
        std::vector<Hit>& found = context.rescoring_.rescore(*queries[q], candidates.take(), forward, order);
        found.insert(found.end(), best.hits().begin(), best.hits().end());
        hits.write(rows[q], found);
    }
}

void ExhaustiveSearch::plan(const SlotQuery& query, std::size_t k, Context& context, Context::Plan& plan) const {
    IntegerQuery& integers = context.integers_;
    integers.assign(query, quantiser_);
    plan.scan.clear();
    for (const auto& [slot, weight] : integers.terms) plan.scan.add(postings_, slot, weight);
    plan.scan.seal();
    plan.candidates.reset(k, integers);
    plan.best.reset(k);
}

std::vector<std::pair<std::string, std::size_t>> ExhaustiveSearch::nbytes() const {
    return {{"quantiser", quantiser_.nbytes()},
            {"rows", postings_.rows_nbytes()},
            {"lists", postings_.lists_nbytes()},
            {"rare", postings_.rare_nbytes()}};
}

std::vector<EstimatedPart> ExhaustiveSearch::estimated_parts(const CollectionStatistics& statistics,
                                                             std::uint32_t window, double row_density) {
    auto parts = WindowedPostings::estimated_parts(statistics, window, row_density);
    parts.insert(parts.begin(), {"quantiser", Quantiser::estimated_nbytes(statistics)});
    return parts;
}

void ExhaustiveSearch::save(Parameters& counts, SectionList& sections) const {
    quantiser_.save(sections);
    postings_.save(counts, sections);
}

ExhaustiveSearch ExhaustiveSearch::load(const IndexFile& file, std::uint32_t n_docs, std::uint32_t n_slots,
                                        std::uint32_t window) {
    return {Quantiser::load(file, n_slots), WindowedPostings::load(file, n_docs, n_slots, window)};
}

}  // namespace thresher
