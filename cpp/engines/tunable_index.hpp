// An engine whose searches take parameters of its own.
#pragma once

#include <cstddef>
#include <span>

#include "index.hpp"

namespace thresher {

template <class SearchParams>
class TunableIndex : public Index {
  public:
    using Index::search;
    using Index::search_one;
    // As in Index, with parameters of this engine. Throws std::invalid_argument for those out of range.
    void search(const CsrView& queries, const SearchOptions& options, const SearchParams& params,
                const HitsView& hits) const {
        check_search(params, options.k);
        check_and_search(queries, options,
                         [&](const CsrView& checked) { search_with(checked, options, params, hits); });
    }
    void search_one(std::span<const std::uint32_t> terms, std::span<const float> weights, const SearchParams& params,
                    const HitsView& hits) const {
        check_search(params, hits.k);
        const SearchOptions options{hits.k, 1, nullptr};
        check_and_search_one(terms, weights, options,
                             [&](const CsrView& query) { search_with(query, options, params, hits); });
    }

  protected:
    using Index::Index;
    void search_canonical(const CsrView& queries, const SearchOptions& options, const HitsView& hits) const final {
        search_with(queries, options, SearchParams{}, hits);
    }

  private:
    // Throws std::invalid_argument for parameters out of range.
    virtual void check_search(const SearchParams& params, std::size_t k) const = 0;
    // As search_canonical, with checked parameters.
    virtual void search_with(const CsrView& queries, const SearchOptions& options, const SearchParams& params,
                             const HitsView& hits) const = 0;
};

}  // namespace thresher
