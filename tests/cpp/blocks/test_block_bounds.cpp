// Bounds of blocks: never below a member's score, hardly above what the codes and impacts allow, and for the terms that
// a cut leaves.
#include "core/blocks/block_bounds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/blocks/cluster_summaries.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Row;
using test::Rows;

// Blocks of documents, whose lists hold documents or the blocks themselves.
struct Built {
    Built(const Rows& rows, std::uint32_t size, double bound_frequency, bool lists_of_blocks,
          std::uint32_t window = 65536)
        : block_size(size), items_per_block(lists_of_blocks ? 1 : size) {
        Progress progress = test::silent();
        vocabulary = Vocabulary::build(rows.view(), 1, progress);
        forward =
            ForwardIndex::build(GivenDocuments(rows.view(), vocabulary), {}, vocabulary, Precision::full, 1, progress);
        quantiser = Quantiser::build(forward, vocabulary, 1, progress);
        std::uint32_t n_rows = vocabulary.n_frequent(bound_frequency, rows.n_rows());
        if (lists_of_blocks) {
            const auto summaries =
                ClusterSummaries::build(forward, vocabulary, quantiser, size, n_rows, {}, {0, 1.0}, 1, progress);
            postings = summaries.lists();
        } else {
            postings = WindowedPostings::build(forward, vocabulary, quantiser, window, 0.5, 1, progress);
            n_rows = std::max(n_rows, postings.n_rows());
        }
        maxima = BlockMaxima::build(forward, quantiser, size, n_rows, 1, progress);
        superblocks = BlockMaxima::build(forward, quantiser, size * kernels::kSuperblock, n_rows, 1, progress);
    }
    BlockBounds bounds() const { return {quantiser, maxima, postings, items_per_block}; }
    SlotQuery query(const Rows& queries, std::size_t row) const {
        SlotQuery query;
        query.assign(queries.view(), row, vocabulary);
        return query;
    }

    std::uint32_t block_size;
    std::uint32_t items_per_block;
    Vocabulary vocabulary;
    Quantiser quantiser;
    ForwardIndex forward;
    WindowedPostings postings;
    BlockMaxima maxima;
    BlockMaxima superblocks;
};

// The places in the query of its terms of positive weight, those that can contribute most first.
std::vector<std::size_t> ranked(const Built& built, const SlotQuery& query) {
    const auto contribution = [&](std::size_t i) {
        return static_cast<double>(query.weights[i]) * built.quantiser.step(query.slots[i]);
    };
    std::vector<std::size_t> terms;
    for (std::size_t i = 0; i < query.size(); ++i) {
        if (query.weights[i] > 0) terms.push_back(i);
    }
    std::stable_sort(terms.begin(), terms.end(),
                     [&](std::size_t a, std::size_t b) { return contribution(a) > contribution(b); });
    return terms;
}

// Bounds by the codes and impacts that the index has, without any rounding: what the sums are measured by.
struct Measure {
    std::vector<double> min;  // block -> the best member's score by the terms
    std::vector<double> max;  // block -> what its codes and impacts allow, and all roundings
};

Measure measure(const Built& built, const SlotQuery& query, const std::vector<std::size_t>& terms, double unit) {
    std::map<std::uint32_t, double> weights;
    for (const std::size_t i : terms) weights[query.slots[i]] = static_cast<double>(query.weights[i]);
    const std::size_t n_blocks = built.maxima.n_blocks();
    Measure result{std::vector<double>(n_blocks), std::vector<double>(n_blocks)};
    std::map<std::uint32_t, double> listed;  // slot -> the block's largest weight, where lists hold blocks
    std::vector<Posting> postings;
    for (std::size_t block = 0; block < n_blocks; ++block) {
        listed.clear();
        for (const auto& [slot, weight] : weights) {
            if (slot >= built.maxima.n_rows()) continue;
            const double code = built.maxima.code(slot, block);
            result.max[block] += code * (17 * weight * built.quantiser.step(slot) + 1.001 * unit);
        }
        const auto add = [&](std::uint32_t slot, double weight) {
            const double impact = built.quantiser.impact(slot, static_cast<float>(weight));
            const double of_term = impact * built.quantiser.step(slot) + built.quantiser.error(slot);
            result.max[block] += weights[slot] * of_term + 1.01 * unit;
        };
        const std::size_t first = block * built.block_size;
        for (std::size_t doc = first; doc < std::min(first + built.block_size, built.forward.n_docs()); ++doc) {
            built.forward.read(doc, postings);
            double score = 0;
            for (const auto& [slot, given] : postings) {
                if (!weights.contains(slot)) continue;
                const float weight = std::min(given, built.quantiser.largest(slot));  // bounds leave out what is apart
                score += weights[slot] * static_cast<double>(weight);
                if (slot < built.maxima.n_rows()) continue;
                if (built.items_per_block == 1) {
                    listed[slot] = std::max(listed[slot], static_cast<double>(weight));
                } else {
                    add(slot, static_cast<double>(weight));
                }
            }
            result.min[block] = std::max(result.min[block], score);
        }
        for (const auto& [slot, weight] : listed) add(slot, weight);
    }
    return result;
}

