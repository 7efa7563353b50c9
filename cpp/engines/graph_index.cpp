#include "graph_index.hpp"

#include "checks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "../core/graph/document_graph.hpp"
#include "../core/selection/rescoring.hpp"
#include "../core/selection/scratch.hpp"
#include "../core/selection/top_k.hpp"
#include "../core/selection/visited_set.hpp"
#include "clustered_index.hpp"
#include "query_batches.hpp"

namespace thresher {

namespace {

constexpr std::int64_t kMaxEdges = 256;
constexpr std::int64_t kMaxCandidates = 1 << 16;
constexpr std::size_t kBatch = 256;
// Passes over the documents, for the progress report, beside those of the guide, of the graph and of the search for
// candidates: the entry points.
constexpr unsigned kBuildPasses = 2;

// The width of a search where the caller does not say: this, and so many for each hit.
constexpr std::size_t kWidth = 64;
constexpr std::size_t kWidthPerHit = 8;
// Entry points of a term where the caller does not say: the square root of the number of documents over this, at least
// so many. More entries are a larger fraction of a search's work, and fewer a smaller fraction of the documents.
constexpr double kEntryShare = 5;
constexpr std::int64_t kMinEntries = 32;
// Documents ahead of the one being scored of which it is fetched where they start.
constexpr std::size_t kStartsAhead = 32;
// Documents between two interruption points, and about the nanoseconds that each takes.
constexpr std::size_t kAtATime = 16;
constexpr std::size_t kScoringTime = 200;

void check_range(std::int64_t value, std::int64_t min, std::int64_t max, const char* name) {
    if (value >= min && value <= max) return;
    throw std::invalid_argument(std::string(name) + " must be from " + std::to_string(min) + " to " +
                                std::to_string(max) + ", got " + std::to_string(value));
}

std::size_t entry_points_of(const GraphParams& params, std::size_t n_docs) noexcept {
    if (params.entry_points > 0) return static_cast<std::size_t>(params.entry_points);
    const double chosen = std::sqrt(static_cast<double>(n_docs)) / kEntryShare;
    return static_cast<std::size_t>(std::clamp(static_cast<std::int64_t>(chosen), kMinEntries, kMaxCandidates));
}

// Documents that may be left to go on from before those are dropped that a search will not come to, and so many for
// each that it looks for.
constexpr std::size_t kMaxLeft = 4096;
constexpr std::size_t kMaxLeftPerHit = 4;

bool worse(const Hit& a, const Hit& b) noexcept { return better(b, a); }

}  // namespace

// What one thread needs to search, kept between searches.
struct GraphIndex::Context {
    Context(std::uint32_t n_slots, std::size_t n_docs) : table(n_slots), visited(n_docs) {}

