// The graph of documents against the rule written out, and that every document leads to every other.
#include "core/graph/document_graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "support/brute_force.hpp"
#include "support/random_rows.hpp"
#include "support/recording_monitor.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Row;
using test::Rows;
using test::rows_of;

using Graph = std::vector<std::vector<std::uint32_t>>;
using Candidates = std::vector<std::vector<Hit>>;

struct Built {
    explicit Built(Rows docs) : rows(std::move(docs)), truth(test::brute_force(rows, rows)) {
        Progress progress = test::silent();
        vocabulary = Vocabulary::build(rows.view(), 1, progress);
        forward =
            ForwardIndex::build(GivenDocuments(rows.view(), vocabulary), {}, vocabulary, Precision::full, 1, progress);
    }
    std::size_t n_docs() const { return rows.n_rows(); }
    // Of each document the `n` others of greatest inner product with it.
    Candidates candidates(std::size_t n) const {
        Candidates all(n_docs());
        for (std::uint32_t doc = 0; doc < n_docs(); ++doc) {
            for (std::uint32_t other = 0; other < n_docs(); ++other) {
                const auto score = static_cast<float>(truth[doc].scores[other]);
                if (other != doc && score > 0) all[doc].push_back({score, other});
            }
            std::sort(all[doc].begin(), all[doc].end(), better);
            all[doc].resize(std::min(n, all[doc].size()));
        }
        return all;
    }
    Graph graph(const Candidates& candidates, std::size_t degree, unsigned threads = 1) const {
        Progress progress = test::silent();
        GraphBuilder builder(forward, degree, threads, progress);
        GraphBuilder::Context context(vocabulary.n_slots());
        for (std::size_t doc = 0; doc < n_docs(); ++doc) builder.connect(doc, candidates[doc], context);
        const PositionLists lists = builder.finish(threads, progress);
        EXPECT_EQ(lists.size(), n_docs());
        Graph graph(n_docs());
        for (std::size_t doc = 0; doc < lists.size(); ++doc) {
            lists.for_each(doc, [&](std::uint32_t other) { graph[doc].push_back(other); });
        }
        return graph;
    }

    Rows rows;
    std::vector<test::BruteForce> truth;  // every document as a query
    Vocabulary vocabulary;
    ForwardIndex forward;
};

// ---- The rule, written out.

// Best first, a candidate is chosen unless 0.8 of the cosine with one that was is more than that with the document, or
// the two point the same way.
std::vector<Hit> chosen_of(const Built& built, std::size_t doc, const std::vector<Hit>& candidates,
                           std::size_t degree) {
    const auto cosine = [&](std::size_t a, std::size_t b) {
        return built.truth[a].scores[b] / std::sqrt(built.truth[a].scores[a] * built.truth[b].scores[b]);
    };
    std::vector<Hit> chosen;
    for (const Hit& candidate : candidates) {
        const bool stood_for = std::any_of(chosen.begin(), chosen.end(), [&](const Hit& other) {
            const double between = cosine(other.doc, candidate.doc);
            return 0.8 * between > cosine(doc, candidate.doc) || between > 0.98;
        });
        if (!stood_for && chosen.size() < degree) chosen.push_back(candidate);
    }
    return chosen;
}

// What a document chose, and those that chose it, most similar first, up to twice the degree.
Graph both_ways(const Built& built, const Candidates& candidates, std::size_t degree) {
    Graph edges(built.n_docs());
    Candidates chosen_by(built.n_docs());
    for (std::uint32_t doc = 0; doc < built.n_docs(); ++doc) {
        for (const Hit& edge : chosen_of(built, doc, candidates[doc], degree)) {
            edges[doc].push_back(edge.doc);
            chosen_by[edge.doc].push_back({edge.score, doc});
        }
    }
    for (std::size_t doc = 0; doc < built.n_docs(); ++doc) {
        std::sort(chosen_by[doc].begin(), chosen_by[doc].end(), better);
        for (const Hit& edge : chosen_by[doc]) {
            const bool has = std::count(edges[doc].begin(), edges[doc].end(), edge.doc) != 0;
            if (!has && edges[doc].size() < 2 * degree) edges[doc].push_back(edge.doc);
        }
    }
    return edges;
}

std::vector<bool> reached_from(const Graph& graph, std::size_t start) {
    std::vector<bool> reached(graph.size());
    std::vector<std::size_t> queue{start};
    reached[start] = true;
    for (std::size_t at = 0; at < queue.size(); ++at) {
        for (const std::uint32_t next : graph[queue[at]]) {
            if (!reached[next]) queue.push_back(next);
            reached[next] = true;
        }
    }
    return reached;
}

