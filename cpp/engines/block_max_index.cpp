#include "block_max_index.hpp"

#include "checks.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>

#include "../core/blocks/best_blocks.hpp"
#include "../core/blocks/block_bounds.hpp"
#include "../core/blocks/block_opening.hpp"
#include "../kernels/kernels.hpp"
#include "query_batches.hpp"

namespace thresher {

namespace {

// Passes over the documents, for the progress report.
constexpr unsigned kBuildPasses = 7;
constexpr std::size_t kBatch = 256;
constexpr std::uint32_t kBlockSize = 4;  // where the caller does not say
// Documents accumulated at a time: many, so that a query's lists are few and long.
constexpr std::uint32_t kDocWindow = 65536;
// Terms as frequent as this have a row for exhaustive search, as in ExactIndex.
constexpr double kRowDensity = 0.1;
// Blocks opened first, to raise the threshold, and one more for so many hits.
constexpr std::size_t kFirstBlocks = 8;
constexpr std::size_t kHitsPerFirstBlock = 2;

// What one unit of work takes, in nanoseconds, on the machine of docs/internals/README.md: the ratios matter.
constexpr double kScanTime = 0.05;     // exhaustive search: a document
constexpr double kCellTime = 0.027;    // a document's byte in a row
constexpr double kHitTime = 400;       // rescoring a document
constexpr double kPostingTime = 0.6;   // either: a posting in a list
constexpr double kPruningTime = 8000;  // pruning: what does not depend on anything
constexpr double kCodeTime = 0.016;    // a block's code in a row
constexpr double kOpeningTime = 600;   // opening blocks, for each hit wanted, and
constexpr double kOpeningByTerm = 60;  // for each hit and term of the query

// Slots that have rows of blocks: those without are those that bounds take from lists, and rows of documents would be
// in between. Then slots that are part of tiles. `frequencies`: a Vocabulary, or CollectionStatistics.
struct RowCounts {
    std::uint32_t blocks;
    std::uint32_t tiles;
};
std::uint32_t block_size_of(const BlockMaxParams& params) noexcept {
    return params.block_size == 0 ? kBlockSize : static_cast<std::uint32_t>(params.block_size);
}

template <class Frequencies>
RowCounts rows_of(const BlockMaxParams& params, std::size_t n_docs, std::uint32_t n_document_rows,
                  const Frequencies& frequencies) {
    const std::uint32_t size = block_size_of(params);
    const std::uint32_t n_bounds =
        frequencies.n_frequent(params.bound_frequency, BlockMaxima::room(n_docs, size, true));
    const std::uint32_t blocks = std::max(n_bounds, n_document_rows);
    return {blocks, std::min(blocks, frequencies.n_frequent(params.tile_frequency, BlockTiles::room(n_docs, size)))};
}

}  // namespace

// What one thread needs to search, kept between searches.
struct BlockMaxIndex::Context : SearchContext {
    Context(std::uint32_t n_slots, std::size_t n_superblocks)
        : SearchContext(n_slots), bounds(n_superblocks), blocks(n_superblocks) {}

    ExhaustiveSearch::Context exhaustive;
    std::vector<Task> exhaustive_tasks;

