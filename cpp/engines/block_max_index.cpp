#include "block_max_index.hpp"

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

#include "../core/prefetch.hpp"
#include "../core/similar_order.hpp"
#include "../core/top_k.hpp"
#include "../kernels/kernels.hpp"
#include "query_batches.hpp"

namespace thresher {

namespace {

// Passes over the documents, for the progress report.
constexpr unsigned kBuildPasses = 11;
constexpr unsigned kReorderPasses = 1;
constexpr unsigned kSimilarPasses = 1;
constexpr std::size_t kBatch = 256;
// Documents accumulated at a time: many, so that a query's lists are few and long.
constexpr std::uint32_t kDocWindow = 65536;
// Terms as frequent as this have a row for exhaustive search, as in ExactIndex.
constexpr double kRowDensity = 0.1;
// Members finished between two looks at which of the others can still matter, at least.
constexpr std::size_t kLeastPart = 64;
// Tiles, runs of postings and documents fetched ahead of the one in work.
constexpr std::size_t kTilesAhead = 12;
constexpr std::size_t kRunsAhead = 4;
constexpr std::size_t kDocsAhead = 6;
// Blocks opened first, to raise the threshold, and one more for so many hits; then this many times as many, and so on.
constexpr std::size_t kFirstBlocks = 8;
constexpr std::size_t kHitsPerFirstBlock = 2;
constexpr std::size_t kGrowth = 4;
// The best blocks lie in different superblocks if there are this many superblocks for each; otherwise one block in
// `kSample` tells how many there are.
constexpr std::size_t kSuperblocksPerRank = 10;
constexpr std::size_t kSample = 8;

// Bounds are words; a saturated one may stand for any score.
constexpr std::uint32_t kSaturated = 65535;
constexpr double kMostBoundWeight = 127;
// A bound must not wrap: rounding adds up to one for each member and list, this much at most in all, and what lists add
// beyond fits the rest (impacts up to 255, errors up to 1, and one more for the rounding of factors).
constexpr std::size_t kMostRounding = 32768;
constexpr double kMostListed = 65535 - kMostRounding;

// What one unit of work takes, in nanoseconds, on the machine of docs/performance.md: the ratios matter.
constexpr double kScanTime = 0.05;     // exhaustive search: a document
constexpr double kCellTime = 0.027;    // a document's byte in a row
constexpr double kHitTime = 400;       // finishing a document
constexpr double kPostingTime = 0.6;   // either: a posting in a list
constexpr double kPruningTime = 8000;  // pruning: what does not depend on anything
constexpr double kCodeTime = 0.016;    // a block's code in a row
constexpr double kOpeningTime = 600;   // opening blocks, for each hit wanted, and
constexpr double kOpeningByTerm = 60;  // for each hit and term of the query

// A bound and what it is the bound of, ordered by the bound.
std::uint64_t entry(std::uint32_t bound, std::uint32_t item) noexcept { return std::uint64_t{bound} << 32 | item; }
std::uint32_t bound_of(std::uint64_t entry) noexcept { return static_cast<std::uint32_t>(entry >> 32); }
std::uint32_t item_of(std::uint64_t entry) noexcept { return static_cast<std::uint32_t>(entry); }

void check(const BlockMaxParams& params) {
    const auto size = params.block_size;
    if (size != 0 && (size < 4 || size > 64 || (size & (size - 1)) != 0)) {
        throw std::invalid_argument("block_size must be 4, 8, 16, 32 or 64, or 0 to choose, got " +
                                    std::to_string(size));
    }
    const auto check_share = [](double share, const char* name) {
        if (!(share > 0 && share <= 1)) {
            throw std::invalid_argument(std::string(name) + " must be in (0, 1], got " + std::to_string(share));
        }
    };
    check_share(params.bound_frequency, "bound_frequency");
    check_share(params.tile_frequency, "tile_frequency");
}

void check(const BlockMaxSearchParams& params) {
    const auto check_share = [](double share, const char* name) {
        if (!(share > 0 && share <= 1)) {
            throw std::invalid_argument(std::string(name) + " must be in (0, 1], got " + std::to_string(share));
        }
    };
    check_share(params.alpha, "alpha");
    check_share(params.beta, "beta");
    const auto check_budget = [](std::int64_t budget, const char* name) {
        if (budget < 0) {
            throw std::invalid_argument(std::string(name) + " must be >= 0, got " + std::to_string(budget));
        }
    };
    check_budget(params.block_budget, "block_budget");
    check_budget(params.superblock_budget, "superblock_budget");
}

// Slots [0, n) are those that at least the share `frequency` of the documents have.
std::uint32_t frequent_slots(const Vocabulary& vocabulary, double frequency, std::size_t n_docs) {
    const double least = std::max(1.0, frequency * static_cast<double>(n_docs));
    std::uint32_t n = 0;
    while (n < vocabulary.n_slots() && vocabulary.document_frequency(n) >= least) ++n;
    return n;
}

}  // namespace

// A query in the integer units of its bounds: a document's score is <= bound * unit. Terms with a negative weight can't
// raise a score, and have no part in bounds.
struct BlockMaxIndex::Plan {
    double unit = 0;
    std::vector<std::uint32_t> rows;  // slots with block maxima, an even number, padded with weight 0
    std::vector<std::uint8_t> row_weights;
    std::vector<std::uint32_t> tile_rows;  // those of them that tiles have
    std::vector<std::uint8_t> tile_weights;
    std::vector<std::uint32_t> tile_lines;  // offsets of the cache lines of a tile that they lie in
    // The other slots: a posting adds (factor * impact + rounding) >> 16.
    struct Lists {
        std::vector<std::uint32_t> lists;
        std::vector<std::uint32_t> factors;
        std::vector<std::uint32_t> rounding;
        void clear() noexcept {
            lists.clear();
            factors.clear();
            rounding.clear();
        }
        void add(std::uint32_t list, std::uint32_t factor, std::uint32_t round) {
            lists.push_back(list);
            factors.push_back(factor);
            rounding.push_back(round);
        }
    };
    Lists lists;
    Lists rare;  // by slot
    // Scratch: (largest contribution, position in the query).
    std::vector<std::pair<double, std::size_t>> contributions;
};

// A part of a posting list, and the bounds of the blocks of its window.
struct BlockMaxIndex::Run {
    const std::uint16_t* docs;
    const std::uint8_t* impacts;
    std::uint32_t n;
    std::uint32_t factor;
    std::uint32_t rounding;
    std::uint16_t* bounds;
};

// What one thread needs to search, kept between searches.
struct BlockMaxIndex::Context {
    Context(std::uint32_t n_slots, std::size_t n_superblocks)
        : exhaustive(n_slots),
          table(n_slots),
          bounds(n_superblocks * kernels::kSuperblock + 65536),  // any 16-bit document is in bounds
          maxima(n_superblocks),
          super_bounds((n_superblocks + kernels::kSuperblock - 1) / kernels::kSuperblock * kernels::kSuperblock),
          super_maxima(super_bounds.items.size() / kernels::kSuperblock),
          selected(n_superblocks * kernels::kSuperblock),
          selected_bounds(n_superblocks * kernels::kSuperblock) {}

