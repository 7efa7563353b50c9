#include "exact_index.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "../core/candidates.hpp"
#include "../kernels/kernels.hpp"

namespace thresher {

namespace {

constexpr unsigned kBuildPasses = 8;  // over the documents, for the progress report
// Documents scanned between two looks at the cutoff: small, because it rises fastest at the start.
constexpr std::uint32_t kScanStep = 512;
// A batch of queries shares a window; more of them would push each other's state out of the cache.
constexpr std::size_t kBatch = 256;
// Queries times documents between two polls of the monitor: a fraction of a second.
constexpr std::size_t kBatchWork = std::size_t{1} << 27;
// Documents fetched from the forward index ahead of the one being scored.
constexpr std::size_t kFetchAhead = 4;
// Integer weights: rows take 16 bits; sums of 255 times a weight stay below 2^30.
constexpr double kMostRowWeight = 32767;
constexpr double kMostScore = 1 << 30;
// Rounding adds up to 255 a term to a score: this many terms still fit 32 bits.
constexpr std::size_t kMostQueryTerms = 4'000'000;

void check(const ExactParams& params) {
    if (params.window < 64 || params.window > 65536 || params.window % 64 != 0) {
        throw std::invalid_argument("window must be a multiple of 64 from 64 to 65536, got " +
                                    std::to_string(params.window));
    }
    if (!(params.row_density > 0 && params.row_density <= 1)) {
        throw std::invalid_argument("row_density must be in (0, 1], got " + std::to_string(params.row_density));
    }
}

}  // namespace

// A query in the integer units of its scores: score = true score / unit, give or take the slack.
struct ExactIndex::QueryPlan {
    struct Rare {
        WindowedPostings::RareList postings;
        std::int32_t weight;
        std::size_t next;  // first posting of the windows to come
    };
    std::vector<std::uint32_t> rows;  // an even number, padded with weight 0
    std::vector<std::int16_t> row_weights;
    std::vector<std::uint32_t> lists;
    std::vector<std::int32_t> list_weights;
    std::vector<Rare> rare;
    Candidates candidates;

    bool empty() const noexcept { return rows.empty() && lists.empty() && rare.empty(); }
};

// What one thread needs to search, kept between searches.
struct ExactIndex::Context {
    explicit Context(std::uint32_t n_slots) : scores(65536), table(n_slots), docs(kScanStep), doc_scores(kScanStep) {}

