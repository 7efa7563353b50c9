// Engines, and their parameters, by name.
#include "engines/registry.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/storage/index_file.hpp"
#include "support/altered_file.hpp"
#include "support/brute_force.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::error_of;
using test::Rows;
using test::small_collection;
using test::small_index;

TEST(Registry, BuildsAnIndexOfEachEngineByItsName) {
    const Rows docs = small_collection();
    const auto names = engine_names();
    EXPECT_GE(names.size(), 6U);
    for (const std::string_view name : names) {
        const auto index = build_index(name, docs.view(), {}, {.threads = 1});
        EXPECT_EQ(index->engine(), name);
        EXPECT_EQ(index->n_docs(), docs.n_rows());
    }
    EXPECT_EQ(error_of([&] { build_index("fast", docs.view(), {}, {.threads = 1}); }), "there is no engine 'fast'");
}

TEST(Registry, BuildsWithParametersByName) {
    const Rows docs = small_collection();
    const auto index = build_index("clustered", docs.view(), {{"cluster_size", std::int64_t{16}}}, {.threads = 1});
    EXPECT_EQ(index->parameters()[0], (NamedValue{"cluster_size", std::int64_t{16}}));
    EXPECT_EQ(error_of([&] { build_index("postings", docs.view(), {{"m", std::int64_t{1}}}, {.threads = 1}); }),
              "there is no parameter 'm'; there are none");
    EXPECT_EQ(error_of([&] { build_index("graph", docs.view(), {{"m", std::int64_t{0}}}, {.threads = 1}); }),
              "m must be from 1 to 256, got 0");
}

TEST(SearchParams, AreSetByName) {
    const Rows docs = small_collection();
    const auto index = ImpactIndex::build(docs.view(), {}, {.threads = 1});
    const std::int64_t budget = 1;
    test::Hits expected(docs.n_rows(), 3);
    index->search(docs.view(), {3, 1, nullptr}, ImpactSearchParams{.postings_budget = budget}, expected.view());
    const Index& any = *index;
    const auto set = any.with_named_search_params({{"postings_budget", budget}});
    EXPECT_EQ(test::search(*set, docs, 3), expected);
    EXPECT_NE(test::search(any, docs, 3), expected) << "the budget changes nothing";

    const auto more = set->with_named_search_params({{"rescored", std::int64_t{9}}});
    EXPECT_EQ(more->named_search_params(),
              (NamedValues{{"postings_budget", budget}, {"deadline_us", 0.0}, {"rescored", std::int64_t{9}}}));
    EXPECT_EQ(error_of([&] { any.with_named_search_params({{"alpha", 0.5}}); }),
              "there is no parameter 'alpha'; there are postings_budget, deadline_us and rescored");
    EXPECT_EQ(error_of([&] { any.with_named_search_params({{"postings_budget", std::int64_t{-1}}}); }),
              "postings_budget must be >= 0, got -1");
}

TEST(SearchParams, OfAnEngineWithoutAnyAreNone) {
    const Rows docs = small_collection();
    auto index = small_index();
    const auto expected = test::search(*index, docs, 3);
    const auto same = index->with_named_search_params({});
    index.reset();
    EXPECT_EQ(test::search(*same, docs, 3), expected);
    EXPECT_EQ(same->named_search_params(), NamedValues{});
    EXPECT_EQ(error_of([&] { same->with_named_search_params({{"alpha", 0.5}}); }),
              "there is no parameter 'alpha'; there are none");
}

}  // namespace
}  // namespace thresher
