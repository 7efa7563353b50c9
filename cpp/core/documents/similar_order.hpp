// An order of the documents in which similar ones share a block, so that block maxima are tight.
//
// Top down, documents are divided in two equal halves by 2-means on their length-normalised vectors, over and over,
// down to nodes of a few thousand; within a node, blocks are packed greedily: from the heaviest document left, add the
// one that raises the block's expected bound least, relative to what its own would be. (Relative to, because otherwise
// short documents fill the blocks of long ones and leave the long ones to each other.) The expected bound weighs a term
// by its mean weight in the collection. What this and other orders gave: docs/internals/document-order.md.
//
// Balanced bisection of documents for an index: Dhulipala et al., *Compressing Graphs and Indexes with Recursive Graph
// Bisection*, KDD 2016 (arXiv 1602.08820), who minimise gaps; here it is the distance to two centroids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../base/parallel.hpp"
#include "posting_source.hpp"

namespace thresher {

// The documents, each once, in the order in which to store them. It depends on nothing but the documents and
// `block_size`. O(nnz log n_docs), and quadratic in the documents of a node for packing it.
std::vector<std::uint32_t> similar_order(const PostingSource& documents, std::uint32_t n_slots,
                                         std::uint32_t block_size, unsigned threads, Progress& progress);

// The passes of `progress` that it takes.
unsigned similar_order_passes(std::size_t n_docs, std::uint32_t block_size) noexcept;

}  // namespace thresher
