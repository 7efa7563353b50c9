#include "query_batches.hpp"

#include <cmath>

namespace thresher {

namespace {

// Documents that are scored in the time of a search: so many, and one of so many that there are.
constexpr std::size_t kScanned = 256;
constexpr std::size_t kDocsPerScanned = 512;
// Documents handed to the gate at a time.
constexpr std::size_t kStep = 1024;

// No more documents than this have a positive score.
std::uint64_t max_found(const SlotQuery& query, const Vocabulary& vocabulary) {
    std::uint64_t n = 0;
    for (std::size_t i = 0; i < query.size(); ++i) {
        if (query.weights[i] > 0) n += vocabulary.document_frequency(query.slots[i]);
    }
    return n;
}

}  // namespace

bool scan_is_cheaper(const Wanted& wanted, std::size_t n_docs) noexcept {
    return wanted.allowed != nullptr && wanted.allowed->size() <= kScanned + n_docs / kDocsPerScanned;
}

void set_apart(Task& task, const OutlierPostings& outliers, const StoredDocuments& documents, SearchContext& context,
               std::vector<ApartDocument>& apart) {
    empty_scratch(apart);
    outliers.find(*task.query, context.positions);
    if (context.positions.empty()) return;
    Gate& gate = context.gate;
    gate.open(task, documents, context.best);
    for (std::size_t i = 0; i < context.positions.size(); ++i) {
        if (i % kScoredAtATime == 0) interruption_point(kScoredAtATime * kScoringNanoseconds);
        const std::uint32_t position = context.positions[i];
        if (!gate.allows(position)) continue;
        apart.push_back({position, {gate.score(position), documents.order.id_of(position)}});
    }
    gate.close();
    task.wanted.apart = apart;
}

void scan(const Task& task, const Request& request, SearchContext& context, const HitsView& hits) {
    const StoredDocuments& documents = request.documents();
    Gate& gate = context.gate;
    TopK& best = context.best;
    std::vector<std::uint32_t>& positions = context.positions;
    Wanted wanted = task.wanted;
    if (request.options().fill && !request.is_settled(task.row)) wanted.min_score = request.min_fill();
    best.reset(wanted);
    gate.open(task, documents, best);
    positions.clear();
    const auto take = [&](std::uint32_t position) {
        positions.push_back(position);
        if (positions.size() < kStep) return;
        gate.offer(positions);
        positions.clear();
    };
    if (task.wanted.allowed != nullptr) {
        task.wanted.allowed->for_each(take);
    } else {
        const auto n_docs = static_cast<std::uint32_t>(documents.forward.n_docs());
        for (std::uint32_t position = 0; position < n_docs; ++position) take(position);
    }
    gate.offer(positions);
    gate.close();
    hits.write(task.row, best.hits(), true);
}

double margin_of(std::span<const float> query_weights, float max_error) noexcept {
    double reach = 0;
    for (const float weight : query_weights) reach += std::fabs(static_cast<double>(weight));
    return 2 * static_cast<double>(max_error) * reach * kRounded;
}

void keep_proven(const SlotQuery& query, std::size_t row, const StoredDocuments& documents, const HitsView& hits) {
    if (hits.exact[row] == 0 || !hits.counts.empty()) return;
    const double margin = margin_of(query.weights, documents.forward.max_error());
    const bool proven =
        hits.n_hits(row) >= max_found(query, documents.vocabulary) && hits.are_certain(row, margin, 0.0F);
    hits.exact[row] = proven ? 1 : 0;
}

void complete(std::span<const Task> tasks, const Request& request, SearchContext& context, const HitsView& hits) {
    for (const Task& task : tasks) {
        if (request.options().exact && hits.exact[task.row] == 0) {
            scan(task, request, context, hits);
            continue;
        }
        const std::size_t n_found = hits.n_hits(task.row);
        if (n_found >= task.wanted.k || request.is_settled(task.row)) continue;
        if (request.options().fill) {
            scan(task, request, context, hits);
        } else if (hits.exact[task.row] == 0) {
            if (n_found >= max_found(*task.query, request.documents().vocabulary)) {
                hits.exact[task.row] = 1;
            } else if (!request.is_limited()) {
                scan(task, request, context, hits);
            }
        }
    }
}

}  // namespace thresher
