// Exhaustive search: every posting of every query term, in windows of documents that stay in cache.
//
// A window's scores are accumulated term at a time from 8-bit impacts, in integers, with a known bound on the error;
// the few documents that can still be in the top k are rescored in full precision from the forward index. The ids and
// scores returned are those of the weights that were given. Cost: linear in the postings of the query's terms, whatever
// their order or distribution; a batch of queries shares each window while it is in cache.
//
// The windows are those of SINDI (Li et al., arXiv 2509.08395). Invariant: |true score - accumulated score| <= the
// query's slack, for every document.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../documents/collection_statistics.hpp"
#include "../documents/quantiser.hpp"
#include "../documents/stored_documents.hpp"
#include "../selection/candidates.hpp"
#include "../selection/gate.hpp"
#include "../selection/hits.hpp"
#include "../selection/integer_query.hpp"
#include "../selection/top_k.hpp"
#include "../selection/wanted.hpp"
#include "window_scan.hpp"
#include "windowed_postings.hpp"

namespace thresher {

class ExhaustiveSearch {
  public:
    ExhaustiveSearch() = default;
    ExhaustiveSearch(Quantiser quantiser, WindowedPostings postings)
        : quantiser_(std::move(quantiser)), postings_(std::move(postings)) {}

    const Quantiser& quantiser() const noexcept { return quantiser_; }
    const WindowedPostings& postings() const noexcept { return postings_; }

    // Scratch memory of one thread.
    class Context {
      private:
        friend class ExhaustiveSearch;
        struct Plan {
            ScanPlan scan;
            Candidates candidates;
            TopK best;  // of the candidates that were rescored
        };
        std::vector<Plan> plans_;
        IntegerQuery integers_;
        WindowScan scan_;
    };

    // Answers tasks, whose queries visit each window together. Exact.
    void search(std::span<const Task> tasks, const StoredDocuments& documents, Gate& gate, Context& context,
                const HitsView& hits) const;

    std::vector<std::pair<std::string, std::size_t>> nbytes() const;
    static std::vector<EstimatedPart> estimated_parts(const CollectionStatistics& statistics, std::uint32_t window,
                                                      double row_density);
    void save(Parameters& counts, SectionList& sections) const;
    static ExhaustiveSearch load(const IndexFile& file, std::uint32_t n_docs, std::uint32_t n_slots,
                                 std::uint32_t window);

  private:
    struct Sink;

    void plan(const Task& task, Context& context, Context::Plan& plan) const;

    Quantiser quantiser_;
    WindowedPostings postings_;
};

}  // namespace thresher
