// The order of similar documents: each once, the same on every number of threads, and good for block maxima.
#include "core/documents/similar_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "core/blocks/block_maxima.hpp"
#include "support/document_parts.hpp"
#include "support/random_rows.hpp"
#include "support/recording_monitor.hpp"

namespace thresher {
namespace {

using test::Cancelled;
using test::Random;
using test::RecordingMonitor;
using test::Row;
using test::Rows;

struct Built : test::DocumentParts {
    explicit Built(const Rows& docs) : DocumentParts(docs), rows(docs) {}
    std::vector<std::uint32_t> order(std::uint32_t block_size, unsigned threads = 1) const {
        Progress progress = test::silent();
        return similar_order(source.postings(), vocabulary.n_slots(), block_size, threads, progress);
    }
    Rows rows;
    GivenDocuments source{rows.view(), vocabulary};
};

void expect_permutation(std::vector<std::uint32_t> order, std::size_t n_docs) {
    std::sort(order.begin(), order.end());
    std::vector<std::uint32_t> all(n_docs);
    std::iota(all.begin(), all.end(), 0U);
    ASSERT_EQ(order, all);
}

TEST(SimilarOrder, HasEachDocumentOnce) {
    Random random(1);
    for (const std::size_t n_docs : {0, 1, 2, 5, 63, 64, 65, 2048, 2049, 5000}) {
        const Built built(test::random_rows(random, n_docs, 200, 6, test::real_weight));
        for (const std::uint32_t block_size : {4U, 64U}) {
            ASSERT_NO_FATAL_FAILURE(expect_permutation(built.order(block_size), n_docs)) << n_docs;
        }
    }
}

TEST(SimilarOrder, OfDocumentsWithoutTermsOrAllTheSame) {
    for (const std::size_t n_docs : {1, 5, 5000}) {
        expect_permutation(Built(test::rows_of(3, std::vector<Row>(n_docs))).order(4), n_docs);
        expect_permutation(Built(test::rows_of(3, std::vector<Row>(n_docs, Row{{1, 2.0F}}))).order(4), n_docs);
        std::vector<Row> few(n_docs);
        few.back() = Row{{0, 1.0F}};
        expect_permutation(Built(test::rows_of(3, few)).order(8), n_docs);
    }
}

TEST(SimilarOrder, OfWeightsOfEveryMagnitude) {
    Random random(2);
    const auto subnormal = [](Random& source) {
        return static_cast<float>(test::uniform(source, 1, 100)) * std::numeric_limits<float>::denorm_min();
    };
    const auto huge = [](Random& source) {
        return std::numeric_limits<float>::max() * static_cast<float>(0.5 + 0.5 * test::unit(source));
    };
    const auto either = [&](Random& source) {
        return test::uniform(source, 0, 1) == 0 ? subnormal(source) : huge(source);
    };
    expect_permutation(Built(test::random_rows(random, 5000, 50, 6, huge)).order(4), 5000);
    expect_permutation(Built(test::random_rows(random, 5000, 50, 6, either)).order(4), 5000);
    expect_permutation(Built(test::random_rows(random, 5000, 50, 6, subnormal)).order(4), 5000);
}

TEST(SimilarOrder, DoesNotDependOnTheNumberOfThreads) {
    Random random(3);
    const Built built(test::random_rows(random, 9000, 200, 5, test::real_weight));
    const auto one = built.order(8, 1);
    EXPECT_EQ(built.order(8, 2), one);
    EXPECT_EQ(built.order(8, 3), one);
}

// Documents of one of `n_topics`, in no order: most terms of a document are of its topic.
Rows topics(Random& random, std::size_t n_docs, std::int64_t n_topics) {
    Rows rows;
    rows.n_terms = static_cast<std::uint64_t>(n_topics * 20);
    for (std::size_t doc = 0; doc < n_docs; ++doc) {
        const std::int64_t topic = test::uniform(random, 0, n_topics - 1);
        std::map<std::uint32_t, float> row;
        for (int i = 0; i < 10; ++i) {
            const std::int64_t of = i == 0 ? test::uniform(random, 0, n_topics - 1) : topic;
            row.emplace(static_cast<std::uint32_t>(of * 20 + test::uniform(random, 0, 19)), test::real_weight(random));
        }
        rows.add(row);
    }
    return rows;
}

// The sum of all block maxima: what a bound is, on average, above the scores.
std::uint64_t total_maxima(const Built& built, const std::vector<std::uint32_t>& order, std::uint32_t block_size) {
    Progress progress = test::silent();
    const auto forward =
        ForwardIndex::build(built.source, DocumentOrder(order), built.vocabulary, Precision::full, 1, progress);
    const std::uint32_t n_slots = built.vocabulary.n_slots();
    const auto maxima = BlockMaxima::build(forward, built.quantiser, block_size, n_slots, 1, progress);
    std::uint64_t sum = 0;
    for (std::uint32_t row = 0; row < n_slots; ++row) {
        for (std::size_t block = 0; block < maxima.n_blocks(); ++block) sum += maxima.code(row, block);
    }
    return sum;
}

TEST(SimilarOrder, MakesBlockMaximaSmaller) {
    Random random(4);
    for (const std::size_t n_docs : {1000, 6000}) {
        const Built built(topics(random, n_docs, 40));
        std::vector<std::uint32_t> given(n_docs);
        std::iota(given.begin(), given.end(), 0U);
        for (const std::uint32_t block_size : {4U, 16U}) {
            const auto order = built.order(block_size);
            EXPECT_LT(10 * total_maxima(built, order, block_size), 8 * total_maxima(built, given, block_size))
                << n_docs << " documents in blocks of " << block_size;
        }
    }
}

TEST(SimilarOrder, TellsHowFarItIs) {
    Random random(6);
    for (const std::size_t n_docs : {1000, 9000}) {
        const Built built(test::random_rows(random, n_docs, 200, 5, test::real_weight));
        const unsigned passes = similar_order_passes(n_docs, 4);
        RecordingMonitor monitor;
        Progress progress(&monitor, passes, 1000 * passes);
        similar_order(built.source.postings(), built.vocabulary.n_slots(), 4, 2, progress);
        const auto& reports = monitor.reports();
        EXPECT_TRUE(std::is_sorted(reports.begin(), reports.end()));
        EXPECT_EQ(reports.back(), std::pair(std::uint64_t{1000} * passes, std::uint64_t{1000} * passes));
        for (std::uint64_t level = 0; level + similar_order_passes(0, 4) < passes; ++level)
            EXPECT_EQ(reports.at(level).first, 1000 * level);
    }
}

TEST(SimilarOrder, IsCancelledByTheMonitor) {
    Random random(5);
    const Built built(test::random_rows(random, 9000, 200, 5, test::real_weight));
    for (const unsigned threads : {1U, 3U}) {
        for (int at = 1; at <= 3; ++at) {
            RecordingMonitor monitor(at);
            Progress progress(&monitor, 1, 9000);
            EXPECT_THROW(similar_order(built.source.postings(), built.vocabulary.n_slots(), 4, threads, progress),
                         Cancelled)
                << at;
        }
    }
}

}  // namespace
}  // namespace thresher
