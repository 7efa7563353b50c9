#include "graph_index.hpp"

#include "checks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "../core/graph/document_graph.hpp"
#include "../core/selection/gate.hpp"
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

// Clusters of the guide that are opened for a document's candidates: a quarter of what a query's hits take, since
// documents lie among their likes (docs/internals/graph.md).
constexpr std::size_t kGuideClusters = 16;
constexpr std::size_t kGuideClustersPerCandidate = 2;

// The guide, small beside the documents: no tiles, few rows, and in lists what weighs most of a cluster's summary. It
// is asked for documents alike, whose heaviest terms tell enough (docs/internals/graph.md). Of few documents lists are
// whole.
constexpr std::size_t kPrunedFrom = 20'000;
ClusteredParams guide_params(std::size_t n_docs) noexcept {
    ClusteredParams params;
    params.dense_frequency = 0.06;
    params.tile_frequency = 1;
    params.summary_energy = n_docs < kPrunedFrom ? 1.0 : 0.6;
    return params;
}

// The width of a search where the caller does not say: this, and so many for each hit.
constexpr std::size_t kWidth = 64;
constexpr std::size_t kWidthPerHit = 8;
// Of ef * m documents, what a walk scores; and the hits up to which a walk is taken in any case.
constexpr double kWalked = 0.6;
constexpr std::size_t kUsualHits = 100;
// A query of more terms than this that can raise a score has no few that tell where to start.
constexpr std::size_t kMaxQueryTerms = 2000;
// Entry points of a term where the caller does not say: the square root of the number of documents over this, at least
// so many. More entries are a larger fraction of a search's work, and fewer a smaller fraction of the documents.
constexpr double kEntryShare = 5;
constexpr double kMinEntries = 32;
constexpr double kMaxEntries = 65536;
// Documents ahead of the one being scored of which it is fetched where they start: many, because they are far apart.
constexpr std::size_t kRangesAhead = 32;

void check_range(std::int64_t value, std::int64_t min, std::int64_t max, const char* name) {
    if (value >= min && value <= max) return;
    throw std::invalid_argument(std::string(name) + " must be from " + std::to_string(min) + " to " +
                                std::to_string(max) + ", got " + std::to_string(value));
}

// `mean_copies`: near-copies that a document has; all of them are entries of the same terms, and lead to the same.
std::size_t entry_points_of(const GraphParams& params, std::size_t n_docs, double mean_copies = 0) noexcept {
    if (params.entry_points > 0) return static_cast<std::size_t>(params.entry_points);
    const double chosen = std::max(std::sqrt(static_cast<double>(n_docs)) / kEntryShare, kMinEntries);
    return static_cast<std::size_t>(std::min(std::floor(chosen) * std::round(1 + mean_copies), kMaxEntries));
}

// Documents that may be left to go on from before those are dropped that a search will not come to, and so many for
// each that it looks for.
constexpr std::size_t kMaxLeft = 4096;
constexpr std::size_t kMaxLeftPerHit = 4;

std::size_t n_raising(const SlotQuery& query) noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(query.weights, [](float weight) { return weight > 0; }));
}

bool worse(const Hit& a, const Hit& b) noexcept { return better(b, a); }

}  // namespace

// What one thread needs to search, kept between searches.
struct GraphIndex::Context : SearchContext {
    Context(std::uint32_t n_slots, std::size_t n_docs) : SearchContext(n_slots), visited(n_docs) {}

    VisitedSet visited;
    std::vector<Hit> terms;            // slots by what they can contribute
    std::vector<std::uint32_t> found;  // positions to score
    std::size_t n_scored = 0;
    std::vector<Hit> left;     // positions to go on from: a heap, the best in front
    std::size_t max_left = 0;  // of them, before a look at which are still wanted
    TopK nearest;              // positions: the `ef` best of those allowed, whatever they score
};

GraphIndex::GraphIndex(const GraphParams& params, std::shared_ptr<const StoredDocuments> documents)
    : TunableIndex(params, std::move(documents)) {}

GraphIndex::GraphIndex(const GraphIndex& other) = default;

GraphIndex::~GraphIndex() = default;

void GraphIndex::check(const GraphParams& params) {
    check_range(params.m, 1, kMaxEdges, "m");
    check_range(params.ef_construction, 1, kMaxCandidates, "ef_construction");
    check_range(params.entry_points, 0, kMaxCandidates, "entry_points");
}

