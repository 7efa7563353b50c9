// ImpactIndex beyond the contract of every engine: exact wherever it says that no limit stopped a search.
#include "engines/impact_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engines/registry.hpp"
#include "support/altered_file.hpp"
#include "support/brute_force.hpp"
#include "support/impact_parts.hpp"
#include "support/random_rows.hpp"
#include "support/search_errors.hpp"
#include "support/temporary_directory.hpp"
#include "support/trials.hpp"

namespace thresher {
namespace {

using test::brute_force;
using test::BruteForce;
using test::expect_true_scores;
using test::Hits;
using test::Random;
using test::Row;
using test::Rows;
using test::rows_of;
using test::scattered_rows;
using test::signed_dyadic;
using test::TemporaryDirectory;

std::unique_ptr<ImpactIndex> build(const Rows& docs, unsigned threads = 1) {
    return ImpactIndex::build(docs.view(), {}, {.threads = threads});
}

Hits search(const ImpactIndex& index, const Rows& queries, std::size_t k, const ImpactSearchParams& params = {},
            unsigned threads = 1) {
    Hits hits(queries.n_rows(), k);
    index.search(queries.view(), {k, threads, nullptr}, params, hits.view());
    return hits;
}

// Exact without limits, and with those that it says it did not need.
class ImpactIndexOnTrials : public testing::TestWithParam<test::NamedTrials> {};

TEST_P(ImpactIndexOnTrials, IsExactWhereItSaysThatItIsComplete) {
    for (const test::Trial& trial : GetParam().make()) {
        const auto truth = brute_force(trial.docs, trial.queries);
        const auto index = build(trial.docs);
        for (const std::size_t k : {std::size_t{1}, std::size_t{10}, trial.docs.n_rows() + 5}) {
            const auto n = static_cast<std::int64_t>(k);
            for (const ImpactSearchParams& params : {ImpactSearchParams{},
                                                     {.deadline_us = HUGE_VAL},
                                                     {.postings_budget = INT64_MAX, .rescored = n},
                                                     {.postings_budget = 1, .rescored = n},
                                                     {.postings_budget = 40, .rescored = n},
                                                     {.postings_budget = 200, .rescored = n},
                                                     {.postings_budget = 1000, .rescored = n},
                                                     {.postings_budget = 200}}) {
                SCOPED_TRACE("budget " + std::to_string(params.postings_budget) + ", k " + std::to_string(k));
                const bool is_limited = params.postings_budget > 0 && params.postings_budget < INT64_MAX;
                const Hits hits = search(*index, trial.queries, k, params);
                ASSERT_NO_FATAL_FAILURE(expect_true_scores(truth, hits));
                for (std::size_t query = 0; query < trial.queries.n_rows(); ++query) {
                    ASSERT_TRUE(hits.exact[query] == 1 || (is_limited && hits.exact[query] == 0));
                    if (hits.exact[query] == 0) continue;
                    ASSERT_NO_FATAL_FAILURE(expect_exact(truth[query], hits, query, trial.sums));
                }
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(EveryTrial, ImpactIndexOnTrials, testing::ValuesIn(test::kTrials),
                         [](const auto& of) { return std::string(of.param.name); });

TEST(ImpactIndex, IsCompleteWhereThereIsNothingToBeFound) {
    const auto expect_complete = [](const ImpactIndex& index, const Rows& queries) {
        for (const ImpactSearchParams& params : {ImpactSearchParams{}, {.postings_budget = 1}, {.deadline_us = 1}}) {
            EXPECT_EQ(search(index, queries, 2, params).exact, std::vector<std::uint8_t>(queries.n_rows(), 1));
        }
    };
    for (const std::size_t n_docs : {0, 1, 100}) {
        expect_complete(*build(rows_of(5, std::vector<Row>(n_docs))), rows_of(5, {{}, {{0, 1.0F}}}));
    }
    Random random(8);
    const auto negative = [](Random& source) { return -test::dyadic_weight(source); };
    expect_complete(*build(test::random_rows(random, 200, 50, 6, test::dyadic_weight)),
                    test::random_rows(random, 6, 50, 5, negative));
}

TEST(ImpactIndex, OfMoreWindowsThanOne) {
    Random random(3);
    const Rows docs = scattered_rows(random, 2 * std::size_t{65472} + 70, 500, 50, 6, test::dyadic_weight);
    Rows queries = test::random_rows(random, 3, 50, 4, test::dyadic_weight);
    queries.add(Row{{0, 1.0F}, {1, -2.0F}, {2, 1.0F}, {40, 3.0F}});
    const auto truth = brute_force(docs, queries);
    const auto index = build(docs, 2);
    for (const std::size_t k : {1, 10, 600}) {
        for (const ImpactSearchParams& params : {ImpactSearchParams{}, {.postings_budget = 60}}) {
            const Hits hits = search(*index, queries, k, params);
            ASSERT_NO_FATAL_FAILURE(expect_true_scores(truth, hits));
            for (std::size_t query = 0; query < queries.n_rows(); ++query) {
                ASSERT_TRUE(params.postings_budget > 0 || hits.exact[query] == 1);
                if (hits.exact[query] == 0) continue;
                ASSERT_NO_FATAL_FAILURE(expect_exact(truth[query], hits, query, test::Sums::exact))
                    << "query " << query;
            }
        }
    }
}

// Where no more than 8,192 terms are read, the others still count.
TEST(ImpactIndex, OfMoreQueryTermsThanAreEverRead) {
    Random random(6);
    Rows docs;
    docs.n_terms = 9000;
    Rows queries;
    queries.n_terms = 9000;
    for (std::uint32_t doc = 0; doc < 90; ++doc) {
        Row row;
        for (std::uint32_t i = 0; i < 100; ++i) row.emplace_back(100 * doc + i, test::dyadic_weight(random));
        docs.add(row);
    }
    for (int query = 0; query < 2; ++query) {
        Row row;  // the terms of the last documents are the lightest
        for (std::uint32_t term = 0; term < 9000; ++term) {
            row.emplace_back(term, term < 8000 ? (query == 0 ? 16.0F : -16.0F) : 0.0625F);
        }
        queries.add(row);
    }
    const auto truth = brute_force(docs, queries);
    const Hits hits = search(*build(docs), queries, 95);
    for (std::size_t query = 0; query < 2; ++query) {
        ASSERT_EQ(hits.exact[query], 1);
        ASSERT_NO_FATAL_FAILURE(expect_exact(truth[query], hits, query, test::Sums::exact));
    }
}

// The score of the best document, as float32 has it, may be above its true score by more than the usual rounding.
TEST(ImpactIndex, OfScoresThatAreSubnormal) {
    for (int i = 1; i < 100; ++i) {
        const float weight = static_cast<float>(i) * 7e-44F;
        const auto index = build(rows_of(1, {{{0, weight}}, {{0, weight}}}));
        for (const ImpactSearchParams& params : {ImpactSearchParams{}, {.postings_budget = 2}, {.deadline_us = 1e9}}) {
            const Hits hits = search(*index, rows_of(1, {{{0, 1.2757461F}}}), 2, params);
            ASSERT_EQ(hits.ids, (std::vector<std::int64_t>{0, 1})) << weight;
            ASSERT_EQ(search(*index, rows_of(1, {{{0, 1.2757461F}}}), 1, params).ids[0], 0) << weight;
        }
    }
}

TEST(ImpactIndex, OfScoresBeyondFloat) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    Rows docs = rows_of(2, {{{0, 1e30F}}, {{0, 2e30F}}, {{1, 1.0F}}, {{0, 3e38F}, {1, 3e38F}}, {{0, 1e-20F}}});
    for (int doc = 0; doc < 30; ++doc) docs.add(Row{{0, 1e29F}});
    const Rows queries = rows_of(2, {{{0, 1e30F}, {1, 1.0F}}});
    const auto index = build(docs);
    for (const ImpactSearchParams& params : {ImpactSearchParams{}, {.postings_budget = 1000}, {.deadline_us = 1e9}}) {
        const Hits all = search(*index, queries, 35, params);
        EXPECT_EQ(std::vector(all.ids.begin(), all.ids.begin() + 4), (std::vector<std::int64_t>{0, 1, 3, 5}));
        EXPECT_EQ(all.ids[33], 4) << "1e10";
        EXPECT_EQ(all.ids[34], 2);
        EXPECT_EQ(all.scores[32], kInfinity);
        EXPECT_EQ(all.scores[34], 1.0F);
        for (const std::size_t k : {1, 2, 3, 10}) {  // all tie
            const Hits hits = search(*index, queries, k, params);
            EXPECT_EQ(hits.ids, std::vector(all.ids.begin(), all.ids.begin() + static_cast<std::ptrdiff_t>(k)));
            EXPECT_EQ(hits.exact, std::vector<std::uint8_t>{1});
        }
    }
}

// ---- Limits.

// All postings of a term that weighs the same everywhere are one level: they are read or they are not.
TEST(ImpactIndex, ReadsNoSegmentThatTheBudgetIsTooSmallFor) {
    Rows same;
    same.n_terms = 2;
    for (int doc = 0; doc < 300; ++doc) same.add(doc < 100 ? Row{} : Row{{0, 2.0F}});
    const auto one = build(same);
    const Rows query = rows_of(2, {{{0, 1.0F}}});
    for (const std::int64_t budget : {1, 20, 60, 199}) {
        const Hits hits = search(*one, query, 3, {.postings_budget = budget, .rescored = 3});
        EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{-1, -1, -1})) << "budget " << budget;
        EXPECT_EQ(hits.exact[0], 0) << "budget " << budget;
    }
    for (const std::int64_t budget : {200, 201}) {
        const Hits hits = search(*one, query, 3, {.postings_budget = budget, .rescored = 3});
        EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{100, 101, 102}));
        EXPECT_EQ(hits.exact[0], 1) << "budget " << budget;
    }
}

struct ImpactIndexLimits : testing::Test {
    ImpactIndexLimits() : random(20) {
        docs = test::random_rows(random, 3000, 200, 20, test::real_weight);
        queries = test::random_rows(random, 40, 200, 8, test::real_weight);
        truth = brute_force(docs, queries);
        index = build(docs);
        exact = search(*index, queries, 10);
    }
    double recall(const Hits& hits) const { return test::recall(hits, exact); }

