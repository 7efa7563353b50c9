// The program as a whole, on tiny files: its recall against one computed from brute force.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bigann_bytes.hpp"
#include "engines/registry.hpp"
#include "support/brute_force.hpp"

namespace thresher::bench {
namespace {

using nlohmann::json;
using test::BruteForce;
using test::csr_bytes;
using test::Random;
using test::Rows;
using test::truth_bytes;
using test::write_bytes;

constexpr std::size_t kHits = 10;

struct Outcome {
    int code;
    std::vector<json> lines;  // of stdout
    std::string errors;       // stderr
};

// 400 documents, 25 queries, few different scores (many ties), and points for every engine: its defaults and a setting
// at which it misses some of the best, if it has one.
class Program : public testing::Test {
  protected:
    Program() {
        Random random(5);
        docs_ =
            test::random_rows(random, 400, 40, 8, [](Random& r) { return static_cast<float>(test::uniform(r, 1, 3)); });
        queries_ = test::random_rows(random, 25, 40, 6, test::dyadic_weight);
        queries_.add(test::Row{});
        write("base", csr_bytes(docs_));
        write("queries", csr_bytes(queries_));
        truth_ = test::brute_force(docs_, queries_);
        write("truth", exact_answers(kHits));
    }

    void write(const std::string& name, const std::vector<std::byte>& bytes) const { write_bytes(path(name), bytes); }
    void write(const std::string& name, const std::string& text) const {
        write_bytes(path(name), std::as_bytes(std::span(text)));
    }
    std::string path(const std::string& name) const { return directory_.path(name); }
    // Names of files among `arguments` begin with @.
    Outcome run(const std::string& arguments) const {
        std::string command = THRESHER_BIGANN;
        std::istringstream words(arguments);
        for (std::string word; words >> word;) command += " " + (word[0] == '@' ? path(word.substr(1)) : word);
        command += " 2>" + path("stderr");
        Outcome outcome{-1, {}, {}};
        std::FILE* pipe = ::popen(command.c_str(), "r");
        std::string output;
        std::array<char, 4096> part{};
        while (const std::size_t n = std::fread(part.data(), 1, part.size(), pipe)) output.append(part.data(), n);
        const int status = ::pclose(pipe);
        outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        std::istringstream lines(output);
        for (std::string line; std::getline(lines, line);) outcome.lines.push_back(json::parse(line));
        std::ifstream errors(path("stderr"));
        outcome.errors.assign(std::istreambuf_iterator<char>(errors), {});
        return outcome;
    }
    Outcome search(const std::string& more) const { return run("--base @base --queries @queries --repeats 1 " + more); }

    // The last line of what it says where it fails.
    std::string complaint(const Outcome& outcome) const {
        EXPECT_EQ(outcome.code, 2);
        EXPECT_TRUE(outcome.lines.empty());
        const std::string& errors = outcome.errors;
        const auto begin = errors.rfind('\n', errors.size() - 2) + 1;
        std::string line = errors.substr(begin, errors.size() - begin - 1);
        for (auto at = line.find(path("")); at != std::string::npos; at = line.find(path(""))) {
            line.erase(at, path("").size());
        }
        return line;
    }

    std::vector<std::byte> exact_answers(std::size_t k) const {
        std::vector<std::int32_t> ids;
        std::vector<float> scores;
        for (const BruteForce& truth : truth_) {
            std::vector<std::int32_t> order(truth.scores.size());
            std::iota(order.begin(), order.end(), 0);
            const auto score = [&](std::int32_t doc) { return truth.scores[static_cast<std::size_t>(doc)]; };
            // Ties to the greater id, unlike our engines.
            std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
                return score(a) != score(b) ? score(a) > score(b) : a > b;
            });
            for (std::size_t rank = 0; rank < k; ++rank) {
                ids.push_back(order[rank]);
                scores.push_back(static_cast<float>(score(order[rank])));
            }
        }
        return truth_bytes(static_cast<std::uint32_t>(truth_.size()), static_cast<std::uint32_t>(k), ids, scores);
    }

