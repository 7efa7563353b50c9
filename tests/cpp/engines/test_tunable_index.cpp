// Search parameters that an index has of its own: what searches go by, what a file keeps of them, and what it may not.
#include "engines/tunable_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/storage/fields.hpp"
#include "core/storage/index_file.hpp"
#include "support/altered_file.hpp"
#include "support/brute_force.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::Hits;
using test::Random;
using test::Rows;
using test::small_block_max_index;
using test::small_clustered_index;
using test::small_graph_index;
using test::small_impact_index;
using test::small_postings_index;
using test::TemporaryDirectory;

std::vector<std::int64_t> ids_of(const Index& index) {
    Random random(3);
    const Rows queries = test::random_rows(random, 30, index.n_terms(), 4, test::real_weight);
    std::vector<std::int64_t> ids(10 * queries.n_rows());
    std::vector<float> scores(ids.size());
    std::vector<std::uint8_t> exact(queries.n_rows());
    index.search(queries.view(), {10, 1, nullptr}, {10, ids, scores, exact});
    return ids;
}

// How many search parameters a file holds.
std::size_t n_kept(const std::string& path) {
    const IndexFile file = IndexFile::open(path, true, nullptr);
    const auto entries = file.parameters().entries();
    return static_cast<std::size_t>(
        std::ranges::count_if(entries, [](const auto& entry) { return entry.first.starts_with("search/"); }));
}

template <class Engine>
std::string fields_of(const Engine& index) {
    Parameters parameters;
    write_fields(index.search_params(), "", parameters);
    return parameters.to_text();
}

// `params`: other than the defaults in each field, and with other hits if `shows`.
template <class Engine, class Params>
void expect_kept(std::unique_ptr<Engine> plain, const Params& params, bool shows) {
    const TemporaryDirectory directory;
    EXPECT_EQ(fields_of(*plain), fields_of(*plain->with_search_params(Params{})));
    plain->save(directory.path("plain"), nullptr);
    EXPECT_EQ(n_kept(directory.path("plain")), 0U) << "nobody set any";
    const std::vector<std::int64_t> before = ids_of(*plain);

    std::unique_ptr<Engine> own = plain->with_search_params(params);
    EXPECT_EQ(ids_of(*plain), before) << "the index that it was made from stays as it is";
    EXPECT_NE(fields_of(*own), fields_of(*plain));
    EXPECT_EQ(own->nbytes(), plain->nbytes());
    plain.reset();
    const std::vector<std::int64_t> after = ids_of(*own);
    EXPECT_EQ(after != before, shows);

    own->save(directory.path("own"), nullptr);
    const auto opened = open_index(directory.path("own"), true, nullptr);
    const auto& same = dynamic_cast<const Engine&>(*opened);
    EXPECT_EQ(fields_of(same), fields_of(*own));
    EXPECT_EQ(ids_of(same), after);
    same.save(directory.path("again"), nullptr);
    EXPECT_EQ(test::read_bytes(directory.path("again")), test::read_bytes(directory.path("own")));

    // Also those that are the library's now: an index that was tuned stays so when the library changes its mind.
    same.with_search_params(Params{})->save(directory.path("default"), nullptr);
    std::size_t n_named = 0;
    Params::fields([&](const char*, auto, const auto&...) { ++n_named; });
    EXPECT_EQ(n_kept(directory.path("default")), n_named);
}

TEST(TunableIndex, KeepsItsOwnSearchParameters) {
    expect_kept(small_block_max_index(true), BlockMaxSearchParams{0.5, 0.25, 2, 1}, true);
    expect_kept(small_clustered_index(true),
                ClusteredSearchParams{.query_cut = 1, .heap_factor = 0.75, .cluster_budget = 1, .refine = 2}, true);
    expect_kept(small_graph_index(false), GraphSearchParams{1, 1, 0.9}, true);
    expect_kept(small_impact_index(), ImpactSearchParams{1, 1e9, 10}, true);
    expect_kept(small_postings_index(), PostingsSearchParams{"block_max_wand"}, false);
}

