// Score-at-a-time search over impact-ordered levels, which can be stopped at any time.
//
// A query's levels (core/impact_segments) are added to the documents' sums one after the other, what matters most
// first, and the documents of the greatest sums are scored again in full precision. Without limits that ends, exactly,
// as soon as scoring every document that can still be among the best is cheaper than reading on. With a limit it ends
// there, with the best answer so far; a budget of postings then makes latency the same for every query.
//
// Score-at-a-time, anytime: Lin, Trotman, *Anytime Ranking for Impact-Ordered Indexes*, ICTIR 2015. On learned weights:
// Mackenzie, Trotman, Lin, *Wacky Weights in Learned Sparse Representations and the Revenge of Score-at-a-Time Query
// Evaluation*, arXiv 2110.11540. What is different here: docs/internals/impact.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/base/context_pool.hpp"
#include "../core/documents/quantiser.hpp"
#include "../core/impact/impact_levels.hpp"
#include "dials.hpp"
#include "tunable_index.hpp"

namespace thresher {

struct ImpactSearchParams {
    // Postings to read at most; 0: as many as it takes.
    std::int64_t postings_budget = 0;
    // Microseconds that a query may take; 0: as long as it takes.
    double deadline_us = 0;
    // Documents to score in full precision once a limit has stopped the reading, k where it is less. 0: the library's
    // choice by k.
    std::int64_t rescored = 0;

    bool is_limited() const noexcept { return postings_budget > 0 || deadline_us > 0; }

    template <class Visit>
    static void fields(const Visit& visit) {
        visit("postings_budget", &ImpactSearchParams::postings_budget);
        visit("deadline_us", &ImpactSearchParams::deadline_us);
        visit("rescored", &ImpactSearchParams::rescored);
    }
};

class ImpactIndex final : public TunableIndex<ImpactIndex, NoParams, ImpactSearchParams> {
  public:
    static constexpr std::string_view kEngine = "impact";

    // Rows of `docs` are documents; weights finite. Throws std::invalid_argument.
    static std::unique_ptr<ImpactIndex> build(const Documents& docs, const NoParams& params,
                                              const BuildOptions& options);
    ~ImpactIndex() override;

    std::string_view engine() const noexcept override { return kEngine; }
    // Throws std::invalid_argument for build parameters out of range.
    static void check(const NoParams& /*params*/) {}
    static Dials dials(std::size_t n_docs, std::size_t k);
    static std::vector<EstimatedPart> estimated_parts(const CollectionStatistics& statistics, const NoParams& params);

  protected:
    std::vector<std::pair<std::string, std::size_t>> engine_nbytes() const override;
    void save_engine(Parameters& counts, SectionList& sections) const override;

  private:
    friend TunableIndex;
    struct Context;

    ImpactIndex(StoredDocuments documents, Quantiser quantiser, ImpactLevels levels);
    explicit ImpactIndex(const IndexFile& file);
    ImpactIndex(const ImpactIndex& other);

    void check_search(const ImpactSearchParams& params) const override;
    void search_with(const CsrView& queries, const Request& request, const ImpactSearchParams& params,
                     const HitsView& hits) const override;

    Quantiser quantiser_;
    ImpactLevels levels_;
    mutable ContextPool<Context> contexts_;
};

}  // namespace thresher
