// Document-at-a-time search over compressed postings: the classical engine, exact, and the right one for short queries.
//
// A query becomes integers with a known error (core/selection/integer_query); one of four traversals finds the
// documents whose integer score reaches the cutoff (core/traversal), skipping those that bounds of lists and blocks
// rule out; these few are scored in full precision from the forward index (core/selection/gate). Which traversal it is
// changes the time and nothing else: docs/internals/postings.md.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/base/context_pool.hpp"
#include "../core/documents/quantiser.hpp"
#include "../core/traversal/compressed_postings.hpp"
#include "dials.hpp"
#include "tunable_index.hpp"

namespace thresher {

struct PostingsSearchParams {
    // "maxscore", "wand", "block_max_maxscore", "block_max_wand", or "auto": the library's choice by the query.
    std::string algorithm = "auto";

    static constexpr std::array<std::string_view, 5> kAlgorithms{"auto", "maxscore", "wand", "block_max_maxscore",
                                                                 "block_max_wand"};

    template <class Visit>
    static void fields(const Visit& visit) {
        visit("algorithm", &PostingsSearchParams::algorithm, kAlgorithms);
    }
};

class PostingsIndex final : public TunableIndex<PostingsIndex, NoParams, PostingsSearchParams> {
  public:
    static constexpr std::string_view kEngine = "postings";

    // Rows of `docs` are documents; weights finite. The index does not depend on the number of threads. Throws
    // std::invalid_argument. Memory beside the input: the index, and a byte for each posting while they are sorted.
    static std::unique_ptr<PostingsIndex> build(const Documents& docs, const NoParams& params,
                                                const BuildOptions& options);
    ~PostingsIndex() override;

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

    PostingsIndex(StoredDocuments documents, Quantiser quantiser, CompressedPostings postings);
    explicit PostingsIndex(const IndexFile& file);
    PostingsIndex(const PostingsIndex& other);

    void check_search(const PostingsSearchParams& params) const override;
    void search_with(const CsrView& queries, const Request& request, const PostingsSearchParams& params,
                     const HitsView& hits) const override;

    Quantiser quantiser_;
    CompressedPostings postings_;
    mutable ContextPool<Context> contexts_;
};

}  // namespace thresher