Graph reversed(const Graph& graph) {
    Graph back(graph.size());
    for (std::uint32_t doc = 0; doc < graph.size(); ++doc) {
        for (const std::uint32_t next : graph[doc]) back[next].push_back(doc);
    }
    return back;
}

// Each document that no path leads to gets an edge from the best of its own that one leads to and that has room,
// otherwise from the document before it; each that no path leads back from gets one to the document before it.
Graph repaired(Graph edges, std::size_t degree) {
    for (std::uint32_t doc = 1; doc < edges.size(); ++doc) {
        const auto reached = reached_from(edges, 0);
        if (reached[doc]) continue;
        std::uint32_t from = doc - 1;
        for (std::size_t i = edges[doc].size(); i > 0; --i) {
            const std::uint32_t next = edges[doc][i - 1];
            if (reached[next] && edges[next].size() < 3 * degree) from = next;
        }
        edges[from].push_back(doc);
    }
    for (std::uint32_t doc = 1; doc < edges.size(); ++doc) {
        if (!reached_from(reversed(edges), 0)[doc]) edges[doc].push_back(doc - 1);
    }
    return edges;
}

Graph sorted(Graph graph) {
    for (auto& edges : graph) std::sort(edges.begin(), edges.end());
    return graph;
}

std::size_t n_edges(const Graph& graph) {
    std::size_t n = 0;
    for (const auto& edges : graph) n += edges.size();
    return n;
}

void expect_strongly_connected(const Graph& graph) {
    for (std::uint32_t doc = 0; doc < graph.size(); ++doc) {
        const std::set<std::uint32_t> distinct(graph[doc].begin(), graph[doc].end());
        ASSERT_EQ(distinct.size(), graph[doc].size()) << "an edge of " << doc << " twice";
        ASSERT_FALSE(distinct.contains(doc)) << "an edge of " << doc << " to itself";
        ASSERT_TRUE(distinct.empty() || *distinct.rbegin() < graph.size());
    }
    if (graph.empty()) return;
    const auto there = reached_from(graph, 0);
    const auto back = reached_from(reversed(graph), 0);
    for (std::size_t doc = 0; doc < graph.size(); ++doc) {
        ASSERT_TRUE(there[doc]) << "no path leads to " << doc;
        ASSERT_TRUE(back[doc]) << "no path leads back from " << doc;
    }
}

// Returns the edges that the repair adds.
std::size_t expect_the_rule(const Built& built, std::size_t n_candidates, std::size_t degree) {
    const Candidates candidates = built.candidates(n_candidates);
    const Graph expected = both_ways(built, candidates, degree);
    const Graph whole = repaired(expected, degree);
    const Graph graph = built.graph(candidates, degree);
    EXPECT_EQ(graph, sorted(whole)) << n_candidates << " candidates, degree " << degree;
    expect_strongly_connected(graph);
    const std::size_t added = n_edges(whole) - n_edges(expected);
    std::size_t beyond = 0;
    for (const auto& edges : graph) {
        beyond += edges.size() - std::min(edges.size(), 2 * degree);
        EXPECT_LE(edges.size(), 3 * degree + 2);
    }
    EXPECT_LE(beyond, added) << "only the repair goes beyond twice the degree";
    EXPECT_EQ(n_edges(graph), n_edges(whole));
    return added;
}

// Documents that share terms within one of `n_groups` groups only.
Rows grouped(Random& random, std::size_t n_docs, std::size_t n_groups) {
    Rows rows;
    rows.n_terms = 10 * n_groups;
    for (std::size_t doc = 0; doc < n_docs; ++doc) {
        const auto first = static_cast<std::uint32_t>(10 * (random() % n_groups));
        Row row;
        for (const auto& [term, weight] : test::random_row(random, 10, 4, test::real_weight)) {
            row.emplace_back(first + term, weight);
        }
        rows.add(row);
    }
    return rows;
}

TEST(DocumentGraph, ChoosesByTheRule) {
    Random random(1);
    std::size_t repaired = 0;
    for (const std::size_t n_docs : {3, 10, 120}) {
        for (const std::uint64_t n_terms : {20, 2000}) {
            const Built built(test::random_rows(random, n_docs, n_terms, 6, test::real_weight));
            for (const std::size_t degree : {1, 2, 4, 16}) {
                for (const std::size_t n_candidates : {1, 5, 40, 300}) {
                    repaired += expect_the_rule(built, n_candidates, degree);
                    ASSERT_FALSE(HasFailure());
                }
            }
        }
    }
    EXPECT_GT(repaired, 0U);
}