    SlotQuery query;
    QueryTable table;
    VisitedSet visited;
    std::vector<Hit> terms;            // slots by what they can contribute
    std::vector<std::uint32_t> found;  // positions to score
    std::vector<Hit> left;             // positions to go on from: a heap, the best in front
    std::size_t max_left = 0;          // of them, before a look at which are still wanted
    TopK nearest;                      // positions: the `ef` best
    TopK top;                          // ids: the k best of those allowed
};

// A search's parameters, made out once for all its queries.
struct GraphIndex::Plan {
    std::size_t k;
    std::size_t ef;
    std::size_t entry_terms;
    float early_stop;
    std::span<const std::uint8_t> allowed;
    // If they are few: the positions of the allowed documents, which are then all scored.
    bool score_all;
    std::vector<std::uint32_t> few;
};

GraphIndex::GraphIndex(const GraphParams& params, const ClusteredIndex& guide)
    : TunableIndex(params, documents_of(guide)) {}

GraphIndex::GraphIndex(const GraphIndex& other) = default;

GraphIndex::~GraphIndex() = default;

void GraphIndex::check(const GraphParams& params) {
    check_range(params.m, 1, kMaxEdges, "m");
    check_range(params.ef_construction, 1, kMaxCandidates, "ef_construction");
    check_range(params.entry_points, 0, kMaxCandidates, "entry_points");
}

std::unique_ptr<GraphIndex> GraphIndex::build(const CsrView& docs, const GraphParams& given,
                                              const GivenOrder& given_order, unsigned threads, Monitor* monitor) {
    check(given);
    check_collection(docs);
    const Ordering ordering(given.reorder, given_order, docs.n_rows());
    GraphParams params = given;
    params.reorder = ordering.reorders();
    params.entry_points = static_cast<std::int64_t>(entry_points_of(params, docs.n_rows()));
    const ClusteredParams clusters;
    Progress progress(monitor,
                      ClusteredIndex::passes(clusters, ordering) + ClusteredIndex::kSearchPasses +
                          GraphBuilder::kPasses + kBuildPasses,
                      docs.n_rows());
    auto guide = ClusteredIndex::build(docs, clusters, ordering, threads, progress);
    std::unique_ptr<GraphIndex> index(new GraphIndex(params, *guide));
    index->edges_ = index->connected(std::move(guide), threads, progress);
    index->entries_ = EntryPoints::build(index->forward(), index->vocabulary(),
                                         static_cast<std::size_t>(params.entry_points), threads, progress);
    return index;
}

PositionLists GraphIndex::connected(std::unique_ptr<ClusteredIndex> guide, unsigned threads, Progress& progress) const {
    GraphBuilder builder(forward(), static_cast<std::size_t>(build_params().m), threads, progress);
    const unsigned workers = worker_count(threads, n_docs() + 1);
    std::vector<std::unique_ptr<GraphBuilder::Context>> contexts(workers);  // made by whoever works
    guide->search_documents(static_cast<std::size_t>(build_params().ef_construction), workers, progress,
                            [&](std::size_t doc, std::span<const Hit> candidates, unsigned worker) {
                                auto& context = contexts[worker];
                                if (!context) context = std::make_unique<GraphBuilder::Context>(vocabulary().n_slots());
                                builder.connect(doc, candidates, *context);
                            });
    guide.reset();
    return builder.finish(threads, progress);
}

GraphIndex::GraphIndex(const IndexFile& file) : TunableIndex(file, DocumentOrder::load(file)) {
    edges_ = PositionLists::load(file, "edges", n_docs());
    entries_ = EntryPoints::load(file, vocabulary().n_slots());
}

std::vector<std::pair<std::string, std::size_t>> GraphIndex::engine_nbytes() const {
    return {{"edges", edges_.nbytes()}, {"entries", entries_.nbytes()}};
}

std::vector<EstimatedPart> GraphIndex::estimated_parts(const CollectionStatistics& statistics,
                                                       const GraphParams& params) {
    auto parts = StoredDocuments::estimated_parts(statistics, params.reorder);
    parts.push_back(GraphBuilder::estimated_edges(statistics.n_docs, static_cast<std::size_t>(params.m)));
    const std::size_t n_entries = entry_points_of(params, statistics.n_docs);
    parts.push_back({"entries", EntryPoints::estimated_nbytes(statistics, n_entries)});
    return parts;
}

Dials GraphIndex::dials(std::size_t n_docs, std::size_t k) {
    using Params = GraphSearchParams;
    const auto hits = static_cast<double>(k);
    const double most = std::max(hits + 1, std::min(static_cast<double>(n_docs), 60 * hits + 600));
    Dials dials;
    for (const std::int64_t terms : {8, 5, 12, 3}) {
        for (const double stop : {0.0, 0.8}) {
            dials.push_back(
                dial(&Params::ef, hits, most, {named(&Params::entry_terms, terms), named(&Params::early_stop, stop)}));
        }
    }
    return dials;
}

void GraphIndex::save_engine(Parameters&, SectionList& sections) const {
    order().save(sections);
    edges_.save(sections, "edges");
    entries_.save(sections);
}

std::vector<std::int64_t> GraphIndex::edges(std::int64_t doc) const {
    if (doc < 0 || static_cast<std::uint64_t>(doc) >= n_docs()) {
        throw std::invalid_argument("doc: " + std::to_string(doc) + " is not a document; the index has " +
                                    std::to_string(n_docs()));
    }
    std::vector<std::int64_t> docs;
    edges_.for_each(order().position(static_cast<std::uint32_t>(doc)), [&](std::uint32_t position) {
        if (position < n_docs()) docs.push_back(order().id_of(position));
    });
    std::sort(docs.begin(), docs.end());
    return docs;
}

void GraphIndex::check_search(const GraphSearchParams& params) const {
    check_count(params.ef, "ef");
    check_count(params.entry_terms, "entry_terms");
    if (!(params.early_stop >= 0 && params.early_stop <= 1)) {
        throw std::invalid_argument("early_stop must be in [0, 1], got " + std::to_string(params.early_stop));
    }
    if (!params.allowed.empty() && params.allowed.size() != n_docs()) {
        throw std::invalid_argument("allowed: " + std::to_string(params.allowed.size()) + " documents; the index has " +
                                    std::to_string(n_docs()));
    }
}

void GraphIndex::search_with(const CsrView& queries, const SearchOptions& options, const GraphSearchParams& params,
                             const HitsView& hits) const {
    Plan plan;
    plan.k = std::min(hits.k, n_docs());
    const std::size_t ef = params.ef == 0 ? kWidth + kWidthPerHit * plan.k : static_cast<std::size_t>(params.ef);
    plan.ef = std::min(std::max(ef, plan.k), n_docs());
    plan.entry_terms = params.entry_terms == 0 ? std::numeric_limits<std::size_t>::max()
                                               : static_cast<std::size_t>(params.entry_terms);
    plan.early_stop = static_cast<float>(params.early_stop);
    plan.allowed = params.allowed;
    plan.score_all = false;
    if (!plan.allowed.empty()) {
        // A walk passes n_docs / n_allowed documents for each that it may return, about ef * m of them.
        const auto n_allowed = n_docs() - static_cast<std::size_t>(std::ranges::count(plan.allowed, 0));
        const double walked = static_cast<double>(plan.ef) * static_cast<double>(build_params().m) *
                              static_cast<double>(n_docs()) / static_cast<double>(std::max<std::size_t>(n_allowed, 1));
        plan.score_all = static_cast<double>(n_allowed) <= walked;
        for (std::uint32_t position = 0; plan.score_all && position < n_docs(); ++position) {
            if (plan.allowed[order().id_of(position)] != 0) plan.few.push_back(position);
        }
    }
    const auto search = [&](std::size_t begin, std::size_t end, Context& context) {
        for (std::size_t row = begin; row < end; ++row) {
            context.query.assign(queries, row, vocabulary());
            search_query(plan, context);
            hits.write(row, context.top.hits());
        }
    };
    search_in_batches(queries.n_rows(), n_docs(), kBatch, options, contexts_, search, vocabulary().n_slots(), n_docs());
}

void GraphIndex::search_query(const Plan& plan, Context& context) const {
    context.top.reset(plan.k);
    context.nearest.reset(plan.ef);
    context.max_left = std::max(kMaxLeft, kMaxLeftPerHit * plan.ef);
    empty_scratch(context.left, context.max_left);
    empty_scratch(context.found);
    context.table.load(context.query);
    if (plan.score_all) {
        score(plan.few, plan, context);
    } else {
        context.visited.clear();
        enter(plan, context);
        score_found(plan, context);
    }
    while (!plan.score_all && !context.left.empty()) {
        const Hit next = context.left.front();
        if (!context.nearest.wants(next.score)) break;
        // 0 is never: a document of a negative score may lead to better ones.
        const bool stops_early = plan.early_stop > 0 && context.top.full();
        if (stops_early && next.score < plan.early_stop * context.top.threshold()) break;
        std::pop_heap(context.left.begin(), context.left.end(), worse);
        context.left.pop_back();
        edges_.for_each(next.doc, [&](std::uint32_t position) {
            if (position < n_docs() && context.visited.insert(position)) context.found.push_back(position);
        });
        score_found(plan, context);
    }
    context.table.clear(context.query);
}

// The entry points of the terms that can contribute most.
void GraphIndex::enter(const Plan& plan, Context& context) const {
    auto& terms = context.terms;
    terms.clear();
    for (std::size_t i = 0; i < context.query.size(); ++i) {
        const std::uint32_t slot = context.query.slots[i];
        const float weight = context.query.weights[i];
        const float heaviest = entries_.heaviest(slot);
        // The product may be below what a float can hold, and a sum of such products not.
        if (weight > 0 && heaviest > 0) terms.push_back({weight * heaviest, slot});
    }
    const std::size_t n = std::min(plan.entry_terms, terms.size());
    std::partial_sort(terms.begin(), terms.begin() + static_cast<std::ptrdiff_t>(n), terms.end(), better);
    for (std::size_t i = 0; i < n; ++i) {
        entries_.documents().for_each(terms[i].doc, [&](std::uint32_t position) {
            if (position < n_docs() && context.visited.insert(position)) context.found.push_back(position);
        });
    }
}

// Scores the documents found and empties the list.
void GraphIndex::score_found(const Plan& plan, Context& context) const {
    score(context.found, plan, context);
    context.found.clear();
    if (!context.left.empty()) edges_.prefetch(context.left.front().doc);
}

// Scores documents, none twice in a search.
void GraphIndex::score(std::span<const std::uint32_t> found, const Plan& plan, Context& context) const {
    const ForwardIndex& documents = forward();
    const DocumentOrder& ids = order();
    for (std::size_t i = 0; i < std::min(kStartsAhead, found.size()); ++i) documents.prefetch_range(found[i]);
    for (std::size_t i = 0; i < std::min(kDocsAhead, found.size()); ++i) documents.prefetch(found[i]);
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (i % kAtATime == 0) interruption_point(kAtATime * kScoringTime);
        if (i + kStartsAhead < found.size()) documents.prefetch_range(found[i + kStartsAhead]);
        if (i + kDocsAhead < found.size()) documents.prefetch(found[i + kDocsAhead]);
        const std::uint32_t position = found[i];
        const auto score = static_cast<float>(documents.score(position, context.table));
        TopK& nearest = context.nearest;
        const bool wanted = score > 0 && context.top.wants(score);
        // What only ties with the worst of the nearest leads no further: else a walk would not end where many tie.
        const bool near = !plan.score_all && (!nearest.full() || score > nearest.threshold());
        if (!wanted && !near) continue;
        const std::uint32_t id = ids.id_of(position);
        const bool allowed = plan.allowed.empty() || plan.allowed[id] != 0;
        if (wanted && allowed) context.top.add({score, id});
        if (!near) continue;
        if (allowed) nearest.add({score, position});
        context.left.push_back({score, position});
        std::push_heap(context.left.begin(), context.left.end(), worse);
    }
    if (context.left.size() <= context.max_left) return;
    std::erase_if(context.left, [&](const Hit& hit) { return !context.nearest.wants(hit.score); });
    std::make_heap(context.left.begin(), context.left.end(), worse);
    context.max_left = std::max(context.max_left, 2 * context.left.size());
}

}  // namespace thresher
