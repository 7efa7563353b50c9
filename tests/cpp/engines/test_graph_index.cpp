// GraphIndex: the same hits as a brute force where the search is as wide as the index, the same as its rule written out
// where it is not, and a graph in which every document leads to every other.
#include "engines/graph_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/storage/index_file.hpp"
#include "engines/registry.hpp"
#include "support/altered_file.hpp"
#include "support/brute_force.hpp"
#include "support/error_of.hpp"
#include "support/parameters_of.hpp"
#include "support/random_rows.hpp"
#include "support/search_errors.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::brute_force;
using test::BruteForce;
using test::error_of;
using test::expect_true_scores;
using test::Hits;
using test::n_shared;
using test::Random;
using test::Row;
using test::Rows;
using test::rows_of;
using test::shuffled;
using test::signed_dyadic;
using test::TemporaryDirectory;

using Order = std::optional<std::span<const std::uint32_t>>;
using Allowed = std::vector<std::uint8_t>;

const GraphSearchParams kEverything{.ef = std::int64_t{1} << 40};

struct Case {
    GraphParams params;
    bool shuffled;  // whether an order is given
};
const std::vector<Case> kCases{
    {{.m = 4, .ef_construction = 16, .reorder = false}, false},
    {{.m = 16, .ef_construction = 64, .reorder = true}, false},
    {{.m = 3, .ef_construction = 3, .entry_points = 2, .reorder = false}, true},
    {{.m = 1, .ef_construction = 1, .entry_points = 1, .reorder = true}, false},
    {{.m = 256, .ef_construction = 1000, .entry_points = 1000, .reorder = true}, true},
};

std::unique_ptr<GraphIndex> build(const Rows& docs, const GraphParams& params = {.m = 4, .reorder = false},
                                  Order order = std::nullopt, unsigned threads = 1) {
    return GraphIndex::build(docs.view(), params, {.order = order, .threads = threads});
}

Hits search(const GraphIndex& index, const Rows& queries, std::size_t k, const GraphSearchParams& params,
            unsigned threads = 1) {
    Hits hits(queries.n_rows(), k);
    index.search(queries.view(), {k, threads, nullptr}, params, hits.view());
    return hits;
}

// Of documents that have a byte that is not 0; of all, if there are none.
Hits search(const GraphIndex& index, const Rows& queries, std::size_t k, const GraphSearchParams& params,
            const Allowed& allowed) {
    Hits hits(queries.n_rows(), k);
    SearchOptions options{.k = k, .threads = 1};
    if (!allowed.empty()) options.allowed = {index.select(allowed)};
    index.search(queries.view(), options, params, hits.view());
    return hits;
}

// Documents of one of `n_topics` each, which gives most of their terms.
Rows topical_rows(Random& random, std::size_t n_rows, std::size_t n_topics, std::size_t n_terms, std::size_t length) {
    Random topics(7);
    std::vector<std::vector<std::uint32_t>> terms(n_topics);
    for (auto& topic : terms) {
        for (int i = 0; i < 24; ++i) topic.push_back(static_cast<std::uint32_t>(topics() % n_terms));
    }
    Rows rows;
    rows.n_terms = n_terms;
    for (std::size_t doc = 0; doc < n_rows; ++doc) {
        const auto& topic = terms[random() % n_topics];
        auto row = test::random_row(random, n_terms, length / 3, [](Random& r) { return 0.3F * test::real_weight(r); });
        for (std::size_t i = 0; i < length; ++i) row[topic[random() % topic.size()]] = test::real_weight(random);
        rows.add(row);
    }
    return rows;
}

// The only way from the entry to the best document leads past two that score less than nothing.
TEST(GraphIndex, GoesOnFromDocumentsOfNegativeScores) {
    const Rows docs = rows_of(4, {{{0, 40.0F}, {1, 13.0F}},             // the entry: scores 1
                                  {{0, 1.0F}, {1, 8.0F}, {3, 50.0F}},   // scores -23
                                  {{1, 9.0F}, {2, 38.0F}, {3, 50.0F}},  // scores 11
                                  {{1, 10.0F}, {3, 50.0F}}});           // scores -30
    const auto index = build(docs, {.m = 1, .ef_construction = 1, .entry_points = 1, .reorder = false});
    ASSERT_EQ(index->edges(0), std::vector<std::int64_t>{1});
    ASSERT_EQ(index->edges(1), (std::vector<std::int64_t>{0, 3}));
    const Rows query = rows_of(4, {{{0, 1.0F}, {1, -3.0F}, {2, 1.0F}}});
    EXPECT_EQ(search(*index, query, 1, {.ef = 4, .entry_terms = 1}).ids[0], 2);
    EXPECT_EQ(search(*index, query, 1, {.ef = 4, .entry_terms = 1, .early_stop = 0.01}).ids[0], 0);
}