void expect_bounds(const Built& built, const BlockBounds::Context& context, const Measure& expected) {
    const double unit = context.plan.unit;
    for (std::size_t block = 0; block < built.maxima.n_blocks(); ++block) {
        const std::uint32_t bound = context.bounds.items[block];
        if (bound != BlockBounds::kSaturated) {
            ASSERT_GE(bound * unit, expected.min[block] * (1 - 1e-12)) << "block " << block;
        }
        ASSERT_LE(bound * unit, expected.max[block] * (1 + 1e-9)) << "block " << block;
        ASSERT_EQ(bound == 0, expected.min[block] == 0) << "block " << block;
    }
    const std::size_t padded = built.maxima.n_superblocks() * kernels::kSuperblock;
    for (std::size_t block = built.maxima.n_blocks(); block < padded; ++block) {
        ASSERT_EQ(context.bounds.items[block], 0) << "beyond the last block";
    }
    for (std::size_t s = 0; s < built.maxima.n_superblocks(); ++s) {
        const auto first = context.bounds.items.begin() + static_cast<std::ptrdiff_t>(s * kernels::kSuperblock);
        ASSERT_EQ(context.maxima.items[s], *std::max_element(first, first + kernels::kSuperblock));
    }
}

// Plans and sums a query's bounds, and checks all that can be known about them.
void expect_right(const Built& built, const SlotQuery& query, const BlockBounds::Cut& cut,
                  BlockBounds::Context& context) {
    const BlockBounds bounds = built.bounds();
    bounds.plan(query, cut, context);
    const BoundPlan& plan = context.plan;
    auto terms = ranked(built, query);
    const auto contribution = [&](const std::vector<std::size_t>& of) {
        double sum = 0;
        for (const std::size_t i : of)
            sum += static_cast<double>(query.weights[i]) * built.quantiser.step(query.slots[i]);
        return sum;
    };
    const double all = contribution(terms);
    const auto fraction = static_cast<std::size_t>(std::ceil(cut.fraction * static_cast<double>(terms.size())));
    terms.resize(std::min({terms.size(), cut.max, fraction}));
    ASSERT_EQ(plan.unit > 0, !terms.empty());
    if (terms.empty()) return;
    EXPECT_NEAR(plan.kept, contribution(terms) / all, 1e-12);

    std::multiset<std::uint32_t> planned(plan.rows.begin(),
                                         plan.rows.begin() + static_cast<std::ptrdiff_t>(plan.n_rows));
    for (const std::uint32_t list : plan.lists.lists) planned.insert(built.postings.n_rows() + list);
    planned.insert(plan.rare.lists.begin(), plan.rare.lists.end());
    std::multiset<std::uint32_t> expected;
    for (const std::size_t i : terms) expected.insert(query.slots[i]);
    ASSERT_EQ(planned, expected) << "those of the largest contributions";
    ASSERT_EQ(plan.rows.size() % 2, 0U);
    for (std::size_t i = 0; i < plan.rows.size(); ++i) {
        ASSERT_LE(plan.row_weights[i], i < plan.n_rows ? 127 : 0);
    }

    bounds.sum(context);
    ASSERT_NO_FATAL_FAILURE(expect_bounds(built, context, measure(built, query, terms, plan.unit)));
}

