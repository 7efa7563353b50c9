// Divides a search's queries into batches for its threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "../core/base/context_pool.hpp"
#include "../core/base/parallel.hpp"
#include "../core/documents/csr.hpp"
#include "index.hpp"

namespace thresher {

// Calls search(begin, end, context) for batches of at most `max` queries on options.threads threads, each with a
// context of its own, borrowed from `pool` at its first batch and constructed from `arguments`. Queries times documents
// of a batch are bounded, so that progress is told every fraction of a second.
template <class Context, class Search, class... Arguments>
void search_in_batches(std::size_t n_queries, std::size_t n_docs, std::size_t max, const SearchOptions& options,
                       ContextPool<Context>& pool, const Search& search, const Arguments&... arguments) {
    constexpr std::size_t kBatchWork = std::size_t{1} << 27;
    if (n_queries == 1) {  // no threads to start, no progress to tell
        search(std::size_t{0}, std::size_t{1}, *pool.borrow(arguments...));
        return;
    }
    const unsigned workers = worker_count(options.threads, n_queries);
    const std::size_t affordable = std::max<std::size_t>(kBatchWork / std::max<std::size_t>(n_docs, 1), 1);
    const std::size_t per_worker = (n_queries + workers - 1) / workers;
    const std::size_t batch = std::max<std::size_t>(std::min({max, affordable, per_worker}), 1);
    Progress progress(options.monitor, 1, n_queries);
    std::vector<std::optional<typename ContextPool<Context>::Lease>> contexts(workers);
    parallel_for_rows(n_queries, batch, workers, progress, [&](std::size_t begin, std::size_t end, unsigned worker) {
        auto& context = contexts[worker];
        if (!context) context.emplace(pool.borrow(arguments...));
        search(begin, end, **context);
    });
}

}  // namespace thresher
