// What every engine may be told of a search, each against brute force, by every way to build it and to search it.
#include "engines/search_options.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engines/registry.hpp"
#include "support/brute_force.hpp"
#include "support/engine_forms.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::BruteForce;
using test::error_of;
using test::Random;
using test::Rows;

class EveryEngineTold : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Options, EveryEngineTold,
                         testing::Values("exact", "block-max", "clustered", "graph", "impact", "postings"),
                         [](const auto& engine) {
                             std::string name = engine.param;
                             std::erase(name, '-');
                             return name;
                         });

struct Told {
    std::size_t k;
    std::vector<std::uint8_t> allowed;  // none: all
    std::optional<double> min_score;
    bool fill;
};

SearchOptions options_of(const Index& index, const Told& told) {
    SearchOptions options{.k = told.k, .threads = 1, .min_score = told.min_score, .fill = told.fill};
    if (!told.allowed.empty()) options.allowed = {index.select(told.allowed)};
    return options;
}

std::vector<Hit> expected_of(const BruteForce& truth, const Told& told) {
    const float least = told.min_score ? static_cast<float>(*told.min_score)
                        : told.fill    ? -std::numeric_limits<float>::infinity()
                                       : kAnyPositive;
    std::vector<Hit> found;
    for (std::uint32_t doc = 0; doc < truth.scores.size(); ++doc) {
        const auto score = static_cast<float>(truth.scores[doc]);
        if (score >= least && (told.allowed.empty() || told.allowed[doc] != 0)) found.push_back({score, doc});
    }
    std::sort(found.begin(), found.end(), better);
    found.resize(std::min(found.size(), told.k));
    return found;
}

void expect_answers(const Index& index, const Rows& queries, const std::vector<BruteForce>& truth, const Told& told,
                    bool is_exact) {
    test::Hits hits(queries.n_rows(), std::min(told.k, index.n_docs()));
    index.search(queries.view(), options_of(index, told), hits.view());
    for (std::size_t query = 0; query < queries.n_rows(); ++query) {
        ASSERT_TRUE(!is_exact || hits.exact[query] == 1);
        if (hits.exact[query] == 0) continue;
        test::Hits written(queries.n_rows(), hits.k);
        auto found = expected_of(truth[query], told);
        written.view().write(query, found, true);
        for (std::size_t at = query * hits.k; at < (query + 1) * hits.k; ++at) {
            ASSERT_EQ(hits.ids[at], written.ids[at]) << index.engine() << ", query " << query << ", k " << told.k;
            ASSERT_EQ(hits.scores[at], written.scores[at]);
        }
    }
}

std::vector<std::uint8_t> every(std::size_t n, std::size_t step) {
    std::vector<std::uint8_t> mask(n);
    for (std::size_t doc = 0; doc < n; doc += step) mask[doc] = 1;
    return mask;
}

// Of an engine in all its forms, told all that it may be.
void expect_brute_force(const std::string& engine, const Rows& docs, const Rows& queries) {
    const std::size_t n_docs = docs.n_rows();
    const auto truth = test::brute_force(docs, queries);
    std::vector<std::uint8_t> half = every(n_docs, 2);
    std::vector<std::uint8_t> middle(n_docs);
    std::fill(middle.begin() + 200, middle.begin() + 600, std::uint8_t{255});
    const std::vector<Told> all{{5, {}, {}, false},
                                {20, half, {}, false},
                                {20, middle, {}, false},
                                {1000, half, {}, false},
                                {20, half, 60.0, false},
                                {20, {}, 90.0, false},
                                {20, every(n_docs, 50), {}, false},
                                {1000, middle, {}, true},
                                {1000, half, -20.0, true},
                                {3, std::vector<std::uint8_t>(n_docs), {}, true}};
    const test::EngineForms forms = test::forms_of(engine);
    const test::TemporaryDirectory directory;
    for (const auto& form : forms.forms) {
        form.build(docs.view(), 1, nullptr)->save(directory.path("f"));
        const auto index = open_index(directory.path("f"), true, nullptr);
        for (const auto* params : {&forms.exact, &forms.approximate}) {
            for (const NamedValues& search_params : *params) {
                const auto set = test::set_to(*index, search_params);
                if (set == nullptr) continue;
                for (const Told& told : all) {
                    ASSERT_NO_FATAL_FAILURE(expect_answers(*set, queries, truth, told, params == &forms.exact));
                }
            }
        }
    }
}

TEST_P(EveryEngineTold, AnswersAsBruteForce) {
    Random random(1);
    const Rows docs = test::random_rows(random, 900, 70, 7, test::dyadic_weight);
    expect_brute_force(GetParam(), docs, test::random_rows(random, 8, 70, 8, test::signed_dyadic));
}

// Several in one document, in common terms and in rare ones, and some that are equal.
Rows with_outliers(Random& random, Rows rows) {
    std::vector<int> of_term(rows.n_terms);
    for (std::size_t n = 0; n < 40; ++n) {
        std::size_t doc = static_cast<std::size_t>(test::uniform(random, 0, 999)) % rows.n_rows();
        if (n % 2 == 0) doc %= 8;
        const std::size_t size = rows.view().row_size(doc);
        if (size == 0) continue;
        const auto at = static_cast<std::size_t>(rows.indptr[doc] +
                                                 test::uniform(random, 0, 999) % static_cast<std::int64_t>(size));
        if (++of_term[rows.terms[at]] > 4) continue;
        rows.weights[at] = n % 4 == 3 ? 1024.0F : std::ldexp(1.0F, static_cast<int>(test::uniform(random, 8, 22)));
    }
    return rows;
}