    ExhaustiveSearch::Context exhaustive;
    std::vector<SlotQuery> queries;  // of a batch
    std::vector<const SlotQuery*> exhaustive_queries;
    std::vector<std::size_t> exhaustive_rows;

    const SlotQuery* query = nullptr;  // the one in work
    QueryTable table;
    Plan plan;
    std::vector<Run> runs;
    std::vector<const std::uint8_t*> rows;
    Filling<std::uint16_t> bounds;  // of blocks
    Filling<std::uint16_t> maxima;  // of superblocks: their blocks' largest bound
    Filling<std::uint16_t> super_bounds;
    Filling<std::uint16_t> super_maxima;
    Filling<std::uint32_t> selected;
    Filling<std::uint16_t> selected_bounds;
    std::vector<std::uint64_t> blocks;   // to open
    std::vector<std::uint64_t> members;  // of the blocks just opened
    TopK top;
};

BlockMaxIndex::BlockMaxIndex(const BlockMaxParams& params, Vocabulary vocabulary, ForwardIndex forward,
                             DocumentOrder order, ExhaustiveSearch exhaustive, BlockMaxima blocks,
                             BlockMaxima superblocks, BlockTiles tiles)
    : Index(std::move(vocabulary), std::move(forward), std::move(order)),
      params_(params),
      exhaustive_(std::move(exhaustive)),
      blocks_(std::move(blocks)),
      superblocks_(std::move(superblocks)),
      tiles_(std::move(tiles)) {}

BlockMaxIndex::~BlockMaxIndex() = default;

std::unique_ptr<BlockMaxIndex> BlockMaxIndex::build(const CsrView& docs, const BlockMaxParams& given,
                                                    std::optional<std::span<const std::uint32_t>> given_order,
                                                    unsigned threads, Monitor* monitor) {
    check(given);
    check_collection(docs);
    if (given_order && given_order->size() != docs.n_rows()) {
        throw std::invalid_argument("reorder: " + std::to_string(given_order->size()) + " documents; there are " +
                                    std::to_string(docs.n_rows()));
    }
    BlockMaxParams params = given;
    params.reorder = given.reorder || given_order;
    if (params.block_size == 0) params.block_size = 4;
    const auto block_size = static_cast<std::uint32_t>(params.block_size);

    const unsigned order_passes =
        (params.reorder ? kReorderPasses : 0) + (given.reorder && !given_order ? kSimilarPasses : 0);
    Progress progress(monitor, kBuildPasses + order_passes, docs.n_rows());
    const CanonicalCsr canonical(docs, Signs::non_negative, "docs", threads, progress);
    auto vocabulary = Vocabulary::build(canonical.view(), threads, progress);
    auto quantiser = Quantiser::build(canonical.view(), vocabulary, threads, progress);
    auto forward = ForwardIndex::build(canonical.view(), vocabulary, threads, progress);
    DocumentOrder order;
    if (params.reorder) {
        std::vector<std::uint32_t> similar;
        if (!given_order) similar = similar_order(forward, vocabulary, block_size, threads, progress);
        order = DocumentOrder(given_order ? *given_order : similar);
        forward = forward.reordered(given_order ? *given_order : similar, threads, progress);
    }
    auto postings = WindowedPostings::build(forward, vocabulary, quantiser, kDocWindow, kRowDensity, threads, progress);
    // The slots without block rows are those that bounds take from lists: rows of documents would be in between.
    const std::uint32_t n_rows =
        std::max(frequent_slots(vocabulary, params.bound_frequency, docs.n_rows()), postings.n_rows());
    const std::uint32_t n_tile_rows =
        std::min(n_rows, frequent_slots(vocabulary, params.tile_frequency, docs.n_rows()));
    auto blocks = BlockMaxima::build(forward, quantiser, block_size, n_rows, threads, progress);
    auto superblocks =
        BlockMaxima::build(forward, quantiser, block_size * kernels::kSuperblock, n_rows, threads, progress);
    auto tiles = BlockTiles::build(forward, quantiser, block_size, n_tile_rows, threads, progress);
    return std::unique_ptr<BlockMaxIndex>(new BlockMaxIndex(
        params, std::move(vocabulary), std::move(forward), std::move(order),
        {std::move(quantiser), std::move(postings)}, std::move(blocks), std::move(superblocks), std::move(tiles)));
}

BlockMaxIndex::BlockMaxIndex(const IndexFile& file) : Index(file, DocumentOrder::load(file)) {
    const std::uint64_t block_size = file.integer("block_size");
    file.require(block_size >= 4 && block_size <= 64 && std::has_single_bit(block_size),
                 "block_size " + std::to_string(block_size));
    params_.block_size = static_cast<std::int64_t>(block_size);
    params_.reorder = file.integer("reorder") != 0;
    params_.bound_frequency = file.number("bound_frequency");
    params_.tile_frequency = file.number("tile_frequency");
    const auto size = static_cast<std::uint32_t>(block_size);
    const std::uint32_t n_slots = vocabulary().n_slots();
    exhaustive_ = ExhaustiveSearch::load(file, static_cast<std::uint32_t>(n_docs()), n_slots, kDocWindow);
    blocks_ = BlockMaxima::load(file, "blocks", n_docs(), size, n_slots);
    superblocks_ = BlockMaxima::load(file, "superblocks", n_docs(), size * kernels::kSuperblock, n_slots);
    tiles_ = BlockTiles::load(file, n_docs(), size, n_slots);
    file.require(blocks_.n_rows() >= exhaustive_.postings().n_rows(), "fewer rows of blocks than of documents");
    file.require(superblocks_.n_rows() == blocks_.n_rows() && tiles_.n_rows() <= blocks_.n_rows(),
                 "blocks, superblocks and tiles do not have the same rows");
}

std::unique_ptr<Index> BlockMaxIndex::load(const IndexFile& file) {
    return std::unique_ptr<Index>(new BlockMaxIndex(file));
}

Parameters BlockMaxIndex::parameters() const {
    Parameters parameters;
    parameters.set("block_size", static_cast<std::uint64_t>(params_.block_size));
    parameters.set("reorder", std::uint64_t{params_.reorder});
    parameters.set("bound_frequency", params_.bound_frequency);
    parameters.set("tile_frequency", params_.tile_frequency);
    return parameters;
}

std::vector<std::pair<std::string, std::size_t>> BlockMaxIndex::engine_nbytes() const {
    auto parts = exhaustive_.nbytes();
    parts.emplace_back("blocks", blocks_.nbytes());
    parts.emplace_back("superblocks", superblocks_.nbytes());
    parts.emplace_back("tiles", tiles_.nbytes());
    return parts;
}

void BlockMaxIndex::save_engine(Parameters& counts, SectionList& sections) const {
    order().save(sections);
    exhaustive_.save(counts, sections);
    blocks_.save("blocks", counts, sections);
    superblocks_.save("superblocks", counts, sections);
    tiles_.save(counts, sections);
}

void BlockMaxIndex::search(const CsrView& queries, const SearchOptions& options, const BlockMaxSearchParams& params,
                           const HitsView& hits) const {
    check(params);
    check_and_search(queries, options, [&](const CsrView& checked) { search_with(checked, options, params, hits); });
}

void BlockMaxIndex::search_one(std::span<const std::uint32_t> terms, std::span<const float> weights,
                               const BlockMaxSearchParams& params, const HitsView& hits) const {
    check(params);
    const SearchOptions options{hits.k, 1, nullptr};
    check_and_search_one(terms, weights, options,
                         [&](const CsrView& query) { search_with(query, options, params, hits); });
}

void BlockMaxIndex::search_canonical(const CsrView& queries, const SearchOptions& options, const HitsView& hits) const {
    search_with(queries, options, {}, hits);
}

void BlockMaxIndex::search_with(const CsrView& queries, const SearchOptions& options,
                                const BlockMaxSearchParams& params, const HitsView& hits) const {
    const std::size_t k = std::min(hits.k, n_docs());
    const auto search = [&](std::size_t begin, std::size_t end, Context& context) {
        if (context.queries.size() < end - begin) context.queries.resize(end - begin);
        context.exhaustive_queries.clear();
        context.exhaustive_rows.clear();
        for (std::size_t row = begin; row < end; ++row) {
            SlotQuery& query = context.queries[row - begin];
            query.assign(queries, row, vocabulary());
            const bool boundable = query.size() * blocks_.block_size() <= kMostRounding;
            if (!boundable || (params.exact() && exhaustive_is_cheaper(query, k))) {
                context.exhaustive_queries.push_back(&query);
                context.exhaustive_rows.push_back(row);
                continue;
            }
            context.query = &query;
            context.top.reset(k);
            plan(query, params, context.plan);
            if (context.plan.unit > 0) {
                add_lists(context.plan, context);
                add_rows(context.plan, static_cast<std::size_t>(params.superblock_budget), context);
                open_best(k, params, context);
            }
            hits.write(row, context.top.hits());
        }
        exhaustive_.search(context.exhaustive_queries, context.exhaustive_rows, forward(), order(), context.exhaustive,
                           hits);
    };
    search_in_batches(queries.n_rows(), n_docs(), kBatch, options, contexts_, search, vocabulary().n_slots(),
                      blocks_.n_superblocks());
}

// By a model of both costs. Only the time depends on it: both ways give the same hits.
bool BlockMaxIndex::exhaustive_is_cheaper(const SlotQuery& query, std::size_t k) const {
    const auto docs = static_cast<double>(n_docs());
    const auto blocks = static_cast<double>(blocks_.n_blocks());
    const auto hits = static_cast<double>(k);
    double exhaustive = kScanTime * docs + kHitTime * hits;
    double pruning = kPruningTime + hits * (kOpeningTime + kOpeningByTerm * static_cast<double>(query.size()));
    for (const std::uint32_t slot : query.slots) {
        const double listed = kPostingTime * vocabulary().document_frequency(slot);
        exhaustive += slot < exhaustive_.postings().n_rows() ? kCellTime * docs : listed;
        pruning += slot < blocks_.n_rows() ? kCodeTime * blocks : listed;
    }
    return exhaustive <= pruning;
}

void BlockMaxIndex::plan(const SlotQuery& query, const BlockMaxSearchParams& params, Plan& plan) const {
    const Quantiser& quantiser = exhaustive_.quantiser();
    const WindowedPostings& postings = exhaustive_.postings();
    plan.rows.clear();
    plan.row_weights.clear();
    plan.tile_rows.clear();
    plan.tile_weights.clear();
    plan.tile_lines.clear();
    plan.lists.clear();
    plan.rare.clear();
    plan.contributions.clear();
    for (std::size_t i = 0; i < query.size(); ++i) {
        const double contribution = static_cast<double>(query.weights[i]) * quantiser.step(query.slots[i]);
        if (contribution > 0) plan.contributions.emplace_back(contribution, i);
    }
    if (params.beta < 1) {
        const auto share = std::ceil(params.beta * static_cast<double>(plan.contributions.size()));
        std::sort(plan.contributions.begin(), plan.contributions.end(), [](const auto& a, const auto& b) {
            return a.first != b.first ? a.first > b.first : a.second < b.second;
        });
        plan.contributions.resize(static_cast<std::size_t>(share));
    }

    // The largest weight of a row fits 7 bits; the sum of all lists fits a bound.
    double largest = 0;
    double listed = 0;
    for (const auto& [contribution, i] : plan.contributions) {
        if (query.slots[i] < blocks_.n_rows()) {
            largest = std::max(largest, contribution * BlockMaxima::kCodeStep);
        } else {
            listed += contribution * 257 * blocks_.block_size();
        }
    }
    // A little more, so that the division's rounding can't make a weight of 128.
    plan.unit = std::max(largest / kMostBoundWeight, listed / kMostListed) * (1 + 1e-9);
    if (!(plan.unit > 0)) return;

    for (const auto& [contribution, i] : plan.contributions) {
        const std::uint32_t slot = query.slots[i];
        const double impact = contribution / plan.unit;
        if (slot < blocks_.n_rows()) {
            const auto weight = static_cast<std::uint8_t>(std::ceil(impact * BlockMaxima::kCodeStep));
            plan.rows.push_back(slot);
            plan.row_weights.push_back(weight);
            if (slot < tiles_.n_rows()) {
                plan.tile_rows.push_back(slot);
                plan.tile_weights.push_back(weight);
                plan.tile_lines.push_back(slot * tiles_.block_size() / 2 / 64 * 64);
            }
            continue;
        }
        // Impacts are rounded to the nearest: add the quantiser's error, and round up.
        const double error = impact * quantiser.error(slot) / quantiser.step(slot);
        const auto factor = static_cast<std::uint32_t>(std::ceil(impact * 65536));
        // Impacts are at most 31, errors hardly more: the limit is for altered files.
        const auto rounding = static_cast<std::uint32_t>(std::ceil(std::min(error, 255.0) * 65536)) + 65535;
        if (slot < postings.n_rows() + postings.n_lists()) {
            const std::uint32_t list = slot - postings.n_rows();
            plan.lists.add(list, factor, rounding);
            for (std::size_t w = 0; w < postings.n_windows(); ++w) prefetch(postings.lists(w).offsets + list);
        } else {
            plan.rare.add(slot, factor, rounding);
        }
    }
    if (plan.rows.size() % 2 != 0) {
        plan.rows.push_back(plan.rows.back());
        plan.row_weights.push_back(0);
    }
    std::sort(plan.tile_lines.begin(), plan.tile_lines.end());
    plan.tile_lines.erase(std::unique(plan.tile_lines.begin(), plan.tile_lines.end()), plan.tile_lines.end());
}

void BlockMaxIndex::fetch(const Run& run) noexcept {
    for (std::uint32_t p = 0; p < run.n; p += 32) prefetch(run.docs + p);
    for (std::uint32_t p = 0; p < run.n; p += 64) prefetch(run.impacts + p);
}

// Scatter by scalar stores, as the accumulate_lists kernel.
void BlockMaxIndex::add(Run run, unsigned shift) noexcept {
    const auto add_posting = [&](std::uint32_t p) {
        std::uint16_t& bound = run.bounds[run.docs[p] >> shift];
        bound = static_cast<std::uint16_t>(bound + ((run.factor * run.impacts[p] + run.rounding) >> 16));
    };
    std::uint32_t p = 0;
    for (; run.n - p >= 4; p += 4) {
        add_posting(p);
        add_posting(p + 1);
        add_posting(p + 2);
        add_posting(p + 3);
    }
    for (; p < run.n; ++p) add_posting(p);
}

// Starts the bounds of all blocks with the postings of terms that have no rows. The contributions of two members to one
// block are added rather than maximised: as safe, and for such terms nearly as tight.
void BlockMaxIndex::add_lists(const Plan& plan, Context& context) const {
    const WindowedPostings& postings = exhaustive_.postings();
    std::uint16_t* bounds = context.bounds.items.data();
    const auto shift = static_cast<unsigned>(std::countr_zero(blocks_.block_size()));
    std::memset(bounds, 0, blocks_.n_superblocks() * kernels::kSuperblock * sizeof *bounds);
    auto& runs = context.runs;
    runs.clear();
    for (std::size_t w = 0; w < postings.n_windows(); ++w) {
        const auto lists = postings.lists(w);
        for (std::size_t i = 0; i < plan.lists.lists.size(); ++i) {
            const std::uint32_t* range = lists.offsets + plan.lists.lists[i];
            const std::uint32_t end = std::min(range[1], lists.n_postings);  // clamped: the file may be altered
            const std::uint32_t begin = std::min(range[0], end);
            runs.push_back({lists.docs + begin, lists.impacts + begin, end - begin, plan.lists.factors[i],
                            plan.lists.rounding[i], bounds + (postings.first_doc(w) >> shift)});
        }
    }
    for (std::size_t i = 0; i < runs.size() + kRunsAhead; ++i) {
        if (i < runs.size()) fetch(runs[i]);
        if (i >= kRunsAhead) add(runs[i - kRunsAhead], shift);
    }
    for (std::size_t i = 0; i < plan.rare.lists.size(); ++i) {
        const auto rare = postings.rare(plan.rare.lists[i]);
        for (std::size_t p = 0; p < rare.docs.size(); ++p) {
            if (rare.docs[p] >= n_docs()) continue;  // in an altered file
            const std::uint32_t added = (plan.rare.factors[i] * rare.impacts[p] + plan.rare.rounding[i]) >> 16;
            std::uint16_t& bound = bounds[rare.docs[p] >> shift];
            bound = static_cast<std::uint16_t>(bound + added);
        }
    }
}

// Adds the rows of block maxima to the bounds, of all superblocks or of the best ones.
void BlockMaxIndex::add_rows(const Plan& plan, std::size_t superblock_budget, Context& context) const {
    const auto& kernels = kernels::active();
    const std::size_t n_superblocks = blocks_.n_superblocks();
    std::uint16_t* bounds = context.bounds.items.data();
    std::uint16_t* maxima = context.maxima.items.data();
    const auto sum = [&](const BlockMaxima& from, std::size_t first, std::size_t n, std::uint16_t* into,
                         std::uint16_t* into_maxima) {
        context.rows.clear();
        for (const std::uint32_t row : plan.rows) {
            context.rows.push_back(from.row(row) + first * (kernels::kSuperblock / 2));
        }
        kernels.sum_bounds(context.rows.data(), plan.row_weights.data(), plan.rows.size(), into, n, into_maxima);
    };
    if (superblock_budget == 0 || superblock_budget >= n_superblocks) {
        sum(blocks_, 0, n_superblocks, bounds, maxima);
        return;
    }
    // A superblock's bound: its own maxima, and the largest that lists gave to one of its blocks.
    std::uint16_t* super_bounds = context.super_bounds.items.data();
    for (std::size_t s = 0; s < n_superblocks; ++s) {
        super_bounds[s] = *std::max_element(bounds + s * kernels::kSuperblock, bounds + (s + 1) * kernels::kSuperblock);
    }
    sum(superblocks_, 0, superblocks_.n_superblocks(), super_bounds, context.super_maxima.items.data());
    auto& ranked = context.blocks;
    ranked.clear();
    for (std::size_t s = 0; s < n_superblocks; ++s) {
        ranked.push_back(entry(super_bounds[s], static_cast<std::uint32_t>(s)));
    }
    std::nth_element(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(superblock_budget), ranked.end(),
                     std::greater<>{});
    std::fill_n(maxima, n_superblocks, std::uint16_t{0});
    for (std::size_t i = 0; i < superblock_budget; ++i) {
        const std::size_t s = item_of(ranked[i]);
        sum(blocks_, s, 1, bounds + s * kernels::kSuperblock, maxima + s);
    }
}

// Opens blocks and finishes their members.
class BlockMaxIndex::Opening {
  public:
    Opening(const BlockMaxIndex& index, double alpha, std::size_t budget, Context& context)
        : index_(index), scale_(1 / (context.plan.unit * alpha)), budget_(budget), context_(context) {}

