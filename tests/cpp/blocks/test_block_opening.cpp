// Opening blocks: hits equal those of brute force where nothing that matters is left out, and tiles rule members out.
#include "core/blocks/block_opening.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "kernels/kernels.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Rows;

constexpr std::uint32_t kBlock = 4;

struct Built {
    Built(const Rows& rows, std::uint32_t n_tile_rows) {
        Progress progress = test::silent();
        vocabulary = Vocabulary::build(rows.view(), 1, progress);
        forward =
            ForwardIndex::build(GivenDocuments(rows.view(), vocabulary), {}, vocabulary, Precision::full, 1, progress);
        quantiser = Quantiser::build(forward, vocabulary, 1, progress);
        n_rows = vocabulary.n_slots() * 2 / 3;
        maxima = BlockMaxima::build(forward, quantiser, kBlock, n_rows, 1, progress);
        tiles = BlockTiles::build(forward, quantiser, kBlock, std::min(n_tile_rows, n_rows), 1, progress);
        postings = WindowedPostings::build(
            {forward.n_docs(),
             [this](std::size_t doc, std::vector<Posting>& into) {
                 forward.read(doc, into);
                 std::erase_if(into, [this](const Posting& posting) { return posting.slot < n_rows; });
             }},
            vocabulary, quantiser, 64, 1, progress);
    }
    StoredDocuments documents;
    Vocabulary& vocabulary = documents.vocabulary;
    ForwardIndex& forward = documents.forward;
    Quantiser quantiser;
    std::uint32_t n_rows = 0;
    BlockMaxima maxima;
    BlockTiles tiles;
    WindowedPostings postings;
};

using Hits = std::vector<std::pair<float, std::uint32_t>>;

// The best k by brute force, as scores and ids.
Hits best_of(const Built& built, const SlotQuery& query, std::size_t k) {
    QueryTable table(built.vocabulary.n_slots());
    table.load(query);
    std::vector<Hit> all;
    for (std::uint32_t doc = 0; doc < built.forward.n_docs(); ++doc) {
        const auto score = static_cast<float>(built.forward.score(doc, table));
        if (score > 0) all.push_back({score, doc});
    }
    std::sort(all.begin(), all.end(), better);
    all.resize(std::min(all.size(), k));
    Hits hits;
    for (const Hit& hit : all) hits.emplace_back(hit.score, hit.doc);
    return hits;
}

struct Opened {
    Hits hits;
    std::uint32_t cutoff = 0;
};

// Opens all blocks, `round` at a time, by falling bound.
Opened open_all(const Built& built, const SlotQuery& query, std::size_t k, double factor, std::size_t round) {
    BlockBounds::Context bounds_context(built.maxima.n_superblocks());
    const BlockBounds bounds(built.quantiser, built.maxima, built.postings, kBlock);
    bounds.plan(query, {}, bounds_context);
    Opened opened;
    if (!(bounds_context.plan.unit > 0)) return opened;
    bounds.sum(bounds_context);
    std::vector<std::uint64_t> blocks;
    for (std::uint32_t block = 0; block < built.maxima.n_blocks(); ++block) {
        blocks.push_back(ranked(bounds_context.bounds.items[block], block));
    }
    std::sort(blocks.begin(), blocks.end(), std::greater<>{});
    BlockOpening::Context context;
    Gate gate(built.vocabulary.n_slots());
    TopK best;
    for (int again = 0; again < 2; ++again) {  // a context is used for query after query
        best.reset(k, kAnyPositive);
        gate.open({.query = &query}, built.documents, best);
        BlockOpening opening(built.documents, built.tiles, k, bounds_context.plan, factor, gate, context);
        EXPECT_EQ(opening.cutoff(), 1U);
        for (std::size_t first = 0; first < blocks.size(); first += round) {
            const std::uint32_t before = opening.cutoff();
            opening.open({blocks.data() + first, std::min(round, blocks.size() - first)});
            EXPECT_GE(opening.cutoff(), before) << "it never falls";
        }
        opened.cutoff = opening.cutoff();
        gate.close();
        auto& hits = best.hits();
        std::sort(hits.begin(), hits.end(), better);
        opened.hits.clear();
        for (const Hit& hit : hits) opened.hits.emplace_back(hit.score, hit.doc);
    }
    return opened;
}

SlotQuery random_query(Random& random, std::uint32_t n_slots) {
    SlotQuery query;
    for (std::uint32_t slot = 0; slot < n_slots; ++slot) {
        if (test::uniform(random, 0, 5) != 0) continue;
        query.slots.push_back(slot);
        query.weights.push_back(static_cast<float>(test::unit(random) - 0.2));
    }
    return query;
}