// ---- The search's rule, written out.

// What an index is searched by: documents by position, entries and edges.
struct Reference {
    Reference(const GraphIndex& index, const Rows& rows, const std::vector<std::uint32_t>& given, std::size_t n_entries)
        : docs(rows), ids(given), positions(given.size()), edges(given.size()) {
        for (std::uint32_t position = 0; position < ids.size(); ++position) positions[ids[position]] = position;
        std::map<std::uint32_t, std::vector<Hit>> documents;
        for (std::uint32_t doc = 0; doc < docs.n_rows(); ++doc) {
            for (std::size_t i = 0; i < docs.view().row_size(doc); ++i) {
                documents[docs.view().row_terms(doc)[i]].push_back({docs.view().row_weights(doc)[i], positions[doc]});
            }
            for (const std::int64_t other : index.edges(doc)) {
                edges[positions[doc]].push_back(positions[static_cast<std::size_t>(other)]);
            }
            std::sort(edges[positions[doc]].begin(), edges[positions[doc]].end());
        }
        for (auto& [term, hits] : documents) {
            frequencies[term] = hits.size();
            std::sort(hits.begin(), hits.end(), better);
            heaviest[term] = hits.front().score;
            if (hits.size() > n_entries) hits.resize(n_entries);
            for (const Hit& hit : hits) entries[term].insert(hit.doc);
        }
    }

    // The `k` best of a walk, as a row of hits.
    void search(const Rows& queries, std::size_t query, const BruteForce& truth, const GraphSearchParams& params,
                const Allowed& of_allowed, Hits& hits) const {
        const std::size_t k = hits.k;
        const auto ef = std::max(static_cast<std::size_t>(params.ef), k);
        const auto best_first = [](const Hit& a, const Hit& b) { return better(a, b); };
        std::set<Hit, decltype(best_first)> left(best_first), nearest(best_first), top(best_first);
        const auto add = [](auto& best, const Hit& hit, std::size_t max) {
            best.insert(hit);
            if (best.size() > max) best.erase(std::prev(best.end()));
        };
        const auto wanted = [&](float score) { return nearest.size() < ef || score >= nearest.rbegin()->score; };
        std::set<std::uint32_t> visited;
        const auto visit = [&](const std::vector<std::uint32_t>& found) {
            for (const std::uint32_t position : found) {
                const auto score = static_cast<float>(truth.scores[ids[position]]);
                // What only ties with the worst of the nearest leads no further.
                const bool near = nearest.size() < ef || score > nearest.rbegin()->score;
                const bool allowed = of_allowed.empty() || of_allowed[ids[position]] != 0;
                if (allowed && score > 0) add(top, {score, ids[position]}, k);
                if (!near) continue;
                if (allowed) add(nearest, {score, position}, ef);
                left.insert({score, position});
            }
        };
        const auto new_of = [&](const auto& all) {
            std::vector<std::uint32_t> found;
            for (const std::uint32_t position : all) {
                if (visited.insert(position).second) found.push_back(position);
            }
            return found;
        };

        std::vector<std::pair<float, std::uint32_t>> terms;
        for (std::size_t i = 0; i < queries.view().row_size(query); ++i) {
            const std::uint32_t term = queries.view().row_terms(query)[i];
            if (!heaviest.contains(term)) continue;
            const float max = queries.view().row_weights(query)[i] * heaviest.at(term);
            if (max > 0) terms.emplace_back(max, term);
        }
        std::sort(terms.begin(), terms.end(), [&](const auto& a, const auto& b) {  // then the more frequent first
            if (a.first != b.first) return a.first > b.first;
            if (frequencies.at(a.second) != frequencies.at(b.second)) {
                return frequencies.at(a.second) > frequencies.at(b.second);
            }
            return a.second < b.second;
        });
        const auto n_terms = static_cast<std::size_t>(params.entry_terms);
        if (n_terms != 0 && terms.size() > n_terms) terms.resize(n_terms);
        std::vector<std::uint32_t> found;
        for (const auto& term : terms) {
            for (const std::uint32_t position : new_of(entries.at(term.second))) found.push_back(position);
        }
        visit(found);
        while (!left.empty()) {
            const Hit next = *left.begin();
            if (!wanted(next.score)) break;
            const auto fraction = static_cast<float>(params.early_stop);
            if (fraction > 0 && top.size() == k && next.score < fraction * top.rbegin()->score) break;
            left.erase(left.begin());
            visit(new_of(edges[next.doc]));
        }
        std::vector<Hit> best(top.begin(), top.end());
        hits.view().write(query, best, false);
    }