void expect_right(const Built& built, const Rows& queries) {
    BlockBounds::Context context(built.maxima.n_superblocks());
    for (std::size_t row = 0; row < queries.n_rows(); ++row) {
        const SlotQuery query = built.query(queries, row);
        for (const BlockBounds::Cut& cut : {BlockBounds::Cut{},
                                            {.fraction = 0.5},
                                            {.fraction = 1e-9},
                                            {.max = 3},
                                            {.max = 1},
                                            {.fraction = 0.7, .max = 4},
                                            {.fraction = 0.3, .max = 100}}) {
            ASSERT_NO_FATAL_FAILURE(expect_right(built, query, cut, context))
                << "query " << row << ", share " << cut.fraction << ", most " << cut.max;
        }
    }
}

TEST(BlockBounds, AreNeverBelowAMembersScore) {
    Random random(1);
    for (const std::size_t n_docs : {1, 3, 4, 65, 513, 2000}) {
        const Rows docs = test::random_rows(random, n_docs, 200, 8, test::real_weight);
        Rows queries = test::random_rows(random, 5, 200, 6, test::real_weight);
        queries.add(test::random_row(random, 200, 60, test::signed_real));
        queries.add(Row{{0, -1.0F}, {3, -2.0F}});
        queries.add(Row{});
        for (const std::uint32_t block_size : {4U, 16U, 64U}) {
            for (const double bound_frequency : {1e-9, 0.02, 0.1, 1.0}) {
                for (const bool lists_of_blocks : {false, true}) {
                    SCOPED_TRACE(std::to_string(n_docs) + " documents in blocks of " + std::to_string(block_size) +
                                 ", bound_frequency " + std::to_string(bound_frequency) +
                                 (lists_of_blocks ? ", lists of blocks" : ", lists of documents"));
                    ASSERT_NO_FATAL_FAILURE(
                        expect_right(Built(docs, block_size, bound_frequency, lists_of_blocks), queries));
                }
            }
        }
    }
}

TEST(BlockBounds, OverWindowsOfLists) {
    Random random(2);
    const Rows docs = test::random_rows(random, 3000, 200, 6, test::real_weight);
    const Built built(docs, 8, 0.05, false, 256);
    ASSERT_EQ(built.postings.n_windows(), 12U);
    ASSERT_GT(built.vocabulary.n_slots(), built.postings.n_rows() + built.postings.n_lists()) << "rare ones too";
    expect_right(built, test::random_rows(random, 10, 200, 8, test::real_weight));
}

// More documents than a section has blocks, frequent, listed and rare terms among them, and a query of all terms.
struct Large {
    explicit Large(Random& random) : docs(test::random_rows(random, 4 * 65536 + 700, 40, 2, test::real_weight)) {
        docs.n_terms = queries.n_terms = 60;
        for (std::uint32_t term = 40; term < 60; ++term) docs.add(Row{{term - 1, 0.5F}, {term, 1.0F}});
        Row all;
        for (std::uint32_t term = 0; term < 60; ++term) all.emplace_back(term, 1.0F + static_cast<float>(term % 5));
        queries.add(all);
    }
    Rows docs;
    Rows queries;
};

TEST(BlockBounds, OverSections) {
    Random random(6);
    const Large large(random);
    for (const bool lists_of_blocks : {false, true}) {
        const Built built(large.docs, 4, 0.025, lists_of_blocks);
        ASSERT_GT(built.maxima.n_blocks(), 65536U);
        ASSERT_GT(built.maxima.n_rows(), 0U);
        ASSERT_GT(built.postings.n_lists(), 0U);
        ASSERT_GT(built.vocabulary.n_slots(), built.maxima.n_rows() + built.postings.n_lists()) << "rare ones too";
        BlockBounds::Context context(built.maxima.n_superblocks());
        ASSERT_NO_FATAL_FAILURE(expect_right(built, built.query(large.queries, 0), {}, context));
        ASSERT_NO_FATAL_FAILURE(expect_right(built, built.query(large.queries, 0), {.max = 7}, context)) << "once more";
    }
}