std::unique_ptr<GraphIndex> GraphIndex::build(const Documents& docs, const GraphParams& given,
                                              const BuildOptions& options) {
    check(given);
    check_collection(docs);
    const Ordering ordering(given.reorder, options.order, docs.n_docs());
    GraphParams params = given;
    params.reorder = ordering.reorders();
    const ClusteredParams clusters = guide_params(docs.n_docs());
    const auto& [order, precision, threads, monitor] = options;
    Progress progress(monitor,
                      ClusteredIndex::passes(clusters, ordering, precision) + ClusteredIndex::kSearchPasses +
                          GraphBuilder::kPasses + kBuildPasses,
                      docs.n_docs());
    auto guide = ClusteredIndex::build(docs, clusters, ordering, precision, threads, progress);
    const auto documents = documents_of(*guide);
    PositionLists edges = connected(*documents, params, std::move(guide), threads, progress);
    std::unique_ptr<GraphIndex> index(new GraphIndex(params, documents));
    index->edges_ = std::move(edges);
    index->entries_ = EntryPoints::build(index->forward(), index->vocabulary(),
                                         static_cast<std::size_t>(params.entry_points), threads, progress);
    return index;
}

PositionLists GraphIndex::connected(const StoredDocuments& documents, GraphParams& params,
                                    std::unique_ptr<ClusteredIndex> guide, unsigned threads, Progress& progress) {
    const std::size_t n_docs = documents.forward.n_docs();
    const std::uint32_t n_slots = documents.vocabulary.n_slots();
    GraphBuilder builder(documents.forward, documents.vocabulary, static_cast<std::size_t>(params.m), threads,
                         progress);
    const unsigned workers = worker_count(threads, n_docs + 1);
    std::vector<std::unique_ptr<GraphBuilder::Context>> contexts(workers);  // made by whoever works
    const auto n_candidates = static_cast<std::size_t>(params.ef_construction);
    guide->search_documents(n_candidates, kGuideClusters + kGuideClustersPerCandidate * n_candidates, workers, progress,
                            [&](std::size_t doc, std::span<const Hit> candidates, unsigned worker) {
                                auto& context = contexts[worker];
                                if (!context) context = std::make_unique<GraphBuilder::Context>(n_slots);
                                builder.connect(doc, candidates, *context);
                            });
    guide.reset();
    params.entry_points = static_cast<std::int64_t>(entry_points_of(params, n_docs, builder.mean_copies()));
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
    const std::size_t n_entries = entry_points_of(params, statistics.n_docs);
    return {GraphBuilder::estimated_edges(statistics.n_docs, static_cast<std::size_t>(params.m)),
            {"entries", EntryPoints::estimated_nbytes(statistics, n_entries)}};
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
}

void GraphIndex::search_with(const CsrView& queries, const Request& request, const GraphSearchParams& params,
                             const HitsView& hits) const {
    const auto answer = [&](std::span<const Task> tasks, Context& context) {
        for (const Task& task : tasks) {
            const bool is_endless = n_raising(*task.query) > kMaxQueryTerms && !params.is_limited();
            if (is_endless || walk_is_dearer(task.wanted, params)) {
                scan(task, request, context, hits);
                continue;
            }
            const bool is_exact = search_query(task, params, context);
            hits.write(task.row, context.best.hits(), is_exact);
        }
    };
    search_in_batches(queries, request, {}, kBatch, hits, contexts_, answer, vocabulary().n_slots(), n_docs());
}

std::size_t GraphIndex::width(const Wanted& wanted, const GraphSearchParams& params) const noexcept {
    const std::size_t ef = params.ef == 0 ? kWidth + kWidthPerHit * wanted.depth : static_cast<std::size_t>(params.ef);
    return std::min(std::max(ef, wanted.k), n_docs());
}

// Whether a walk scores more documents than are allowed: it passes n_docs / n_allowed of them for each that it may
// return, about ef * m at most. Where many hits are wanted of few documents, it comes by nearly all.
bool GraphIndex::walk_is_dearer(const Wanted& wanted, const GraphSearchParams& params) const noexcept {
    const double walked = static_cast<double>(width(wanted, params)) * static_cast<double>(build_params().m);
    if (wanted.allowed != nullptr) return static_cast<double>(wanted.allowed->size()) * wanted.fraction() <= walked;
    return params.ef == 0 && wanted.k > kUsualHits && static_cast<double>(n_docs()) <= kWalked * walked;
}

