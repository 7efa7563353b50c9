// Clusters of documents, and what each of them has of every term: the largest weight of any member.
//
// A cluster is a few consecutive documents of an order in which similar ones are neighbours. Its summary is kept in two
// forms. Frequent terms are dense: a 4-bit code for each cluster in a row, which SIMD sums (BlockMaxima). The others
// are lists of clusters with 8-bit impacts, statically pruned: a summary keeps the heaviest terms that make up the
// fraction `energy` of its mass, and a list keeps its `n_postings` heaviest clusters. Large collections have a third
// form: groups of clusters, by which those parts of the rows and lists are chosen that are worth summing. Pruned
// summaries: Bruch, Nardini, Rulli, Venturini, *Efficient Inverted Indexes for Approximate Retrieval over Learned
// Sparse Representations* (Seismic), SIGIR 2024 (arXiv 2404.18812), where each list has clusters and summaries of its
// own; here all lists share them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "../base/parallel.hpp"
#include "../documents/forward_index.hpp"
#include "../documents/quantiser.hpp"
#include "../documents/vocabulary.hpp"
#include "../storage/index_file.hpp"
#include "../windowed/windowed_postings.hpp"
#include "block_maxima.hpp"

namespace thresher {

class ClusterSummaries {
  public:
    struct Pruning {
        std::size_t n_postings;  // of a list, 0 for all
        double energy;           // of a summary, 1 for all
    };

    ClusterSummaries() = default;
    // `forward`: documents in the order of their clusters. Rows for the slots [0, n_rows), lists for the others; codes
    // of groups for [0, n_group_rows), and for those with rows at least; none: no groups.
    static ClusterSummaries build(const ForwardIndex& forward, const Vocabulary& vocabulary, const Quantiser& quantiser,
                                  std::uint32_t cluster_size, std::uint32_t n_rows,
                                  std::optional<std::uint32_t> n_group_rows, const Pruning& pruning, unsigned threads,
                                  Progress& progress);
    static constexpr unsigned kPasses = 5;  // of `build`

    const BlockMaxima& rows() const noexcept { return rows_; }
    const WindowedPostings& lists() const noexcept { return lists_; }
    // kernels::kGroup consecutive clusters each, by power means. No blocks if there are no groups.
    const BlockMaxima& groups() const noexcept { return groups_; }

    // Documents that a row of groups has room for (documents/row_room).
    static std::size_t group_room(std::size_t n_docs, std::uint32_t cluster_size) noexcept;
    // Parameters as for `build`.
    static std::vector<EstimatedPart> estimated_parts(const CollectionStatistics& statistics,
                                                      std::uint32_t cluster_size, std::uint32_t n_rows,
                                                      std::optional<std::uint32_t> n_group_rows,
                                                      const Pruning& pruning);
    void save(Parameters& counts, SectionList& sections) const;
    static ClusterSummaries load(const IndexFile& file, std::size_t n_docs, std::uint32_t cluster_size,
                                 std::uint32_t n_slots);

  private:
    BlockMaxima rows_;
    WindowedPostings lists_;
    BlockMaxima groups_;
};

}  // namespace thresher