// The bounds of the blocks of some groups are those among the bounds of all.
void expect_same_of_groups(const Built& built, const SlotQuery& query, Random& random) {
    constexpr std::size_t kGroup = kernels::kGroup;
    const std::size_t n_blocks = built.maxima.n_blocks();
    const std::size_t n_groups = (n_blocks + kGroup - 1) / kGroup;
    const BlockBounds bounds = built.bounds();
    BlockBounds::Context context(built.maxima.n_superblocks());
    bounds.plan(query, {}, context);
    bounds.sum(context);
    ASSERT_EQ(context.n_bounds(n_blocks), n_blocks);
    ASSERT_EQ(context.block_at(7), 7U);
    const std::vector<std::uint16_t> all(context.bounds.items.begin(), context.bounds.items.end());
    for (const std::size_t one_in : {n_groups, std::size_t{7}, std::size_t{2}, std::size_t{1}}) {
        std::vector<std::uint32_t> groups;
        for (std::uint32_t group = 0; group < n_groups; ++group) {
            if (test::uniform(random, 1, static_cast<std::int64_t>(one_in)) == 1) groups.push_back(group);
        }
        if (groups.empty()) groups.push_back(static_cast<std::uint32_t>(n_groups - 1));
        bounds.sum(groups, context);
        ASSERT_EQ(context.n_bounds(n_blocks), groups.size() * kGroup);
        std::vector<std::uint16_t> maxima((groups.size() * kGroup + 127) / 128);
        for (std::uint32_t i = 0; i < groups.size() * kGroup; ++i) {
            const std::uint32_t block = groups[i / kGroup] * static_cast<std::uint32_t>(kGroup) + i % kGroup;
            ASSERT_EQ(context.block_at(i), block);
            ASSERT_EQ(context.bounds.items[i], all[block]) << "block " << block;
            maxima[i / 128] = std::max(maxima[i / 128], all[block]);
        }
        for (std::size_t s = 0; s < maxima.size(); ++s) ASSERT_GE(context.maxima.items[s], maxima[s]);
        for (std::size_t s = 0; s < groups.size() * kGroup / 128; ++s) ASSERT_EQ(context.maxima.items[s], maxima[s]);
    }
    bounds.sum(context);
    ASSERT_EQ(context.n_bounds(n_blocks), n_blocks) << "of all again";
    for (std::size_t block = 0; block < n_blocks; ++block) ASSERT_EQ(context.bounds.items[block], all[block]);
}

TEST(BlockBounds, OfSomeGroups) {
    Random random(7);
    for (const std::size_t n_docs : {1, 130, 700, 3000}) {
        const Rows docs = test::random_rows(random, n_docs, 200, 8, test::real_weight);
        const Rows queries = test::random_rows(random, 3, 200, 20, test::real_weight);
        for (const std::uint32_t block_size : {4U, 16U}) {
            for (const double bound_frequency : {1e-9, 0.05, 1.0}) {
                for (const bool lists_of_blocks : {false, true}) {
                    const Built built(docs, block_size, bound_frequency, lists_of_blocks);
                    for (std::size_t row = 0; row < queries.n_rows(); ++row) {
                        SCOPED_TRACE(std::to_string(n_docs) + " documents in blocks of " + std::to_string(block_size) +
                                     ", bound_frequency " + std::to_string(bound_frequency) + ", query " +
                                     std::to_string(row));
                        ASSERT_NO_FATAL_FAILURE(expect_same_of_groups(built, built.query(queries, row), random));
                    }
                }
            }
        }
    }
}

TEST(BlockBounds, OfSomeGroupsOverWindows) {
    Random random(8);
    const Large large(random);
    for (const bool lists_of_blocks : {false, true}) {
        const Built built(large.docs, 4, 0.025, lists_of_blocks);
        ASSERT_GT(built.postings.n_windows(), 1U);
        ASSERT_GT(built.vocabulary.n_slots(), built.maxima.n_rows() + built.postings.n_lists()) << "rare ones too";
        ASSERT_NO_FATAL_FAILURE(expect_same_of_groups(built, built.query(large.queries, 0), random));
    }
}

TEST(BlockBounds, OfWeightsOfEveryMagnitude) {
    Random random(3);
    const auto any = [](Random& source) {
        return std::ldexp(1.0F + static_cast<float>(test::unit(source)),
                          static_cast<int>(test::uniform(source, -120, 120)));
    };
    const auto subnormal = [](Random& source) {
        return static_cast<float>(test::uniform(source, 1, 300)) * std::numeric_limits<float>::denorm_min();
    };
    for (const bool lists_of_blocks : {false, true}) {
        for (const double bound_frequency : {1e-9, 0.1, 1.0}) {
            const Built wide(test::random_rows(random, 600, 80, 6, any), 4, bound_frequency, lists_of_blocks);
            expect_right(wide, test::random_rows(random, 4, 80, 8, any));
            const Built tiny(test::random_rows(random, 600, 80, 6, subnormal), 4, bound_frequency, lists_of_blocks);
            expect_right(tiny, test::random_rows(random, 4, 80, 8, subnormal));
        }
    }
}

