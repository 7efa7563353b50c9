// What an index will take, told before it is built: every engine's parts, in their order, close to what they then are.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "core/documents/collection_statistics.hpp"
#include "engines/engine_entry.hpp"
#include "support/brute_force.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::error_of;
using test::Random;
using test::Rows;

CollectionStatistics statistics_of(const CsrView& docs, std::size_t n_docs) {
    Progress silent(nullptr);
    const CanonicalCsr canonical(docs, "docs", 2, silent);
    return CollectionStatistics::of(canonical.view(), n_docs, 2, silent);
}

double total(const std::vector<EstimatedPart>& parts) {
    double bytes = 0;
    for (const EstimatedPart& part : parts) bytes += part.nbytes();
    return bytes;
}

struct Case {
    std::string engine;
    NamedValues params;
};

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const std::string_view name : engine_names()) {
        all.push_back({std::string(name), {}});
        for (const NamedValues& variant : engine_named(name).build_variants)
            all.push_back({std::string(name), variant});
    }
    all.push_back({"exact", {{"window", std::int64_t{64}}, {"row_density", 1.0}}});
    all.push_back({"block-max", {{"block_size", std::int64_t{16}}, {"bound_frequency", 0.2}, {"tile_frequency", 0.3}}});
    all.push_back({"clustered",
                   {{"cluster_size", std::int64_t{8}},
                    {"reorder", false},
                    {"group_frequency", 0.01},
                    {"neighbours", std::int64_t{3}}}});
    all.push_back({"graph", {{"m", std::int64_t{4}}, {"entry_points", std::int64_t{2}}, {"reorder", false}}});
    return all;
}

TEST(Estimates, AreOfThePartsThatAnIndexHas) {
    Random random(70);
    const Rows docs = test::random_rows(random, 3000, 400, 12, test::real_weight);
    const CollectionStatistics statistics = statistics_of(docs.view(), docs.n_rows());
    for (const Precision precision : {Precision::full, Precision::codes, Precision::both}) {
        for (const auto& [engine, params] : cases()) {
            const auto parts = engine_named(engine).estimated_parts(statistics, params, precision);
            const auto index = build_index(engine, docs.view(), params, {.precision = precision, .threads = 2});
            const auto built = index->nbytes();
            ASSERT_EQ(parts.size(), built.size()) << engine;
            for (std::size_t i = 0; i < parts.size(); ++i) {
                EXPECT_EQ(parts[i].name, built[i].first) << engine;
                const auto actual = static_cast<double>(built[i].second);
                EXPECT_LE(actual, 1.05 * (parts[i].fixed + parts[i].variable) + 200) << engine << " " << parts[i].name;
                if (parts[i].variable == 0) {
                    EXPECT_NEAR(parts[i].fixed, actual, 0.05 * actual + 200) << engine << " " << parts[i].name;
                } else {
                    EXPECT_GE(actual, parts[i].fixed) << engine << " " << parts[i].name;
                }
            }
        }
    }
}

TEST(Estimates, FollowTheStatisticsOfAnotherNumberOfDocuments) {
    Random random(71);
    const Rows docs = test::random_rows(random, 4000, 300, 12, test::real_weight);
    const CsrView all = docs.view();
    const auto n = static_cast<std::size_t>(all.indptr[1000]);
    const CsrView part{all.n_terms, all.indptr.first(1001), all.terms.first(n), all.weights.first(n)};
    const CollectionStatistics grown = statistics_of(part, 4000);
    const CollectionStatistics shrunk = statistics_of(all, 1000);
    EXPECT_EQ(grown.n_docs, 4000U);
    EXPECT_NEAR(grown.nnz(), static_cast<double>(all.nnz()), 0.05 * static_cast<double>(all.nnz()));
    EXPECT_NEAR(shrunk.nnz(), static_cast<double>(n), 0.05 * static_cast<double>(n));
    for (const std::string_view engine : engine_names()) {
        const auto& entry = engine_named(engine);
        const double of_all = total(entry.estimated_parts(statistics_of(all, 4000), {}, Precision::full));
        EXPECT_NEAR(total(entry.estimated_parts(grown, {}, Precision::full)), of_all, 0.1 * of_all) << engine;
    }
}

TEST(Estimates, RefuseParametersAsABuildDoes) {
    Random random(72);
    const Rows docs = test::random_rows(random, 30, 20, 4, test::real_weight);
    const CollectionStatistics statistics = statistics_of(docs.view(), 30);
    const auto& graph = engine_named("graph");
    EXPECT_EQ(error_of([&] { graph.estimated_parts(statistics, {{"m", std::int64_t{0}}}, Precision::full); }),
              "m must be from 1 to 256, got 0");
    EXPECT_EQ(error_of([&] { graph.estimated_parts(statistics, {{"size", std::int64_t{1}}}, Precision::full); }),
              "there is no parameter 'size'; there are m, ef_construction, entry_points and reorder");
}

}  // namespace
}  // namespace thresher