    const Rows& docs;
    std::vector<std::uint32_t> ids;        // position -> id
    std::vector<std::uint32_t> positions;  // id -> position
    std::vector<std::vector<std::uint32_t>> edges;
    std::map<std::uint32_t, std::size_t> frequencies;
    std::map<std::uint32_t, float> heaviest;
    std::map<std::uint32_t, std::set<std::uint32_t>> entries;
};

TEST(GraphIndex, SearchesByTheRule) {
    Random random(10);
    const Rows docs = test::random_rows(random, 600, 60, 6, test::dyadic_weight);
    const Rows queries = test::random_rows(random, 25, 60, 8, signed_dyadic);
    const auto truth = brute_force(docs, queries);
    std::vector<std::uint32_t> identity(600);
    std::iota(identity.begin(), identity.end(), 0U);
    Allowed max(600);
    for (std::uint8_t& allowed : max) allowed = test::uniform(random, 0, 4) != 0 ? 1 : 0;
    for (const bool is_shuffled : {false, true}) {
        for (const std::size_t n_entries : {1, 5, 64}) {
            const auto order = is_shuffled ? shuffled(600) : identity;
            const auto index = build(docs,
                                     {.m = 2,
                                      .ef_construction = 8,
                                      .entry_points = static_cast<std::int64_t>(n_entries),
                                      .reorder = is_shuffled},
                                     is_shuffled ? Order(order) : std::nullopt);
            const Reference reference(*index, docs, order, n_entries);
            for (const std::size_t k : {1, 5}) {
                for (const auto& [params, allowed] : std::vector<std::pair<GraphSearchParams, Allowed>>{
                         {{.ef = 1}, {}},
                         {{.ef = 1, .entry_terms = 1}, {}},
                         {{.ef = 4, .entry_terms = 2}, {}},
                         {{.ef = 10, .entry_terms = 0}, {}},
                         {{.ef = 30, .entry_terms = 3, .early_stop = 0.5}, {}},
                         {{.ef = 30, .entry_terms = 1, .early_stop = 0.75}, {}},
                         {{.ef = 100, .entry_terms = 1, .early_stop = 1}, {}},
                         {{.ef = 100, .entry_terms = 1}, {}},
                         {{.ef = 600, .entry_terms = 1}, {}},
                         {{.ef = 4}, max},
                         {{.ef = 20, .entry_terms = 1}, max},
                         {{.ef = 20, .entry_terms = 2, .early_stop = 0.8}, max}}) {
                    Hits expected(queries.n_rows(), k);
                    for (std::size_t query = 0; query < queries.n_rows(); ++query) {
                        reference.search(queries, query, truth[query], params, allowed, expected);
                    }
                    const Hits hits = search(*index, queries, k, params, allowed);
                    ASSERT_EQ(hits.ids, expected.ids)
                        << "k " << k << ", ef " << params.ef << ", entry_terms " << params.entry_terms
                        << ", early_stop " << params.early_stop << ", entry_points " << n_entries << ", given "
                        << is_shuffled << ", allowed " << allowed.size();
                    ASSERT_EQ(hits.scores, expected.scores);
                }
            }
        }
    }
}

// ---- What is left out.

struct Topical : testing::Test {
    Topical() : random(20) {
        docs = topical_rows(random, 3000, 60, 500, 9);
        queries = topical_rows(random, 40, 60, 500, 6);
        truth = brute_force(docs, queries);
        index = build(docs, {.m = 8, .ef_construction = 32, .entry_points = 8});
        exact = search(*index, queries, 10, kEverything);
    }
    // The fraction of the exact search's hits that is found.
    double recall(const GraphSearchParams& params) const {
        const Hits hits = search(*index, queries, exact.k, params);
        expect_true_scores(truth, hits);
        return test::recall(hits, exact);
    }

