// Speed of one operating point.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/documents/csr.hpp"
#include "engines/index.hpp"

namespace thresher::bench {

struct Measured {
    std::vector<std::int64_t> ids;  // of the last batch, shape (n_queries, k)
    double batch_s = 0;             // all queries in one call on `threads` threads, the median of the repeats
    double cpus = 0;                // CPU seconds over seconds of these calls: less than `threads` if others worked too
    std::vector<double> query_us;   // each query by a call of its own on one thread, the median of the repeats
};

// Every measurement comes after a run that is not timed.
Measured measure(const Index& index, const CsrView& queries, std::size_t k, unsigned threads, unsigned repeats);

template <class Call>
double seconds_of(const Call& call) {
    const auto start = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Resident memory of this process in bytes, after memory that was freed has been given back.
std::size_t resident_bytes();

}  // namespace thresher::bench