    std::vector<QueryPlan> plans;
    Filling<std::int32_t> scores;  // zero between windows; any 16-bit document is in bounds
    std::vector<const std::uint8_t*> rows;
    QueryTable table;
    std::vector<std::uint32_t> docs;
    std::vector<std::int32_t> doc_scores;
    std::vector<Hit> found;
};

ExactIndex::ExactIndex(const ExactParams& params, Vocabulary vocabulary, ForwardIndex forward, Quantiser quantiser,
                       WindowedPostings postings)
    : Index(std::move(vocabulary), std::move(forward)),
      params_(params),
      quantiser_(std::move(quantiser)),
      postings_(std::move(postings)) {}

ExactIndex::~ExactIndex() = default;

std::unique_ptr<ExactIndex> ExactIndex::build(const CsrView& docs, const ExactParams& params, unsigned threads,
                                              Monitor* monitor) {
    check(params);
    check_collection(docs);
    Progress progress(monitor, kBuildPasses, docs.n_rows());
    const CanonicalCsr canonical(docs, Signs::non_negative, "docs", threads, progress);
    auto vocabulary = Vocabulary::build(canonical.view(), threads, progress);
    auto quantiser = Quantiser::build(canonical.view(), vocabulary, threads, progress);
    auto forward = ForwardIndex::build(canonical.view(), vocabulary, threads, progress);
    auto postings = WindowedPostings::build(forward, vocabulary, quantiser, static_cast<std::uint32_t>(params.window),
                                            params.row_density, threads, progress);
    return std::unique_ptr<ExactIndex>(
        new ExactIndex(params, std::move(vocabulary), std::move(forward), std::move(quantiser), std::move(postings)));
}

ExactIndex::ExactIndex(const IndexFile& file) : Index(file) {
    const std::uint64_t window = file.integer("window");
    params_.row_density = file.number("row_density");
    file.require(window >= 64 && window <= 65536 && window % 64 == 0, "window " + std::to_string(window));
    params_.window = static_cast<std::int64_t>(window);
    quantiser_ = Quantiser::load(file, vocabulary().n_slots());
    postings_ = WindowedPostings::load(file, static_cast<std::uint32_t>(n_docs()), vocabulary().n_slots(),
                                       static_cast<std::uint32_t>(window));
}

std::unique_ptr<Index> ExactIndex::load(const IndexFile& file) { return std::unique_ptr<Index>(new ExactIndex(file)); }

Parameters ExactIndex::parameters() const {
    Parameters parameters;
    parameters.set("window", static_cast<std::uint64_t>(params_.window));
    parameters.set("row_density", params_.row_density);
    return parameters;
}

std::vector<std::pair<std::string, std::size_t>> ExactIndex::engine_nbytes() const {
    return {{"quantiser", quantiser_.nbytes()},
            {"rows", postings_.rows_nbytes()},
            {"lists", postings_.lists_nbytes()},
            {"rare", postings_.rare_nbytes()}};
}

void ExactIndex::save_engine(Parameters& counts, SectionList& sections) const {
    quantiser_.save(sections);
    postings_.save(counts, sections);
}

void ExactIndex::search_canonical(const CsrView& queries, const SearchOptions& options, const HitsView& hits) const {
    const std::size_t n_queries = queries.n_rows();
    if (n_queries == 1) {  // no threads to start, no progress to tell
        search_batch(queries, 0, 1, *contexts_.borrow(vocabulary().n_slots()), hits);
        return;
    }
    const unsigned workers = worker_count(options.threads, n_queries);
    const std::size_t affordable = std::max<std::size_t>(kBatchWork / std::max<std::size_t>(n_docs(), 1), 1);
    const std::size_t share = (n_queries + workers - 1) / workers;
    const std::size_t batch = std::max<std::size_t>(std::min({kBatch, affordable, share}), 1);
    Progress progress(options.monitor, 1, n_queries);
    std::vector<ContextPool<Context>::Lease> contexts;
    for (unsigned worker = 0; worker < workers; ++worker) contexts.push_back(contexts_.borrow(vocabulary().n_slots()));
    parallel_for_rows(n_queries, batch, workers, progress, [&](std::size_t begin, std::size_t end, unsigned worker) {
        search_batch(queries, begin, end, *contexts[worker], hits);
    });
}

void ExactIndex::search_batch(const CsrView& queries, std::size_t begin, std::size_t end, Context& context,
                              const HitsView& hits) const {
    const std::size_t k = std::min(hits.k, n_docs());
    if (context.plans.size() < end - begin) context.plans.resize(end - begin);
    for (std::size_t query = begin; query < end; ++query) plan(queries, query, k, context.plans[query - begin]);
    for (std::size_t w = 0; w < postings_.n_windows(); ++w) {
        for (std::size_t query = begin; query < end; ++query) {
            QueryPlan& plan = context.plans[query - begin];
            if (plan.empty()) continue;
            accumulate(w, plan, context);
            select(w, plan, context);
        }
    }
    for (std::size_t query = begin; query < end; ++query) {
        finish(queries, query, context.plans[query - begin], context, hits);
    }
}

// Chooses the unit and bounds the error: impacts are off by at most the quantiser's error, integer weights by their
// rounding times the largest impact.
void ExactIndex::plan(const CsrView& queries, std::size_t query, std::size_t k, QueryPlan& plan) const {
    plan.rows.clear();
    plan.row_weights.clear();
    plan.lists.clear();
    plan.list_weights.clear();
    plan.rare.clear();
    const auto terms = queries.row_terms(query);
    const auto weights = queries.row_weights(query);
    const std::uint32_t first_rare = postings_.n_rows() + postings_.n_lists();
    if (terms.size() > kMostQueryTerms) {
        throw std::invalid_argument("queries: row " + std::to_string(query) + " has " + std::to_string(terms.size()) +
                                    " terms; at most " + std::to_string(kMostQueryTerms) + " are supported");
    }

    double sum = 0;
    double largest = 0;
    for (std::size_t i = 0; i < terms.size(); ++i) {
        const std::uint32_t slot = vocabulary().slot(terms[i]);
        if (slot == kNoSlot) continue;
        const double weight = std::fabs(static_cast<double>(weights[i]) * quantiser_.step(slot));
        sum += weight;
        largest = std::max(largest, weight);
    }
    const double unit = std::max(largest / kMostRowWeight, sum * 255 / kMostScore);
    if (unit == 0) return;

    double slack = 1;
    bool non_negative = true;
    for (std::size_t i = 0; i < terms.size(); ++i) {
        const std::uint32_t slot = vocabulary().slot(terms[i]);
        if (slot == kNoSlot) continue;
        const double exact = static_cast<double>(weights[i]) * quantiser_.step(slot) / unit;
        // A positive weight stays positive: a document that matches then always has a positive score.
        const auto weight =
            static_cast<std::int32_t>(weights[i] > 0 ? std::max(std::round(exact), 1.0) : std::round(exact));
        slack += std::fabs(static_cast<double>(weights[i])) * quantiser_.error(slot) / unit +
                 std::fabs(exact - weight) * 255;
        non_negative &= weights[i] > 0;
        if (weight == 0) continue;
        if (slot < postings_.n_rows()) {
            plan.rows.push_back(slot);
            plan.row_weights.push_back(static_cast<std::int16_t>(weight));
        } else if (slot < first_rare) {
            plan.lists.push_back(slot - postings_.n_rows());
            plan.list_weights.push_back(weight);
        } else {
            plan.rare.push_back({postings_.rare(slot), weight, 0});
        }
    }
    if (plan.rows.size() % 2 != 0) {
        plan.rows.push_back(plan.rows.back());
        plan.row_weights.push_back(0);
    }
    const auto bound = static_cast<std::int64_t>(std::min(std::ceil(slack), kMostScore));
    plan.candidates.reset(k, non_negative ? 1 : -bound, bound);
}

void ExactIndex::accumulate(std::size_t w, QueryPlan& plan, Context& context) const {
    std::int32_t* scores = context.scores.items.data();
    const auto lists = postings_.lists(w);
    kernels::active().accumulate_lists(plan.lists.data(), plan.list_weights.data(), plan.lists.size(), lists.offsets,
                                       lists.n_postings, lists.docs, lists.impacts, scores);
    const std::uint32_t first = postings_.first_doc(w);
    const std::uint32_t n_docs = postings_.window_docs(w);
    for (QueryPlan::Rare& rare : plan.rare) {
        for (; rare.next < rare.postings.docs.size(); ++rare.next) {
            const std::uint32_t doc = rare.postings.docs[rare.next] - first;
            if (doc >= n_docs) break;
            // Unsigned: wraps rather than undefined on altered files.
            reinterpret_cast<std::uint32_t*>(scores)[doc] +=
                static_cast<std::uint32_t>(rare.weight) * rare.postings.impacts[rare.next];
        }
    }
}

void ExactIndex::select(std::size_t w, QueryPlan& plan, Context& context) const {
    const std::uint32_t n_docs = (postings_.window_docs(w) + 63) / 64 * 64;
    context.rows.resize(plan.rows.size());
    for (std::size_t r = 0; r < plan.rows.size(); ++r) context.rows[r] = postings_.row(w, plan.rows[r]);
    for (std::uint32_t first = 0; first < n_docs; first += kScanStep) {
        const std::uint32_t step = std::min(kScanStep, n_docs - first);
        const std::size_t n = kernels::active().select_candidates(
            context.rows.data(), plan.row_weights.data(), plan.rows.size(), context.scores.items.data() + first, step,
            plan.candidates.cutoff(), context.docs.data(), context.doc_scores.data());
        if (n != 0) {
            plan.candidates.add(postings_.first_doc(w) + first, context.docs.data(), context.doc_scores.data(), n);
        }
        for (const std::uint8_t*& row : context.rows) row += step;
    }
}

void ExactIndex::finish(const CsrView& queries, std::size_t query, QueryPlan& plan, Context& context,
                        const HitsView& hits) const {
    context.found.clear();
    if (!plan.empty()) {
        const auto terms = queries.row_terms(query);
        const auto weights = queries.row_weights(query);
        const auto fill_table = [&](auto weight_of) {
            for (std::size_t i = 0; i < terms.size(); ++i) {
                const std::uint32_t slot = vocabulary().slot(terms[i]);
                if (slot != kNoSlot) context.table.set(slot, weight_of(i));
            }
        };
        const auto docs = plan.candidates.finish();
        fill_table([&](std::size_t i) { return weights[i]; });
        for (std::size_t i = 0; i < docs.size() + kFetchAhead; ++i) {
            if (i < docs.size() && docs[i] < n_docs()) forward().prefetch(docs[i]);
            if (i < kFetchAhead) continue;
            const std::uint32_t doc = docs[i - kFetchAhead];
            if (doc >= n_docs()) continue;  // the zeros that pad the last window, where a cutoff is below 0
            const auto score = static_cast<float>(forward().score(doc, context.table));
            if (score > 0) context.found.push_back({score, doc});
        }
        fill_table([](std::size_t) { return 0.0F; });
    }
    hits.write(query, context.found);
}

}  // namespace thresher