    Random random;
    Rows docs;
    Rows queries;
    std::vector<BruteForce> truth;
    std::unique_ptr<GraphIndex> index;
    Hits exact{0, 0};
};

using GraphIndexTopical = Topical;

TEST_F(GraphIndexTopical, ExactWhereTheSearchIsAsWideAsTheIndex) {
    for (std::size_t query = 0; query < queries.n_rows(); ++query) test::expect_top_k(truth[query], exact, query);
}

TEST_F(GraphIndexTopical, RecallRisesWithTheWidth) {
    double before = 0;
    for (const std::int64_t ef : {1, 20, 60, 200, 1000, 3000}) {
        const double found = recall({.ef = ef, .entry_terms = 2});
        EXPECT_GE(found + 0.01, before) << "ef " << ef;
        before = found;
    }
    EXPECT_EQ(before, 1);
    EXPECT_GT(recall({.ef = 1}), 0.6);
    EXPECT_LT(recall({.ef = 1, .entry_terms = 1}), 0.95) << "or there is nothing to be seen here";
    EXPECT_GT(recall({.ef = 60}), 0.97);
    EXPECT_GT(recall({}), 0.99) << "the library's choice";
}

TEST_F(GraphIndexTopical, IsWiderThanThereAreHitsByDefault) {
    for (const std::size_t k : {1, 10, 100}) {
        const Hits best = search(*index, queries, k, kEverything);
        const auto n_found = [&](std::size_t ef) {
            return n_shared(search(*index, queries, k, {.ef = static_cast<std::int64_t>(ef), .entry_terms = 1}), best);
        };
        EXPECT_GE(n_found(0), n_found(4 * k)) << "k " << k;
        EXPECT_GT(n_found(0), n_found(k)) << "k " << k;
    }
}

TEST_F(GraphIndexTopical, RecallRisesWithTheEntries) {
    double before = 0;
    for (const std::int64_t terms : {1, 2, 4, 0}) {
        const double found = recall({.ef = 10, .entry_terms = terms});
        EXPECT_GE(found + 0.02, before) << "entry_terms " << terms;
        before = found;
    }
    EXPECT_EQ(search(*index, queries, 10, {.entry_terms = 0}), search(*index, queries, 10, {.entry_terms = INT64_MAX}));
}

TEST_F(GraphIndexTopical, FindsWhatItSearchesFor) {
    const Hits hits = search(*index, docs, 1, {.ef = 30});
    std::size_t n = 0;
    for (std::size_t doc = 0; doc < docs.n_rows(); doc += 50) {
        const auto scores = brute_force(docs.view(), docs.view(), doc).scores;
        n += static_cast<double>(hits.scores[doc]) >= *std::ranges::max_element(scores) * (1 - 1e-6);
    }
    EXPECT_GE(n, 59U) << "of 60";
}

TEST_F(GraphIndexTopical, IsAtLeastAsWideAsThereAreHits) {
    EXPECT_EQ(search(*index, queries, 10, {.ef = 1}), search(*index, queries, 10, {.ef = 10}));
    EXPECT_NE(search(*index, queries, 10, {.ef = 1}), search(*index, queries, 10, {.ef = 300}));
    EXPECT_EQ(search(*index, queries, 10, {.ef = INT64_MAX}), exact);
    const Hits all = search(*index, queries, 3005, GraphSearchParams{});
    for (std::size_t query = 0; query < queries.n_rows(); ++query) test::expect_top_k(truth[query], all, query);
}

TEST_F(GraphIndexTopical, StopsEarly) {
    EXPECT_EQ(recall({.ef = 200, .early_stop = 1e-300}), recall({.ef = 200}));
    double before = 1;
    for (const double fraction : {0.1, 0.5, 0.8, 1.0}) {
        const double found = recall({.ef = 3000, .entry_terms = 1, .early_stop = fraction});
        EXPECT_LE(found, before) << "early_stop " << fraction;
        before = found;
    }
    EXPECT_LT(before, 1) << "or it never does";
    EXPECT_GT(before, 0.5);
}

// ---- Documents that are allowed.

