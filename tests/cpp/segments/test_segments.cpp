// Several indexes searched as one, against one index of all their documents.
#include "segments/segments.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/registry.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::error_of;
using test::Random;
using test::Rows;

Rows part_of(const Rows& rows, std::size_t begin, std::size_t end) {
    Rows part;
    part.n_terms = rows.n_terms;
    for (std::size_t row = begin; row < end; ++row) {
        for (std::int64_t i = rows.indptr[row]; i < rows.indptr[row + 1]; ++i) {
            const auto at = static_cast<std::size_t>(i);
            part.terms.push_back(rows.terms[at]);
            part.weights.push_back(rows.weights[at]);
        }
        part.indptr.push_back(static_cast<std::int64_t>(part.terms.size()));
    }
    return part;
}

struct Told {
    std::size_t k;
    std::size_t step = 1;  // every so many documents are allowed
    bool of_each = false;  // another such set for each query
    std::optional<double> min_score = std::nullopt;
    bool fill = false;
};

const std::vector<Told> kTold{{.k = 1},
                              {.k = 10},
                              {.k = 2000},
                              {.k = 10, .step = 3},
                              {.k = 10, .step = 40, .of_each = true},
                              {.k = 10, .min_score = 70.0},
                              {.k = 700, .step = 2, .fill = true},
                              {.k = 10, .min_score = -5.0, .fill = true}};

// A collection cut into segments of these engines and sizes.
class Cut {
  public:
    Cut(const Rows& docs, const std::vector<std::pair<std::string, std::size_t>>& segments,
        Precision precision = Precision::full) {
        std::size_t begin = 0;
        for (const auto& [engine, size] : segments) {
            const Rows part = part_of(docs, begin, begin + size);
            indexes_.push_back(build_index(engine, part.view(), {}, {.precision = precision}));
            begin += size;
        }
    }

    Segments segments() const {
        std::vector<const Index*> indexes;
        for (const auto& index : indexes_) indexes.push_back(index.get());
        return Segments(indexes);
    }

    std::vector<SearchOptions::Selections> allowed(const Told& told, std::size_t n_queries) const {
        std::vector<SearchOptions::Selections> all;
        std::size_t start = 0;
        for (const auto& index : indexes_) {
            all.push_back(selections(*index, start, told, n_queries));
            start += index->n_docs();
        }
        return all;
    }

    static SearchOptions::Selections selections(const Index& index, std::size_t start, const Told& told,
                                                std::size_t n_queries) {
        SearchOptions::Selections selections;
        if (told.step == 1) return selections;
        for (std::size_t query = 0; query < (told.of_each ? n_queries : 1); ++query) {
            std::vector<std::uint8_t> mask(index.n_docs());
            for (std::size_t doc = 0; doc < mask.size(); ++doc) mask[doc] = (start + doc + query) % told.step == 0;
            selections.push_back(index.select(std::span<const std::uint8_t>(mask)));
        }
        return selections;
    }

  private:
    std::vector<std::unique_ptr<Index>> indexes_;
};

void expect_as_one(const Rows& docs, const Rows& queries, const Cut& cut, unsigned threads) {
    const auto whole = build_index("exact", docs.view());
    const Segments segments = cut.segments();
    ASSERT_EQ(segments.n_docs(), docs.n_rows());
    for (const Told& told : kTold) {
        SearchOptions options{.k = told.k, .threads = threads, .min_score = told.min_score, .fill = told.fill};
        options.exact = true;
        Hits found(queries.n_rows(), std::min(told.k, docs.n_rows()));
        segments.search(queries.view(), options, cut.allowed(told, queries.n_rows()), found.view());
        options.allowed = Cut::selections(*whole, 0, told, queries.n_rows());
        const Hits expected = whole->search(queries.view(), options);
        ASSERT_EQ(found.ids, expected.ids) << "k " << told.k << ", step " << told.step;
        ASSERT_EQ(found.scores, expected.scores);
        ASSERT_EQ(found.exact, expected.exact);
    }
}

class SegmentsOf : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Engines, SegmentsOf,
                         testing::Values("exact", "block-max", "clustered", "graph", "impact", "postings"),
                         [](const auto& engine) {
                             std::string name = engine.param;
                             std::erase(name, '-');
                             return name;
                         });

