#include "impact_index.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ratio>
#include <stdexcept>
#include <string>

#include "../core/impact/anytime_search.hpp"
#include "checks.hpp"
#include "query_batches.hpp"

namespace thresher {

namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr unsigned kBuildPasses = 4;  // for the progress report, beside those of the documents
constexpr std::size_t kBatch = 256;

// Documents scored in full precision where a limit stops the reading and the caller does not say: so many, and so many
// for each hit.
constexpr std::size_t kRescored = 150;
constexpr std::size_t kRescoredPerHit = 5;

}  // namespace

// What one thread needs to search, kept between searches.
struct ImpactIndex::Context : SearchContext {
    Context(std::uint32_t n_slots, std::size_t n_docs) : SearchContext(n_slots), search(n_docs) {}

    AnytimeSearch search;
};

ImpactIndex::ImpactIndex(StoredDocuments documents, Quantiser quantiser, ImpactLevels levels)
    : TunableIndex(NoParams{}, std::move(documents)), quantiser_(std::move(quantiser)), levels_(std::move(levels)) {}

ImpactIndex::ImpactIndex(const ImpactIndex& other) = default;

ImpactIndex::~ImpactIndex() = default;

std::unique_ptr<ImpactIndex> ImpactIndex::build(const Documents& docs, const NoParams& /*params*/,
                                                const BuildOptions& options) {
    check_collection(docs);
    const auto ordering = Ordering::none(kEngine, options.order, docs.n_docs());
    const auto& [order, precision, threads, monitor] = options;
    Progress progress(monitor, kBuildPasses + StoredDocuments::passes(ordering, 1, precision), docs.n_docs());
    auto documents = StoredDocuments::build(docs, ordering, 1, precision, threads, progress);
    auto quantiser = Quantiser::build(documents.forward, documents.vocabulary, threads, progress);
    auto levels = ImpactLevels::build(documents.forward, documents.vocabulary, quantiser, threads, progress);
    return std::unique_ptr<ImpactIndex>(new ImpactIndex(std::move(documents), std::move(quantiser), std::move(levels)));
}

ImpactIndex::ImpactIndex(const IndexFile& file) : TunableIndex(file, {}) {
    quantiser_ = Quantiser::load(file, vocabulary().n_slots(), n_docs());
    levels_ = ImpactLevels::load(file, n_docs(), vocabulary().n_slots());
}

std::vector<std::pair<std::string, std::size_t>> ImpactIndex::engine_nbytes() const {
    return {{"quantiser", quantiser_.nbytes()}, {"segments", levels_.levels_nbytes()}, {"rare", levels_.rare_nbytes()}};
}

std::vector<EstimatedPart> ImpactIndex::estimated_parts(const CollectionStatistics& statistics,
                                                        const NoParams& /*params*/) {
    std::vector<EstimatedPart> parts{{"quantiser", Quantiser::estimated_nbytes(statistics)}};
    append(ImpactLevels::estimated_parts(statistics), parts);
    return parts;
}

Dials ImpactIndex::dials(std::size_t n_docs, std::size_t k) {
    using Params = ImpactSearchParams;
    const auto docs = static_cast<double>(n_docs);
    const auto hits = static_cast<std::int64_t>(k);
    const double least = std::max(100.0, std::floor(docs / 100));
    const double most = std::max(1000.0, 8 * docs);
    Dials dials;
    for (const std::int64_t rescored : {5 * hits + 50, 2 * hits + 20, 10 * hits + 100, 20 * hits + 200}) {
        dials.push_back(dial(&Params::postings_budget, least, most, {named(&Params::rescored, rescored)}));
    }
    dials.push_back({});  // to the exact end
    return dials;
}

void ImpactIndex::save_engine(Parameters& counts, SectionList& sections) const {
    quantiser_.save(sections);
    levels_.save(counts, sections);
}

void ImpactIndex::check_search(const ImpactSearchParams& params) const {
    check_count(params.postings_budget, "postings_budget");
    if (!(params.deadline_us >= 0)) {
        throw std::invalid_argument("deadline_us must be >= 0, got " + std::to_string(params.deadline_us));
    }
    check_count(params.rescored, "rescored");
}

void ImpactIndex::search_with(const CsrView& queries, const Request& request, const ImpactSearchParams& params,
                              const HitsView& hits) const {
    SearchLimits limits;
    if (params.postings_budget > 0) limits.postings = static_cast<std::uint64_t>(params.postings_budget);
    const bool is_timed = params.deadline_us > 0;
    if (is_timed) request.add_time(params.deadline_us);
    const SearchedIndex searched{documents(), levels_, quantiser_};
    const auto answer = [&](std::span<const Task> tasks, Context& context) {
        for (const Task& task : tasks) {
            const Wanted& wanted = task.wanted;
            SearchLimits of_task = limits;
            of_task.rescored = params.rescored > 0 ? std::max(static_cast<std::size_t>(params.rescored), wanted.k)
                                                   : kRescored + kRescoredPerHit * wanted.depth;
            const auto start = is_timed ? Clock::now() : Clock::time_point{};
            if (is_timed) of_task.microseconds = request.time_for(task.row, params.deadline_us);
            const bool is_exact = context.search.search(searched, task, of_task, context.gate, context.best);
            if (is_timed) request.take_time(task.row, Microseconds(Clock::now() - start).count());
            hits.write(task.row, context.best.hits(), is_exact);
        }
    };
    search_in_batches(queries, request, quantiser_.outliers(), kBatch, hits, contexts_, answer, vocabulary().n_slots(),
                      n_docs());
}

}  // namespace thresher
