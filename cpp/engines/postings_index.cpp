#include "postings_index.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "../core/selection/integer_query.hpp"
#include "../core/traversal/traversal.hpp"
#include "query_batches.hpp"

namespace thresher {

namespace {

// Passes over the documents, for the progress report, beside those of the postings.
constexpr unsigned kBuildPasses = 2;
constexpr std::size_t kBatch = 256;

// Queries of at most so many terms: bounds of blocks pay there, and cost more than they spare in longer ones.
constexpr std::size_t kShort = 2;

void traverse_by_length(Traversal& traversal) {
    if (traversal.lists().size() <= kShort) {
        block_max_maxscore(traversal);
    } else {
        max_score(traversal);
    }
}

// In the order of their names.
constexpr std::array kTraversals{traverse_by_length, max_score, wand, block_max_maxscore, block_max_wand};
static_assert(kTraversals.size() == PostingsSearchParams::kAlgorithms.size());

auto traversal_named(std::string_view name) {
    const auto& known = PostingsSearchParams::kAlgorithms;
    const auto found = std::ranges::find(known, name);
    if (found != known.end()) return kTraversals[static_cast<std::size_t>(found - known.begin())];
    std::string names;
    for (const std::string_view algorithm : known)
        names += (names.empty() ? "'" : ", '") + std::string(algorithm) + "'";
    throw std::invalid_argument("algorithm must be one of " + names + ", got '" + std::string(name) + "'");
}

}  // namespace

// What one thread needs to search, kept between searches.
struct PostingsIndex::Context : SearchContext {
    Context(std::uint32_t n_slots, std::size_t n_docs) : SearchContext(n_slots), traversal(n_docs) {}

    IntegerQuery integers;
    Traversal traversal;
};

PostingsIndex::PostingsIndex(StoredDocuments documents, Quantiser quantiser, CompressedPostings postings)
    : TunableIndex(NoParams{}, std::move(documents)),
      quantiser_(std::move(quantiser)),
      postings_(std::move(postings)) {}

PostingsIndex::PostingsIndex(const PostingsIndex& other) = default;

PostingsIndex::~PostingsIndex() = default;

std::unique_ptr<PostingsIndex> PostingsIndex::build(const Documents& docs, const NoParams& /*params*/,
                                                    const BuildOptions& options) {
    check_collection(docs);
    const auto ordering = Ordering::none(kEngine, options.order, docs.n_docs());
    const auto& [order, precision, threads, monitor] = options;
    Progress progress(monitor,
                      kBuildPasses + CompressedPostings::kPasses + StoredDocuments::passes(ordering, 1, precision),
                      docs.n_docs());
    auto documents = StoredDocuments::build(docs, ordering, 1, precision, threads, progress);
    auto quantiser = Quantiser::build(documents.forward, documents.vocabulary, threads, progress);
    auto postings = CompressedPostings::build(documents.forward, documents.vocabulary, quantiser, threads, progress);
    return std::unique_ptr<PostingsIndex>(
        new PostingsIndex(std::move(documents), std::move(quantiser), std::move(postings)));
}

PostingsIndex::PostingsIndex(const IndexFile& file) : TunableIndex(file, {}) {
    quantiser_ = Quantiser::load(file, vocabulary().n_slots(), n_docs());
    postings_ = CompressedPostings::load(file, vocabulary(), n_docs());
}

std::vector<std::pair<std::string, std::size_t>> PostingsIndex::engine_nbytes() const {
    return {{"quantiser", quantiser_.nbytes()},
            {"blocks", postings_.blocks_nbytes()},
            {"skips", postings_.skips_nbytes()},
            {"rare", postings_.rare_nbytes()}};
}

std::vector<EstimatedPart> PostingsIndex::estimated_parts(const CollectionStatistics& statistics,
                                                          const NoParams& /*params*/) {
    std::vector<EstimatedPart> parts{{"quantiser", Quantiser::estimated_nbytes(statistics)}};
    append(CompressedPostings::estimated_parts(statistics), parts);
    return parts;
}

Dials PostingsIndex::dials(std::size_t /*n_docs*/, std::size_t /*k*/) {
    Dials dials;
    for (const std::string_view algorithm : PostingsSearchParams::kAlgorithms) {
        dials.push_back({.fixed = {named(&PostingsSearchParams::algorithm, std::string(algorithm))}});
    }
    return dials;
}

void PostingsIndex::save_engine(Parameters& counts, SectionList& sections) const {
    quantiser_.save(sections);
    postings_.save(counts, sections);
}

void PostingsIndex::check_search(const PostingsSearchParams& params) const { traversal_named(params.algorithm); }

void PostingsIndex::search_with(const CsrView& queries, const Request& request, const PostingsSearchParams& params,
                                const HitsView& hits) const {
    const auto traverse = traversal_named(params.algorithm);
    const auto answer = [&](std::span<const Task> tasks, Context& context) {
        for (const Task& task : tasks) {
            context.integers.assign(*task.query, quantiser_);
            context.best.reset(task.wanted);
            context.gate.open(task, documents(), context.best);
            context.traversal.start(postings_, context.integers, task.wanted, context.gate);
            traverse(context.traversal);
            context.traversal.finish();
            context.gate.close();
            hits.write(task.row, context.best.hits(), true);
        }
    };
    search_in_batches(queries, request, quantiser_.outliers(), kBatch, hits, contexts_, answer, vocabulary().n_slots(),
                      n_docs());
}

}  // namespace thresher
