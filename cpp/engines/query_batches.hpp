// Divides a search's queries into batches for its threads, and answers what every engine answers alike: where so few
// documents are allowed that to score them all is the cheapest search, where rows are to be filled, and where an engine
// found fewer than are wanted without the caller's having asked for less.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "../core/base/context_pool.hpp"
#include "../core/base/parallel.hpp"
#include "../core/documents/csr.hpp"
#include "../core/documents/outlier_postings.hpp"
#include "../core/selection/gate.hpp"
#include "../core/selection/hits.hpp"
#include "../core/selection/wanted.hpp"
#include "request.hpp"

namespace thresher {

// Scratch memory of one thread, which those of engines derive from: the queries of a batch, those that the engine is to
// answer, and the gate to their hits.
struct SearchContext {
    explicit SearchContext(std::uint32_t n_slots) : gate(n_slots) {}

    std::vector<SlotQuery> queries;
    std::vector<std::vector<ApartDocument>> apart;  // of each query
    std::vector<Task> tasks;
    Gate gate;
    TopK best;
    std::vector<std::uint32_t> positions;
};

// Whether to score every allowed document takes less time than a search: where they are few.
bool scan_is_cheaper(const Wanted& wanted, std::size_t n_docs) noexcept;
// Scores the documents of which impacts do not tell what they score, into `apart`, which the task then has.
void set_apart(Task& task, const OutlierPostings& outliers, const StoredDocuments& documents, SearchContext& context,
               std::vector<ApartDocument>& apart);
// Answers a task by scoring every allowed document. Exact, and filled if that is asked for.
void scan(const Task& task, const Request& request, SearchContext& context, const HitsView& hits);
// Two scores of a query that differ by more are in this order for certain, where weights are off by `max_error` at
// most.
double margin_of(std::span<const float> query_weights, float max_error) noexcept;
// Takes it back that hits are exact unless that holds for the weights that were given too, which an index that has only
// codes of them knows by their largest error.
void keep_proven(const SlotQuery& query, std::size_t row, const StoredDocuments& documents, const HitsView& hits);
// Makes good what an engine's answers lack.
void complete(std::span<const Task> tasks, const Request& request, SearchContext& context, const HitsView& hits);

// Calls answer(tasks, context) for batches of at most `max` queries on as many threads as are asked for, each with a
// context of its own, borrowed from `pool` at its first batch and constructed from `arguments`; it writes every task's
// row of `hits`. Queries times documents of a batch are bounded, so that progress is told every fraction of a second.
// `outliers`: of the impacts that the engine goes by; none if it goes by no impacts.
template <class Context, class Answer, class... Arguments>
void search_in_batches(const CsrView& queries, const Request& request, const OutlierPostings& outliers, std::size_t max,
                       const HitsView& hits, ContextPool<Context>& pool, const Answer& answer,
                       const Arguments&... arguments) {
    constexpr std::size_t kBatchWork = std::size_t{1} << 27;
    const StoredDocuments& documents = request.documents();
    const std::size_t n_docs = documents.forward.n_docs();
    const auto search = [&](std::size_t begin, std::size_t end, Context& context) {
        if (context.queries.size() < end - begin) context.queries.resize(end - begin);
        if (!outliers.empty() && context.apart.size() < end - begin) context.apart.resize(end - begin);
        context.tasks.clear();
        for (std::size_t row = begin; row < end; ++row) {
            SlotQuery& query = context.queries[row - begin];
            query.assign(queries, row, documents.vocabulary);
            Task task{&query, request.wanted(row), row};
            if (!outliers.empty()) set_apart(task, outliers, documents, context, context.apart[row - begin]);
            if (scan_is_cheaper(task.wanted, n_docs)) {
                scan(task, request, context, hits);
            } else {
                context.tasks.push_back(task);
            }
        }
        answer(std::span<const Task>(context.tasks), context);
        complete(context.tasks, request, context, hits);
        if (documents.forward.max_error() == 0) return;
        for (std::size_t row = begin; row < end; ++row) {
            keep_proven(context.queries[row - begin], row, documents, hits);
        }
    };
    const std::size_t n_queries = queries.n_rows();
    if (n_queries == 1) {  // no threads to start, no progress to tell
        search(std::size_t{0}, std::size_t{1}, *pool.borrow(arguments...));
        return;
    }
    const unsigned workers = worker_count(request.options().threads, n_queries);
    const std::size_t affordable = std::max<std::size_t>(kBatchWork / std::max<std::size_t>(n_docs, 1), 1);
    const std::size_t per_worker = (n_queries + workers - 1) / workers;
    const std::size_t batch = std::max<std::size_t>(std::min({max, affordable, per_worker}), 1);
    Progress progress(request.options().monitor, 1, n_queries);
    std::vector<std::optional<typename ContextPool<Context>::Lease>> contexts(workers);
    parallel_for_rows(n_queries, batch, workers, progress, [&](std::size_t begin, std::size_t end, unsigned worker) {
        auto& context = contexts[worker];
        if (!context) context.emplace(pool.borrow(arguments...));
        search(begin, end, **context);
    });
}

}  // namespace thresher
