// Several indexes searched as one, against one index of all their documents.
#include "segments/segments.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
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
    Cut(const Rows& docs, const std::vector<std::pair<std::string, std::size_t>>& segments) {
        std::size_t begin = 0;
        for (const auto& [engine, size] : segments) {
            const Rows part = part_of(docs, begin, begin + size);
            indexes_.push_back(build_index(engine, part.view()));
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
}

}  // namespace
}  // namespace thresher
