#include "exhaustive_search.hpp"

#include <algorithm>
#include <cmath>

namespace thresher {

namespace {

// Documents fetched from the forward index ahead of the one being scored.
constexpr std::size_t kFetchAhead = 4;

}  // namespace

void ExhaustiveSearch::search(std::span<const SlotQuery* const> queries, std::span<const std::size_t> rows,
                              const ForwardIndex& forward, const DocumentOrder& order, Context& context,
                              const HitsView& hits) const {
    const std::size_t n_docs = forward.n_docs();
    const std::size_t k = std::min(hits.k, n_docs);
    if (context.plans_.size() < queries.size()) context.plans_.resize(queries.size());
    for (std::size_t q = 0; q < queries.size(); ++q) plan(*queries[q], k, context.plans_[q]);
    for (std::size_t w = 0; w < postings_.n_windows(); ++w) {
        for (std::size_t q = 0; q < queries.size(); ++q) {
            auto& [scan, candidates] = context.plans_[q];
            if (!scan.empty()) context.scan_.scan(postings_, w, scan, candidates);
        }
    }
    for (std::size_t q = 0; q < queries.size(); ++q) {
        context.found_.clear();
        if (!context.plans_[q].scan.empty()) {
            context.table_.load(*queries[q]);
            const auto docs = context.plans_[q].candidates.finish();
            for (std::size_t i = 0; i < docs.size() + 2 * kFetchAhead; ++i) {
                const auto doc_at = [&](std::size_t at) { return at < docs.size() && docs[at] < n_docs; };
                if (doc_at(i)) forward.prefetch_range(docs[i]);
                if (i >= kFetchAhead && doc_at(i - kFetchAhead)) forward.prefetch(docs[i - kFetchAhead]);
                if (i < 2 * kFetchAhead) continue;
                const std::uint32_t doc = docs[i - 2 * kFetchAhead];
                if (doc >= n_docs) continue;  // the zeros that pad the last window, where a cutoff is below 0
                const auto score = static_cast<float>(forward.score(doc, context.table_));
                if (score > 0) context.found_.push_back({score, order.given(doc)});
            }
            context.table_.clear(*queries[q]);
        }
        hits.write(rows[q], context.found_);
    }
}

// Chooses the unit of integer scores (true score = score * unit, give or take the slack) and bounds the error: impacts
// are off by at most the quantiser's error, integer weights by their rounding times the largest impact.
void ExhaustiveSearch::plan(const SlotQuery& query, std::size_t k, Context::Plan& plan) const {
    plan.scan.clear();
    double sum = 0;
    double largest = 0;
    for (std::size_t i = 0; i < query.size(); ++i) {
        const double weight = std::fabs(static_cast<double>(query.weights[i]) * quantiser_.step(query.slots[i]));
        sum += weight;
        largest = std::max(largest, weight);
    }
    const double unit = std::max(largest / kMostRowWeight, sum * 255 / static_cast<double>(kMostScore));
    if (unit == 0) return;

    double slack = 1;
    bool non_negative = true;
    for (std::size_t i = 0; i < query.size(); ++i) {
        const std::uint32_t slot = query.slots[i];
        const auto given = static_cast<double>(query.weights[i]);
        const double exact = given * quantiser_.step(slot) / unit;
        // A positive weight stays positive: a document that matches then always has a positive score.
        const auto weight = static_cast<std::int32_t>(given > 0 ? std::max(std::round(exact), 1.0) : std::round(exact));
        slack += std::fabs(given) * quantiser_.error(slot) / unit + std::fabs(exact - weight) * 255;
        non_negative &= given > 0;
        if (weight != 0) plan.scan.add(postings_, slot, weight);
    }
    plan.scan.seal();
    const auto bound = static_cast<std::int64_t>(std::min(std::ceil(slack), static_cast<double>(kMostScore)));
    plan.candidates.reset(k, non_negative ? 1 : -bound, bound);
}

std::vector<std::pair<std::string, std::size_t>> ExhaustiveSearch::nbytes() const {
    return {{"quantiser", quantiser_.nbytes()},
            {"rows", postings_.rows_nbytes()},
            {"lists", postings_.lists_nbytes()},
            {"rare", postings_.rare_nbytes()}};
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
