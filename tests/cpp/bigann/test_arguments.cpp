#include "arguments.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engines/registry.hpp"
#include "support/error_of.hpp"

namespace thresher::bench {
namespace {

Arguments parse(std::vector<std::string> words) {
    words.insert(words.begin(), "thresher-bigann");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    return parse_arguments(static_cast<int>(words.size()), argv.data());
}

std::string error(const std::vector<std::string>& words) {
    return test::error_of([&] { parse(words); });
}

TEST(BigannArguments, AreTakenByName) {
    const Arguments given =
        parse({"--base", "b", "--queries=q", "--truth", "t", "--engine", "graph", "--points", "p", "--index", "i",
               "--k", "7", "--threads", "0", "--build-threads", "3", "--repeats", "2"});
    EXPECT_EQ(given.base, "b");
    EXPECT_EQ(given.queries, "q");
    EXPECT_EQ(given.truth, "t");
    EXPECT_EQ(given.engine, "graph");
    EXPECT_EQ(given.points, "p");
    EXPECT_EQ(given.index, "i");
    EXPECT_EQ(given.k, 7U);
    EXPECT_EQ(given.threads, 0U);
    EXPECT_EQ(given.build_threads, 3U);
    EXPECT_EQ(given.repeats, 2U);
    EXPECT_FALSE(given.help);
}

TEST(BigannArguments, NameEveryEngine) {
    for (const std::string_view engine : engine_names()) {
        EXPECT_EQ(parse({"--queries", "q", "--engine", std::string(engine)}).engine, engine);
        EXPECT_NE(usage().find(engine), std::string::npos);
    }
    EXPECT_EQ(parse({"--queries", "q", "--engine", "block_max"}).engine, "block-max");
}

TEST(BigannArguments, AskForHelpWithNothingElse) { EXPECT_TRUE(parse({"--help"}).help && parse({"-h"}).help); }

TEST(BigannArguments, ThatAreWrongAreToldInALine) {
    EXPECT_EQ(error({}), "--queries is needed");
    EXPECT_EQ(error({"--queries"}), "--queries needs a value");
    EXPECT_EQ(error({"--queries", ""}), "--queries is empty");
    EXPECT_EQ(error({"--queries", "q", "r"}), "unexpected argument 'r'");
    EXPECT_EQ(error({"--frobnicate", "1"}), "there is no option --frobnicate");
    EXPECT_EQ(error({"-x"}), "there is no option -x");
    EXPECT_EQ(error({"--queries", "q", "--k", "0"}), "--k must be a whole number from 1 to 1000000, got '0'");
    for (const char* value : {"ten", "1.5", "-1", "10 ", "99999999999999999999"}) {
        EXPECT_EQ(error({"--queries", "q", "--threads", value}),
                  "--threads must be a whole number from 0 to 1024, got '" + std::string(value) + "'");
    }
    EXPECT_EQ(error({"--queries", "q", "--repeats", "0"}),
              "--repeats must be a whole number from 1 to 1000000, got '0'");
    EXPECT_EQ(error({"--queries", "q", "--engine", "fast"}),
              "--engine must be one of exact, block-max, clustered, graph, impact, postings, got 'fast'");
}

}  // namespace
}  // namespace thresher::bench
