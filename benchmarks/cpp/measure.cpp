#include "measure.hpp"

#include <malloc.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <numeric>

#include "statistics.hpp"

namespace thresher::bench {

namespace {

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void measure_batches(const Index& index, const CsrView& queries, const SearchOptions& options, unsigned repeats,
                     const HitsView& hits, Measured& measured) {
    const auto search = [&] { index.search(queries, options, hits); };
    search();
    const double cpu = cpu_seconds();
    std::vector<double> seconds;
    for (unsigned repeat = 0; repeat < repeats; ++repeat) seconds.push_back(seconds_of(search));
    measured.cpus = (cpu_seconds() - cpu) / std::accumulate(seconds.begin(), seconds.end(), 0.0);
    measured.batch_s = median(std::move(seconds));
}

std::vector<double> query_microseconds(const Index& index, const CsrView& queries, unsigned repeats,
                                       const HitsView& hit) {
    std::vector<std::vector<double>> all(queries.n_rows());
    for (unsigned repeat = 0; repeat <= repeats; ++repeat) {
        for (std::size_t query = 0; query < queries.n_rows(); ++query) {
            const auto terms = queries.row_terms(query);
            const auto weights = queries.row_weights(query);
            const double seconds = seconds_of([&] { index.search_one(terms, weights, hit); });
            if (repeat > 0) all[query].push_back(seconds * 1e6);
        }
    }
    std::vector<double> medians;
    medians.reserve(all.size());
    for (auto& of_query : all) medians.push_back(median(std::move(of_query)));
    return medians;
}

}  // namespace

Measured measure(const Index& index, const CsrView& queries, std::size_t k, unsigned threads, unsigned repeats) {
    Measured measured;
    measured.ids.resize(queries.n_rows() * k);
    std::vector<float> scores(measured.ids.size());
    std::vector<std::uint8_t> exact(queries.n_rows());
    measure_batches(index, queries, {.k = k, .threads = threads}, repeats, {k, measured.ids, scores, exact}, measured);
    std::vector<std::int64_t> one(k);
    measured.query_us =
        query_microseconds(index, queries, repeats, {k, one, std::span(scores).first(k), std::span(exact).first(1)});
    return measured;
}

std::size_t resident_bytes() {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    std::size_t all = 0;
    std::size_t resident = 0;
    std::ifstream("/proc/self/statm") >> all >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace thresher::bench