TEST_P(SegmentsOf, AreSearchedAsOneIndex) {
    Random random(1);
    // Weights are few, so that there are ties within and between segments.
    const auto weight = [](Random& of) { return static_cast<float>(test::uniform(of, 1, 3)); };
    const Rows docs = test::random_rows(random, 900, 60, 7, weight);
    const Rows queries = test::random_rows(random, 9, 60, 8, test::signed_dyadic);
    const Cut cut(docs, {{"exact", 30}, {GetParam(), 500}, {"exact", 1}, {GetParam(), 300}, {"impact", 69}});
    expect_as_one(docs, queries, cut, 1);
    expect_as_one(docs, queries, cut, 3);
}

// What is said to be exact is, and approximate segments too find k hits where there are k.
TEST_P(SegmentsOf, AreHonest) {
    Random random(5);
    const Rows docs = test::random_rows(random, 6000, 300, 12, test::real_weight);
    const Rows queries = test::random_rows(random, 40, 300, 8, test::signed_real);
    const Cut cut(docs, {{GetParam(), 3000}, {"graph", 700}, {GetParam(), 2000}, {"clustered", 300}});
    const auto whole = build_index("exact", docs.view());
    for (const Told& told : kTold) {
        SearchOptions options{.k = told.k, .threads = 2, .min_score = told.min_score, .fill = told.fill};
        Hits found(queries.n_rows(), std::min(told.k, docs.n_rows()));
        cut.segments().search(queries.view(), options, cut.allowed(told, queries.n_rows()), found.view());
        options.allowed = Cut::selections(*whole, 0, told, queries.n_rows());
        Hits expected = whole->search(queries.view(), options);
        for (std::size_t query = 0; query < queries.n_rows(); ++query) {
            if (!told.min_score) {
                ASSERT_EQ(found.view().n_hits(query), expected.view().n_hits(query)) << "k " << told.k;
            }
            for (std::size_t rank = 0; found.exact[query] != 0 && rank < found.k; ++rank) {
                const std::size_t at = query * found.k + rank;
                ASSERT_EQ(found.ids[at], expected.ids[at]) << "k " << told.k << ", step " << told.step;
                ASSERT_EQ(found.scores[at], expected.scores[at]);
            }
        }
    }
}

TEST(SegmentsOfManySizes, CountUnknownTermsNothing) {
    Random random(6);
    Rows docs = test::random_rows(random, 200, 30, 6, test::dyadic_weight);
    const Rows later = test::random_rows(random, 300, 90, 6, test::dyadic_weight);
    const Rows queries = test::random_rows(random, 9, 200, 10, test::signed_dyadic);
    const auto narrow = build_index("impact", docs.view());
    const auto wide = build_index("postings", later.view());
    docs.n_terms = 200;
    test::add_rows(docs, later);
    const auto whole = build_index("exact", docs.view());
    const SearchOptions options{.k = 20, .threads = 1, .unknown_terms = "ignore"};
    Hits found(9, 20);
    Segments({narrow.get(), wide.get()})
        .search(queries.view(), options, std::vector<SearchOptions::Selections>(2), found.view());
    const Hits expected = whole->search(queries.view(), options);
    EXPECT_EQ(found.ids, expected.ids);
    EXPECT_EQ(found.scores, expected.scores);
    EXPECT_EQ(found.exact, expected.exact);
}

// Documents with one term each, of weights that 8 bits are off by, in segments of one document or two.
class CertainOrder : public testing::Test {
  protected:
    // Whether the best k of documents that score `scores` are exact.
    static bool of(const std::vector<float>& scores, const std::vector<std::size_t>& sizes, std::size_t k) {
        Rows docs;
        docs.n_terms = 2;
        // A second term, which nobody asks for, gives a document its scale.
        for (const float score : scores) docs.add(test::Row{{0, score}, {1, 100}});
        std::vector<std::pair<std::string, std::size_t>> segments;
        for (const std::size_t size : sizes) segments.emplace_back("exact", size);
        const Cut cut(docs, segments, Precision::codes);
        const Rows query = test::rows_of(2, {{{0, 1.0F}}});
        Hits hits(1, k);
        cut.segments().search(query.view(), {.k = k, .threads = 1}, cut.allowed({.k = k}, 1), hits.view());
        return hits.exact[0] != 0;
    }
};

