#include "exact_index.hpp"

#include <stdexcept>
#include <string>

#include "../core/storage/fields.hpp"
#include "query_batches.hpp"

namespace thresher {

namespace {

constexpr unsigned kBuildPasses = 4;  // for the progress report, beside those of the documents
// A batch of queries shares a window; more of them would push each other's state out of the cache.
constexpr std::size_t kBatch = 256;

}  // namespace

struct ExactIndex::Context : SearchContext {
    using SearchContext::SearchContext;

    ExhaustiveSearch::Context search;
};

ExactIndex::ExactIndex(const ExactParams& params, StoredDocuments documents, ExhaustiveSearch search)
    : TunableIndex(params, std::move(documents)), search_(std::move(search)) {}

ExactIndex::ExactIndex(const ExactIndex& other) = default;

ExactIndex::~ExactIndex() = default;

void ExactIndex::check(const ExactParams& params) {
    if (params.window < 64 || params.window > 65536 || params.window % 64 != 0) {
        throw std::invalid_argument("window must be a multiple of 64 from 64 to 65536, got " +
                                    std::to_string(params.window));
    }
    if (!(params.row_density > 0 && params.row_density <= 1)) {
        throw std::invalid_argument("row_density must be in (0, 1], got " + std::to_string(params.row_density));
    }
}

std::unique_ptr<ExactIndex> ExactIndex::build(const Documents& docs, const ExactParams& params,
                                              const BuildOptions& options) {
    check(params);
    check_collection(docs);
    const auto ordering = Ordering::none(kEngine, options.order, docs.n_docs());
    const auto& [order, precision, threads, monitor] = options;
    Progress progress(monitor, kBuildPasses + StoredDocuments::passes(ordering, 1, precision), docs.n_docs());
    auto documents = StoredDocuments::build(docs, ordering, 1, precision, threads, progress);
    auto quantiser = Quantiser::build(documents.forward, documents.vocabulary, threads, progress);
    auto postings =
        WindowedPostings::build(documents.forward, documents.vocabulary, quantiser,
                                static_cast<std::uint32_t>(params.window), params.row_density, threads, progress);
    return std::unique_ptr<ExactIndex>(
        new ExactIndex(params, std::move(documents), {std::move(quantiser), std::move(postings)}));
}

ExactIndex::ExactIndex(const IndexFile& file) : TunableIndex(file, {}) {
    search_ = ExhaustiveSearch::load(file, static_cast<std::uint32_t>(n_docs()), vocabulary().n_slots(),
                                     static_cast<std::uint32_t>(build_params().window));
}

Dials ExactIndex::dials(std::size_t /*n_docs*/, std::size_t /*k*/) { return {Dial{}}; }

std::vector<EstimatedPart> ExactIndex::estimated_parts(const CollectionStatistics& statistics,
                                                       const ExactParams& params) {
    return ExhaustiveSearch::estimated_parts(statistics, static_cast<std::uint32_t>(params.window), params.row_density);
}

void ExactIndex::search_with(const CsrView& queries, const Request& request, const NoParams& /*params*/,
                             const HitsView& hits) const {
    const auto answer = [&](std::span<const Task> tasks, Context& context) {
        search_.search(tasks, documents(), context.gate, context.search, hits);
    };
    search_in_batches(queries, request, search_.quantiser().outliers(), kBatch, hits, contexts_, answer,
                      vocabulary().n_slots());
}

}  // namespace thresher