// The brute force over documents that are allowed.
std::vector<BruteForce> only(std::vector<BruteForce> truth, const Allowed& allowed) {
    for (BruteForce& query : truth) {
        for (std::size_t doc = 0; doc < allowed.size(); ++doc) {
            if (allowed[doc] == 0) query.scores[doc] = query.magnitudes[doc] = 0;
        }
    }
    return truth;
}

TEST(GraphIndex, ReturnsNothingThatIsNotAllowed) {
    Random random(30);
    const Rows docs = test::random_rows(random, 500, 60, 6, test::dyadic_weight);
    const Rows queries = test::random_rows(random, 15, 60, 6, signed_dyadic);
    const auto truth = brute_force(docs, queries);
    const auto order = shuffled(500);
    for (const auto& index : {build(docs), build(docs, {.m = 4, .reorder = true}), build(docs, {.m = 4}, order)}) {
        for (const double fraction : {0.0, 0.002, 0.02, 0.3, 0.8, 0.998, 1.0}) {
            Allowed allowed(500);
            const auto n = static_cast<std::ptrdiff_t>(std::lround(fraction * 500));
            for (const std::uint32_t doc : shuffled(500)) {
                if (std::count(allowed.begin(), allowed.end(), 0) == 500 - n) break;
                allowed[doc] = static_cast<std::uint8_t>(1 + doc % 255);
            }
            const auto expected = only(truth, allowed);
            for (const std::size_t k : {1, 10, 505}) {
                const Hits hits = search(*index, queries, k, {.ef = 500}, allowed);
                for (std::size_t query = 0; query < queries.n_rows(); ++query) {
                    ASSERT_NO_FATAL_FAILURE(test::expect_identical(expected[query], hits, query))
                        << "k " << k << ", share " << fraction;
                }
                const Hits narrow = search(*index, queries, k, {.ef = 1, .entry_terms = 1}, allowed);
                expect_true_scores(expected, narrow);
                if (n > 10) continue;
                EXPECT_EQ(narrow, hits) << "few that are allowed are all scored";
            }
        }
        EXPECT_EQ(search(*index, queries, 10, {.ef = 20}, Allowed(500, 1)), search(*index, queries, 10, {.ef = 20}));
    }
}

TEST_F(GraphIndexTopical, FindsMostOfTheDocumentsAllowed) {
    for (const std::size_t every : {2, 10}) {
        Allowed allowed(docs.n_rows());
        for (std::size_t doc = 0; doc < allowed.size(); doc += every) allowed[doc] = 1;
        const Hits best = search(*index, queries, 10, {.ef = 3000}, allowed);
        const Hits hits = search(*index, queries, 10, {.ef = 40}, allowed);
        expect_true_scores(only(truth, allowed), hits);
        EXPECT_GT(static_cast<double>(n_shared(hits, best)), 0.95 * static_cast<double>(n_shared(best, best)))
            << "every " << every;
    }
    EXPECT_EQ(search(*index, queries, 10, {.ef = 50}), search(*index, queries, 10, {.ef = 50})) << "nothing is left";
}

// ---- The graph.

std::vector<std::vector<std::int64_t>> edges_of(const GraphIndex& index) {
    std::vector<std::vector<std::int64_t>> edges;
    for (std::size_t doc = 0; doc < index.n_docs(); ++doc) {
        edges.push_back(index.edges(static_cast<std::int64_t>(doc)));
    }
    return edges;
}

std::size_t n_reached(const std::vector<std::vector<std::int64_t>>& edges, std::size_t start) {
    std::vector<bool> reached(edges.size());
    std::vector<std::size_t> queue{start};
    reached[start] = true;
    for (std::size_t at = 0; at < queue.size(); ++at) {
        for (const std::int64_t next : edges[queue[at]]) {
            const auto doc = static_cast<std::size_t>(next);
            if (!reached[doc]) queue.push_back(doc);
            reached[doc] = true;
        }
    }
    return queue.size();
}

