// Bisection of documents by 2-means on length-normalised documents: similar ones go to the same half.
//
// The two centroids come from a sample of the node's documents, which is read once and kept; every document is then
// read once more, to go where it is nearer, as far as both halves get as many as they should.
//
// Balanced bisection of documents for an index: Dhulipala et al., *Compressing Graphs and Indexes with Recursive Graph
// Bisection*, KDD 2016 (arXiv 1602.08820), who minimise gaps; here it is the distance to two centroids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "posting_source.hpp"

namespace thresher {

// Documents [begin, end) of an order.
struct Node {
    std::size_t begin;
    std::size_t end;
    std::size_t size() const noexcept { return end - begin; }
};

class Bisection {
  public:
    // One thread's scratch, of a constant size but for the direction.
    struct Scratch {
        std::vector<float> direction;  // by slot: left centroid - right centroid; zero between bisections
        std::vector<Posting> postings;
        LargeVector<std::pair<float, std::uint32_t>> sides;
        // The sample, its weights over the lengths of its documents.
        LargeVector<Posting> sample;
        std::vector<std::size_t> offsets;
    };

    // `order`: the documents, of which each split puts a node's in a new order.
    Bisection(const PostingSource& documents, std::uint32_t n_slots, std::uint32_t block_size, unsigned threads,
              std::span<std::uint32_t> order)
        : documents_(documents), n_slots_(n_slots), block_size_(block_size), threads_(threads), order_(order) {}

    // Splits the node in two, the first a multiple of the block size: on all threads if there is a `progress` to poll.
    std::pair<Node, Node> split(Node node, Scratch& scratch, Progress* progress) const;

    // Bisections that lead from `n_docs` documents to nodes of `max_size` at most.
    static unsigned n_levels(std::size_t n_docs, std::size_t block_size, std::size_t max_size) noexcept;

  private:
    void read_sample(std::span<const std::uint32_t> docs, Scratch& scratch) const;
    void find_direction(std::uint64_t seed, double fraction, Scratch& scratch) const;
    void assign(std::span<std::uint32_t> docs, std::size_t half, Scratch& scratch, Progress* progress) const;

    const PostingSource& documents_;
    std::uint32_t n_slots_;
    std::size_t block_size_;
    unsigned threads_;
    std::span<std::uint32_t> order_;
};

}  // namespace thresher
