#include "bigann_files.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "core/base/error.hpp"
#include "core/storage/mapped_file.hpp"

namespace thresher::bench {

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::int64_t kMaxTerms = std::int64_t{1} << 31;
constexpr std::int64_t kMaxCount = std::int64_t{1} << 40;  // rows or nonzeros: sizes of files can't overflow

template <class T>
T number_at(std::span<const std::byte> bytes, std::size_t offset) {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

template <class T>
std::span<const T> array_at(std::span<const std::byte> bytes, std::size_t offset, std::size_t n) {
    return {reinterpret_cast<const T*>(bytes.data() + offset), n};
}

// As large as its header says?
void check_size(const std::string& path, std::size_t size, std::size_t expected) {
    if (size == expected) return;
    throw FormatError(path, (size < expected ? "truncated: " : "too long: ") + std::to_string(size) +
                                " bytes, the header says " + std::to_string(expected));
}

MappedFile mapped(const std::string& path, std::size_t header) {
    MappedFile file = map_file(path);
    if (file.bytes.size() < header) {
        throw FormatError(path, "truncated: the header has " + std::to_string(header) + " bytes, the file " +
                                    std::to_string(file.bytes.size()));
    }
    return file;
}

void read_to_the_end(std::span<const std::byte> bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += kPage) {
        [[maybe_unused]] const volatile std::byte seen = bytes[at];
    }
}

}  // namespace

CsrFile read_csr(const std::string& path) {
    constexpr std::size_t kHeader = 24;
    const MappedFile file = mapped(path, kHeader);
    const auto n_rows = number_at<std::int64_t>(file.bytes, 0);
    const auto n_terms = number_at<std::int64_t>(file.bytes, 8);
    const auto nnz = number_at<std::int64_t>(file.bytes, 16);
    if (n_rows < 0 || n_rows > kMaxCount || n_terms < 0 || n_terms > kMaxTerms || nnz < 0 || nnz > kMaxCount) {
        throw FormatError(path, "not a .csr file of the sparse track: its header says " + std::to_string(n_rows) +
                                    " rows, " + std::to_string(n_terms) + " columns and " + std::to_string(nnz) +
                                    " nonzeros");
    }
    const auto n = static_cast<std::size_t>(nnz);
    const std::size_t n_starts = static_cast<std::size_t>(n_rows) + 1;
    const std::size_t terms_at = kHeader + n_starts * sizeof(std::int64_t);
    const std::size_t weights_at = terms_at + n * sizeof(std::int32_t);
    check_size(path, file.bytes.size(), weights_at + n * sizeof(float));
    read_to_the_end(file.bytes);
    // A negative term becomes one of at least 2^31, which no matrix has.
    const CsrView rows{static_cast<std::uint64_t>(n_terms), array_at<std::int64_t>(file.bytes, kHeader, n_starts),
                       array_at<std::uint32_t>(file.bytes, terms_at, n), array_at<float>(file.bytes, weights_at, n)};
    return {rows, file.owner};
}

GroundTruth read_ground_truth(const std::string& path) {
    constexpr std::size_t kHeader = 8;
    const MappedFile file = mapped(path, kHeader);
    const std::size_t n_queries = number_at<std::uint32_t>(file.bytes, 0);
    const std::size_t k = number_at<std::uint32_t>(file.bytes, 4);
    constexpr std::size_t kAnswer = sizeof(std::int32_t) + sizeof(float);
    if (k > 0 && n_queries > (std::numeric_limits<std::size_t>::max() - kHeader) / kAnswer / k) {
        throw FormatError(path, "truncated: no file is as large as its header says");
    }
    const std::size_t n = n_queries * k;
    check_size(path, file.bytes.size(), kHeader + n * kAnswer);
    GroundTruth truth{n_queries, k, array_at<std::int32_t>(file.bytes, kHeader, n),
                      array_at<float>(file.bytes, kHeader + n * sizeof(std::int32_t), n), file.owner};
    for (std::size_t at = 0; at < n; ++at) {
        const bool falls = at % k == 0 || truth.scores[at] <= truth.scores[at - 1];
        if (truth.ids[at] >= -1 && !std::isnan(truth.scores[at]) && falls) continue;
        throw FormatError(path, "query " + std::to_string(at / k) + " has at rank " + std::to_string(at % k) +
                                    " the impossible answer of id " + std::to_string(truth.ids[at]) + " and score " +
                                    std::to_string(truth.scores[at]));
    }
    return truth;
}

}  // namespace thresher::bench