TEST(GraphIndex, LeadsFromEveryDocumentToEveryOther) {
    Random random(40);
    Rows scattered = test::random_rows(random, 150, 60, 4, test::real_weight);
    for (int doc = 0; doc < 30; ++doc) scattered.add(Row{});
    scattered.n_terms = 100;
    for (std::uint32_t doc = 60; doc < 100; ++doc) scattered.add(Row{{doc, 1.0F}});
    const Rows same = rows_of(3, std::vector<Row>(150, Row{{0, 1.0F}, {2, 2.0F}}));
    for (const Rows& docs : {scattered, same, topical_rows(random, 200, 9, 90, 6), rows_of(2, {{}, {{1, 1.0F}}}),
                             rows_of(2, {{{1, 1.0F}}})}) {
        const auto order = shuffled(docs.n_rows());
        for (const auto& [params, is_shuffled] : kCases) {
            const auto edges = edges_of(*build(docs, params, is_shuffled ? Order(order) : std::nullopt));
            for (std::size_t doc = 0; doc < edges.size(); ++doc) {
                ASSERT_TRUE(std::is_sorted(edges[doc].begin(), edges[doc].end()));
                ASSERT_EQ(std::count(edges[doc].begin(), edges[doc].end(), static_cast<std::int64_t>(doc)), 0);
                ASSERT_EQ(std::adjacent_find(edges[doc].begin(), edges[doc].end()), edges[doc].end());
                ASSERT_EQ(n_reached(edges, doc), edges.size()) << "from document " << doc << ", m " << params.m;
            }
        }
    }
}

TEST(GraphIndex, HasTheEdgesOfTheBestCandidates) {
    Random random(41);
    const Rows docs = test::random_rows(random, 300, 60, 6, test::dyadic_weight);
    const auto truth = brute_force(docs, docs);
    const auto order = shuffled(300);
    for (const auto& index :
         {build(docs, {.m = 3, .ef_construction = 1, .reorder = false}), build(docs, {.m = 3, .ef_construction = 1}),
          build(docs, {.m = 3, .ef_construction = 1}, order)}) {
        const auto edges = edges_of(*index);
        for (std::uint32_t doc = 0; doc < 300; ++doc) {
            Hit best{0, 0};
            for (std::uint32_t other = 0; other < 300; ++other) {
                const Hit hit{static_cast<float>(truth[doc].scores[other]), other};
                if (other != doc && better(hit, best)) best = hit;
            }
            if (best.score == 0) continue;
            ASSERT_EQ(std::count(edges[doc].begin(), edges[doc].end(), static_cast<std::int64_t>(best.doc)), 1)
                << "document " << doc;
        }
    }
}

TEST(GraphIndex, ChoosesNoMoreEdgesThanAskedFor) {
    Random random(42);
    const Rows docs = topical_rows(random, 1000, 20, 200, 8);
    std::size_t before = 0;
    for (const std::int64_t m : {1, 4, 16}) {
        const auto edges = edges_of(*build(docs, {.m = m, .reorder = false}));
        std::size_t n = 0;
        std::size_t within = 0;
        for (const auto& of : edges) {
            n += of.size();
            within += of.size() <= static_cast<std::size_t>(2 * m);
        }
        EXPECT_GE(within, m == 1 ? 600U : 980U) << "m " << m << ": but for those that connect the graph";
        EXPECT_GT(n, before);
        before = n;
    }
}

TEST(GraphIndex, ChoosesAmongAsManyCandidatesAsAskedFor) {
    Random random(43);
    const Rows docs = topical_rows(random, 500, 20, 200, 8);
    std::size_t before = 0;
    for (const std::int64_t ef_construction : {1, 3, 10, 40}) {
        std::size_t n = 0;
        for (const auto& of : edges_of(*build(docs, {.m = 16, .ef_construction = ef_construction}))) n += of.size();
        EXPECT_GT(n, before) << "ef_construction " << ef_construction;
        before = n;
        EXPECT_TRUE(ef_construction > 1 || n <= 2 * 500U + 100) << "one each, both ways, and some for the paths";
    }
}

TEST(GraphIndex, NamesADocumentThatIsNotThere) {
    const auto index = build(rows_of(1, {{{0, 1.0F}}, {{0, 2.0F}}}));
    EXPECT_EQ(index->edges(0), std::vector<std::int64_t>{1});
    EXPECT_EQ(index->edges(1), std::vector<std::int64_t>{0});
    for (const std::int64_t doc : {INT64_MIN, std::int64_t{-1}, std::int64_t{2}, std::int64_t{1} << 32, INT64_MAX}) {
        EXPECT_EQ(error_of([&] { static_cast<void>(index->edges(doc)); }),
                  "doc: " + std::to_string(doc) + " is not a document; the index has 2");
    }
}