TEST(DocumentGraph, LeavesOutCandidatesThatOthersStandFor) {
    Random random(2);
    const Built built(test::random_rows(random, 200, 60, 8, test::real_weight));
    const Candidates candidates = built.candidates(50);
    std::size_t n = 0;
    for (std::size_t doc = 0; doc < built.n_docs(); ++doc) n += chosen_of(built, doc, candidates[doc], 50).size();
    EXPECT_LT(n, 200U * 25) << "or the rule shows nothing here";
    EXPECT_GT(n, 200U * 3);
}

// Documents 1 and 2 point the same way, document 3 another; document 1 is much longer than all others.
TEST(DocumentGraph, ComparesByAngleNotByLength) {
    const Built built(rows_of(4, {{{0, 1.0F}, {1, 1.0F}, {2, 1.0F}},
                                  {{0, 900.0F}, {3, 900.0F}},
                                  {{0, 1.0F}, {3, 1.125F}},
                                  {{0, 0.25F}, {1, 1.0F}}}));
    const Candidates candidates = built.candidates(3);
    ASSERT_EQ(candidates[0][0].doc, 1U) << "the longest has the greatest inner product";
    std::vector<std::uint32_t> chosen;
    for (const Hit& hit : chosen_of(built, 0, candidates[0], 3)) chosen.push_back(hit.doc);
    EXPECT_EQ(chosen, (std::vector<std::uint32_t>{1, 3})) << "1 stands for 2, and for 3 only by its length";
    expect_the_rule(built, 3, 3);
}

// 0.8 of the cosine of the other two is exactly that with document 0: no more, so that both are chosen.
TEST(DocumentGraph, ChoosesWhatIsAsCloseToTheDocument) {
    const Built built(rows_of(3, {{{0, 4.0F}, {2, 3.0F}}, {{0, 2.0F}}, {{0, 1.0F}, {1, 1.0F}}}));
    const Candidates candidates{{{8.0F, 1}, {4.0F, 2}}, {}, {}};  // the others would choose document 0
    EXPECT_EQ(built.graph(candidates, 2), (Graph{{1, 2}, {0}, {0}}));
}

TEST(DocumentGraph, ChoosesAmongTheCandidatesGiven) {
    const Built built(rows_of(1, std::vector<Row>(6, Row{{0, 1.0F}})));
    const Candidates candidates{{{1.0F, 4}}, {}, {}, {}, {}, {}};
    const Graph graph = built.graph(candidates, 3);
    EXPECT_EQ(graph[0], (std::vector<std::uint32_t>{1, 4})) << "1 as the next document, which nothing leads to";
    EXPECT_EQ(graph[4], (std::vector<std::uint32_t>{0, 5}));
    EXPECT_EQ(graph[1], (std::vector<std::uint32_t>{0, 2}));
    expect_strongly_connected(graph);
}

// A hub that more choose than it has room for: the most similar of them are its edges, the rest are repaired.
TEST(DocumentGraph, KeepsTheMostSimilarOfThoseThatChoseADocument) {
    constexpr std::uint32_t kSpokes = 20;
    Rows rows;
    rows.n_terms = kSpokes;
    Row hub;
    for (std::uint32_t term = 0; term < kSpokes; ++term) hub.emplace_back(term, 1.0F + static_cast<float>(term));
    for (std::uint32_t term = 0; term < kSpokes; ++term) rows.add(Row{{term, 1.0F}});
    rows.add(hub);
    const Built built(rows);
    for (const std::size_t degree : {1, 3}) {
        const Graph edges = both_ways(built, built.candidates(5), degree);
        std::vector<std::uint32_t> expected;
        for (std::uint32_t i = 0; i < 2 * degree; ++i) expected.push_back(kSpokes - 1 - i);
        EXPECT_EQ(edges[kSpokes], expected);
        EXPECT_GT(expect_the_rule(built, 5, degree), 0U);
    }
}

TEST(DocumentGraph, LeadsFromEveryDocumentToEveryOther) {
    Random random(3);
    for (const std::size_t n_groups : {1, 2, 7, 60}) {
        const Built built(grouped(random, 120, n_groups));
        for (const std::size_t degree : {1, 3, 8}) {
            const std::size_t added = expect_the_rule(built, 20, degree);
            ASSERT_FALSE(HasFailure()) << n_groups << " groups";
            EXPECT_GE(added, 2 * (n_groups - 1) * 3 / 4) << "groups are connected by edges in both directions";
        }
    }
}

