// Files of the sparse track, put together byte by byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher::test {

template <class T>
void append(std::vector<std::byte>& bytes, const std::vector<T>& values) {
    const auto more = std::as_bytes(std::span(values));
    bytes.insert(bytes.end(), more.begin(), more.end());
}

inline std::vector<std::byte> csr_bytes(const Rows& rows) {
    std::vector<std::byte> bytes;
    append(bytes,
           std::vector<std::int64_t>{static_cast<std::int64_t>(rows.n_rows()), static_cast<std::int64_t>(rows.n_terms),
                                     static_cast<std::int64_t>(rows.terms.size())});
    append(bytes, rows.indptr);
    append(bytes, rows.terms);
    append(bytes, rows.weights);
    return bytes;
}

inline std::vector<std::byte> truth_bytes(std::uint32_t n_queries, std::uint32_t k,
                                          const std::vector<std::int32_t>& ids, const std::vector<float>& scores) {
    std::vector<std::byte> bytes;
    append(bytes, std::vector<std::uint32_t>{n_queries, k});
    append(bytes, ids);
    append(bytes, scores);
    return bytes;
}

// The message of the error of any kind that `call` throws, or "no error".
template <class Call>
std::string any_error_of(const Call& call) {
    try {
        call();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "no error";
}

}  // namespace thresher::test