// ---- Building, saving, refusing.

TEST(GraphIndex, TellsItsParametersAndItsParts) {
    const Rows docs = rows_of(3, {{{0, 1.0F}}, {{2, 1.0F}}});
    const auto text = [&](const GraphParams& params, Order order = std::nullopt) {
        return test::parameters_of(*build(docs, params, order));
    };
    EXPECT_EQ(text({3, 5, 7, false}), "m=3\nef_construction=5\nentry_points=7\nreorder=0\n");
    EXPECT_EQ(text({3, 5, 7, true}), "m=3\nef_construction=5\nentry_points=7\nreorder=1\n");
    const std::vector<std::uint32_t> order{1, 0};
    EXPECT_EQ(text({3, 5, 7, false}, order), "m=3\nef_construction=5\nentry_points=7\nreorder=1\n");
    std::map<std::string, std::size_t> parts;
    for (const auto& [name, size] : build(docs)->nbytes()) parts[name] = size;
    EXPECT_EQ(parts["edges"], 3 * 4U + 2 + 64) << "three starts, a byte for each edge, a margin";
    EXPECT_EQ(parts["entries"], 2 * 4U + 3 * 4U + 2 + 64) << "the largest weights, and a document for each term";
    EXPECT_TRUE(parts.contains("forward") && parts.contains("vocabulary") && !parts.contains("order"));
}

TEST(GraphIndex, NamesABuildParameterThatIsWrong) {
    const Rows docs = rows_of(1, {{{0, 1.0F}}, {{0, 2.0F}}});
    const auto built = [&](const GraphParams& params) { return error_of([&] { build(docs, params); }); };
    for (const std::int64_t wrong : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
        const std::string got = ", got " + std::to_string(wrong);
        const std::string entries = wrong == 0 ? "no error" : "entry_points must be from 0 to 65536" + got;
        EXPECT_EQ(built({.entry_points = wrong}), entries);
        EXPECT_EQ(built({.m = wrong}), "m must be from 1 to 256" + got);
        EXPECT_EQ(built({.ef_construction = wrong}), "ef_construction must be from 1 to 65536" + got);
    }
    EXPECT_EQ(built({.m = 257}), "m must be from 1 to 256, got 257");
    EXPECT_EQ(built({.ef_construction = 65537}), "ef_construction must be from 1 to 65536, got 65537");
    EXPECT_EQ(built({.entry_points = 65537}), "entry_points must be from 0 to 65536, got 65537");
    EXPECT_EQ(built({.m = 256, .ef_construction = 65536, .entry_points = 65536}), "no error");
    EXPECT_EQ(built({.m = 1, .ef_construction = 1, .entry_points = 1}), "no error");
    test::expect_orders_to_be_checked([&](const auto& order) { build(docs, {}, order); });
}