    // Recall of what the library answers, from brute force alone.
    double recall_of(const Index& index, const NamedValues& params) const {
        test::Hits hits(queries_.n_rows(), kHits);
        index.with_named_search_params(params)->search(queries_.view(), {kHits, 1, nullptr}, hits.view());
        std::size_t wanted = 0;
        std::size_t right = 0;
        for (std::size_t query = 0; query < truth_.size(); ++query) {
            std::vector<double> scores = truth_[query].scores;
            std::sort(scores.rbegin(), scores.rend());
            const double lowest = std::max(scores[kHits - 1], 1e-9);
            wanted += std::min(kHits, static_cast<std::size_t>(std::count_if(scores.begin(), scores.end(),
                                                                             [](double score) { return score > 0; })));
            std::set<std::int64_t> found(hits.ids.begin() + static_cast<std::ptrdiff_t>(query * kHits),
                                         hits.ids.begin() + static_cast<std::ptrdiff_t>((query + 1) * kHits));
            found.erase(-1);
            for (const std::int64_t doc : found) {
                right += truth_[query].scores[static_cast<std::size_t>(doc)] >= lowest * (1 - 1e-9);
            }
        }
        return static_cast<double>(right) / static_cast<double>(wanted);
    }

    const Rows& docs() const { return docs_; }
    const Rows& queries() const { return queries_; }

  private:
    test::TemporaryDirectory directory_;
    Rows docs_;
    Rows queries_;
    std::vector<BruteForce> truth_;
};

json to_json(const NamedValues& values) {
    json object = json::object();
    for (const NamedValue& value : values) {
        std::visit([&](const auto& item) { object[value.first] = item; }, value.second);
    }
    return object;
}

// How an index of each engine is built, and a search that misses some of the best, if there is one.
struct Miss {
    NamedValues build;
    NamedValues search;
};

const std::map<std::string, Miss, std::less<>> kMisses{
    {"exact", {{{"window", std::int64_t{64}}}, {}}},
    {"block-max", {{{"reorder", true}}, {{"block_budget", std::int64_t{1}}}}},
    {"clustered", {{{"cluster_size", std::int64_t{8}}}, {{"cluster_budget", std::int64_t{1}}}}},
    {"graph", {{{"m", std::int64_t{2}}, {"entry_points", std::int64_t{1}}}, {{"early_stop", 1.0}}}},
    {"impact", {{}, {{"postings_budget", std::int64_t{1}}}}},
    {"postings", {{}, {}}},
};

TEST_F(Program, TellsTheRecallOfEachEngine) {
    for (const auto& [name, miss] : kMisses) {
        const auto& [build, misses] = miss;
        const json points{{"build", to_json(build)}, {"search", {json::object(), to_json(misses)}}};
        write("points", points.dump());
        const Outcome outcome = search("--truth @truth --points @points --threads 2 --engine " + name);
        ASSERT_EQ(outcome.code, 0) << outcome.errors;
        ASSERT_EQ(outcome.lines.size(), 2U);
        const auto index = build_index(name, docs().view(), build, {.threads = 1});
        EXPECT_NEAR(outcome.lines[0]["recall"].get<double>(), recall_of(*index, {}), 1e-12) << name;
        EXPECT_NEAR(outcome.lines[1]["recall"].get<double>(), recall_of(*index, misses), 1e-12) << name;
        EXPECT_EQ(outcome.lines[1]["recall"] < 1.0, !misses.empty()) << name;
        EXPECT_EQ(outcome.lines[0]["params"], to_json(index->named_search_params()));
        EXPECT_EQ(outcome.lines[1]["params"], to_json(index->with_named_search_params(misses)->named_search_params()));
    }
}

