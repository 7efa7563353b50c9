// Divides a search's queries into batches for its threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "../core/base/context_pool.hpp"
#include "../core/base/parallel.hpp"
#include "../core/documents/csr.hpp"
#include "index.hpp"

namespace thresher {

// Calls search(begin, end, context) for batches of at most `most` queries on options.threads threads, each with a
// context of its own, borrowed from `pool` and constructed from `arguments`. Queries times documents of a batch are
// bounded, so that the monitor is polled every fraction of a second.
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
    std::vector<typename ContextPool<Context>::Lease> contexts;
    for (unsigned worker = 0; worker < workers; ++worker) contexts.push_back(pool.borrow(arguments...));
    parallel_for_rows(n_queries, batch, workers, progress, [&](std::size_t begin, std::size_t end, unsigned worker) {
        search(begin, end, *contexts[worker]);
    });
}

}  // namespace thresher