bool GraphIndex::search_query(const Task& task, const GraphSearchParams& params, Context& context) const {
    const std::size_t ef = width(task.wanted, params);
    const auto early_stop = static_cast<float>(params.early_stop);
    context.best.reset(task.wanted);
    context.nearest.reset(ef, -std::numeric_limits<float>::infinity());
    context.max_left = std::max(kMaxLeft, kMaxLeftPerHit * ef);
    empty_scratch(context.left, context.max_left);
    empty_scratch(context.found);
    context.n_scored = 0;
    context.visited.clear();
    context.gate.open(task, documents(), context.best);
    enter(*task.query, params.entry_terms == 0 ? task.query->size() : static_cast<std::size_t>(params.entry_terms),
          context);
    score_found(context);
    while (!context.left.empty()) {
        const Hit next = context.left.front();
        if (!context.nearest.wants(next.score)) break;
        // 0 is never: a document of a negative score may lead to better ones.
        const bool stops_early = early_stop > 0 && context.gate.full();
        if (stops_early && next.score < early_stop * context.gate.threshold()) break;
        std::pop_heap(context.left.begin(), context.left.end(), worse);
        context.left.pop_back();
        edges_.for_each(next.doc, [&](std::uint32_t position) {
            if (position < n_docs() && context.visited.insert(position)) context.found.push_back(position);
        });
        score_found(context);
    }
    context.gate.close();
    return context.n_scored == n_docs();
}

// The entry points of the `n_terms` terms that can contribute most.
void GraphIndex::enter(const SlotQuery& query, std::size_t n_terms, Context& context) const {
    auto& terms = context.terms;
    terms.clear();
    for (std::size_t i = 0; i < query.size(); ++i) {
        const std::uint32_t slot = query.slots[i];
        const float weight = query.weights[i];
        const float heaviest = entries_.heaviest(slot);
        // The product may be below what a float can hold, and a sum of such products not.
        if (weight > 0 && heaviest > 0) terms.push_back({weight * heaviest, slot});
    }
    const std::size_t n = std::min(n_terms, terms.size());
    std::partial_sort(terms.begin(), terms.begin() + static_cast<std::ptrdiff_t>(n), terms.end(), better);
    for (std::size_t i = 0; i < n; ++i) {
        entries_.documents().for_each(terms[i].doc, [&](std::uint32_t position) {
            if (position < n_docs() && context.visited.insert(position)) context.found.push_back(position);
        });
    }
}

// Scores the documents found, none twice in a search, and empties the list. Documents that are not allowed are scored
// too: they lead to others.
void GraphIndex::score_found(Context& context) const {
    const ForwardIndex& documents = forward();
    const std::vector<std::uint32_t>& found = context.found;
    for (std::size_t i = 0; i < std::min(kRangesAhead, found.size()); ++i) documents.prefetch_range(found[i]);
    for (std::size_t i = 0; i < std::min(kDocsAhead, found.size()); ++i) documents.prefetch(found[i]);
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (i % kScoredAtATime == 0) interruption_point(kScoredAtATime * kScoringNanoseconds);
        if (i + kRangesAhead < found.size()) documents.prefetch_range(found[i + kRangesAhead]);
        if (i + kDocsAhead < found.size()) documents.prefetch(found[i + kDocsAhead]);
        const std::uint32_t position = found[i];
        const Gate::Estimate estimate = context.gate.estimate(position);
        const auto score = static_cast<float>(estimate.score);
        context.gate.offer(position, estimate);
        // What only ties with the worst of the nearest leads no further: else a walk would not end where many tie.
        TopK& nearest = context.nearest;
        if (nearest.full() && score <= nearest.threshold()) continue;
        if (context.gate.allows(position)) nearest.add({score, position});
        context.left.push_back({score, position});
        std::push_heap(context.left.begin(), context.left.end(), worse);
    }
    context.n_scored += found.size();
    context.found.clear();
    if (!context.left.empty()) edges_.prefetch(context.left.front().doc);
    if (context.left.size() <= context.max_left) return;
    std::erase_if(context.left, [&](const Hit& hit) { return !context.nearest.wants(hit.score); });
    std::make_heap(context.left.begin(), context.left.end(), worse);
    context.max_left = std::max(context.max_left, 2 * context.left.size());
}

}  // namespace thresher
