// What engines say can be turned: valid search parameters at both ends, and more work at the thorough one.
#include "engines/dials.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "engines/block_max_index.hpp"
#include "engines/engine_entry.hpp"
#include "support/brute_force.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Rows;

TEST(Dial, TurnsWholeNumbersByFactorsAndOthersBySteps) {
    const Dial whole{.fixed = {{"beta", 0.5}}, .name = "budget", .lowest = 4, .highest = 400};
    EXPECT_EQ(whole.at(0), (NamedValues{{"beta", 0.5}, {"budget", std::int64_t{4}}}));
    EXPECT_EQ(whole.at(0.5), (NamedValues{{"beta", 0.5}, {"budget", std::int64_t{40}}}));
    EXPECT_EQ(whole.at(1), (NamedValues{{"beta", 0.5}, {"budget", std::int64_t{400}}}));
    EXPECT_NEAR(whole.step(), 0.0043, 0.0001) << "two hundredths of a factor of a hundred";
    const Dial fraction{.name = "alpha", .lowest = 0.5, .highest = 1, .integral = false};
    EXPECT_EQ(fraction.at(0.5), (NamedValues{{"alpha", 0.75}}));
    EXPECT_EQ(fraction.at(0.0011), (NamedValues{{"alpha", 0.501}}));
    EXPECT_EQ(fraction.step(), 0.006);
    EXPECT_EQ(Dial{}.at(0.5), NamedValues{});
    EXPECT_EQ(Dial{}.step(), 1);
    EXPECT_EQ((Dial{.name = "ef", .lowest = 7, .highest = 7}).step(), 1);
}

TEST(Dial, IsNamedByTheMember) {
    using Params = BlockMaxSearchParams;
    const Dial made = dial(&Params::alpha, 0.5, 1, {named(&Params::block_budget, 7)});
    EXPECT_EQ(made, (Dial{{{"block_budget", std::int64_t{7}}}, "alpha", 0.5, 1, false}));
    EXPECT_EQ(dial(&Params::superblock_budget, 1, 9).name, "superblock_budget");
    EXPECT_TRUE(dial(&Params::superblock_budget, 1, 9).integral);
}

TEST(Settings, AreSpreadOverTheDialsWithTheDefaultsAmongThem) {
    const Dials dials{{.fixed = {{"cut", std::int64_t{8}}}, .name = "ef", .lowest = 10, .highest = 1000},
                      {.fixed = {{"cut", std::int64_t{4}}}, .name = "ef", .lowest = 10, .highest = 1000},
                      {.fixed = {{"cut", std::int64_t{2}}}}};
    const auto settings = settings_of(dials, 9);
    ASSERT_EQ(settings.size(), 1U + 3 + 3 + 1);
    EXPECT_EQ(settings[0], NamedValues{});
    EXPECT_EQ(settings[7], dials[2].fixed);
    const auto ef = [&](std::size_t i) { return std::get<std::int64_t>(settings[i][1].second); };
    for (const std::size_t i : {1, 2, 3}) {
        EXPECT_LT(ef(i), ef(i + 3)) << "the second dial is turned in between";
        if (i < 3) {
            EXPECT_LT(ef(i + 3), ef(i + 1));
        }
    }
    EXPECT_EQ(settings_of({Dial{}}, 5), (std::vector<NamedValues>{{}})) << "named once";
    EXPECT_EQ(settings_of(dials, 1).size(), 2U);
    EXPECT_EQ(settings_of({}, 5).size(), 1U);
}

TEST(Dials, OfEveryEngineAreSearchParametersThatItTakes) {
    Random random(80);
    const Rows docs = test::random_rows(random, 300, 40, 6, test::real_weight);
    for (const std::string_view name : engine_names()) {
        const auto index = build_index(name, docs.view(), {}, {.threads = 1});
        for (const std::size_t n_docs : {std::size_t{1}, std::size_t{300}, std::size_t{1} << 31}) {
            for (const std::size_t k : {std::size_t{1}, std::size_t{10}, std::size_t{100'000}}) {
                const Dials dials = engine_named(name).dials(n_docs, k);
                ASSERT_FALSE(dials.empty()) << name;
                for (const Dial& dial : dials) {
                    EXPECT_LE(dial.lowest, dial.highest) << name;
                    for (const double turn : {0.0, 0.3, 1.0}) {
                        EXPECT_NO_THROW(index->with_named_search_params(dial.at(turn))) << name << " " << dial.name;
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace thresher
