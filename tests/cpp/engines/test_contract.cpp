// What each engine of the registry owes its callers, in every form of support/engine_forms.hpp: where nothing is left
// out, the hits of a brute force; in any case hits that are true, and the same whatever the threads, the batch and the
// file; its input checked, its progress told, its calls cancelled.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "core/storage/index_file.hpp"
#include "engines/registry.hpp"
#include "support/brute_force.hpp"
#include "support/engine_forms.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"
#include "support/recording_monitor.hpp"
#include "support/temporary_directory.hpp"
#include "support/trials.hpp"

namespace thresher {
namespace {

using test::Cancelled;
using test::EngineForm;
using test::EngineForms;
using test::error_of;
using test::forms_of;
using test::Hits;
using test::NamedTrials;
using test::Random;
using test::RecordingMonitor;
using test::Row;
using test::Rows;
using test::rows_of;
using test::search;
using test::search_one_by_one;
using test::set_to;
using test::signed_real;
using test::TemporaryDirectory;
using test::text_of;
using test::Trial;

constexpr float kNoScore = -std::numeric_limits<float>::infinity();

std::string title(std::string_view engine) {
    std::string text(engine);
    std::erase_if(text, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
    return text;
}

// All that a search may be told by name, and which the form has the parts for.
std::vector<NamedValues> every_search(const EngineForms& forms) {
    std::vector<NamedValues> all = forms.exact;
    all.insert(all.end(), forms.approximate.begin(), forms.approximate.end());
    return all;
}

// ---- Nothing left out.

class OnTrials : public testing::TestWithParam<std::tuple<std::string_view, NamedTrials>> {};

TEST_P(OnTrials, AgreesWithBruteForce) {
    const auto& [engine, trials] = GetParam();
    const EngineForms forms = forms_of(engine);
    for (const Trial& trial : trials.make()) {
        SCOPED_TRACE(std::to_string(trial.docs.n_rows()) + " documents");
        const auto truth = test::brute_force(trial.docs, trial.queries);
        for (const EngineForm& form : forms.forms) {
            const auto index = form.build(trial.docs.view(), 1, nullptr);
            for (const NamedValues& params : forms.exact) {
                SCOPED_TRACE(form.name + "; " + text_of(params));
                ASSERT_NO_FATAL_FAILURE(test::expect_exact(*index->with_named_search_params(params), trial.queries,
                                                           truth, trial.sums, {1, 10, trial.docs.n_rows() + 5}));
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(EveryEngine, OnTrials,
                         testing::Combine(testing::ValuesIn(engine_names()), testing::ValuesIn(test::kTrials)),
                         [](const auto& of) {
                             return title(std::get<0>(of.param)) + std::string(std::get<1>(of.param).name);
                         });

// ---- Everything else.

class Contract : public testing::TestWithParam<std::string_view> {
  protected:
    EngineForms forms = forms_of(GetParam());

    // Of the first form, exact.
    std::unique_ptr<Index> build(const Rows& docs) const {
        return forms.forms.front().build(docs.view(), 1, nullptr)->with_named_search_params(forms.exact.front());
    }
    // Calls `check` for the index of each form, and for what searches of it may be told.
    template <class Check>
    void for_each_index(const Rows& docs, const Check& check) const {
        for (const EngineForm& form : forms.forms) {
            const auto index = form.build(docs.view(), 1, nullptr);
            for (const NamedValues& params : every_search(forms)) {
                SCOPED_TRACE(form.name + "; " + text_of(params));
                const auto set = set_to(*index, params);
                if (set == nullptr) continue;
                ASSERT_NO_FATAL_FAILURE(check(*set));
            }
        }
    }
};

INSTANTIATE_TEST_SUITE_P(EveryEngine, Contract, testing::ValuesIn(engine_names()),
                         [](const auto& of) { return title(of.param); });

TEST_P(Contract, OfHardlyAnything) {
    for (const std::uint64_t n_terms : {0, 1, 5}) {
        for (const std::size_t n_docs : {0, 1, 2, 3, 100}) {
            const Rows docs = rows_of(n_terms, std::vector<Row>(n_docs));
            const Rows queries = rows_of(n_terms, {{}, n_terms == 0 ? Row{} : Row{{0, 1.0F}}});
            for_each_index(docs, [&](const Index& index) {
                EXPECT_EQ(index.n_docs(), n_docs);
                EXPECT_EQ(index.n_terms(), n_terms);
                EXPECT_EQ(index.nnz(), 0U);
                EXPECT_EQ(search(index, queries, 2).ids, (std::vector<std::int64_t>{-1, -1, -1, -1}));
                EXPECT_EQ(search(index, rows_of(0, {}), 2).ids.size(), 0U) << "no queries";
            });
        }
    }
    const auto twice = rows_of(9, {{{8, 1.0F}, {2, 2.0F}, {8, 3.0F}}, {{2, 0.0F}}, {{4, 1.0F}, {0, 1.0F}}});
    EXPECT_EQ(build(twice)->nnz(), 4U) << "what a row has twice is one weight, and what is zero is none";
    const auto one = build(rows_of(1, {{{0, 2.5F}}}));
    EXPECT_EQ(search(*one, rows_of(1, {{{0, 1.0F}}, {{0, -1.0F}}, {}}), 1).ids, (std::vector<std::int64_t>{0, -1, -1}));
}

TEST_P(Contract, PadsWhereFewerThanKScoresArePositive) {
    const auto index = build(rows_of(3, {{{0, 1.0F}}, {{1, 1.0F}}, {{0, 2.0F}, {1, 1.0F}}, {{2, 4.0F}}}));
    const Hits hits = search(*index, rows_of(3, {{{0, 1.0F}, {1, -1.0F}}}), 4);
    EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{0, 2, -1, -1}));
    EXPECT_EQ(hits.scores, (std::vector<float>{1.0F, 1.0F, kNoScore, kNoScore}));
}

// Of the first form, whose build is cheap.
TEST_P(Contract, AgreesWithBruteForceOverManyWindows) {
    if (!forms.has_windows) return;
    const Trial trial = test::many_windows();
    const auto truth = test::brute_force(trial.docs, trial.queries);
    const TemporaryDirectory directory;
    const EngineForm& form = forms.forms.front();
    form.build(trial.docs.view(), 1, nullptr)->save(directory.path("one"), nullptr);
    const auto index = form.build(trial.docs.view(), 3, nullptr);
    index->save(directory.path("three"), nullptr);
    EXPECT_EQ(test::read_bytes(directory.path("three")), test::read_bytes(directory.path("one")));
    for (const NamedValues& params : forms.exact) {
        SCOPED_TRACE(text_of(params));
        ASSERT_NO_FATAL_FAILURE(
            test::expect_exact(*index->with_named_search_params(params), trial.queries, truth, trial.sums, {1, 100}));
    }
}

TEST_P(Contract, FindsNothingButWhatIsTrue) {
    Random random(20);
    const Rows docs = test::random_rows(random, 2000, 200, 10, test::real_weight);
    const Rows queries = test::random_rows(random, 20, 200, 8, signed_real);
    const auto truth = test::brute_force(docs, queries);
    for_each_index(docs, [&](const Index& index) {
        for (const std::size_t k : {1, 10}) test::expect_true_scores(truth, search(index, queries, k));
    });
}

TEST_P(Contract, AnswersNarrowerQueries) {
    const auto index = build(rows_of(9, {{{0, 1.0F}, {8, 1.0F}}, {{1, 3.0F}}}));
    EXPECT_EQ(search(*index, rows_of(2, {{{0, 1.0F}, {1, 1.0F}}}), 2).ids, (std::vector<std::int64_t>{1, 0}));
}

// ---- Threads and batches.

TEST_P(Contract, HitsDependOnNeitherTheThreadsNorTheBatch) {
    Random random(21);
    const Rows docs = test::random_rows(random, 400, 200, 8, test::real_weight);
    const Rows queries = test::random_rows(random, 270, 200, 6, signed_real);  // more than share a window, or a mark
    for_each_index(docs, [&](const Index& index) {
        const Hits one = search(index, queries, 7, 1);
        for (const unsigned threads : {0, 3}) EXPECT_EQ(search(index, queries, 7, threads), one) << threads;
        EXPECT_EQ(search_one_by_one(index, queries, 7), one);
    });
}

TEST_P(Contract, FilesDoNotDependOnTheThreads) {
    Random random(22);
    const Rows docs = test::random_rows(random, 3000, 300, 5, test::real_weight);
    const TemporaryDirectory directory;
    for (const EngineForm& form : forms.forms) {
        const auto saved_by = [&](unsigned threads) {
            form.build(docs.view(), threads, nullptr)->save(directory.path("f"), nullptr);
            return test::read_bytes(directory.path("f"));
        };
        const auto one = saved_by(1);
        EXPECT_EQ(saved_by(3), one) << form.name;
    }
}

TEST_P(Contract, IsSearchedByManyThreadsAtOnce) {
    Random random(23);
    const Rows docs = test::random_rows(random, 2000, 200, 8, test::real_weight);
    const Rows queries = test::random_rows(random, 30, 200, 6, signed_real);
    const auto index = build(docs);
    const Hits expected = search(*index, queries, 10);
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 6; ++t) {
        threads.emplace_back([&, t] {
            for (int round = 0; round < 5; ++round) {
                const Hits hits =
                    t % 2 == 0 ? search(*index, queries, 10, 1 + t / 2) : search_one_by_one(*index, queries, 10);
                wrong += hits == expected ? 0 : 1;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
}

// ---- Files.

TEST_P(Contract, IsTheSameFromAFile) {
    Random random(24);
    const Rows queries = test::random_rows(random, 20, 300, 6, signed_real);
    const TemporaryDirectory directory;
    const auto expect_the_same = [&](const Index& index) {
        index.save(directory.path("f"), nullptr);
        for (const bool verify : {true, false}) {
            const auto opened = open_index(directory.path("f"), verify, nullptr);
            EXPECT_EQ(opened->engine(), GetParam());
            EXPECT_EQ(opened->n_docs(), index.n_docs());
            EXPECT_EQ(opened->n_terms(), index.n_terms());
            EXPECT_EQ(opened->nnz(), index.nnz());
            EXPECT_EQ(opened->nbytes(), index.nbytes());
            EXPECT_EQ(opened->parameters(), index.parameters());
            EXPECT_EQ(opened->named_search_params(), index.named_search_params());
            EXPECT_EQ(search(*opened, queries, 10), search(index, queries, 10));
            opened->save(directory.path("again"), nullptr);
            EXPECT_EQ(test::read_bytes(directory.path("again")), test::read_bytes(directory.path("f")));
        }
    };
    for_each_index(test::random_rows(random, 300, 300, 8, test::real_weight), expect_the_same);
    for_each_index(test::random_rows(random, 300, 300, 8, test::dyadic_weight), expect_the_same);  // halves
}

TEST_P(Contract, TellsTheBytesOfItsParts) {
    Random random(25);
    const Rows docs = test::random_rows(random, 300, 300, 8, test::real_weight);
    const TemporaryDirectory directory;
    for (const EngineForm& form : forms.forms) {
        const auto index = form.build(docs.view(), 1, nullptr);
        index->save(directory.path("f"), nullptr);
        std::size_t in_file = 0;
        const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
        for (const Section& section : file.sections()) {
            if (section.name != "parameters") in_file += section.bytes.size();
        }
        std::size_t told = 0;
        for (const auto& [part, size] : index->nbytes()) told += size;
        EXPECT_EQ(told, in_file) << form.name;
    }
}

TEST_P(Contract, GivesBackTheDocumentsByTheirIds) {
    Random random(26);
    const Rows docs = test::random_rows(random, 200, 300, 8, test::real_weight);
    std::vector<std::int64_t> ids(docs.n_rows());
    std::iota(ids.begin(), ids.end(), std::int64_t{0});
    for (const EngineForm& form : forms.forms) {
        SCOPED_TRACE(form.name);
        const auto index = form.build(docs.view(), 1, nullptr);
        const auto all = index->vectors(ids);
        EXPECT_EQ(all.indptr, docs.indptr);
        EXPECT_EQ(all.terms, docs.terms);
        EXPECT_EQ(all.weights, docs.weights);
        EXPECT_EQ(index->vectors({}).indptr, std::vector<std::int64_t>{0});
        const auto twice = index->vectors(std::vector<std::int64_t>{199, 0, 7, 7});
        Rows expected;
        for (const std::size_t row : {199, 0, 7, 7}) expected.add(test::row_of(docs, row));
        EXPECT_EQ(twice.indptr, expected.indptr);
        EXPECT_EQ(twice.terms, expected.terms);
        EXPECT_EQ(twice.weights, expected.weights);
    }
}

// ---- Parameters and wrong input.

TEST_P(Contract, HasItsOwnNameAndDefaults) {
    const Rows docs = rows_of(3, {{{0, 1.0F}}, {{2, 1.0F}}});
    const auto index = test::by_name(GetParam(), {}).build(docs.view(), 1, nullptr);
    EXPECT_EQ(index->engine(), GetParam());
    const auto params = index->named_search_params();
    EXPECT_EQ(index->with_named_search_params(params)->named_search_params(), params);
    for (const auto& message :
         {error_of([&] { test::by_name(GetParam(), {{"no_such", 0.5}}).build(docs.view(), 1, nullptr); }),
          error_of([&] { index->with_named_search_params({{"no_such", 0.5}}); })}) {
        EXPECT_TRUE(message.starts_with("there is no parameter 'no_such'; there ")) << message;
    }
}

TEST_P(Contract, KeepsTheSearchParametersThatItIsGiven) {
    Random random(27);
    const Rows docs = test::random_rows(random, 300, 60, 6, test::real_weight);
    const Rows queries = test::random_rows(random, 10, 60, 5, test::real_weight);
    for (const EngineForm& form : forms.forms) {
        auto index = form.build(docs.view(), 1, nullptr);
        const Hits plain = search(*index, queries, 5);
        std::vector<std::pair<std::unique_ptr<Index>, Hits>> sets;
        for (const NamedValues& params : every_search(forms)) {
            auto set = set_to(*index, params);
            if (set == nullptr) continue;
            const NamedValues told = set->named_search_params();
            for (const auto& value : params) EXPECT_EQ(std::ranges::count(told, value), 1) << text_of(params);
            EXPECT_EQ(set->nbytes(), index->nbytes());
            Hits hits = search(*set, queries, 5);
            sets.emplace_back(std::move(set), std::move(hits));
        }
        EXPECT_EQ(search(*index, queries, 5), plain) << "the index that it was made from stays as it is";
        index.reset();
        for (const auto& [set, hits] : sets) EXPECT_EQ(search(*set, queries, 5), hits) << "and is not needed";
    }
}

TEST_P(Contract, NamesWhatIsWrongWithItsInput) {
    const auto built = [&](const Rows& docs) {
        return error_of([&] { test::by_name(GetParam(), {}).build(docs.view(), 1, nullptr); });
    };
    EXPECT_EQ(built(rows_of(3, {{{0, 1.0F}}, {{1, std::nanf("")}}})),
              "docs: row 1 has weight nan for term 1; weights must be finite float32 values");
    EXPECT_EQ(built(rows_of(std::uint64_t{1} << 32, {{}})), "docs: 4294967296 columns; at most 2^32 - 1 are supported");

    const auto index = build(rows_of(3, {{{0, 1.0F}}, {{2, 1.0F}}}));
    EXPECT_TRUE(error_of([&] { search(*index, rows_of(4, {{}, {{3, 1.0F}}}), 1); }).starts_with("queries: "));
    EXPECT_EQ(error_of([&] { search(*index, rows_of(3, {{}}), 0); }), "k must be >= 1, got 0");
    EXPECT_EQ(error_of([&] { search(*index, rows_of(3, {{}, {{2, HUGE_VALF}}}), 1); }),
              "queries: row 1 has weight inf for term 2; weights must be finite float32 values");
    const auto told = [&](std::int64_t id) {
        return error_of([&] { index->vectors(std::vector<std::int64_t>{0, id}); });
    };
    EXPECT_EQ(told(2), "ids: 2 is not a document; the index has 2");
    EXPECT_EQ(told(-1), "ids: -1 is not a document; the index has 2");
    const std::vector<std::uint32_t> terms{3};
    const std::vector<float> weights{1.0F, 2.0F};
    Hits hits(1, 1);
    EXPECT_EQ(error_of([&] { index->search_one(terms, std::span(weights).first(1), hits.view()); }),
              "queries: row 0 has term 3, but there are only 3 terms");
    EXPECT_EQ(error_of([&] { index->search_one(terms, weights, hits.view()); }),
              "terms and weights differ in length: 1 and 2");
}

// ---- Long calls.

void expect_rises_to(const RecordingMonitor& monitor, std::uint64_t total) {
    ASSERT_FALSE(monitor.reports().empty());
    std::uint64_t before = 0;
    for (const auto& [done, of] : monitor.reports()) {
        ASSERT_EQ(of, total);
        ASSERT_GE(done, before);
        before = done;
    }
    EXPECT_EQ(before, total) << "all passes are counted";
}

TEST_P(Contract, ReportsProgressThatRisesToTheNumberOfRows) {
    Random random(28);
    const Rows canonical = test::random_rows(random, 1000, 100, 3, test::real_weight);
    Rows with_a_zero = canonical;
    with_a_zero.weights[5] = 0;
    for (const Rows& docs : {canonical, with_a_zero, rows_of(100, std::vector<Row>(1000))}) {
        for (const EngineForm& form : forms.forms) {
            for (const unsigned threads : {1, 3}) {
                SCOPED_TRACE(form.name + ", threads " + std::to_string(threads));
                RecordingMonitor monitor;
                form.build(docs.view(), threads, &monitor);
                ASSERT_NO_FATAL_FAILURE(expect_rises_to(monitor, 1000));
            }
        }
    }
    for (const Row& last : {Row{{1, 1.0F}}, Row{{1, 1.0F}, {1, 1.0F}}}) {
        Rows queries = test::random_rows(random, 40, 100, 4, test::real_weight);
        queries.add(last);
        for_each_index(canonical, [&](const Index& index) {
            RecordingMonitor monitor;
            Hits hits(41, 3);
            index.search(queries.view(), {3, 2, &monitor}, hits.view());
            ASSERT_NO_FATAL_FAILURE(expect_rises_to(monitor, 41));
        });
    }
}

// Calls `call` with monitors that cancel it at the first poll, at the second, and so on, until one hears of fewer.
// Returns how many did. How often a call polls depends on the machine, but for once in each pass over the rows.
template <class Call>
int times_cancelled(const Call& call) {
    int n = 0;
    for (int at = 1;; at += at < 20 ? 1 : at) {
        RecordingMonitor monitor(at);
        bool cancelled = false;
        try {
            call(monitor);
        } catch (const Cancelled&) {
            cancelled = true;
        }
        EXPECT_EQ(cancelled, monitor.polls() >= at) << "at poll " << at;
        if (!cancelled) return n;
        ++n;
    }
}

TEST_P(Contract, IsCancelledByTheMonitor) {
    Random random(29);
    const Rows docs = test::random_rows(random, 700, 100, 3, test::real_weight);
    const Rows queries = test::random_rows(random, 50, 100, 4, test::real_weight);
    for (const EngineForm& form : forms.forms) {
        EXPECT_GE(times_cancelled([&](Monitor& monitor) { form.build(docs.view(), 2, &monitor); }), 6) << form.name;
    }
    for_each_index(docs, [&](const Index& index) {
        const Hits expected = search(index, queries, 3);
        Hits hits(queries.n_rows(), 3);
        EXPECT_GE(
            times_cancelled([&](Monitor& monitor) { index.search(queries.view(), {3, 2, &monitor}, hits.view()); }), 2);
        EXPECT_EQ(search(index, queries, 3, 2), expected) << "a cancelled search leaves nothing behind";
    });
}

}  // namespace
}  // namespace thresher