TEST(BlockBounds, CutTheTermsThatContributeLeast) {
    Rows docs;  // steps of 10, 1 and 0.1 / 255
    docs.n_terms = 3;
    for (int doc = 0; doc < 100; ++doc) docs.add(Row{{0, 10.0F}, {1, 1.0F}, {2, 0.125F}});
    const Built built(docs, 4, 1e-9, true);
    const Rows queries = test::rows_of(3, {{{0, 1.0F}, {1, 20.0F}, {2, 80.0F}}, {{0, -100.0F}, {1, 1.0F}, {2, 16.0F}}});
    const BlockBounds bounds = built.bounds();
    BlockBounds::Context context(built.maxima.n_superblocks());
    const auto kept = [&](std::size_t row, const BlockBounds::Cut& cut) {
        bounds.plan(built.query(queries, row), cut, context);
        return context.plan.kept;
    };
    EXPECT_EQ(kept(0, {}), 1);
    EXPECT_NEAR(kept(0, {.max = 3}), 1, 1e-12);
    EXPECT_NEAR(kept(0, {.max = 2}), 30.0 / 40, 1e-12);
    EXPECT_NEAR(kept(0, {.max = 1}), 20.0 / 40, 1e-12);
    EXPECT_EQ(context.plan.rows.front(), built.vocabulary.slot(1));
    EXPECT_NEAR(kept(0, {.fraction = 0.4}), 30.0 / 40, 1e-12) << "rounded up";
    EXPECT_NEAR(kept(0, {.fraction = 0.3, .max = 2}), 20.0 / 40, 1e-12) << "whichever is less";
    EXPECT_NEAR(kept(1, {.max = 1}), 2.0 / 3, 1e-12) << "negative ones contribute nothing";
    EXPECT_EQ(context.plan.rows.front(), built.vocabulary.slot(2));
    EXPECT_EQ(kept(1, {.max = 2}), 1) << "and do not count";
}

// The largest sums that there can be: every member has every term, and each posting adds a rounding.
TEST(BlockBounds, DoNotWrapAtTheMostTermsThatAQueryMayHave) {
    for (const std::uint32_t items_per_block : {1U, 4U, 64U}) {
        const std::uint32_t n_terms = 32768 / items_per_block;
        Rows docs;  // the first block has all terms; weights below the largest, so that impacts have errors
        docs.n_terms = n_terms;
        const std::uint32_t block_size = items_per_block == 1 ? 4 : items_per_block;
        for (std::uint32_t doc = 0; doc < block_size; ++doc) {
            Row row;
            for (std::uint32_t term = 0; term < n_terms; ++term) row.emplace_back(term, doc == 0 ? 1.0F : 0.99F);
            docs.add(row);
        }
        for (std::uint32_t doc = 0; doc < 300; ++doc) docs.add(Row{});
        docs.add(Row{{0, 1.0F}});
        const Built built(docs, block_size, 1.0, items_per_block == 1);
        ASSERT_EQ(built.maxima.n_rows(), 0U);
        ASSERT_EQ(built.bounds().max_terms(), n_terms);
        Rows queries;
        queries.n_terms = n_terms;
        const auto falling = [](std::uint32_t term) { return 1.0F / static_cast<float>(1 + term); };
        const auto few = [](std::uint32_t term) { return term % 7 == 0 ? 1.0F : 1e-30F; };
        const auto one = [](std::uint32_t) { return 1.0F; };
        for (const auto& weight : std::vector<std::function<float(std::uint32_t)>>{falling, few, one}) {
            Row row;
            for (std::uint32_t term = 0; term < n_terms; ++term) row.emplace_back(term, weight(term));
            queries.add(row);
        }
        BlockBounds::Context context(built.maxima.n_superblocks());
        for (std::size_t row = 0; row < queries.n_rows(); ++row) {
            ASSERT_NO_FATAL_FAILURE(expect_right(built, built.query(queries, row), {}, context))
                << items_per_block << " items a block, query " << row;
        }
    }
}