TEST_F(Program, TellsWhatWasMeasuredAndOfWhat) {
    const Outcome outcome = search("--truth @truth --engine exact --k 7 --threads 2 --build-threads 1");
    ASSERT_EQ(outcome.lines.size(), 1U) << outcome.errors;
    const json& line = outcome.lines[0];
    EXPECT_EQ(line["engine"], "exact");
    EXPECT_EQ(line["k"], 7);
    EXPECT_EQ(line["threads"], 2);
    EXPECT_EQ(line["build_threads"], 1);
    EXPECT_EQ(line["repeats"], 1);
    EXPECT_EQ(line["n_docs"], 400);
    EXPECT_EQ(line["n_queries"], 26);
    EXPECT_EQ(line["truth"], "given");
    EXPECT_EQ(line["version"], THRESHER_VERSION);
    EXPECT_EQ(line["build"]["window"], 8192);
    EXPECT_TRUE(line["isa"].is_string());
    for (const char* key :
         {"qps", "cpus", "build_s", "mean_us", "p50_us", "p95_us", "p99_us", "index_bytes", "rss_bytes"}) {
        EXPECT_GT(line[key].get<double>(), 0) << key;
    }
    EXPECT_LE(line["p50_us"], line["p95_us"]);
    EXPECT_LE(line["p95_us"], line["p99_us"]);
    EXPECT_GT(line["rss_bytes"], line["index_bytes"]);
}

TEST_F(Program, ComputesATruthThatIsNotGiven) {
    write("points", R"([{"cluster_budget": 1}])");
    const Outcome with = search("--engine clustered --points @points --truth @truth");
    const Outcome without = search("--engine clustered --points @points");
    ASSERT_EQ(without.code, 0) << without.errors;
    EXPECT_EQ(without.lines[0]["truth"], "computed");
    EXPECT_EQ(without.lines[0]["recall"], with.lines[0]["recall"]);
}

TEST_F(Program, SavesAnIndexAndOpensIt) {
    const Outcome built = search("--engine postings --truth @truth --index @index");
    ASSERT_EQ(built.code, 0) << built.errors;
    const Outcome opened = run("--queries @queries --truth @truth --index @index --repeats 1");
    ASSERT_EQ(opened.code, 0) << opened.errors;
    EXPECT_EQ(opened.lines.size(), built.lines.size());
    EXPECT_TRUE(opened.lines[0]["build_s"].is_null());
    for (const char* key : {"engine", "recall", "n_docs", "index_bytes"}) {
        EXPECT_EQ(opened.lines[0][key], built.lines[0][key]) << key;
    }
    EXPECT_EQ(complaint(search("--truth @truth --index @index --engine graph")),
              "thresher-bigann: index: an index of the engine postings, not of graph");
    EXPECT_EQ(complaint(run("--queries @queries --index @index")),
              "thresher-bigann: --base is needed to compute a truth that is not given");
}

TEST_F(Program, GoesByTheParametersThatAnIndexKeeps) {
    const NamedValues kept{{"cluster_budget", std::int64_t{1}}, {"query_cut", std::int64_t{2}}};
    const auto index = build_index("clustered", docs().view(), {}, {.threads = 1})->with_named_search_params(kept);
    index->save(path("index"), nullptr);
    write("points", R"([{}, {"cluster_budget": 3}])");
    const Outcome outcome = run("--queries @queries --truth @truth --index @index --points @points --repeats 1");
    ASSERT_EQ(outcome.lines.size(), 2U) << outcome.errors;
    EXPECT_EQ(outcome.lines[0]["params"], to_json(index->named_search_params()));
    EXPECT_NEAR(outcome.lines[0]["recall"].get<double>(), recall_of(*index, {}), 1e-12);
    EXPECT_LT(outcome.lines[0]["recall"], outcome.lines[1]["recall"]);
    EXPECT_EQ(outcome.lines[1]["params"]["cluster_budget"], 3);
    EXPECT_EQ(outcome.lines[1]["params"]["query_cut"], 2);
    write("points", R"([{"refine": 1}])");
    EXPECT_EQ(complaint(run("--queries @queries --index @index --points @points")),
              "thresher-bigann: points: refine needs neighbours: build the index with neighbours >= 1");
}