TEST_F(CertainOrder, IsThatOfScoresFarApart) {
    EXPECT_TRUE(of({10.1F, 30.1F}, {1, 1}, 2));
    EXPECT_TRUE(of({30.1F, 10.1F}, {1, 1}, 2));
    EXPECT_TRUE(of({30.1F, 10.1F, 60.1F}, {2, 1}, 5));
}

TEST_F(CertainOrder, IsNotThatOfScoresAsNearAsTheErrorOfTheirWeights) {
    EXPECT_FALSE(of({30.1F, 30.2F}, {1, 1}, 2));
    EXPECT_FALSE(of({30.2F, 30.1F}, {1, 1}, 2));
    EXPECT_FALSE(of({50.1F, 10.1F, 50.15F}, {2, 1}, 3));
}

TEST_F(CertainOrder, IsNotThatOfAHitAndOneNearlyAsGoodThatIsNone) {
    EXPECT_FALSE(of({30.1F, 30.2F}, {1, 1}, 1));
    EXPECT_FALSE(of({30.2F, 30.1F}, {1, 1}, 1));
    EXPECT_FALSE(of({50.1F, 30.1F, 30.2F}, {2, 1}, 2));
    EXPECT_FALSE(of({50.1F, 30.2F, 30.1F}, {1, 1, 1}, 2));
}

// The code of 30.1 stands for 30.23, which a full weight of 30.22 does not reach though it is the better one.
TEST_F(CertainOrder, IsNotThatOfADocumentWhichAnErrorKeepsOut) {
    const Rows coded = test::rows_of(2, {{{0, 50.1F}, {1, 100}}, {{0, 30.1F}, {1, 100}}});
    const Rows given = test::rows_of(2, {{{0, 30.22F}}});
    const Rows query = test::rows_of(2, {{{0, 1.0F}}});
    const auto codes = build_index("exact", coded.view(), {}, {.precision = Precision::codes});
    const auto full = build_index("exact", given.view());
    const Segments segments({codes.get(), full.get()});
    Hits hits(1, 2);
    const std::vector<SearchOptions::Selections> all(2);
    segments.search(query.view(), {.k = 2, .threads = 1}, all, hits.view());
    EXPECT_EQ(hits.ids, (std::vector<std::int64_t>{0, 1}));
    EXPECT_EQ(hits.exact[0], 0);
}

// Against the weights given.
TEST(SegmentsOfCodes, AreHonest) {
    Random random(7);
    std::size_t n_exact = 0;
    for (int round = 0; round < 200; ++round) {
        const Rows docs = test::random_rows(random, 12, 40, 3, test::real_weight);
        const Rows queries = test::random_rows(random, 10, 40, 2, test::signed_real);
        const Cut cut(docs, {{"exact", 5}, {"postings", 4}, {"clustered", 3}}, Precision::codes);
        const auto whole = build_index("exact", docs.view());
        for (const std::size_t k : {1, 3, 12}) {
            const SearchOptions options{.k = k, .threads = 1};
            Hits found(10, k);
            cut.segments().search(queries.view(), options, cut.allowed({.k = k}, 10), found.view());
            const Hits expected = whole->search(queries.view(), options);
            for (std::size_t query = 0; query < 10; ++query) {
                n_exact += found.exact[query];
                for (std::size_t rank = 0; found.exact[query] != 0 && rank < k; ++rank) {
                    ASSERT_EQ(found.ids[query * k + rank], expected.ids[query * k + rank]) << "round " << round;
                }
            }
        }
    }
    EXPECT_GT(n_exact, 1000U);
}

TEST(SegmentsOfManySizes, FindAllHits) {
    Random random(2);
    const Rows docs = test::random_rows(random, 400, 50, 6, test::dyadic_weight);
    const Rows queries = test::random_rows(random, 5, 50, 8, test::signed_dyadic);
    const Cut cut(docs, {{"clustered", 250}, {"exact", 0}, {"exact", 150}});
    const auto whole = build_index("exact", docs.view());
    for (const std::optional<double> min_score : {std::optional<double>(), std::optional(40.0)}) {
        const SearchOptions options{.k = SearchOptions::kAll, .threads = 1, .min_score = min_score};
        std::vector<std::vector<Hit>> found(5);
        std::vector<std::vector<Hit>> expected(5);
        std::vector<std::uint8_t> exact(5);
        cut.segments().search(queries.view(), options, cut.allowed({.k = 1}, 5),
                              HitsView{.exact = exact, .rows = found});
        whole->search(queries.view(), options, HitsView{.exact = exact, .rows = expected});
        for (std::size_t query = 0; query < 5; ++query) {
            ASSERT_EQ(found[query].size(), expected[query].size());
            for (std::size_t i = 0; i < found[query].size(); ++i) {
                ASSERT_EQ(found[query][i].doc, expected[query][i].doc);
                ASSERT_EQ(found[query][i].score, expected[query][i].score);
            }
        }
    }
}