    // The least bound that matters.
    std::uint32_t cutoff() const noexcept { return cutoff_; }
    bool within_budget() const noexcept { return budget_ > 0; }

    // Opens the blocks whose bound is in [low, high), the best of them if the budget does not last for all.
    void open(std::uint32_t low, std::uint32_t high) {
        const std::size_t n = kernels::active().select_blocks(
            context_.bounds.items.data(), context_.maxima.items.data(), index_.blocks_.n_superblocks(), low, high,
            context_.selected.items.data(), context_.selected_bounds.items.data());
        auto& blocks = context_.blocks;
        blocks.clear();
        for (std::size_t i = 0; i < n; ++i) {
            if (context_.selected.items[i] >= index_.blocks_.n_blocks()) continue;
            blocks.push_back(entry(context_.selected_bounds.items[i], context_.selected.items[i]));
        }
        if (blocks.size() > budget_) {
            std::nth_element(blocks.begin(), blocks.begin() + static_cast<std::ptrdiff_t>(budget_), blocks.end(),
                             std::greater<>{});
            blocks.resize(budget_);
        }
        budget_ -= blocks.size();
        open_all();
    }

  private:
    // First bounds the members of all blocks, then finishes the best of them, so that the threshold rises early.
    void open_all() {
        const auto& blocks = context_.blocks;
        auto& members = context_.members;
        members.clear();
        for (std::size_t i = 0; i < std::min(blocks.size(), kTilesAhead); ++i) fetch_tile(item_of(blocks[i]));
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            if (i + kTilesAhead < blocks.size()) fetch_tile(item_of(blocks[i + kTilesAhead]));
            bound_members(blocks[i]);
        }
        // Best first by parts that double: a sort's order at the price of a few selections.
        std::size_t part = std::max(context_.top.capacity(), kLeastPart);
        for (auto first = members.begin(); first != members.end(); part *= 2) {
            const auto last =
                std::partition(first, members.end(), [&](auto member) { return bound_of(member) >= cutoff_; });
            const auto end =
                static_cast<std::size_t>(last - first) > part ? first + static_cast<std::ptrdiff_t>(part) : last;
            if (end != last) std::nth_element(first, end, last, std::greater<>{});
            if (part <= kLeastPart) std::sort(first, end, std::greater<>{});
            finish_all({first, end});
            if (last == end) break;
            first = end;
            members.erase(last, members.end());
        }
    }