TEST_F(Program, AsksQueriesOfTermsThatNoDocumentHas) {
    Rows wider = queries();
    wider.n_terms = 1000;
    wider.terms.back() = 999;
    write("queries", csr_bytes(wider));
    EXPECT_EQ(search("--engine exact").code, 0);
}

TEST_F(Program, FailsInALineWithCode2) {
    EXPECT_EQ(complaint(run("")), "thresher-bigann: --queries is needed");
    EXPECT_EQ(complaint(run("--queries @queries --truth @truth")), "thresher-bigann: --engine is needed");
    EXPECT_EQ(complaint(run("--queries @queries --truth @truth --engine exact")),
              "thresher-bigann: --base is needed to build an index");
    EXPECT_EQ(complaint(search("--engine exact --k 0")),
              "thresher-bigann: --k must be a whole number from 1 to 1000000, got '0'");
    EXPECT_EQ(complaint(search("--engine exact --truth @none")), "thresher-bigann: none: No such file or directory");
    EXPECT_EQ(complaint(search("--engine exact --truth @truth --k 11")),
              "thresher-bigann: truth: the best 10 of each query, but --k is 11");
    EXPECT_EQ(complaint(search("--engine exact --truth @queries")).find("thresher-bigann: queries: t"), 0U);
    EXPECT_EQ(complaint(search("--engine exact --index @base")).find("thresher-bigann: base: "), 0U);

    write("points", R"([{}, {"alpha": 0.5, "gamma": 1}])");
    EXPECT_EQ(complaint(search("--engine block-max --points @points")),
              "thresher-bigann: points: there is no parameter 'gamma'; there are alpha, beta, block_budget and "
              "superblock_budget");
    write("points", R"([{}, {"alpha": 1.5}])");
    EXPECT_EQ(complaint(search("--engine block-max --points @points")),
              "thresher-bigann: points: alpha must be in (0, 1], got 1.500000");
    write("points", R"({"build": {"m": 0}, "search": [{}]})");
    EXPECT_EQ(complaint(search("--engine graph --points @points")),
              "thresher-bigann: points: m must be from 1 to 256, got 0");
}

TEST_F(Program, RefusesATruthOfOtherFiles) {
    write("truth", truth_bytes(1, 10, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, std::vector<float>(10, 1)));
    EXPECT_EQ(complaint(search("--engine exact --truth @truth")),
              "thresher-bigann: truth: answers to 1 queries, but there are 26");
    write("queries", csr_bytes(test::rows_of(40, {{{3, 1.0F}}})));
    write("truth", truth_bytes(1, 10, {0, 1, 2, 3, 4, 5, 6, 7, 8, 400}, std::vector<float>(10, 1)));
    EXPECT_EQ(complaint(search("--engine exact --truth @truth")),
              "thresher-bigann: truth: document 400, but the index has only 400");
}

TEST_F(Program, RefusesRowsThatAreWrong) {
    Rows wrong = docs();
    wrong.weights[0] = std::nanf("");
    write("base", csr_bytes(wrong));
    EXPECT_NE(complaint(search("--engine exact")).find("weights must be finite"), std::string::npos);
    wrong = docs();
    wrong.terms[0] = 0xffffffffU;  // -1
    write("base", csr_bytes(wrong));
    EXPECT_NE(complaint(search("--engine exact")).find("term 4294967295"), std::string::npos);
    write("base", csr_bytes(docs()));
    wrong = queries();
    wrong.indptr[1] = 1000;
    write("queries", csr_bytes(wrong));
    EXPECT_NE(complaint(search("--engine exact --truth @truth")).find("indptr"), std::string::npos);
    write("queries", csr_bytes(test::rows_of(40, {})));
    EXPECT_EQ(complaint(search("--engine exact")), "thresher-bigann: queries: no queries");
}

TEST_F(Program, HelpsOnStderr) {
    const Outcome outcome = run("--help");
    EXPECT_EQ(outcome.code, 0);
    EXPECT_TRUE(outcome.lines.empty());
    EXPECT_EQ(outcome.errors.find("thresher-bigann: recall against speed"), 0U);
}

}  // namespace
}  // namespace thresher::bench
