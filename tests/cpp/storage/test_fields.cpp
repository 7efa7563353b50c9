#include "core/storage/fields.hpp"

#include <gtest/gtest.h>

#include <concepts>
#include <cstddef>
#include <map>
#include <set>
#include <string>

#include "engines/block_max_index.hpp"
#include "engines/clustered_index.hpp"
#include "engines/exact_index.hpp"
#include "engines/graph_index.hpp"
#include "engines/impact_index.hpp"
#include "engines/postings_index.hpp"
#include "support/error_of.hpp"

namespace thresher {
namespace {

using test::error_of;

// Becomes a member of any type.
struct Any {
    template <class T>
    operator T() const;  // NOLINT(google-explicit-constructor): what it is for
};

// Members of an aggregate: as many values as braces around them take.
template <class Params, class... Values>
constexpr std::size_t n_members() {
    if constexpr (requires { Params{Values{}..., Any{}}; }) {
        return n_members<Params, Values..., Any>();
    } else {
        return sizeof...(Values);
    }
}

template <class Params>
std::size_t n_named() {
    std::set<std::string> names;
    std::size_t n = 0;
    Params::fields([&](const char* name, auto, const auto&...) {
        names.insert(name);
        ++n;
    });
    EXPECT_EQ(names.size(), n) << "a name twice";
    return n;
}

template <class Params>
Params params_from(const NamedValues& values) {
    Params params;
    set_fields(values, params);
    return params;
}

TEST(Fields, NameEveryMember) {
    EXPECT_EQ(n_named<ExactParams>(), n_members<ExactParams>());
    EXPECT_EQ(n_named<BlockMaxParams>(), n_members<BlockMaxParams>());
    EXPECT_EQ(n_named<BlockMaxSearchParams>(), n_members<BlockMaxSearchParams>());
    EXPECT_EQ(n_named<ClusteredParams>(), n_members<ClusteredParams>());
    EXPECT_EQ(n_named<ClusteredSearchParams>(), n_members<ClusteredSearchParams>());
    EXPECT_EQ(n_named<GraphParams>(), n_members<GraphParams>());
    EXPECT_EQ(n_named<GraphSearchParams>(), n_members<GraphSearchParams>());
    EXPECT_EQ(n_named<ImpactSearchParams>(), n_members<ImpactSearchParams>());
    EXPECT_EQ(n_named<PostingsSearchParams>(), 1U);
}

TEST(Fields, SetTheFieldOfTheirName) {
    const auto params = params_from<GraphSearchParams>(
        {{"ef", std::int64_t{70}}, {"entry_terms", std::int64_t{3}}, {"early_stop", 0.5}});
    EXPECT_EQ(params.ef, 70);
    EXPECT_EQ(params.entry_terms, 3);
    EXPECT_EQ(params.early_stop, 0.5);
    const auto build = params_from<ClusteredParams>({{"reorder", false}, {"cluster_size", std::int64_t{8}}});
    EXPECT_FALSE(build.reorder);
    EXPECT_EQ(build.cluster_size, 8);
    EXPECT_EQ(build.tile_frequency, ClusteredParams{}.tile_frequency);
    EXPECT_EQ(params_from<PostingsSearchParams>({{"algorithm", "wand"}}).algorithm, "wand");
}

TEST(Fields, TakeAWholeNumberForANumber) {
    EXPECT_EQ(params_from<BlockMaxSearchParams>({{"alpha", std::int64_t{1}}}).alpha, 1.0);
}

TEST(Fields, RefuseOtherTypes) {
    EXPECT_EQ(error_of([] { params_from<GraphSearchParams>({{"ef", 1.5}}); }), "ef must be a whole number");
    EXPECT_EQ(error_of([] { params_from<GraphSearchParams>({{"ef", true}}); }), "ef must be a whole number");
    EXPECT_EQ(error_of([] { params_from<BlockMaxSearchParams>({{"beta", "x"}}); }), "beta must be a number");
    EXPECT_EQ(error_of([] { params_from<BlockMaxSearchParams>({{"beta", true}}); }), "beta must be a number");
    EXPECT_EQ(error_of([] { params_from<GraphParams>({{"reorder", std::int64_t{1}}}); }),
              "reorder must be true or false");
    EXPECT_EQ(error_of([] { params_from<PostingsSearchParams>({{"algorithm", 1.0}}); }), "algorithm must be a string");
}

TEST(Fields, RefuseOtherNames) {
    EXPECT_EQ(error_of([] { params_from<GraphSearchParams>({{"alpha", 0.5}}); }),
              "there is no parameter 'alpha'; there are ef, entry_terms and early_stop");
    EXPECT_EQ(error_of([] { params_from<PostingsSearchParams>({{"alpha", 0.5}}); }),
              "there is no parameter 'alpha'; there is algorithm");
    EXPECT_EQ(error_of([] { params_from<NoParams>({{"alpha", 0.5}}); }),
              "there is no parameter 'alpha'; there are none");
}

TEST(Fields, StayAsTheyAreWithoutAValue) {
    BlockMaxSearchParams params{.alpha = 0.5, .beta = 0.25};
    set_fields({{"beta", 0.75}}, params);
    EXPECT_EQ(params.alpha, 0.5);
    EXPECT_EQ(params.beta, 0.75);
}

TEST(Fields, AreToldByName) {
    const NamedValues values = named_values(ClusteredParams{.cluster_size = 8, .reorder = false});
    EXPECT_EQ(values.size(), n_members<ClusteredParams>());
    EXPECT_EQ(values[0], NamedValue("cluster_size", std::int64_t{8}));
    EXPECT_EQ(values[1], NamedValue("reorder", false));
    EXPECT_EQ(values[6], NamedValue("summary_energy", 1.0));
    EXPECT_EQ(named_values(PostingsSearchParams{}), (NamedValues{{"algorithm", "auto"}}));
}

TEST(Fields, HaveTheNameOfTheirMember) {
    EXPECT_EQ(name_of_field(&ClusteredParams::cluster_size), "cluster_size");
    EXPECT_EQ(name_of_field(&ClusteredParams::neighbours), "neighbours");
    EXPECT_EQ(name_of_field(&ClusteredParams::reorder), "reorder");
    EXPECT_EQ(name_of_field(&BlockMaxSearchParams::beta), "beta");
    EXPECT_EQ(name_of_field(&PostingsSearchParams::algorithm), "algorithm");
}

TEST(Fields, AreToldWhereTheyAreNotTheDefaults) {
    EXPECT_TRUE(changed_values(ClusteredParams{}).empty());
    EXPECT_EQ(changed_values(ClusteredParams{.cluster_size = 8, .reorder = false}),
              (NamedValues{{"cluster_size", std::int64_t{8}}, {"reorder", false}}));
}

TEST(Fields, AreWrittenDownByName) {
    Parameters parameters;
    write_fields(ClusteredParams{.cluster_size = 8, .reorder = false}, "a/", parameters);
    write_fields(PostingsSearchParams{"wand"}, "", parameters);
    const std::map<std::string, std::string> entries(parameters.entries().begin(), parameters.entries().end());
    EXPECT_EQ(entries.at("a/cluster_size"), "8");
    EXPECT_EQ(entries.at("a/reorder"), "0");
    EXPECT_EQ(entries.at("a/summary_energy"), "1.0");
    EXPECT_EQ(entries.at("algorithm"), "2") << "its place among the words";
    EXPECT_EQ(entries.size(), n_members<ClusteredParams>() + 1);
}

}  // namespace
}  // namespace thresher
