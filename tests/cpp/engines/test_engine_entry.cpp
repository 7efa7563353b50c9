// An engine that is registered: all that goes by an engine's name knows it.
#include "engines/engine_entry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "support/altered_file.hpp"
#include "support/brute_force.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"
#include "support/scan_index.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::error_of;
using test::Random;
using test::Rows;
using test::ScanIndex;
using test::TemporaryDirectory;

class NewEngine : public testing::Test {
  protected:
    NewEngine() : docs_(test::random_rows(random_, 300, 60, 8, test::real_weight)) { test::register_scan_engine(); }

    Random random_{90};
    Rows docs_;
    TemporaryDirectory directory_;
};

TEST_F(NewEngine, IsBuiltSavedOpenedAndSearchedByItsName) {
    const auto names = engine_names();
    EXPECT_NE(std::ranges::find(names, "scan"), names.end());
    const NamedValues params{{"from", std::string("last")}, {"stride", std::int64_t{3}}};
    const auto index = build_index("scan", docs_.view(), params, {.threads = 1});
    EXPECT_EQ(index->parameters(), params);
    const auto plain = build_index("scan", docs_.view(), {}, {.threads = 1});
    EXPECT_EQ(test::search(*plain, docs_, 10),
              test::search(*build_index("exact", docs_.view(), {}, {.threads = 1}), docs_, 10));

    index->with_named_search_params({{"budget", std::int64_t{20}}})->save(directory_.path("f"), nullptr);
    const auto opened = open_index(directory_.path("f"), true, nullptr);
    EXPECT_EQ(opened->engine(), "scan");
    EXPECT_EQ(opened->parameters(), params);
    EXPECT_EQ(opened->named_search_params(), (NamedValues{{"budget", std::int64_t{20}}}));
    EXPECT_NE(test::search(*opened, docs_, 10), test::search(*index, docs_, 10));
    EXPECT_EQ(test::search(*opened->with_named_search_params({{"budget", std::int64_t{0}}}), docs_, 10),
              test::search(*index, docs_, 10));
}

TEST_F(NewEngine, RefusesWrongParametersWhereverTheyComeFrom) {
    const auto build = [&](const NamedValues& params) { build_index("scan", docs_.view(), params, {.threads = 1}); };
    EXPECT_EQ(error_of([&] { build({{"stride", std::int64_t{0}}}); }), "stride must be >= 1, got 0");
    EXPECT_EQ(error_of([&] { build({{"from", std::string("middle")}}); }),
              "from must be 'first' or 'last', got 'middle'");
    const std::vector<std::uint32_t> order{0};
    EXPECT_EQ(error_of([&] { build_index("scan", docs_.view(), {}, {.order = order}); }),
              "order: the engine 'scan' keeps the order of the rows");

    for (const auto& [name, value] : {std::pair{"from", std::uint64_t{2}}, {"stride", std::uint64_t{0}}}) {
        build_index("scan", docs_.view(), {}, {.threads = 1})->save(directory_.path("good"), nullptr);
        const IndexFile file = IndexFile::open(directory_.path("good"), true, nullptr);
        Parameters altered;
        for (const auto& entry : file.parameters().entries()) {
            altered.set(entry.first, entry.first == name ? value : file.integer(entry.first));
        }
        SectionList sections;
        for (const Section& section : file.sections()) {
            if (section.name != "parameters") test::add_section(sections, file, section);
        }
        write_index_file(directory_.path("bad"), "scan", altered, sections, nullptr);
        EXPECT_THROW(open_index(directory_.path("bad"), true, nullptr), FormatError) << name;
    }
}

TEST_F(NewEngine, IsTunedAndEstimated) {
    const EngineEntry& entry = engine_named("scan");
    EXPECT_EQ(entry.build_variants, (std::vector<NamedValues>{{{"stride", std::int64_t{2}}}}));
    EXPECT_TRUE(entry.build_growth.is_linear());
    const Dials dials = entry.dials(300, 10);
    EXPECT_EQ(dials[0].at(0), (NamedValues{{"budget", std::int64_t{10}}}));
    EXPECT_EQ(dials[0].at(1), (NamedValues{{"budget", std::int64_t{300}}}));
    Progress silent(nullptr);
    const auto statistics = CollectionStatistics::of(docs_.view(), 300, 1, silent);
    const auto parts = entry.estimated_parts(statistics, {}, Precision::full);
    const auto built = build_index("scan", docs_.view(), {}, {.threads = 1})->nbytes();
    ASSERT_EQ(parts.size(), built.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
        EXPECT_EQ(parts[i].name, built[i].first);
        EXPECT_NEAR(parts[i].nbytes(), static_cast<double>(built[i].second), 200);
    }
}

TEST_F(NewEngine, HasANameOfItsOwn) {
    EXPECT_EQ(error_of([] { register_engine(entry_of<ScanIndex>()); }), "there is an engine 'scan' already");
    EXPECT_EQ(error_of([] { engine_named("skim"); }), "there is no engine 'skim'");
}

}  // namespace
}  // namespace thresher
