// What engines derive from: their parameters by name. Those of the build are kept as they turned out, choices made, and
// saved with the index. Searches take parameters of their own; an index has such parameters too, for searches that are
// given none: the library's defaults, unless others were set, which are saved as well. Files, and whoever has names
// only, go by the `fields` of both structs.
#pragma once

#include <cmath>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "../core/documents/stored_documents.hpp"
#include "../core/storage/fields.hpp"
#include "build_options.hpp"
#include "index.hpp"
#include "request.hpp"

namespace thresher {

// `Engine` derives from this, is a friend of it, can be copied, and has a constructor that takes an IndexFile and a
// static `check`, which throws std::invalid_argument for build parameters out of range. Search parameters that may cost
// hits have is_limited(): whether they do, being less than the library would choose.
template <class Engine, class BuildParams, class SearchParams>
class TunableIndex : public Index {
  public:
    using Params = BuildParams;
    using SearchParameters = SearchParams;

    // What it was built with.
    const BuildParams& build_params() const noexcept { return params_; }
    NamedValues parameters() const final { return named_values(params_); }

    static std::unique_ptr<Index> load(const IndexFile& file) {
        std::unique_ptr<Engine> index(new Engine(file));
        index->load_search_params(file);
        return index;
    }

    // What searches go by that are given no parameters.
    SearchParams search_params() const { return own_params_.value_or(SearchParams{}); }
    // The same index, whose memory it shares, with `params` in their place: those that have names. Throws
    // std::invalid_argument for parameters out of range.
    std::unique_ptr<Engine> with_search_params(const SearchParams& params) const {
        SearchParams named;
        SearchParams::fields([&](const char*, auto member, const auto&...) { named.*member = params.*member; });
        check_own(named);
        std::unique_ptr<Engine> index = copy_of_engine();
        static_cast<TunableIndex&>(*index).own_params_ = named;
        return index;
    }

    NamedValues named_search_params() const final { return named_values(search_params()); }
    std::unique_ptr<Index> with_named_search_params(const NamedValues& values) const final {
        SearchParams params = search_params();
        set_fields(values, params);
        return with_search_params(params);
    }

    using Index::search;
    using Index::search_one;
    // As in Index, with parameters of this engine. Throws std::invalid_argument for those out of range.
    void search(const CsrView& queries, const SearchOptions& options, const SearchParams& params,
                const HitsView& hits) const {
        check_search(params);
        check_and_search(queries, options, [&](const CsrView& checked, const SearchOptions& with) {
            request_and_search(checked, with, params, hits);
        });
    }
    void search_one(std::span<const std::uint32_t> terms, std::span<const float> weights, const SearchParams& params,
                    const HitsView& hits) const {
        search_one(terms, weights, SearchOptions{.k = hits.n_columns, .threads = 1}, params, hits);
    }
    void search_one(std::span<const std::uint32_t> terms, std::span<const float> weights, const SearchOptions& options,
                    const SearchParams& params, const HitsView& hits) const {
        check_search(params);
        check_and_search_one(terms, weights, options, [&](const CsrView& query, const SearchOptions& with) {
            request_and_search(query, with, params, hits);
        });
    }

  protected:
    TunableIndex(const BuildParams& params, std::shared_ptr<const StoredDocuments> documents)
        : Index(std::move(documents)), params_(params) {}
    TunableIndex(const BuildParams& params, StoredDocuments documents)
        : Index(std::make_shared<const StoredDocuments>(std::move(documents))), params_(params) {}
    // Of parameters that the file lacks, being older than they are, the defaults.
    TunableIndex(const IndexFile& file, DocumentOrder order)
        : Index(std::make_shared<const StoredDocuments>(StoredDocuments::load(file, std::move(order)))) {
        read_fields(file, "", params_);
        require_valid(file, "", [&] { Engine::check(params_); });
    }
    TunableIndex(const TunableIndex&) = default;

    const Vocabulary& vocabulary() const noexcept { return documents().vocabulary; }
    const ForwardIndex& forward() const noexcept { return documents().forward; }
    const DocumentOrder& order() const noexcept { return documents().order; }

    void search_canonical(const CsrView& queries, const SearchOptions& options, const HitsView& hits) const final {
        request_and_search(queries, options, search_params(), hits);
    }
    void search_by_defaults(const CsrView& queries, const SearchOptions& options, const HitsView& hits) const final {
        request_and_search(queries, options, SearchParams{}, hits);
    }
    std::unique_ptr<Index> copy() const final { return copy_of_engine(); }
    void save_parameters(Parameters& to) const final { write_fields(params_, "", to); }
    void save_search_params(Parameters& to) const final {
        if (own_params_) write_fields(*own_params_, kPrefix, to);
    }

  private:
    static constexpr const char* kPrefix = "search/";  // of names in a file

    std::unique_ptr<Engine> copy_of_engine() const {
        return std::unique_ptr<Engine>(new Engine(static_cast<const Engine&>(*this)));
    }

    // Throws std::invalid_argument for parameters out of range.
    virtual void check_search(const SearchParams& params) const = 0;
    // As search_canonical, with checked parameters and options.
    virtual void search_with(const CsrView& queries, const Request& request, const SearchParams& params,
                             const HitsView& hits) const = 0;

    void request_and_search(const CsrView& queries, const SearchOptions& options, const SearchParams& params,
                            const HitsView& hits) const {
        if (hits.exact.size() != queries.n_rows()) {
            throw std::invalid_argument("hits: exact has room for " + std::to_string(hits.exact.size()) + " of " +
                                        std::to_string(queries.n_rows()) + " queries");
        }
        bool is_limited = false;
        if constexpr (requires { params.is_limited(); }) is_limited = params.is_limited();
        search_with(queries, Request(options, queries.n_rows(), documents(), is_limited), params, hits);
    }

    // As check_search, for parameters that a file can hold.
    void check_own(const SearchParams& params) const {
        check_search(params);
        SearchParams::fields([&]<class Field>(const char* name, Field SearchParams::* member, const auto&...) {
            if constexpr (std::is_same_v<Field, double>) {
                if (std::isfinite(params.*member)) return;
                throw std::invalid_argument(std::string(name) + " must be finite, got " +
                                            std::to_string(params.*member));
            }
        });
    }
    void load_search_params(const IndexFile& file) {
        SearchParams params;
        if (!read_fields(file, kPrefix, params)) return;
        require_valid(file, "search ", [&] { check_own(params); });
        own_params_ = params;
    }
    template <class Check>
    static void require_valid(const IndexFile& file, const char* kind, const Check& check) {
        try {
            check();
        } catch (const std::invalid_argument& wrong) {
            file.require(false, std::string("its ") + kind + "parameters: " + wrong.what());
        }
    }

    BuildParams params_;
    std::optional<SearchParams> own_params_;
};

}  // namespace thresher