TEST(GraphIndex, NamesASearchParameterThatIsWrong) {
    const auto index = build(rows_of(1, {{{0, 1.0F}}, {{0, 2.0F}}}));
    const auto searched = [&](const GraphSearchParams& params) { return test::error_of_search(*index, params); };
    EXPECT_EQ(searched({.ef = -1}), "ef must be >= 0, got -1");
    EXPECT_EQ(searched({.ef = INT64_MIN}), "ef must be >= 0, got -9223372036854775808");
    EXPECT_EQ(searched({.entry_terms = -1}), "entry_terms must be >= 0, got -1");
    EXPECT_EQ(searched({.early_stop = -0.25}), "early_stop must be in [0, 1], got -0.250000");
    EXPECT_EQ(searched({.early_stop = 1.5}), "early_stop must be in [0, 1], got 1.500000");
    for (const double fraction : {HUGE_VAL, -HUGE_VAL, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_TRUE(searched({.early_stop = fraction}).starts_with("early_stop must be in [0, 1], got ")) << fraction;
    }
    EXPECT_EQ(searched({.ef = INT64_MAX, .entry_terms = INT64_MAX, .early_stop = 1}), "no error");
}

// ---- Altered files.

test::Bytes file_of(const GraphIndex& index) {
    const TemporaryDirectory directory;
    index.save(directory.path("f"), nullptr);
    return test::read_bytes(directory.path("f"));
}

// The index of a file in which `alter` has had the elements of section `name`.
template <class T, class Alter>
std::unique_ptr<Index> altered(test::Bytes bytes, const std::string& name, const Alter& alter) {
    test::alter_section<T>(bytes, name, alter);
    const TemporaryDirectory directory;
    test::write_bytes(directory.path("f"), bytes);
    return open_index(directory.path("f"), false, nullptr);
}

TEST(GraphIndex, StaysInBoundsWhateverItsEdgesAndEntriesAre) {
    Random random(60);
    const Rows docs = test::random_rows(random, 200, 30, 5, test::dyadic_weight);
    const Rows queries = test::random_rows(random, 20, 30, 6, signed_dyadic);
    const auto truth = brute_force(docs, queries);
    const Allowed max(200, 1);
    const auto order = shuffled(200);
    for (const auto& index : {build(docs), build(docs, {.m = 4}, order)}) {
        const test::Bytes file = file_of(*index);
        const auto expect_in_bounds = [&](const std::unique_ptr<Index>& opened) {
            const auto& graph = dynamic_cast<const GraphIndex&>(*opened);
            for (const GraphSearchParams& params :
                 {GraphSearchParams{}, {.ef = 3, .entry_terms = 0}, {.ef = 3, .early_stop = 0.5}}) {
                expect_true_scores(truth, search(graph, queries, 10, params));
                expect_true_scores(truth, search(graph, queries, 10, params, max));
            }
            for (const auto& edges : edges_of(graph)) {
                for (const std::int64_t doc : edges) ASSERT_TRUE(doc >= 0 && doc < 200);
            }
        };
        const std::vector<std::uint32_t> offsets{0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
        for (const std::string section : {"edges", "entries"}) {
            for (int round = 0; round < 10; ++round) {
                ASSERT_NO_FATAL_FAILURE(
                    expect_in_bounds(altered<std::uint32_t>(file, section + "/starts", [&](auto& elements) {
                        for (std::size_t i = 0; i + 1 < elements.size(); ++i) {  // the last would be refused
                            if (random() % 2 == 0) elements[i] = offsets[random() % offsets.size()];
                        }
                    })));
                ASSERT_NO_FATAL_FAILURE(
                    expect_in_bounds(altered<std::uint8_t>(file, section + "/bytes", [&](auto& elements) {
                        for (auto& element : elements) {
                            if (round < 3 || random() % 4 == 0) element = static_cast<std::uint8_t>(random());
                        }
                    })));
            }
        }
        for (const float weight : {0.0F, -1.0F, HUGE_VALF, -HUGE_VALF, std::nanf("")}) {
            ASSERT_NO_FATAL_FAILURE(expect_in_bounds(altered<float>(file, "entries/heaviest", [&](auto& elements) {
                std::fill(elements.begin(), elements.end(), weight);
            })));
        }
    }
}

TEST(GraphIndex, FindsItsEntriesOnlyInAFileWithoutEdges) {
    Random random(61);
    const Rows docs = test::random_rows(random, 200, 30, 5, test::dyadic_weight);
    const Rows queries = test::random_rows(random, 20, 30, 6, test::dyadic_weight);
    const auto index = build(docs, {.m = 4, .entry_points = 1, .reorder = false});
    const test::Bytes file = file_of(*index);
    const auto clear = [](auto& offsets) { std::fill(offsets.begin(), offsets.end(), offsets.back()); };
    const auto without_edges = altered<std::uint32_t>(file, "edges/starts", clear);
    const Hits hits = search(dynamic_cast<const GraphIndex&>(*without_edges), queries, 10, {.entry_terms = 2});
    expect_true_scores(brute_force(docs, queries), hits);
    for (std::size_t query = 0; query < queries.n_rows(); ++query) EXPECT_EQ(hits.ids[query * 10 + 2], kNoDocument);
    const auto without_entries = altered<std::uint32_t>(file, "entries/starts", clear);
    const Hits none = search(dynamic_cast<const GraphIndex&>(*without_entries), queries, 10, {.ef = 64});
    EXPECT_EQ(std::count(none.ids.begin(), none.ids.end(), kNoDocument), 200);
    EXPECT_EQ(edges_of(dynamic_cast<const GraphIndex&>(*without_entries)), edges_of(*index));
}

}  // namespace
}  // namespace thresher