TEST(DocumentGraph, OfEmptyDocuments) {
    Random random(4);
    for (const int every : {2, 3}) {
        Rows rows;
        rows.n_terms = 30;
        for (int doc = 0; doc < 90; ++doc) {
            const bool is_empty = (doc % every == 0) == (every == 2);  // the first, or others
            rows.add(is_empty ? std::map<std::uint32_t, float>{} : test::random_row(random, 30, 5, test::real_weight));
        }
        EXPECT_GT(expect_the_rule(Built(rows), 10, 4), 0U);
    }
    for (const std::size_t n_docs : {0, 1, 2, 5}) {
        const Built built(rows_of(3, std::vector<Row>(n_docs)));
        const Graph graph = built.graph(Candidates(n_docs), 4);
        expect_strongly_connected(graph);
        EXPECT_EQ(n_edges(graph), n_docs == 0 ? 0 : 2 * (n_docs - 1)) << "a chain, both ways";
    }
}

TEST(DocumentGraph, OfOneAndTwoDocuments) {
    const Built one(rows_of(1, {{{0, 1.0F}}}));
    EXPECT_EQ(one.graph(one.candidates(5), 3), Graph{{}});
    const Built alike(rows_of(1, {{{0, 1.0F}}, {{0, 2.0F}}}));
    EXPECT_EQ(alike.graph(alike.candidates(5), 3), (Graph{{1}, {0}}));
    const Built apart(rows_of(2, {{{0, 1.0F}}, {{1, 2.0F}}}));
    EXPECT_EQ(apart.graph(apart.candidates(5), 3), (Graph{{1}, {0}}));
}

TEST(DocumentGraph, OfDuplicates) {
    Random random(5);
    Rows rows;
    rows.n_terms = 40;
    std::vector<Row> originals;
    for (int i = 0; i < 12; ++i) {
        const auto row = test::random_row(random, 40, 5, test::real_weight);
        originals.emplace_back(row.begin(), row.end());
    }
    for (int copy = 0; copy < 12; ++copy) {
        for (const Row& row : originals) rows.add(row);
    }
    const Built built(rows);
    for (const std::size_t degree : {1, 2, 8}) {
        const Graph graph = built.graph(built.candidates(30), degree);
        expect_strongly_connected(graph);
        for (std::size_t doc = 0; doc < graph.size(); ++doc) {
            EXPECT_LE(graph[doc].size(), 3 * degree + 2);
            // Of the copies of a document one is chosen, so that there is room for others: 12 originals in a row.
            std::size_t n_others = 0;
            for (const std::uint32_t next : graph[doc]) n_others += next % 12 != doc % 12 ? 1 : 0;
            if (degree > 1) {
                EXPECT_GT(n_others, 0U) << "document " << doc << ", degree " << degree;
            }
        }
    }
    const Built same(rows_of(3, std::vector<Row>(40, Row{{0, 1.0F}, {2, 2.0F}})));
    for (const std::size_t degree : {1, 4}) expect_strongly_connected(same.graph(same.candidates(10), degree));
}

TEST(DocumentGraph, DoesNotDependOnTheOrderInWhichDocumentsAreConnected) {
    Random random(6);
    const Built built(test::random_rows(random, 300, 60, 6, test::real_weight));
    const Candidates candidates = built.candidates(20);
    const Graph expected = built.graph(candidates, 4);
    for (unsigned threads = 2; threads <= 3; ++threads) EXPECT_EQ(built.graph(candidates, 4, threads), expected);
    Progress progress = test::silent();
    GraphBuilder builder(built.forward, 4, 1, progress);
    GraphBuilder::Context context(built.vocabulary.n_slots());
    for (const std::uint32_t doc : test::shuffled(built.n_docs())) builder.connect(doc, candidates[doc], context);
    const PositionLists lists = builder.finish(1, progress);
    for (std::size_t doc = 0; doc < built.n_docs(); ++doc) {
        std::vector<std::uint32_t> edges;
        lists.for_each(doc, [&](std::uint32_t other) { edges.push_back(other); });
        ASSERT_EQ(edges, expected[doc]);
    }
}

TEST(DocumentGraph, ReportsItsPasses) {
    Random random(7);
    const Built built(test::random_rows(random, 100, 60, 6, test::real_weight));
    test::RecordingMonitor monitor;
    Progress progress(&monitor, GraphBuilder::kPasses, 300);
    GraphBuilder builder(built.forward, 4, 2, progress);
    ASSERT_FALSE(monitor.reports().empty());
    EXPECT_EQ(monitor.reports().back().first, 100U);
    builder.finish(2, progress);
    std::set<std::uint64_t> done;
    for (const auto& report : monitor.reports()) done.insert(report.first);
    EXPECT_TRUE(done.contains(200));
    EXPECT_EQ(*done.rbegin(), 300U);
}

}  // namespace
}  // namespace thresher