TEST(BlockOpening, FindsTheBestOfAllBlocks) {
    Random random(1);
    for (const std::size_t n_docs : {1, 3, 4, 5, 130, 700}) {
        const Rows rows = test::random_rows(random, n_docs, 60, 12, test::real_weight);
        for (const std::uint32_t n_tile_rows : {0U, 7U, 60U}) {
            const Built built(rows, n_tile_rows);
            for (int i = 0; i < 10; ++i) {
                const SlotQuery query = random_query(random, built.vocabulary.n_slots());
                for (const std::size_t k : {std::size_t{1}, std::size_t{10}, n_docs}) {
                    for (const std::size_t round : {std::size_t{1}, std::size_t{7}, n_docs}) {
                        ASSERT_EQ(open_all(built, query, k, 1.0, round).hits, best_of(built, query, k))
                            << n_docs << " documents, " << n_tile_rows << " rows of tiles, k " << k;
                    }
                }
            }
        }
    }
}

TEST(BlockOpening, LeavesOutWhatDoesNotReachTheFactor) {
    Random random(2);
    const Built built(test::random_rows(random, 700, 60, 12, test::real_weight), 60);
    for (int i = 0; i < 20; ++i) {
        const SlotQuery query = random_query(random, built.vocabulary.n_slots());
        const Opened exact = open_all(built, query, 10, 1.0, 5);
        const Opened fast = open_all(built, query, 10, 1.5, 5);
        const Opened loose = open_all(built, query, 10, 0.5, 5);
        EXPECT_EQ(loose.hits, exact.hits);
        EXPECT_LT(loose.cutoff, exact.cutoff);
        ASSERT_EQ(fast.hits.size(), exact.hits.size());
        for (std::size_t rank = 0; rank < fast.hits.size(); ++rank) {
            EXPECT_LE(fast.hits[rank].first, exact.hits[rank].first);
        }
    }
}

// Two members of one block that only a tile tells apart: with it, the second is never worth a look.
TEST(BlockOpening, RulesMembersOutByTheirTile) {
    Rows rows;
    rows.n_terms = 3;
    rows.add(test::Row{{0, 1.0F}, {1, 1.0F}});
    rows.add(test::Row{{2, 0.001F}});
    rows.add(test::Row{{2, 0.001F}});
    rows.add(test::Row{{2, 0.001F}});
    SlotQuery query;
    for (const std::uint32_t n_tile_rows : {0U, 3U}) {
        Built built(rows, 0);
        Progress progress = test::silent();
        built.maxima = BlockMaxima::build(built.forward, built.quantiser, kBlock, 3, 1, progress);
        built.tiles = BlockTiles::build(built.forward, built.quantiser, kBlock, n_tile_rows, 1, progress);
        query.slots = {built.vocabulary.slot(0), built.vocabulary.slot(1), built.vocabulary.slot(2)};
        query.weights = {1.0F, 1.0F, 1.0F};
        BlockBounds::Context bounds_context(built.maxima.n_superblocks());
        const BlockBounds bounds(built.quantiser, built.maxima, built.postings, kBlock);
        bounds.plan(query, {}, bounds_context);
        bounds.sum(bounds_context);
        BlockOpening::Context context;
        Gate gate(built.vocabulary.n_slots());
        TopK best;
        best.reset(1, kAnyPositive);
        gate.open({.query = &query}, built.documents, best);
        BlockOpening opening(built.documents, built.tiles, 1, bounds_context.plan, 1.0, gate, context);
        const std::uint64_t block = ranked(bounds_context.bounds.items[0], 0);
        opening.open({&block, 1});
        ASSERT_EQ(context.members.size(), 4U);
        const auto [min, max] = std::minmax_element(context.members.begin(), context.members.end());
        if (n_tile_rows == 0) {
            EXPECT_EQ(score_of(*min), bounds_context.bounds.items[0]);
            EXPECT_EQ(score_of(*max), bounds_context.bounds.items[0]);
        } else {
            EXPECT_LT(score_of(*min) * 2, score_of(*max));
            EXPECT_LT(score_of(*max), bounds_context.bounds.items[0]) << "the first lacks term 2";
        }
        EXPECT_EQ(best.hits().front().doc, 0U);
    }
}

TEST(BlockOpening, FinishesDocumentsThatItIsGiven) {
    Random random(3);
    const Built built(test::random_rows(random, 100, 60, 12, test::real_weight), 60);
    const SlotQuery query = random_query(random, built.vocabulary.n_slots());
    BlockBounds::Context bounds_context(built.maxima.n_superblocks());
    BlockBounds(built.quantiser, built.maxima, built.postings, kBlock).plan(query, {}, bounds_context);
    BlockOpening::Context context;
    Gate gate(built.vocabulary.n_slots());
    TopK best;
    best.reset(5, kAnyPositive);
    gate.open({.query = &query}, built.documents, best);
    BlockOpening opening(built.documents, built.tiles, 5, bounds_context.plan, 1.0, gate, context);
    std::vector<std::uint64_t> documents;
    for (std::uint32_t doc = 0; doc < 100; ++doc) documents.push_back(ranked(BlockBounds::kSaturated, doc));
    opening.rescore_all(documents);
    auto& hits = best.hits();
    std::sort(hits.begin(), hits.end(), better);
    Hits found;
    for (const Hit& hit : hits) found.emplace_back(hit.score, hit.doc);
    EXPECT_EQ(found, best_of(built, query, 5));
}

}  // namespace
}  // namespace thresher
