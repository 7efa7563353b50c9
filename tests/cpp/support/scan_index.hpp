// An engine beside those of the library, as somebody might add one: it scores documents one by one, all of them or as
// many as it is told.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/engine_entry.hpp"
#include "engines/query_batches.hpp"
#include "engines/tunable_index.hpp"

namespace thresher::test {

struct ScanParams {
    // Where a search begins: at the first document, or at the last.
    std::string from = "first";
    // Documents between those that are scored, and one.
    std::int64_t stride = 1;

    static constexpr std::array<std::string_view, 2> kEnds{"first", "last"};

    template <class Visit>
    static void fields(const Visit& visit) {
        visit("from", &ScanParams::from, kEnds);
        visit("stride", &ScanParams::stride);
    }
};

struct ScanSearchParams {
    // Documents to score; 0: all.
    std::int64_t budget = 0;

    bool is_limited() const noexcept { return budget > 0; }

    template <class Visit>
    static void fields(const Visit& visit) {
        visit("budget", &ScanSearchParams::budget);
    }
};

class ScanIndex final : public TunableIndex<ScanIndex, ScanParams, ScanSearchParams> {
  public:
    static constexpr std::string_view kEngine = "scan";

    static std::unique_ptr<ScanIndex> build(const Documents& docs, const ScanParams& params,
                                            const BuildOptions& options) {
        check(params);
        const auto ordering = Ordering::none(kEngine, options.order, docs.n_docs());
        Progress progress(options.monitor);
        return std::unique_ptr<ScanIndex>(new ScanIndex(
            params, StoredDocuments::build(docs, ordering, 1, options.precision, options.threads, progress)));
    }
    static void check(const ScanParams& params) {
        if (std::ranges::find(ScanParams::kEnds, params.from) == ScanParams::kEnds.end()) {
            throw std::invalid_argument("from must be 'first' or 'last', got '" + params.from + "'");
        }
        if (params.stride < 1) {
            throw std::invalid_argument("stride must be >= 1, got " + std::to_string(params.stride));
        }
    }
    static std::vector<EstimatedPart> estimated_parts(const CollectionStatistics&, const ScanParams&) { return {}; }
    static Dials dials(std::size_t n_docs, std::size_t k) {
        const auto least = static_cast<double>(k);
        const double most = std::max(least, static_cast<double>(n_docs));
        return {dial(&ScanSearchParams::budget, least, most), Dial{}};
    }
    static std::vector<ScanParams> build_variants() { return {{.stride = 2}}; }

    std::string_view engine() const noexcept override { return kEngine; }

  protected:
    std::vector<std::pair<std::string, std::size_t>> engine_nbytes() const override { return {}; }
    void save_engine(Parameters& /*counts*/, SectionList& /*sections*/) const override {}

  private:
    friend TunableIndex;

    ScanIndex(const ScanParams& params, StoredDocuments documents) : TunableIndex(params, std::move(documents)) {}
    explicit ScanIndex(const IndexFile& file) : TunableIndex(file, {}) {}

    void check_search(const ScanSearchParams& params) const override {
        if (params.budget < 0) {
            throw std::invalid_argument("budget must be >= 0, got " + std::to_string(params.budget));
        }
    }
    void search_with(const CsrView& queries, const Request& request, const ScanSearchParams& params,
                     const HitsView& hits) const override {
        const auto stride = static_cast<std::size_t>(build_params().stride);
        const std::size_t all = (n_docs() + stride - 1) / stride;
        const std::size_t n = params.budget == 0 ? all : std::min(all, static_cast<std::size_t>(params.budget));
        const auto answer = [&](std::span<const Task> tasks, SearchContext& context) {
            for (const Task& task : tasks) {
                context.best.reset(task.wanted);
                context.gate.open(task, documents(), context.best);
                for (std::size_t i = 0; i < n; ++i) {
                    const std::size_t doc = build_params().from == "first" ? i * stride : n_docs() - 1 - i * stride;
                    context.gate.offer(static_cast<std::uint32_t>(doc));
                }
                context.gate.close();
                hits.write(task.row, context.best.hits(), n == n_docs());
            }
        };
        search_in_batches(queries, request, {}, 16, hits, contexts_, answer, vocabulary().n_slots());
    }

    mutable ContextPool<SearchContext> contexts_;
};

// Once, however often it is called.
inline void register_scan_engine() {
    [[maybe_unused]] static const bool registered = [] {
        register_engine(entry_of<ScanIndex>());
        return true;
    }();
}

}  // namespace thresher::test