TEST_P(EveryEngineTold, AnswersAsBruteForceWhereDocumentsAreApart) {
    for (const unsigned seed : {1U, 2U, 3U}) {
        Random random(seed);
        const Rows docs = with_outliers(random, test::random_rows(random, 900, 70, 7, test::dyadic_weight));
        const auto weight = seed == 1 ? test::dyadic_weight : test::signed_dyadic;
        expect_brute_force(GetParam(), docs, test::random_rows(random, 8, 70, 8, weight));
    }
}

TEST_P(EveryEngineTold, CountsWhatThereIs) {
    Random random(2);
    const Rows docs = with_outliers(random, test::random_rows(random, 500, 70, 7, test::dyadic_weight));
    const Rows queries = test::random_rows(random, 6, 70, 8, test::signed_dyadic);
    const auto truth = test::brute_force(docs, queries);
    const auto index = build_index(GetParam(), docs.view());
    for (const Told& told : {Told{500, {}, {}, false}, Told{500, every(500, 3), 30.0, false}}) {
        const auto counts = index->count(queries.view(), options_of(*index, told));
        for (std::size_t query = 0; query < counts.size(); ++query) {
            EXPECT_EQ(counts[query], expected_of(truth[query], told).size());
        }
    }
}

TEST_P(EveryEngineTold, HasSelectionsOfEachQuery) {
    Random random(3);
    const Rows docs = test::random_rows(random, 600, 70, 7, test::dyadic_weight);
    const Rows queries = test::random_rows(random, 3, 70, 8, test::dyadic_weight);
    const auto truth = test::brute_force(docs, queries);
    const auto index = build_index(GetParam(), docs.view());
    const std::vector<std::vector<std::uint8_t>> masks{every(600, 1), every(600, 2), every(600, 200)};
    SearchOptions options{.k = 10, .threads = 2};
    for (const auto& mask : masks) options.allowed.push_back(index->select(mask));
    options.exclude = {index->select(std::vector<std::int64_t>{0, 400})};
    const Hits hits = index->search(queries.view(), options);
    for (std::size_t query = 0; query < 3; ++query) {
        auto mask = masks[query];
        mask[0] = mask[400] = 0;
        if (hits.exact[query] == 0) continue;
        const auto expected = expected_of(truth[query], {10, mask, {}, false});
        for (std::size_t rank = 0; rank < 10; ++rank) {
            EXPECT_EQ(hits.ids[query * 10 + rank],
                      rank < expected.size() ? static_cast<std::int64_t>(expected[rank].doc) : kNoDocument);
        }
    }
}

TEST_P(EveryEngineTold, RefusesOptionsThatAreWrong) {
    const Rows docs = test::rows_of(2, {{{0, 1.0F}}, {{1, 2.0F}}});
    const auto index = build_index(GetParam(), docs.view());
    const auto told = [&](SearchOptions options) {
        return error_of([&] { static_cast<void>(index->search(docs.view(), options)); });
    };
    EXPECT_EQ(told({.k = 0}), "k must be >= 1, got 0");
    EXPECT_EQ(told({.min_score = 0}),
              "min_score must be > 0 in float32, got 0: documents that score 0 or less are returned with fill only");
    EXPECT_EQ(told({.min_score = std::numeric_limits<double>::quiet_NaN(), .fill = true}),
              "min_score must be a number, got nan");
    EXPECT_EQ(told({.unknown_terms = "drop"}), "unknown_terms must be 'error' or 'ignore', got 'drop'");
    EXPECT_EQ(told({.allowed = {nullptr}}), "allowed: no selection");
    const auto one = index->select(std::vector<std::int64_t>{1});
    EXPECT_EQ(told({.exclude = {one, one, one}}), "exclude: 3 selections for 2 queries");
    const auto other = build_index(GetParam(), docs.view());
    EXPECT_EQ(told({.allowed = {other->select(std::vector<std::int64_t>{1})}}),
              "allowed: the selection is of another index");
    EXPECT_EQ(told({.allowed = {index->with_named_search_params({})->select(std::vector<std::int64_t>{1})}}),
              "no error");
    std::vector<std::int64_t> ids(2);
    std::vector<float> scores(2);
    EXPECT_EQ(error_of([&] { index->search(docs.view(), {.k = 1}, {.n_columns = 1, .ids = ids, .scores = scores}); }),
              "hits: exact has room for 0 of 2 queries");
    const std::vector<std::uint32_t> terms{0, 7};
    const std::vector<float> weights{1.0F, 1.0F};
    EXPECT_EQ(error_of([&] { static_cast<void>(index->search_one(terms, weights)); }),
              "queries: row 0 has term 7, but there are only 2 terms");
    EXPECT_EQ(index->search_one(terms, weights, {.unknown_terms = "ignore"}).ids[0], 0);
}

// An empty selection allows nothing.
TEST_P(EveryEngineTold, TellsNoneFromAll) {
    const Rows docs = test::rows_of(2, {{{0, 1.0F}}, {{1, 2.0F}}});
    const auto index = build_index(GetParam(), docs.view());
    const auto none = index->select(std::span<const std::int64_t>{});
    EXPECT_EQ(index->search(docs.view(), {.k = 1, .allowed = {none}}).ids, (std::vector<std::int64_t>{-1, -1}));
    EXPECT_EQ(index->search(docs.view(), {.k = 1, .exclude = {none}}).ids, (std::vector<std::int64_t>{0, 1}));
    EXPECT_EQ(index->search(docs.view(), {.k = 1}).ids, (std::vector<std::int64_t>{0, 1}));
}

}  // namespace
}  // namespace thresher