    void finish_all(std::span<const std::uint64_t> members) {
        for (std::size_t i = 0; i < std::min(members.size(), kDocsAhead); ++i) fetch_member(members[i]);
        for (std::size_t i = 0; i < members.size(); ++i) {
            if (i + kDocsAhead < members.size()) fetch_member(members[i + kDocsAhead]);
            if (bound_of(members[i]) >= cutoff_) finish(item_of(members[i]));
        }
    }

    void fetch_tile(std::size_t block) const {
        const std::uint8_t* tile = index_.tiles_.tile(block);
        for (const std::uint32_t line : context_.plan.tile_lines) prefetch(tile + line);
        index_.forward().prefetch_range(block * index_.blocks_.block_size());
    }

    void bound_members(std::uint64_t block) {
        const Plan& plan = context_.plan;
        const std::uint32_t size = index_.blocks_.block_size();
        const std::uint32_t bound = bound_of(block);
        const std::uint32_t first = item_of(block) * size;
        const auto n = std::min<std::size_t>(size, index_.n_docs() - first);
        std::uint16_t lacks[64];
        kernels::active().bound_members(index_.tiles_.tile(item_of(block)), plan.tile_rows.data(),
                                        plan.tile_weights.data(), plan.tile_rows.size(), size, lacks);
        for (std::uint32_t d = 0; d < n; ++d) {
            const std::uint32_t own = bound == kSaturated ? bound : bound - std::min<std::uint32_t>(bound, lacks[d]);
            if (own >= cutoff_) context_.members.push_back(entry(own, first + d));
        }
    }

