#include "exhaustive_search.hpp"

#include <algorithm>

namespace thresher {

// Takes what a scan of windows finds for one query. Where that is too much, it is rescored before the scan goes on.
struct ExhaustiveSearch::Sink {
    Context::Plan& plan;
    const Task& task;
    const StoredDocuments& documents;
    Gate& gate;

    std::int32_t cutoff() const noexcept { return plan.candidates.cutoff(); }
    void add(std::uint32_t first_doc, const std::uint32_t* docs, const std::int32_t* scores, std::size_t n) {
        if (plan.candidates.add(first_doc, docs, scores, n)) rescore();
    }
    // Where a cutoff is below 0, the zeros that pad the last window are candidates too: the gate leaves them out.
    void rescore() {
        gate.open(task, documents, plan.best);
        gate.offer(plan.candidates.take());
        gate.close();
        plan.candidates.require(plan.best.threshold());
    }
};

void ExhaustiveSearch::search(std::span<const Task> tasks, const StoredDocuments& documents, Gate& gate,
                              Context& context, const HitsView& hits) const {
    if (context.plans_.size() < tasks.size()) context.plans_.resize(tasks.size());
    for (std::size_t t = 0; t < tasks.size(); ++t) plan(tasks[t], context, context.plans_[t]);
    for (std::size_t w = 0; w < postings_.n_windows(); ++w) {
        for (std::size_t t = 0; t < tasks.size(); ++t) {
            Context::Plan& plan = context.plans_[t];
            if (plan.scan.empty()) continue;
            Sink sink{plan, tasks[t], documents, gate};
            context.scan_.scan(postings_, w, plan.scan, tasks[t].wanted.allowed, sink);
            // A term's postings in a window, of one document in sixteen or of all in a row, take about this.
            interruption_point(plan.scan.n_terms() * postings_.window_docs(w) / 16);
        }
    }
    for (std::size_t t = 0; t < tasks.size(); ++t) {
        Context::Plan& plan = context.plans_[t];
        Sink{plan, tasks[t], documents, gate}.rescore();
        hits.write(tasks[t].row, plan.best.hits(), true);
    }
}

void ExhaustiveSearch::plan(const Task& task, Context& context, Context::Plan& plan) const {
    IntegerQuery& integers = context.integers_;
    integers.assign(*task.query, quantiser_);
    plan.scan.clear();
    for (const auto& [slot, weight] : integers.terms) plan.scan.add(postings_, slot, weight);
    plan.scan.seal();
    plan.best.reset(task.wanted);
    // Integers make no more of documents apart than these score, unless a weight is below 0: then one as good as the
    // k-th best is known of all others only where so many more are counted.
    const std::size_t n_overrated = integers.non_negative() ? 0 : task.wanted.apart.size();
    plan.candidates.reset(task.wanted.k + n_overrated, integers);
    plan.candidates.require(plan.best.threshold());
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
    return {Quantiser::load(file, n_slots, n_docs), WindowedPostings::load(file, n_docs, n_slots, window)};
}

}  // namespace thresher
