#include "points.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bigann_bytes.hpp"
#include "core/base/error.hpp"
#include "engines/registry.hpp"
#include "support/scan_index.hpp"

namespace thresher::bench {
namespace {

using test::any_error_of;
using test::TemporaryDirectory;
using test::write_bytes;

class PointsFile : public testing::Test {
  protected:
    std::string path() const { return directory_.path("p"); }
    Points read(const std::string& text) const {
        write_bytes(path(), std::as_bytes(std::span(text)));
        return read_points(path());
    }
    // Without the file's name.
    std::string error(const std::string& text) const {
        const std::string message = any_error_of([&] { read(text); });
        const std::string prefix = path() + ": ";
        return message.starts_with(prefix) ? message.substr(prefix.size()) : "elsewhere: " + message;
    }

  private:
    TemporaryDirectory directory_;
};

TEST_F(PointsFile, GivesValuesOfTheirTypes) {
    const Points points = read(R"({"build": {"reorder": false, "m": 8},
                                   "search": [{}, {"alpha": 0.5, "algorithm": "wand", "beta": 1, "refine": -3}]})");
    EXPECT_EQ(points.build, (NamedValues{{"reorder", false}, {"m", std::int64_t{8}}}));
    EXPECT_EQ(
        points.searches,
        (std::vector<NamedValues>{
            {}, {{"alpha", 0.5}, {"algorithm", "wand"}, {"beta", std::int64_t{1}}, {"refine", std::int64_t{-3}}}}));
}

TEST_F(PointsFile, MayBeAListAlone) {
    const Points points = read(R"([{"ef": 20}, {"ef": 40}])");
    EXPECT_TRUE(points.build.empty());
    EXPECT_EQ(points.searches, (std::vector<NamedValues>{{{"ef", std::int64_t{20}}}, {{"ef", std::int64_t{40}}}}));
}

TEST_F(PointsFile, RefusesWhatIsNoListOfPoints) {
    EXPECT_NE(error("").find("not JSON: "), std::string::npos);
    EXPECT_NE(error(R"([{"ef": 20])").find("not JSON: "), std::string::npos);
    EXPECT_NE(error(R"([{"ef": 1e999}])").find("not JSON: "), std::string::npos);
    for (const char* text : {"[]", "{}", "7", R"({"search": {}})", R"({"search": []})", R"({"build": {}})"}) {
        EXPECT_EQ(error(text), "'search' must be a list of points") << text;
    }
    EXPECT_EQ(error(R"({"search": [{}], "engine": "graph"})"), "there may be 'build' and 'search', got 'engine'");
    EXPECT_EQ(error("[[]]"), "parameters must be an object, got []");
    EXPECT_EQ(error(R"({"build": 3, "search": [{}]})"), "parameters must be an object, got 3");
    EXPECT_EQ(error(R"([{"ef": null}])"), "'ef' must be a number, true, false or a string, got null");
    EXPECT_EQ(error(R"([{"ef": [1]}])"), "'ef' must be a number, true, false or a string, got [1]");
    EXPECT_EQ(error(R"([{"ef": 9223372036854775808}])"),
              "'ef' must be a number, true, false or a string, got 9223372036854775808");
}

TEST_F(PointsFile, ThatIsNotThereIsAnError) { EXPECT_THROW(read_points(path() + "-not"), FileError); }

TEST(UsualPoints, AreSettingsOfEachEngineAlsoOfOneThatIsNew) {
    test::register_scan_engine();
    const std::vector<std::int64_t> no_rows{0};
    for (const std::string_view engine : engine_names()) {
        const Points points = usual_points(engine, 1000, 10);
        EXPECT_TRUE(points.build.empty());
        EXPECT_EQ(points.searches.front(), NamedValues{}) << "the defaults";
        if (engine != "exact") {
            EXPECT_GT(points.searches.size(), 4U) << engine;
        }
        const auto index = build_index(engine, CsrView{0, no_rows, {}, {}}, points.build, {.threads = 1});
        for (const NamedValues& search : points.searches)
            EXPECT_NO_THROW(index->with_named_search_params(search)) << engine;
    }
}

}  // namespace
}  // namespace thresher::bench