    BlockBounds::Context bounds;
    BestBlocks blocks;
    BlockOpening::Context opening;
};

BlockMaxIndex::BlockMaxIndex(const BlockMaxParams& params, StoredDocuments documents, ExhaustiveSearch exhaustive,
                             BlockMaxima blocks, BlockMaxima superblocks, BlockTiles tiles)
    : TunableIndex(params, std::move(documents)),
      exhaustive_(std::move(exhaustive)),
      blocks_(std::move(blocks)),
      superblocks_(std::move(superblocks)),
      tiles_(std::move(tiles)) {}

BlockMaxIndex::BlockMaxIndex(const BlockMaxIndex& other) = default;

BlockMaxIndex::~BlockMaxIndex() = default;

void BlockMaxIndex::check(const BlockMaxParams& params) {
    check_block_size(params.block_size, "block_size");
    check_fraction(params.bound_frequency, "bound_frequency");
    check_fraction(params.tile_frequency, "tile_frequency");
}

std::unique_ptr<BlockMaxIndex> BlockMaxIndex::build(const Documents& docs, const BlockMaxParams& given,
                                                    const BuildOptions& options) {
    check(given);
    check_collection(docs);
    const Ordering ordering(given.reorder, options.order, docs.n_docs());
    BlockMaxParams params = given;
    params.reorder = ordering.reorders();
    const std::uint32_t block_size = block_size_of(params);
    params.block_size = block_size;

    const auto& [order, precision, threads, monitor] = options;
    Progress progress(monitor, kBuildPasses + StoredDocuments::passes(ordering, block_size, precision), docs.n_docs());
    auto documents = StoredDocuments::build(docs, ordering, block_size, precision, threads, progress);
    const Vocabulary& vocabulary = documents.vocabulary;
    const ForwardIndex& forward = documents.forward;
    auto quantiser = Quantiser::build(forward, vocabulary, threads, progress);
    auto postings = WindowedPostings::build(forward, vocabulary, quantiser, kDocWindow, kRowDensity, threads, progress);
    const auto [n_rows, n_tile_rows] = rows_of(params, docs.n_docs(), postings.n_rows(), vocabulary);
    auto blocks = BlockMaxima::build(forward, quantiser, block_size, n_rows, threads, progress);
    auto superblocks =
        BlockMaxima::build(forward, quantiser, block_size * kernels::kSuperblock, n_rows, threads, progress);
    auto tiles = BlockTiles::build(forward, quantiser, block_size, n_tile_rows, threads, progress);
    return std::unique_ptr<BlockMaxIndex>(
        new BlockMaxIndex(params, std::move(documents), {std::move(quantiser), std::move(postings)}, std::move(blocks),
                          std::move(superblocks), std::move(tiles)));
}

BlockMaxIndex::BlockMaxIndex(const IndexFile& file) : TunableIndex(file, DocumentOrder::load(file)) {
    file.require(build_params().block_size > 0, "no block_size");
    const auto size = static_cast<std::uint32_t>(build_params().block_size);
    const std::uint32_t n_slots = vocabulary().n_slots();
    exhaustive_ = ExhaustiveSearch::load(file, static_cast<std::uint32_t>(n_docs()), n_slots, kDocWindow);
    blocks_ = BlockMaxima::load(file, "blocks", n_docs(), size, n_slots);
    superblocks_ = BlockMaxima::load(file, "superblocks", n_docs(), size * kernels::kSuperblock, n_slots);
    tiles_ = BlockTiles::load(file, n_docs(), size, n_slots);
    file.require(blocks_.n_rows() >= exhaustive_.postings().n_rows(), "fewer rows of blocks than of documents");
    file.require(superblocks_.n_rows() == blocks_.n_rows() && tiles_.n_rows() <= blocks_.n_rows(),
                 "blocks, superblocks and tiles do not have the same rows");
}

std::vector<std::pair<std::string, std::size_t>> BlockMaxIndex::engine_nbytes() const {
    auto parts = exhaustive_.nbytes();
    parts.emplace_back("blocks", blocks_.nbytes());
    parts.emplace_back("superblocks", superblocks_.nbytes());
    parts.emplace_back("tiles", tiles_.nbytes());
    return parts;
}

std::vector<EstimatedPart> BlockMaxIndex::estimated_parts(const CollectionStatistics& statistics,
                                                          const BlockMaxParams& params) {
    const std::size_t n_docs = statistics.n_docs;
    const std::uint32_t size = block_size_of(params);
    const auto [n_rows, n_tile_rows] =
        rows_of(params, n_docs, WindowedPostings::n_rows_of(statistics, kDocWindow, kRowDensity), statistics);
    auto parts = ExhaustiveSearch::estimated_parts(statistics, kDocWindow, kRowDensity);
    append({{"blocks", BlockMaxima::estimated_nbytes(n_docs, size, n_rows)},
            {"superblocks", BlockMaxima::estimated_nbytes(n_docs, size * kernels::kSuperblock, n_rows)},
            {"tiles", BlockTiles::estimated_nbytes(n_docs, size, n_tile_rows)}},
           parts);
    return parts;
}

Dials BlockMaxIndex::dials(std::size_t n_docs, std::size_t k) {
    using Params = BlockMaxSearchParams;
    const auto docs = static_cast<double>(n_docs);
    const auto hits = static_cast<double>(k);
    const double least = std::max(1.0, std::floor(hits / 4));
    const double most = std::max(hits, std::min(std::floor(docs / kBlockSize) + 1, 200 * hits + 2000));
    Dials dials;
    for (const double beta : {0.7, 1.0, 0.8, 0.6, 0.5}) {
        dials.push_back(dial(&Params::block_budget, least, most, {named(&Params::beta, beta)}));
    }
    // With beta = 1 too, alpha = 1 is the exact search, which may be faster than a pruned one.
    dials.push_back(dial(&Params::alpha, 0.5, Params{}.alpha));
    for (const double beta : {0.75, 0.8, 0.7, 0.65, 0.6, 0.9}) {
        dials.push_back(dial(&Params::alpha, 0.5, Params{}.alpha, {named(&Params::beta, beta)}));
    }
    dials.push_back(dial(&Params::beta, 0.3, Params{}.beta));
    return dials;
}

void BlockMaxIndex::save_engine(Parameters& counts, SectionList& sections) const {
    order().save(sections);
    exhaustive_.save(counts, sections);
    blocks_.save("blocks", counts, sections);
    superblocks_.save("superblocks", counts, sections);
    tiles_.save(counts, sections);
}

void BlockMaxIndex::check_search(const BlockMaxSearchParams& params) const {
    check_fraction(params.alpha, "alpha");
    check_fraction(params.beta, "beta");
    check_count(params.block_budget, "block_budget");
    check_count(params.superblock_budget, "superblock_budget");
}

void BlockMaxIndex::search_with(const CsrView& queries, const Request& request, const BlockMaxSearchParams& params,
                                const HitsView& hits) const {
    const std::size_t max_terms = block_bounds().max_terms();
    const auto answer = [&](std::span<const Task> tasks, Context& context) {
        context.exhaustive_tasks.clear();
        for (const Task& task : tasks) {
            const bool boundable = task.query->size() <= max_terms;
            if (!boundable || (!params.is_limited() && exhaustive_is_cheaper(task))) {
                context.exhaustive_tasks.push_back(task);
                continue;
            }
            const bool is_exact = search_pruned(task, params, context);
            hits.write(task.row, context.best.hits(), is_exact);
        }
        exhaustive_.search(context.exhaustive_tasks, documents(), context.gate, context.exhaustive, hits);
    };
    search_in_batches(queries, request, exhaustive_.quantiser().outliers(), kBatch, hits, contexts_, answer,
                      vocabulary().n_slots(), blocks_.n_superblocks());
}

bool BlockMaxIndex::search_pruned(const Task& task, const BlockMaxSearchParams& params, Context& context) const {
    const Selection* allowed = task.wanted.allowed;
    const std::size_t k = task.wanted.k;
    context.best.reset(task.wanted);
    const BlockBounds bounds = block_bounds();
    bounds.plan(*task.query, {.fraction = params.beta}, context.bounds);
    const BoundPlan& plan = context.bounds.plan;
    if (!(plan.unit > 0)) return true;  // nothing can score above 0
    const bool all =
        params.superblock_budget == 0 || static_cast<std::size_t>(params.superblock_budget) >= superblocks_.n_blocks();
    if (all) {
        bounds.sum(context.bounds);
    } else {
        bounds.sum(superblocks_, static_cast<std::size_t>(params.superblock_budget), allowed, context.bounds);
    }
    const std::size_t budget =
        params.block_budget == 0 ? blocks_.n_blocks() : static_cast<std::size_t>(params.block_budget);
    context.gate.open(task, documents(), context.best);
    BlockOpening opening(documents(), tiles_, k, plan, 1 / params.alpha, context.gate, context.opening);
    context.blocks.start(context.bounds, blocks_.n_blocks(), kFirstBlocks + k / kHitsPerFirstBlock, budget, allowed,
                         blocks_.block_size());
    while (context.blocks.next(opening.cutoff())) opening.open(context.blocks.blocks());
    context.gate.close();
    return all && plan.kept >= 1 && params.alpha >= 1 && context.blocks.max_left_out() < opening.cutoff();
}

BlockBounds BlockMaxIndex::block_bounds() const noexcept {
    return {exhaustive_.quantiser(), blocks_, exhaustive_.postings(), blocks_.block_size()};
}

// By a model of both costs. Only the time depends on it: both ways give the same hits.
bool BlockMaxIndex::exhaustive_is_cheaper(const Task& task) const {
    const auto docs = static_cast<double>(n_docs());
    const auto blocks = static_cast<double>(blocks_.n_blocks());
    const auto hits = static_cast<double>(task.wanted.k);
    // Blocks to open: those of so many hits, if all documents were allowed, less those that have none that are.
    const double opened = hits / task.wanted.fraction() * task.wanted.fraction_of_blocks();
    double exhaustive = kScanTime * docs + kHitTime * hits;
    double pruning = kPruningTime + opened * (kOpeningTime + kOpeningByTerm * static_cast<double>(task.query->size()));
    for (std::size_t i = 0; i < task.query->size(); ++i) {
        const std::uint32_t slot = task.query->slots[i];
        const double listed = kPostingTime * vocabulary().document_frequency(slot);
        exhaustive += slot < exhaustive_.postings().n_rows() ? kCellTime * docs : listed;
        if (task.query->weights[i] > 0) pruning += slot < blocks_.n_rows() ? kCodeTime * blocks : listed;
    }
    return exhaustive <= pruning;
}

}  // namespace thresher
