// An order of the documents in which similar ones share a block, so that block maxima are tight.
//
// Top down, documents are divided in two equal halves (bisection.hpp), over and over, down to nodes of a few thousand;
// within a node, blocks are packed greedily (packing.hpp). What this and other orders gave:
// docs/internals/document-order.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../base/parallel.hpp"
#include "posting_source.hpp"

namespace thresher {

// The documents, each once, in the order in which to store them. It depends on nothing but the documents and
// `block_size`. O(nnz log n_docs), and quadratic in the documents of a node for packing it. Beside the order it takes
// scratch memory for each thread, of a constant size but for twelve bytes a slot.
std::vector<std::uint32_t> similar_order(const PostingSource& documents, std::uint32_t n_slots,
                                         std::uint32_t block_size, unsigned threads, Progress& progress);

// The passes of `progress` that it takes.
unsigned similar_order_passes(std::size_t n_docs, std::uint32_t block_size) noexcept;

}  // namespace thresher