    Random random;
    Rows docs;
    Rows queries;
    std::vector<BruteForce> truth;
    std::unique_ptr<ImpactIndex> index;
    Hits exact{0, 0};
};

TEST_F(ImpactIndexLimits, ExactWithoutThem) {
    EXPECT_EQ(exact.exact, std::vector<std::uint8_t>(40, 1));
    for (std::size_t query = 0; query < queries.n_rows(); ++query) test::expect_top_k(truth[query], exact, query);
}

TEST_F(ImpactIndexLimits, RecallRisesWithTheBudget) {
    double before = 0;
    std::size_t complete_before = 0;
    for (const std::int64_t budget : {1, 30, 100, 300, 1000, 3000, 10'000, 100'000}) {
        const Hits hits = search(*index, queries, 10, {.postings_budget = budget, .rescored = 20});
        expect_true_scores(truth, hits);
        const double found = recall(hits);
        EXPECT_GE(found + 0.02, before) << "budget " << budget;
        before = found;
        std::size_t n_complete = 0;
        for (std::size_t query = 0; query < queries.n_rows(); ++query) {
            if (hits.exact[query] == 0) continue;
            ++n_complete;
            ASSERT_NO_FATAL_FAILURE(test::expect_top_k(truth[query], hits, query)) << "budget " << budget;
        }
        EXPECT_GE(n_complete + 1, complete_before) << "budget " << budget;
        complete_before = n_complete;
        EXPECT_TRUE(budget > 1 || found < 0.3) << "or there is nothing to be seen here: " << found;
        EXPECT_TRUE(budget != 1000 || found > 0.6) << found;
    }
    EXPECT_EQ(search(*index, queries, 10, {.postings_budget = 100'000}), exact);
}

TEST_F(ImpactIndexLimits, RecallRisesWithTheDocumentsScored) {
    double before = 0;
    for (const std::int64_t rescored : {10, 20, 60, 200, 1000}) {
        const double found = recall(search(*index, queries, 10, {.postings_budget = 800, .rescored = rescored}));
        EXPECT_GE(found + 0.005, before) << "rescored " << rescored;
        before = found;
    }
    EXPECT_GT(before, recall(search(*index, queries, 10, {.postings_budget = 800, .rescored = 10})) + 0.05);
    EXPECT_EQ(search(*index, queries, 10, {.postings_budget = 800}),
              search(*index, queries, 10, {.postings_budget = 800, .rescored = 200}))
        << "the library's choice";
}

TEST_F(ImpactIndexLimits, ADeadlineLeavesTrueScores) {
    std::size_t n_complete = 0;
    for (const double deadline : {1e-300, 1e-3, 1.0, 5.0, 20.0, 50.0, 200.0, 1e9}) {
        for (const std::int64_t budget : {0, 100}) {
            const Hits hits = search(*index, queries, 10, {.postings_budget = budget, .deadline_us = deadline});
            expect_true_scores(truth, hits);
            for (std::size_t query = 0; query < queries.n_rows(); ++query) {
                ASSERT_LE(hits.exact[query], 1);
                if (hits.exact[query] == 0) continue;
                ++n_complete;
                ASSERT_NO_FATAL_FAILURE(test::expect_top_k(truth[query], hits, query)) << "deadline " << deadline;
            }
        }
    }
    EXPECT_GE(n_complete, 40U);
    for (const ImpactSearchParams& params : {ImpactSearchParams{.deadline_us = 1e-300}, {.deadline_us = 1e-3}}) {
        const Hits hits = search(*index, queries, 10, params);
        for (std::size_t query = 0; query < queries.n_rows(); ++query) {
            EXPECT_EQ(hits.exact[query] == 1, queries.view().row_size(query) == 0) << "no time, nothing is read";
        }
    }
    EXPECT_EQ(search(*index, queries, 10, {.deadline_us = 1e9}), exact) << "nothing stops it";
    EXPECT_EQ(search(*index, queries, 10, {.deadline_us = 1e300}), exact);
    EXPECT_EQ(search(*index, queries, 10, {.deadline_us = HUGE_VAL}), exact);
}

TEST_F(ImpactIndexLimits, ADeadlineFarAwayChangesNothingUnderABudget) {
    for (const std::int64_t budget : {50, 200, 800, 2000}) {
        for (const std::int64_t rescored : {0, 10, 50}) {
            EXPECT_EQ(search(*index, queries, 10, {budget, 1e9, rescored}),
                      search(*index, queries, 10, {budget, 0, rescored}))
                << "budget " << budget;
        }
    }
}

// A context is kept between searches: whatever kind the one before was, the next one is right.
TEST_F(ImpactIndexLimits, LeaveNothingBehindForTheNextQuery) {
    Rows kinds = rows_of(200, {{{0, -1.0F}, {1, -2.0F}, {150, -1.0F}}, {{0, 1.0F}, {1, -1.5F}, {120, 2.0F}}, {}});
    for (std::size_t row = 0; row < 3; ++row) kinds.add(test::row_of(queries, row));
    const std::vector<ImpactSearchParams> limits{{},
                                                 {.postings_budget = 40},
                                                 {.postings_budget = 3000, .rescored = 10},
                                                 {.deadline_us = 1},
                                                 {.deadline_us = 1e9},
                                                 {.postings_budget = 40, .deadline_us = 1e9}};
    const auto expected = [&](const ImpactSearchParams& params) { return search(*build(docs), kinds, 7, params); };
    const Hits unlimited = expected({});
    for (const ImpactSearchParams& first : limits) {
        for (const ImpactSearchParams& second : limits) {
            if (second.deadline_us == 1) continue;
            search(*index, kinds, 7, first);
            EXPECT_EQ(search(*index, kinds, 7, second), expected(second));
        }
    }
    for (int round = 0; round < 20; ++round) {
        for (std::size_t before = 0; before < kinds.n_rows(); ++before) {
            const std::size_t after = (before + static_cast<std::size_t>(round)) % kinds.n_rows();
            const auto one = [&](std::size_t row, const ImpactSearchParams& params) {
                Hits hits(1, 7);
                index->search_one(kinds.view().row_terms(row), kinds.view().row_weights(row), params, hits.view());
                return hits;
            };
            one(before, limits[static_cast<std::size_t>(round) % limits.size()]);
            const Hits hits = one(after, {});
            EXPECT_TRUE(std::equal(hits.ids.begin(), hits.ids.end(),
                                   unlimited.ids.begin() + static_cast<std::ptrdiff_t>(7 * after)));
        }
    }
}

// ---- Building, saving, refusing.

TEST(ImpactIndex, TellsItsParts) {
    Random random(52);
    const Rows docs = test::random_rows(random, 400, 100, 8, test::real_weight);
    const auto index = build(docs);
    const test::ImpactParts parts(docs);
    std::map<std::string, std::size_t> sizes;
    for (const auto& [name, size] : index->nbytes()) sizes[name] = size;
    EXPECT_EQ(sizes["quantiser"], 8U * parts.vocabulary.n_slots());
    EXPECT_EQ(sizes["segments"], parts.levels.levels_nbytes());
    EXPECT_EQ(sizes["rare"], parts.levels.rare_nbytes());
    EXPECT_TRUE(sizes["forward"] > 0 && sizes["vocabulary"] > 0 && !sizes.contains("order"));
}

TEST(ImpactIndex, NamesWhatIsWrong) {
    const auto index = build(rows_of(1, {{{0, 1.0F}}, {{0, 2.0F}}}));
    const auto searched = [&](const ImpactSearchParams& params, std::size_t k = 1) {
        return test::error_of_search(*index, params, k);
    };
    EXPECT_EQ(searched({.postings_budget = -1}), "postings_budget must be >= 0, got -1");
    EXPECT_EQ(searched({.postings_budget = INT64_MIN}), "postings_budget must be >= 0, got -9223372036854775808");
    EXPECT_EQ(searched({.rescored = -1}), "rescored must be >= 0, got -1");
    EXPECT_EQ(searched({.deadline_us = -0.25}), "deadline_us must be >= 0, got -0.250000");
    for (const double deadline : {-HUGE_VAL, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_TRUE(searched({.deadline_us = deadline}).starts_with("deadline_us must be >= 0, got ")) << deadline;
    }
    EXPECT_EQ(searched({.rescored = 9}, 10), "no error");
    EXPECT_EQ(searched({INT64_MAX, HUGE_VAL, INT64_MAX}, 3), "no error");
    EXPECT_EQ(searched({1, 5e-324, 3}, 3), "no error");
}

// ---- Altered files.

TEST(ImpactIndex, StaysInBoundsWhateverItsSegmentsAre) {
    Random random(60);
    const Rows docs = test::random_rows(random, 200, 30, 5, test::dyadic_weight);
    const Rows queries = test::random_rows(random, 20, 30, 6, signed_dyadic);
    const auto truth = brute_force(docs, queries);
    const TemporaryDirectory directory;
    build(docs)->save(directory.path("f"), nullptr);
    const test::Bytes whole = test::read_bytes(directory.path("f"));
    for (int round = 0; round < 8; ++round) {
        const auto alter = [&](auto& elements) {
            using Element = typename std::decay_t<decltype(elements)>::value_type;
            for (auto& element : elements) {
                if (round < 2) element = static_cast<Element>(round == 0 ? 0 : -1);
                if (round >= 2 && random() % 3 == 0) element = static_cast<Element>(random() >> (random() % 64));
            }
        };
        for (const int section : {0, 1, 2, 3, 4, 5, 6}) {
            test::Bytes file = whole;
            if (section == 0) test::alter_section<std::uint32_t>(file, "segments/counts", alter);
            if (section == 1) test::alter_section<std::uint64_t>(file, "segments/bases", alter);
            if (section == 2) test::alter_section<std::uint16_t>(file, "segments/directory", alter);
            if (section == 3) test::alter_section<std::uint16_t>(file, "segments/docs", alter);
            if (section == 4) test::alter_section<std::uint64_t>(file, "rare/offsets", alter);
            if (section == 5) test::alter_section<std::uint32_t>(file, "rare/docs", alter);
            if (section == 6) test::alter_section<std::uint8_t>(file, "rare/levels", alter);
            test::write_bytes(directory.path("altered"), file);
            const auto opened = open_index(directory.path("altered"), false, nullptr);
            const auto& impact = dynamic_cast<const ImpactIndex&>(*opened);
            for (const ImpactSearchParams& params : {ImpactSearchParams{},
                                                     {.postings_budget = 30, .rescored = 10},
                                                     {.postings_budget = 200},
                                                     {.deadline_us = 1},
                                                     {.deadline_us = 1e9}}) {
                ASSERT_NO_FATAL_FAILURE(expect_true_scores(truth, search(impact, queries, 10, params)))
                    << "section " << section << ", round " << round;
            }
        }
    }
}

}  // namespace
}  // namespace thresher