TEST(BlockBounds, OfRowsThatSaturate) {
    Random random(4);
    Rows docs;
    docs.n_terms = 80;
    for (int doc = 0; doc < 600; ++doc) {
        Row row;
        const std::int64_t fraction = doc < 300 ? 10 : 1;  // the sums of the latter stay below
        for (std::uint32_t term = 0; term < 80; ++term) {
            if (test::uniform(random, 1, 10) <= fraction) row.emplace_back(term, 1.0F);
        }
        docs.add(row);
    }
    Rows queries;
    queries.n_terms = 80;
    Row all;
    for (std::uint32_t term = 0; term < 80; ++term) all.emplace_back(term, 1.0F);
    queries.add(all);
    const Built built(docs, 4, 1e-9, true);
    expect_right(built, queries);
    const BlockBounds bounds = built.bounds();
    BlockBounds::Context context(built.maxima.n_superblocks());
    bounds.plan(built.query(queries, 0), {}, context);
    bounds.sum(context);
    EXPECT_EQ(context.bounds.items[0], BlockBounds::kSaturated);
}

TEST(BlockBounds, OfTheBestSuperblocks) {
    Random random(5);
    const Rows docs = test::random_rows(random, 9000, 300, 6, test::real_weight);  // 18 superblocks
    const Rows queries = test::random_rows(random, 6, 300, 8, test::real_weight);
    const Built built(docs, 4, 0.02, false);
    const BlockBounds bounds = built.bounds();
    const std::size_t n_superblocks = built.maxima.n_superblocks();
    BlockBounds::Context full(n_superblocks);
    BlockBounds::Context cut(n_superblocks);
    BlockBounds::Context own(built.superblocks.n_superblocks());
    for (std::size_t row = 0; row < queries.n_rows(); ++row) {
        const SlotQuery query = built.query(queries, row);
        bounds.plan(query, {}, full);
        const std::vector<std::uint8_t> weights = full.plan.row_weights;
        std::fill(full.plan.row_weights.begin(), full.plan.row_weights.end(), std::uint8_t{0});
        bounds.sum(full);
        // A superblock's bound: of its own maxima, and the largest that lists give to one of its blocks.
        std::vector<std::uint64_t> by_bound(n_superblocks);
        for (std::size_t s = 0; s < n_superblocks; ++s) {
            const auto first = full.bounds.items.begin() + static_cast<std::ptrdiff_t>(s * kernels::kSuperblock);
            std::uint64_t bound = *std::max_element(first, first + kernels::kSuperblock);
            for (std::size_t i = 0; i < full.plan.n_rows; ++i) {
                bound += weights[i] * std::uint64_t{built.superblocks.code(full.plan.rows[i], s)};
            }
            by_bound[s] = std::min<std::uint64_t>(bound, 65535) << 32 | s;
        }
        std::sort(by_bound.begin(), by_bound.end(), std::greater<>{});
        full.plan.row_weights = weights;
        bounds.sum(full);
        for (const std::size_t budget : {std::size_t{1}, std::size_t{5}, n_superblocks - 1, n_superblocks, SIZE_MAX}) {
            bounds.plan(query, {}, cut);
            bounds.sum(built.superblocks, budget, nullptr, cut);
            for (std::size_t rank = 0; rank < n_superblocks; ++rank) {
                const auto s = static_cast<std::uint32_t>(by_bound[rank]);
                ASSERT_EQ(cut.maxima.items[s], rank < budget ? full.maxima.items[s] : 0) << "rank " << rank;
                if (rank >= budget) continue;
                for (std::size_t block = s * 128; block < (s + 1) * 128; ++block) {
                    ASSERT_EQ(cut.bounds.items[block], full.bounds.items[block]);
                }
            }
        }
    }
}

TEST(BlockBounds, OfNoDocuments) {
    for (const bool lists_of_blocks : {false, true}) {
        const Built built(test::rows_of(5, {}), 4, 0.1, lists_of_blocks);
        const BlockBounds bounds = built.bounds();
        BlockBounds::Context context(0);
        bounds.plan(built.query(test::rows_of(5, {{{1, 1.0F}}}), 0), {}, context);
        EXPECT_EQ(context.plan.unit, 0);
    }
}

}  // namespace
}  // namespace thresher