// Segments of a large one, whose deadline is as given (0: none), and a smaller one, with one that is no time at all.
class Deadlines : public testing::Test {
  protected:
    static constexpr std::size_t kLarge = 6000;
    static constexpr std::size_t kQueries = 20;

    // How many queries are answered exactly. `step`: every so many documents of the large segment are allowed.
    std::size_t n_exact(std::string_view engine, double deadline, std::size_t step = 1) const {
        auto large = build_index(std::string(engine), part_of(docs_, 0, kLarge).view());
        if (deadline > 0) large = large->with_named_search_params({{"deadline_us", deadline}});
        const auto small = build_index("impact", part_of(docs_, kLarge, docs_.n_rows()).view())
                               ->with_named_search_params({{"deadline_us", 1e-3}});
        std::vector<SearchOptions::Selections> allowed(2);
        if (step > 1) allowed[0] = Cut::selections(*large, 0, {.k = 10, .step = step}, kQueries);
        Hits hits(kQueries, 10);
        Segments({large.get(), small.get()}).search(queries_.view(), {.k = 10, .threads = 2}, allowed, hits.view());
        return static_cast<std::size_t>(std::ranges::count(hits.exact, std::uint8_t{1}));
    }

  private:
    Random random_{11};
    Rows docs_ = test::random_rows(random_, kLarge + 5000, 50, 20, test::real_weight);
    Rows queries_ = test::random_rows(random_, kQueries, 50, 10, test::real_weight);
};

constexpr double kHours = 1e10;

TEST_F(Deadlines, OfASegmentThatHasTimeLeftAreAddedToTheNext) {
    EXPECT_EQ(n_exact("impact", kHours), kQueries);
    // Few documents are allowed, and scored without the engine's help: that leaves its time too.
    EXPECT_EQ(n_exact("impact", kHours, 300), kQueries);
}

TEST_F(Deadlines, StayAsTheyAreWhereNothingWasLeft) {
    EXPECT_LT(n_exact("impact", 0), kQueries);
    EXPECT_LT(n_exact("impact", 1e-3), kQueries);
    EXPECT_LT(n_exact("exact", 0), kQueries);
}

TEST(SegmentsOfManySizes, OfNothingHaveNoHits) {
    Random random(3);
    const Rows queries = test::random_rows(random, 2, 10, 3, test::dyadic_weight);
    Hits hits(2, 0);
    Segments({}).search(queries.view(), {.k = 5}, {}, hits.view());
    EXPECT_EQ(hits.exact, (std::vector<std::uint8_t>{1, 1}));
}

TEST(SegmentsOfManySizes, RefuseWhatDoesNotFit) {
    Random random(4);
    const Rows docs = test::random_rows(random, 20, 10, 3, test::dyadic_weight);
    const Cut cut(docs, {{"exact", 10}, {"exact", 10}});
    Hits hits(20, 5);
    EXPECT_EQ(error_of([&] { cut.segments().search(docs.view(), {.k = 5}, {}, hits.view()); }),
              "allowed: selections for 0 segments of 2");
    auto swapped = cut.allowed({.k = 5, .step = 2}, 20);
    std::swap(swapped[0], swapped[1]);
    EXPECT_EQ(error_of([&] { cut.segments().search(docs.view(), {.k = 5}, swapped, hits.view()); }),
              "allowed: the selection is of another index");
    EXPECT_EQ(error_of([&] { cut.segments().search(docs.view(), {.k = 0}, cut.allowed({.k = 5}, 20), hits.view()); }),
              "k must be >= 1, got 0");
    EXPECT_EQ(error_of([] { Segments({nullptr}); }), "indexes: no index");
}

}  // namespace
}  // namespace thresher
