#include "clustered_index.hpp"

#include "checks.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>

#include "../core/blocks/best_blocks.hpp"
#include "../core/blocks/block_bounds.hpp"
#include "../core/blocks/block_opening.hpp"
#include "../kernels/kernels.hpp"
#include "query_batches.hpp"

namespace thresher {

namespace {

// Passes over the documents, for the progress report, beside those of the summaries.
constexpr unsigned kBuildPasses = 3;
constexpr std::size_t kBatch = 256;
constexpr std::uint32_t kClusterSize = 4;  // where the caller does not say
constexpr std::int64_t kMaxNeighbours = 256;
// Documents of a query's neighbours searched at a time.
constexpr std::size_t kNeighboursPerTask = 64;

// Clusters to open where the caller does not say: these, and so many for each hit.
constexpr double kBudget = 64;
constexpr double kBudgetPerHit = 8;
// And at least so many in an index that is one of several.
constexpr double kMinBudget = 16;
// Groups to look into where the caller does not say: so many for each cluster to open, and all where that would be a
// large part of them: clusters side by side are summed faster than those here and there (docs/internals/clustered.md).
constexpr double kGroupsPerCluster = 5;
constexpr std::size_t kLargePart = 8;
// The least fraction of what a query's terms can contribute that those left by the library's cut have, for them to rank
// clusters by: of queries of learned vectors 24 terms have 0.38 at least, and 0.97 in the median.
constexpr double kMinKept = 0.3;
// Documents that are looked at for how impacts are spread.
constexpr std::size_t kSampledDocs = 256;
// Documents from which on there are groups, and the fraction of them that a term is in to have codes there.
constexpr std::size_t kGroupedFrom = 1'500'000;
constexpr double kGroupFrequency = 0.0005;

std::uint32_t cluster_size_of(const ClusteredParams& params) noexcept {
    return params.cluster_size == 0 ? kClusterSize : static_cast<std::uint32_t>(params.cluster_size);
}

// Slots that have rows, rows in tiles, and rows of groups if there are groups. `frequencies`: a Vocabulary, or
// CollectionStatistics.
struct RowCounts {
    std::uint32_t clusters;
    std::uint32_t tiles;
    std::optional<std::uint32_t> groups;
};
template <class Frequencies>
RowCounts rows_of(const ClusteredParams& params, std::size_t n_docs, const Frequencies& frequencies) {
    const std::uint32_t size = cluster_size_of(params);
    RowCounts rows{frequencies.n_frequent(params.dense_frequency, BlockMaxima::room(n_docs, size, false)), 0,
                   std::nullopt};
    rows.tiles = std::min(rows.clusters, frequencies.n_frequent(params.tile_frequency, BlockTiles::room(n_docs, size)));
    if (params.group_frequency > 0 || n_docs >= kGroupedFrom) {
        const double frequency = params.group_frequency > 0 ? params.group_frequency : kGroupFrequency;
        rows.groups = frequencies.n_frequent(frequency, ClusterSummaries::group_room(n_docs, size));
    }
    return rows;
}

ClusterSummaries::Pruning pruning_of(const ClusteredParams& params) noexcept {
    return {static_cast<std::size_t>(params.n_postings), params.summary_energy};
}

std::size_t or_all(std::int64_t count) noexcept {
    return count == 0 ? std::numeric_limits<std::size_t>::max() : static_cast<std::size_t>(count);
}

}  // namespace

// What one thread needs to search, kept between searches.
struct ClusteredIndex::Context : SearchContext {
    Context(std::uint32_t n_slots, std::size_t n_superblocks, std::size_t n_superblocks_of_groups)
        : SearchContext(n_slots),
          group_bounds(n_superblocks_of_groups),
          groups(n_superblocks_of_groups),
          bounds(n_superblocks),
          clusters(n_superblocks) {}