    void fetch_member(std::uint64_t member) const {
        if (bound_of(member) >= cutoff_) index_.forward().prefetch(item_of(member));
    }

    void finish(std::uint32_t doc) {
        const auto score = static_cast<float>(index_.forward().score(doc, context_.table));
        if (!(score > 0)) return;
        context_.top.add({score, index_.order().given(doc)});
        if (!context_.top.full()) return;
        // Scores are compared as float32: one that is less by a rounding may still tie, even with infinity.
        const double kth = std::min(context_.top.threshold(), std::numeric_limits<float>::max());
        const double threshold = std::max(0.0, kth * (1 - 0x1p-23) - 0x1p-149) * scale_;
        cutoff_ = std::max(cutoff_, static_cast<std::uint32_t>(std::min<double>(threshold, kSaturated)));
    }

    const BlockMaxIndex& index_;
    double scale_;  // from scores to bounds
    std::size_t budget_;
    std::uint32_t cutoff_ = 1;
    Context& context_;
};

// Best blocks first, in rounds of a growing number of superblocks, as long as there are blocks that reach the cutoff.
void BlockMaxIndex::open_best(std::size_t k, const BlockMaxSearchParams& params, Context& context) const {
    // Rounds end at the bounds that so many blocks reach, then four times as many, read off a histogram: of the best
    // block of each superblock, or, where that many would not be among them, of a sample of the blocks.
    const std::span<const std::uint16_t> maxima = context.maxima.items;
    const unsigned shift = std::max<int>(std::bit_width(*std::max_element(maxima.begin(), maxima.end())) - 8, 0);
    std::size_t rank = kFirstBlocks + k / kHitsPerFirstBlock;
    const bool sampled = rank * kSuperblocksPerRank > maxima.size();
    std::uint32_t counts[256] = {};
    if (sampled) {
        const std::span<const std::uint16_t> bounds = context.bounds.items.first(blocks_.n_blocks());
        for (std::size_t b = 0; b < bounds.size(); b += kSample) counts[bounds[b] >> shift] += kSample;
    } else {
        for (const std::uint16_t maximum : maxima) ++counts[maximum >> shift];
    }
    std::uint32_t lows[32] = {};
    std::size_t n_rounds = 0;
    std::size_t reached = 0;
    for (std::uint32_t bin = 255; bin > 0; --bin) {
        reached += counts[bin];
        if (reached < rank) continue;
        lows[n_rounds++] = bin << shift;
        while (rank <= reached) rank *= kGrowth;
    }

    const std::size_t budget =
        params.block_budget == 0 ? blocks_.n_blocks() : static_cast<std::size_t>(params.block_budget);
    Opening opening(*this, params.alpha, budget, context);
    context.table.load(*context.query);
    std::uint32_t high = kSaturated + 1;
    for (std::size_t round = 0; round <= n_rounds && opening.within_budget(); ++round) {
        const std::uint32_t low = std::max(opening.cutoff(), lows[round]);  // in the last round the cutoff alone
        if (low >= high) continue;
        opening.open(low, high);
        high = low;
    }
    context.table.clear(*context.query);
}

}  // namespace thresher
