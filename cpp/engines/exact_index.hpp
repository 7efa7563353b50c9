// Exhaustive search of every document: the oracle of the tests, and the fastest choice on small collections.
// See core/windowed/exhaustive_search.hpp for how.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/base/context_pool.hpp"
#include "../core/windowed/exhaustive_search.hpp"
#include "dials.hpp"
#include "tunable_index.hpp"

namespace thresher {

struct ExactParams {
    // Documents accumulated at a time: a multiple of 64 from 64 to 65,536. Four bytes each should fit the L1 cache.
    std::int64_t window = 8192;
    // Terms are stored as rows, a byte for each document, where at least this fraction of a row's bytes would be in use
    // (there are somewhat more of them than documents).
    double row_density = 0.1;

    template <class Visit>
    static void fields(const Visit& visit) {
        visit("window", &ExactParams::window);
        visit("row_density", &ExactParams::row_density);
    }
};

class ExactIndex final : public TunableIndex<ExactIndex, ExactParams, NoParams> {
  public:
    static constexpr std::string_view kEngine = "exact";

    // Rows of `docs` are documents; weights finite. Throws std::invalid_argument. Memory beside the input:
    // the index, and 5 bytes for each posting of a rare term while they are sorted.
    static std::unique_ptr<ExactIndex> build(const Documents& docs, const ExactParams& params,
                                             const BuildOptions& options);
    ~ExactIndex() override;

    std::string_view engine() const noexcept override { return kEngine; }
    // Throws std::invalid_argument for build parameters out of range.
    static void check(const ExactParams& params);
    static Dials dials(std::size_t n_docs, std::size_t k);
    static std::vector<EstimatedPart> estimated_parts(const CollectionStatistics& statistics,
                                                      const ExactParams& params);

  protected:
    std::vector<std::pair<std::string, std::size_t>> engine_nbytes() const override { return search_.nbytes(); }
    void save_engine(Parameters& counts, SectionList& sections) const override { search_.save(counts, sections); }

  private:
    friend TunableIndex;
    struct Context;

    ExactIndex(const ExactParams& params, StoredDocuments documents, ExhaustiveSearch search);
    explicit ExactIndex(const IndexFile& file);
    ExactIndex(const ExactIndex& other);

    void check_search(const NoParams&) const override {}
    void search_with(const CsrView& queries, const Request& request, const NoParams& params,
                     const HitsView& hits) const override;

    ExhaustiveSearch search_;
    mutable ContextPool<Context> contexts_;
};

}  // namespace thresher
