// Exhaustive search: every posting of every query term, in windows of documents that stay in cache.
//
// A window's scores are accumulated term at a time from 8-bit impacts, in integers, with a known bound on the error;
// the few documents that can still be in the top k are finished in full precision from the forward index. The ids and
// scores returned are those of the weights that were given. Cost: linear in the postings of the query's terms, whatever
// their order or distribution; a batch of queries shares each window while it is in cache.
//
// The windows are those of SINDI (Li et al., arXiv 2509.08395). Invariant: |true score - accumulated score| <= the
// query's slack, for every document.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/context_pool.hpp"
#include "../core/quantiser.hpp"
#include "../core/windowed_postings.hpp"
#include "index.hpp"

namespace thresher {

struct ExactParams {
    // Documents accumulated at a time: a multiple of 64 from 64 to 65,536. Four bytes each should fit the L1 cache.
    std::int64_t window = 8192;
    // Terms are stored as rows, a byte for each document, where at least this share of a row's bytes would be in use
    // (there are somewhat more of them than documents).
    double row_density = 0.1;
};

class ExactIndex final : public Index {
  public:
    static constexpr std::string_view kEngine = "exact";

    // Rows of `docs` are documents; weights finite and >= 0. Throws std::invalid_argument. Memory beside the input:
    // the index, and up to 24 bytes for each posting of a rare term while it is sorted.
    static std::unique_ptr<ExactIndex> build(const CsrView& docs, const ExactParams& params, unsigned threads,
                                             Monitor* monitor);
    static std::unique_ptr<Index> load(const IndexFile& file);
    ~ExactIndex() override;

    std::string_view engine() const noexcept override { return kEngine; }
    Parameters parameters() const override;

  protected:
    void search_canonical(const CsrView& queries, const SearchOptions& options, const HitsView& hits) const override;
    std::vector<std::pair<std::string, std::size_t>> engine_nbytes() const override;
    void save_engine(Parameters& counts, SectionList& sections) const override;

  private:
    struct QueryPlan;
    struct Context;

    ExactIndex(const ExactParams& params, Vocabulary vocabulary, ForwardIndex forward, Quantiser quantiser,
               WindowedPostings postings);
    explicit ExactIndex(const IndexFile& file);

    void search_batch(const CsrView& queries, std::size_t begin, std::size_t end, Context& context,
                      const HitsView& hits) const;
    void plan(const CsrView& queries, std::size_t query, std::size_t k, QueryPlan& plan) const;
    void accumulate(std::size_t w, QueryPlan& plan, Context& context) const;
    void select(std::size_t w, QueryPlan& plan, Context& context) const;
    void finish(const CsrView& queries, std::size_t query, QueryPlan& plan, Context& context,
                const HitsView& hits) const;

    ExactParams params_;
    Quantiser quantiser_;
    WindowedPostings postings_;
    mutable ContextPool<Context> contexts_;
};

}  // namespace thresher
