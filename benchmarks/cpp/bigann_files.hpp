// The binary files of the BigANN benchmark's sparse track (Simhadri et al., *Results of the Big ANN: NeurIPS'23
// competition*, 2024), all little-endian, mapped and not copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/documents/csr.hpp"

namespace thresher::bench {

struct CsrFile {
    CsrView rows;
    std::shared_ptr<const void> owner;
};

// int64 rows, columns and nonzeros, int64 indptr[rows + 1], int32 terms[nonzeros], float32 weights[nonzeros]. The file
// is read to its end, so that what follows does not wait for the disk. Throws FileError, and FormatError where the
// header and the size disagree; rows are checked by whoever builds or searches with them.
CsrFile read_csr(const std::string& path);

// The exact answers, best first, both (n_queries, k); padded with the id -1.
struct GroundTruth {
    std::size_t n_queries = 0;
    std::size_t k = 0;
    std::span<const std::int32_t> ids;
    std::span<const float> scores;
    std::shared_ptr<const void> owner;
};

// uint32 n_queries and k, int32 ids[n_queries][k], float32 scores[n_queries][k]. Throws FileError, and FormatError also
// for what can't be an answer: an id below -1, a score that is no number or greater than the one before it.
GroundTruth read_ground_truth(const std::string& path);

}  // namespace thresher::bench