TEST(TunableIndex, GivesAllOfItsParametersToASearchThatHasNone) {
    const auto index = small_clustered_index(false)->with_search_params({.cluster_budget = 1});
    Hits one(1, 5);
    Hits other(1, 5);
    const std::vector<std::uint32_t> terms{0, 3};
    const std::vector<float> weights{1.0F, 2.0F};
    index->search_one(terms, weights, one.view());
    index->search_one(terms, weights, {.cluster_budget = 1}, other.view());
    EXPECT_EQ(one.ids, other.ids);
    EXPECT_EQ(std::count(one.ids.begin(), one.ids.end(), -1), 1) << "four documents are in a cluster";
}

TEST(TunableIndex, RefusesParametersOutOfRange) {
    using test::error_of;
    EXPECT_EQ(error_of([] { small_block_max_index(false)->with_search_params({.alpha = 0}); }),
              "alpha must be in (0, 1], got 0.000000");
    EXPECT_EQ(error_of([] { small_clustered_index(false)->with_search_params({.refine = 1}); }),
              "refine needs neighbours: build the index with neighbours >= 1");
    EXPECT_EQ(error_of([] { small_impact_index()->with_search_params({.deadline_us = HUGE_VAL}); }),
              "deadline_us must be finite, got inf");
    EXPECT_EQ(error_of([] { small_impact_index()->with_search_params({.rescored = 3}); }), "no error");
}

// The file of `index` with other parameters: `name` with the value `text`.
template <class Value>
std::string error_of_file(const Index& index, const std::string& name, Value value) {
    const TemporaryDirectory directory;
    index.save(directory.path("f"), nullptr);
    const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
    Parameters parameters = file.parameters();
    parameters.set(name, value);
    SectionList sections;
    for (const Section& section : file.sections()) {
        if (section.name != "parameters") test::add_section(sections, file, section);
    }
    write_index_file(directory.path("g"), file.engine(), parameters, sections, nullptr);
    return test::error_of(directory.path("g"));
}

TEST(TunableIndex, RefusesFilesWhoseParametersAreOutOfRange) {
    const auto whole = [](std::uint64_t value) { return value; };
    const auto block_max = small_block_max_index(false);
    EXPECT_EQ(error_of_file(*block_max, "search/beta", 0.5), "no error") << "the others are the library's";
    EXPECT_EQ(error_of_file(*block_max, "search/beta", whole(1)), "no error");
    EXPECT_EQ(error_of_file(*block_max, "search/beta", 1.5),
              "its search parameters: beta must be in (0, 1], got 1.500000");
    EXPECT_EQ(error_of_file(*block_max, "search/block_budget", 2.5),
              "parameter search/block_budget is '2.5', not a whole number");
    EXPECT_EQ(error_of_file(*block_max, "search/block_budget", whole(std::uint64_t{1} << 63)),
              "parameter search/block_budget is out of range: 9223372036854775808");
    EXPECT_EQ(error_of_file(*block_max, "search/of_a_newer_library", whole(3)), "no error");
    EXPECT_EQ(error_of_file(*small_clustered_index(false), "search/refine", whole(2)),
              "its search parameters: refine needs neighbours: build the index with neighbours >= 1");
    EXPECT_EQ(error_of_file(*small_clustered_index(true), "search/refine", whole(2)), "no error");
    EXPECT_EQ(error_of_file(*small_graph_index(false), "search/early_stop", 1.1),
              "its search parameters: early_stop must be in [0, 1], got 1.100000");
    EXPECT_EQ(error_of_file(*small_impact_index(), "search/deadline_us", -1.0),
              "its search parameters: deadline_us must be >= 0, got -1.000000");
    EXPECT_EQ(error_of_file(*small_postings_index(), "search/algorithm", whole(4)), "no error");
    EXPECT_EQ(error_of_file(*small_postings_index(), "search/algorithm", whole(5)),
              "parameter search/algorithm is out of range: 5");
    EXPECT_EQ(error_of_file(*test::small_index(), "search/alpha", 7.0), "no error") << "it has none";
}

}  // namespace
}  // namespace thresher