    SlotQuery query;  // a document, as one
    BlockBounds::Context group_bounds;
    BestBlocks groups;
    std::vector<std::uint32_t> best_groups;
    BlockBounds::Context bounds;
    BestBlocks clusters;
    BlockOpening::Context opening;
    // For refinement: the best hits, all hits by position, and the neighbours of the best.
    std::vector<Hit> best_hits;
    std::vector<std::uint32_t> found;
    std::vector<std::uint64_t> neighbours;
};

ClusteredIndex::ClusteredIndex(const ClusteredParams& params, StoredDocuments documents, Quantiser quantiser,
                               ClusterSummaries summaries, BlockTiles tiles)
    : TunableIndex(params, std::move(documents)),
      quantiser_(std::move(quantiser)),
      summaries_(std::move(summaries)),
      tiles_(std::move(tiles)) {
    mean_impact_ = mean_impact();
}

ClusteredIndex::ClusteredIndex(const ClusteredIndex& other) = default;

ClusteredIndex::~ClusteredIndex() = default;

void ClusteredIndex::check(const ClusteredParams& params) {
    check_block_size(params.cluster_size, "cluster_size");
    check_fraction(params.dense_frequency, "dense_frequency");
    check_fraction(params.tile_frequency, "tile_frequency");
    if (params.group_frequency != 0 && !(params.group_frequency > 0 && params.group_frequency <= 1)) {
        throw std::invalid_argument("group_frequency must be in (0, 1], or 0 to choose, got " +
                                    std::to_string(params.group_frequency));
    }
    check_count(params.n_postings, "n_postings");
    check_fraction(params.summary_energy, "summary_energy");
    if (params.neighbours < 0 || params.neighbours > kMaxNeighbours) {
        throw std::invalid_argument("neighbours must be from 0 to " + std::to_string(kMaxNeighbours) + ", got " +
                                    std::to_string(params.neighbours));
    }
}

std::unique_ptr<ClusteredIndex> ClusteredIndex::build(const Documents& docs, const ClusteredParams& params,
                                                      const BuildOptions& options) {
    check(params);
    check_collection(docs);
    const Ordering ordering(params.reorder, options.order, docs.n_docs());
    Progress progress(options.monitor, passes(params, ordering, options.precision), docs.n_docs());
    return build(docs, params, ordering, options.precision, options.threads, progress);
}

unsigned ClusteredIndex::passes(const ClusteredParams& params, const Ordering& ordering, Precision precision) noexcept {
    return kBuildPasses + StoredDocuments::passes(ordering, cluster_size_of(params), precision) +
           ClusterSummaries::kPasses + (params.neighbours > 0 ? kSearchPasses : 0);
}

std::unique_ptr<ClusteredIndex> ClusteredIndex::build(const Documents& docs, const ClusteredParams& given,
                                                      const Ordering& ordering, Precision precision, unsigned threads,
                                                      Progress& progress) {
    ClusteredParams params = given;
    params.reorder = ordering.reorders();
    const std::uint32_t cluster_size = cluster_size_of(params);
    params.cluster_size = static_cast<std::int64_t>(cluster_size);

    auto documents = StoredDocuments::build(docs, ordering, cluster_size, precision, threads, progress);
    const Vocabulary& vocabulary = documents.vocabulary;
    const ForwardIndex& forward = documents.forward;
    auto quantiser = Quantiser::build(forward, vocabulary, threads, progress);
    const RowCounts rows = rows_of(params, docs.n_docs(), vocabulary);
    auto summaries = ClusterSummaries::build(forward, vocabulary, quantiser, cluster_size, rows.clusters, rows.groups,
                                             pruning_of(params), threads, progress);
    auto tiles = BlockTiles::build(forward, quantiser, cluster_size, rows.tiles, threads, progress);
    std::unique_ptr<ClusteredIndex> index(
        new ClusteredIndex(params, std::move(documents), std::move(quantiser), std::move(summaries), std::move(tiles)));
    if (params.neighbours > 0) index->connect(threads, progress);
    return index;
}

void ClusteredIndex::connect(unsigned threads, Progress& progress) {
    const auto degree = static_cast<std::size_t>(build_params().neighbours);
    Filling<std::uint32_t> positions(n_docs() * degree);
    const std::size_t n_clusters = budgets({.k = degree + 1, .depth = degree + 1}).clusters;
    search_documents(degree, n_clusters, threads, progress,
                     [&](std::size_t doc, std::span<const Hit> others, unsigned) {
                         std::uint32_t* row = positions.items.data() + doc * degree;
                         std::fill(row, row + degree, static_cast<std::uint32_t>(doc));
                         for (const Hit& other : others) *row++ = other.doc;
                     });
    neighbours_ = Neighbours(std::move(positions.buffer), degree);
}

void ClusteredIndex::search_documents(
    std::size_t k, std::size_t n_clusters, unsigned threads, Progress& progress,
    const std::function<void(std::size_t position, std::span<const Hit> others, unsigned worker)>& found) const {
    ClusteredSearchParams usual;
    usual.cluster_budget = static_cast<std::int64_t>(is_flat() ? 2 * n_clusters : n_clusters);
    const unsigned workers = worker_count(threads, n_docs() / kNeighboursPerTask + 1);
    std::vector<std::optional<ContextPool<Context>::Lease>> contexts(workers);  // borrowed by whoever works
    std::vector<std::vector<Posting>> postings(workers);
    progress.weigh_next_pass(kSearchPasses);
    parallel_for_rows(
        n_docs(), kNeighboursPerTask, workers, progress, [&](std::size_t begin, std::size_t end, unsigned worker) {
            if (!contexts[worker]) {
                contexts[worker].emplace(contexts_.borrow(vocabulary().n_slots(), summaries_.rows().n_superblocks(),
                                                          summaries_.groups().n_superblocks()));
            }
            Context& context = **contexts[worker];
            for (std::size_t doc = begin; doc < end; ++doc) {
                forward().read(doc, postings[worker]);
                context.query.assign(postings[worker], vocabulary());
                search_query({&context.query, {.k = k + 1, .depth = k + 1}}, usual, context);
                auto& hits = context.best.hits();
                std::sort(hits.begin(), hits.end(), better);
                for (Hit& hit : hits) hit.doc = order().position(hit.doc);
                std::erase_if(hits, [&](const Hit& hit) { return hit.doc == doc; });
                found(doc, std::span(hits).first(std::min(k, hits.size())), worker);
            }
        });
}

ClusteredIndex::ClusteredIndex(const IndexFile& file) : TunableIndex(file, DocumentOrder::load(file)) {
    file.require(build_params().cluster_size > 0, "no cluster_size");
    const auto cluster_size = static_cast<std::uint32_t>(build_params().cluster_size);
    const std::uint32_t n_slots = vocabulary().n_slots();
    quantiser_ = Quantiser::load(file, n_slots, n_docs());
    summaries_ = ClusterSummaries::load(file, n_docs(), cluster_size, n_slots);
    tiles_ = BlockTiles::load(file, n_docs(), cluster_size, n_slots);
    file.require(tiles_.n_rows() <= summaries_.rows().n_rows(), "more rows in tiles than in summaries");
    neighbours_ = Neighbours::load(file, n_docs(), static_cast<std::size_t>(build_params().neighbours));
    mean_impact_ = mean_impact();
}

std::vector<std::pair<std::string, std::size_t>> ClusteredIndex::engine_nbytes() const {
    return {{"quantiser", quantiser_.nbytes()},           {"summaries", summaries_.rows().nbytes()},
            {"lists", summaries_.lists().lists_nbytes()}, {"rare", summaries_.lists().rare_nbytes()},
            {"groups", summaries_.groups().nbytes()},     {"tiles", tiles_.nbytes()},
            {"neighbours", neighbours_.nbytes()}};
}

std::vector<EstimatedPart> ClusteredIndex::estimated_parts(const CollectionStatistics& statistics,
                                                           const ClusteredParams& params) {
    const std::size_t n_docs = statistics.n_docs;
    const std::uint32_t size = cluster_size_of(params);
    const RowCounts rows = rows_of(params, n_docs, statistics);
    std::vector<EstimatedPart> parts{{"quantiser", Quantiser::estimated_nbytes(statistics)}};
    append(ClusterSummaries::estimated_parts(statistics, size, rows.clusters, rows.groups, pruning_of(params)), parts);
    parts.push_back({"tiles", BlockTiles::estimated_nbytes(n_docs, size, rows.tiles)});
    const auto degree = static_cast<std::size_t>(params.neighbours);
    parts.push_back({"neighbours", Neighbours::estimated_nbytes(n_docs, degree)});
    return parts;
}

Dials ClusteredIndex::dials(std::size_t n_docs, std::size_t k) {
    using Params = ClusteredSearchParams;
    const auto docs = static_cast<double>(n_docs);
    const auto hits = static_cast<double>(k);
    const double least = std::max(1.0, std::floor(hits / 4));
    const double most = std::max(hits, std::min(std::floor(docs / kClusterSize) + 1, 100 * hits + 1000));
    Dials dials;
    for (const std::int64_t cut : {16, 20, 24, 12, 32, 10, 8, 6, 0}) {
        dials.push_back(dial(&Params::cluster_budget, least, most, {named(&Params::query_cut, cut)}));
    }
    return dials;
}

void ClusteredIndex::save_engine(Parameters& counts, SectionList& sections) const {
    order().save(sections);
    quantiser_.save(sections);
    summaries_.save(counts, sections);
    tiles_.save(counts, sections);
    neighbours_.save(sections);
}

void ClusteredIndex::check_search(const ClusteredSearchParams& params) const {
    check_count(params.query_cut, "query_cut");
    check_fraction(params.heap_factor, "heap_factor");
    check_count(params.cluster_budget, "cluster_budget");
    check_count(params.group_budget, "group_budget");
    if (params.group_budget > 0 && summaries_.groups().n_blocks() == 0 && n_docs() > 0) {
        throw std::invalid_argument("group_budget needs groups: build the index with a group_frequency above 0");
    }
    check_count(params.refine, "refine");
    if (params.refine > 0 && neighbours_.degree() == 0) {
        throw std::invalid_argument("refine needs neighbours: build the index with neighbours >= 1");
    }
}

void ClusteredIndex::search_with(const CsrView& queries, const Request& request, const ClusteredSearchParams& params,
                                 const HitsView& hits) const {
    const auto answer = [&](std::span<const Task> tasks, Context& context) {
        for (const Task& task : tasks) {
            const auto is_exact = search_query(task, params, context);
            if (is_exact) {
                hits.write(task.row, context.best.hits(), *is_exact);
            } else {
                scan(task, request, context, hits);
            }
        }
    };
    search_in_batches(queries, request, quantiser_.outliers(), kBatch, hits, contexts_, answer, vocabulary().n_slots(),
                      summaries_.rows().n_superblocks(), summaries_.groups().n_superblocks());
}

// Where documents are hidden, the k best of the others are as deep in the ranking as k / fraction of all; so many
// clusters would be opened, but for those that have none.
ClusteredIndex::Budgets ClusteredIndex::budgets(const Wanted& wanted) const noexcept {
    const auto depth = static_cast<double>(wanted.depth);
    const auto n_clusters = static_cast<double>(summaries_.rows().n_blocks());
    const double of_all = std::min(kBudget + kBudgetPerHit * depth / std::max(wanted.fraction(), 1e-9), n_clusters);
    const double opened = std::max(of_all * wanted.fraction_of_blocks(), kBudget + kBudgetPerHit * depth);
    // A part of a collection gets its part of the budget.
    const double spent = std::max(opened * wanted.budget, std::min(opened, kMinBudget));
    return {static_cast<std::size_t>(spent), kGroupsPerCluster * std::max(of_all, opened) * wanted.budget};
}

double ClusteredIndex::mean_impact() const {
    std::vector<Posting> postings;
    const std::size_t step = n_docs() / kSampledDocs + 1;  // those side by side are alike
    for (std::size_t doc = 0; doc < n_docs(); doc += step) forward().append(doc, postings);
    double sum = 0;
    for (const auto& [slot, weight] : postings) sum += quantiser_.impact(slot, weight);
    return postings.empty() ? 0.5 : sum / Quantiser::kMaxImpact / static_cast<double>(postings.size());
}

bool ClusteredIndex::plan(const BlockBounds& bounds, const SlotQuery& query, const ClusteredSearchParams& params,
                          BlockBounds::Context& context) const {
    const bool is_chosen = !params.is_limited();
    const bool is_whole = params.query_cut == 0 || (is_chosen && (is_flat() || is_coarse()));
    const std::size_t cut = is_whole ? bounds.max_terms() : static_cast<std::size_t>(params.query_cut);
    bounds.plan(query, {.max = std::min(cut, bounds.max_terms())}, context);
    return !is_chosen || context.plan.kept >= kMinKept;
}

std::optional<bool> ClusteredIndex::search_query(const Task& task, const ClusteredSearchParams& params,
                                                 Context& context) const {
    context.best.reset(task.wanted);
    const BlockBounds bounds(quantiser_, summaries_.rows(), summaries_.lists(), 1);
    if (!this->plan(bounds, *task.query, params, context.bounds)) return std::nullopt;
    const BoundPlan& plan = context.bounds.plan;
    if (!(plan.unit > 0)) return true;  // nothing can score above 0
    const auto [usual, of_groups] = budgets(task.wanted);
    std::size_t budget = params.cluster_budget == 0 ? usual : static_cast<std::size_t>(params.cluster_budget);
    if (!params.is_limited()) {
        if (is_flat()) budget *= 2;
        if (is_coarse()) budget = summaries_.rows().n_blocks();
    }
    std::size_t group_budget = static_cast<std::size_t>(params.group_budget);
    if (group_budget == 0) {
        const double chosen = params.cluster_budget == 0 ? of_groups : kGroupsPerCluster * static_cast<double>(budget);
        const auto large_part = static_cast<double>(summaries_.groups().n_blocks() / kLargePart);
        if (chosen < large_part) group_budget = static_cast<std::size_t>(chosen);
    }
    const auto groups = best_groups(task, or_all(params.query_cut), group_budget, context);
    if (groups.empty()) {
        bounds.sum(context.bounds);
    } else {
        bounds.sum(groups, context.bounds);
    }

    // Summaries' scores lack the terms that were cut: the score that they have to reach is less by their fraction.
    context.gate.open(task, documents(), context.best);
    BlockOpening opening(documents(), tiles_, task.wanted.k, plan, plan.kept / params.heap_factor, context.gate,
                         context.opening);
    context.clusters.start(context.bounds, summaries_.rows().n_blocks(), std::min(usual, budget), budget,
                           task.wanted.allowed, block_size());
    while (context.clusters.next(opening.cutoff())) opening.open(context.clusters.blocks());
    if (params.refine > 0) refine(static_cast<std::size_t>(params.refine), opening, context);
    context.gate.close();
    const bool are_bounds = are_whole() && plan.kept >= 1 && params.heap_factor >= 1 && groups.empty();
    return are_bounds && context.clusters.max_left_out() < opening.cutoff();
}

std::span<const std::uint32_t> ClusteredIndex::best_groups(const Task& task, std::size_t query_cut, std::size_t budget,
                                                           Context& context) const {
    const BlockMaxima& groups = summaries_.groups();
    if (budget == 0 || budget >= groups.n_blocks()) return {};
    const BlockBounds bounds(quantiser_, groups, summaries_.lists(), kernels::kGroup);
    bounds.plan(*task.query, {.max = std::min(query_cut, bounds.max_terms())}, context.group_bounds);
    bounds.sum(context.group_bounds);
    context.groups.start(context.group_bounds, groups.n_blocks(), budget, groups.n_blocks(), task.wanted.allowed,
                         groups.block_size());
    context.best_groups.clear();
    if (context.groups.next(1)) {
        for (const std::uint64_t group : context.groups.blocks()) context.best_groups.push_back(item_of(group));
    }
    return context.best_groups;
}

// Rescores the neighbours of the best `n` hits.
void ClusteredIndex::refine(std::size_t n, BlockOpening& opening, Context& context) const {
    context.gate.settle();
    const std::vector<Hit>& hits = context.best.hits();
    std::vector<Hit>& best = context.best_hits;
    best.resize(std::min(n, hits.size()));
    std::partial_sort_copy(hits.begin(), hits.end(), best.begin(), best.end(), better);
    std::vector<std::uint32_t>& found = context.found;
    found.clear();
    for (const Hit& hit : hits) found.push_back(order().position(hit.doc));
    std::sort(found.begin(), found.end());
    std::vector<std::uint64_t>& neighbours = context.neighbours;
    neighbours.clear();
    for (const Hit& hit : best) {
        for (const std::uint32_t doc : neighbours_.of(order().position(hit.doc))) {
            if (doc >= n_docs() || std::binary_search(found.begin(), found.end(), doc)) continue;
            neighbours.push_back(ranked(BlockBounds::kSaturated, doc));
        }
    }
    std::sort(neighbours.begin(), neighbours.end());
    neighbours.erase(std::unique(neighbours.begin(), neighbours.end()), neighbours.end());
    opening.rescore_all(neighbours);
}

}  // namespace thresher
