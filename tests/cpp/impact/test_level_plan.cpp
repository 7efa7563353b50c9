// A level plan: what remains bounds what is not read, whichever part of the plan is, and never more is read than
// asked.
#include "core/impact/level_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "support/impact_parts.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::ImpactParts;
using test::postings_of;
using test::Random;
using test::Row;
using test::Rows;
using test::rows_of;
using Order = LevelPlan::Order;

constexpr std::uint32_t kLevels = ImpactLevels::kLevels;
constexpr std::uint32_t kUnread = kLevels + 1;
constexpr std::size_t kAllTerms = SIZE_MAX;

// A query, and what there is to say about it from the collection alone.
struct Planned {
    Planned(const ImpactParts& collection, const Rows& queries, std::size_t row)
        : parts(collection), query(collection.query(queries, row)) {
        for (std::size_t i = 0; i < query.size(); ++i) weights[query.slots[i]] = static_cast<double>(query.weights[i]);
    }
    void assign(LevelPlan& plan, Order order, std::size_t max_terms = kAllTerms) const {
        plan.assign(query, parts.levels, parts.quantiser, max_terms);
        plan.arrange(order);
    }
    // What a level of a term is worth.
    double step(std::uint32_t slot) const { return weights.at(slot) * ImpactLevels::step(parts.quantiser, slot); }
    // The levels of a term, its levels falling, each with its postings.
    std::vector<std::pair<std::uint32_t, std::uint64_t>> levels(std::uint32_t slot) const {
        if (slot >= parts.levels.n_levelled()) return {{1, parts.levels.rare(slot).docs.size()}};
        std::vector<std::pair<std::uint32_t, std::uint64_t>> all;
        for (std::uint32_t level = kLevels; level >= 1; --level) {
            const std::uint32_t n = parts.levels.counts(slot)[kLevels - level];
            if (n != 0) all.emplace_back(level, n);
        }
        return all;
    }
    // What a document may have of a term of which the levels from `wanted` on are read.
    double left(std::uint32_t slot, std::uint32_t wanted) const {
        if (slot >= parts.levels.n_levelled()) return wanted == kUnread ? kLevels * std::max(step(slot), 0.0) : 0;
        for (const auto& [level, n] : levels(slot)) {
            if (level < wanted) return level * std::max(step(slot), 0.0);
        }
        return 0;
    }

    const ImpactParts& parts;
    SlotQuery query;
    std::map<std::uint32_t, double> weights;
};

using Wanted = std::map<std::uint32_t, std::uint32_t>;  // slot -> the least level that is wanted

Wanted wanted_of(LevelPlan& plan) {
    Wanted wanted;
    for (const LevelPlan::Term& term : plan.terms()) {
        EXPECT_EQ(term.read, kUnread);
        EXPECT_TRUE(wanted.emplace(term.slot, term.wanted).second) << "slot " << term.slot << " twice";
    }
    return wanted;
}

// What is wanted after each number of levels.
std::vector<Wanted> prefixes_of(LevelPlan& plan) {
    std::vector<Wanted> prefixes{wanted_of(plan)};
    for (std::size_t n = 1; n <= plan.n_levels(); ++n) {
        plan.want(n);
        prefixes.push_back(wanted_of(plan));
    }
    return prefixes;
}

// The term and the level of each level, in order.
std::vector<std::pair<std::uint32_t, std::uint32_t>> order_of(const std::vector<Wanted>& prefixes) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> order;
    for (std::size_t n = 1; n < prefixes.size(); ++n) {
        for (const auto& [slot, wanted] : prefixes[n]) {
            if (wanted != prefixes[n - 1].at(slot)) order.emplace_back(slot, wanted);
        }
        EXPECT_EQ(order.size(), n) << "one more segment is one level of one term";
    }
    return order;
}

// The most that postings which are not read give to one document.
double most_unread(const Planned& planned, const Wanted& wanted) {
    std::map<std::uint32_t, double> scores;
    const auto weight_of = [&](std::uint32_t slot, std::uint32_t doc) {
        std::vector<Posting> postings;
        planned.parts.forward.read(doc, postings);
        for (const Posting& posting : postings) {
            if (posting.slot == slot) return static_cast<double>(posting.weight);
        }
        return 0.0;
    };
    for (const auto& [slot, weight] : planned.weights) {
        const auto found = wanted.find(slot);
        const std::uint32_t from = found == wanted.end() ? kUnread : found->second;
        const bool is_rare = slot >= planned.parts.levels.n_levelled();
        for (const auto& [doc, level] : postings_of(planned.parts.levels, slot)) {
            const bool is_read = is_rare ? from != kUnread : level >= from;
            if (!is_read) scores[doc] += weight * weight_of(slot, doc);
        }
    }
    double max = 0;
    for (const auto& [doc, score] : scores) max = std::max(max, score);
    return max;
}

// Follows a plan level by level; `sample`: prefixes to compare with what is in the documents.
void expect_sound(const Planned& planned, LevelPlan& plan, std::size_t sample) {
    const auto prefixes = prefixes_of(plan);
    const auto order = order_of(prefixes);
    ASSERT_EQ(order.size(), plan.n_levels());

    // Every level of every term, the levels of a term falling.
    std::map<std::uint32_t, std::vector<std::uint32_t>> levels;
    for (const auto& [slot, level] : order) levels[slot].push_back(level);
    for (const auto& [slot, wanted] : prefixes[0]) {
        ASSERT_EQ(wanted, kUnread);
        std::vector<std::uint32_t> expected;
        for (const auto& [level, n] : planned.levels(slot)) expected.push_back(level);
        ASSERT_EQ(levels[slot], expected) << "slot " << slot;
    }

    double never_read = 0;
    for (const auto& [slot, weight] : planned.weights) {
        if (!prefixes[0].contains(slot)) never_read += kLevels * std::max(planned.step(slot), 0.0);
    }
    std::uint64_t n_postings = 0;
    for (std::size_t n = 0; n <= order.size(); ++n) {
        if (n > 0) {
            for (const auto& [level, size] : planned.levels(order[n - 1].first)) {
                if (level == order[n - 1].second) n_postings += size;
            }
        }
        ASSERT_EQ(plan.n_postings(n), n_postings) << n << " segments";
        double left = never_read;
        for (const auto& [slot, wanted] : prefixes[n]) left += planned.left(slot, wanted);
        ASSERT_NEAR(plan.remaining(n), left, 1e-9 * left) << n << " segments";
        ASSERT_TRUE(n == 0 || plan.remaining(n) <= plan.remaining(n - 1));
        if (n % std::max<std::size_t>(order.size() / sample, 1) == 0 || n == order.size()) {
            ASSERT_GE(plan.remaining(n) * (1 + 1e-12), most_unread(planned, prefixes[n])) << n << " segments";
        }
    }

    for (std::size_t n = 0; n <= order.size(); ++n) {
        for (const double bound : {plan.remaining(n), plan.remaining(n) * 0.999, plan.remaining(n) * 1.001}) {
            std::size_t first = 0;
            while (first < order.size() && plan.remaining(first) > bound) ++first;
            ASSERT_EQ(plan.first_below(bound), first) << bound;
        }
        for (const std::uint64_t budget :
             {plan.n_postings(n) - (n > 0 ? 1 : 0), plan.n_postings(n), plan.n_postings(n) + 1}) {
            std::size_t max = 0;
            while (max < order.size() && plan.n_postings(max + 1) <= budget) ++max;
            ASSERT_EQ(plan.max_within(budget), max) << budget;
            ASSERT_LE(plan.n_postings(plan.max_within(budget)), budget) << "never more than the budget";
        }
    }
    ASSERT_EQ(plan.time(0), 0);
    for (std::size_t n = 1; n <= order.size(); ++n) {
        ASSERT_GT(plan.time(n), plan.time(n - 1));
        ASSERT_EQ(plan.max_in_time(plan.time(n)), n);
        ASSERT_EQ(plan.max_in_time(std::nextafter(plan.time(n), 0.0)), n - 1);
    }
    ASSERT_EQ(plan.max_in_time(-1), 0U);
    ASSERT_EQ(plan.first_below(-1), order.size());
    ASSERT_EQ(plan.first_below(HUGE_VAL), 0U);
    ASSERT_EQ(plan.max_within(UINT64_MAX), order.size());
}

// Whether amounts are the least integers that bound a level, and their sums fit.
void expect_amounts_round_up(const Planned& planned, LevelPlan& plan) {
    double max = 0;
    double min = 0;
    for (const LevelPlan::Term& term : plan.terms()) {
        const double step = planned.step(term.slot);
        for (std::uint32_t level = 1; level <= kLevels; ++level) {
            // A posting's weight is above the level below.
            const double bound = (step > 0 ? level : level - 1) * step / plan.unit();
            const double noise = 1e-12 * std::fabs(bound);
            ASSERT_GE(term.amounts[level], bound - noise) << "slot " << term.slot << " level " << level;
            ASSERT_LT(term.amounts[level], bound + noise + 1) << "slot " << term.slot << " level " << level;
        }
        (step > 0 ? max : min) += term.amounts[kLevels];
    }
    ASSERT_LE(max, 32767);
    ASSERT_GE(min, -32768);
    // And the unit is no larger than it must be.
    ASSERT_GT(std::max(max, -min * 15 / 14), 32767 - 2 * static_cast<double>(plan.terms().size()) - 2);
}

Rows few_of_each(Random& random, std::size_t n_docs) {
    return test::random_rows(random, n_docs, 60, 8, test::real_weight);
}

TEST(LevelPlan, BoundsWhatIsNotReadAfterEverySegment) {
    Random random(1);
    const auto wide = [](Random& source) {
        return std::ldexp(1.0F, static_cast<int>(test::uniform(source, -8, 8))) * test::real_weight(source);
    };
    LevelPlan plan;
    for (const std::size_t n_docs : {5, 40, 400}) {
        const ImpactParts parts(few_of_each(random, n_docs));
        for (const auto& queries :
             {test::random_rows(random, 3, 60, 5, test::real_weight),
              test::random_rows(random, 3, 60, 9, test::signed_real), test::random_rows(random, 2, 60, 20, wide)}) {
            for (std::size_t row = 0; row < queries.n_rows(); ++row) {
                const Planned planned(parts, queries, row);
                for (const Order order : {Order::prove, Order::find}) {
                    planned.assign(plan, order);
                    if (plan.empty()) continue;
                    ASSERT_NO_FATAL_FAILURE(expect_amounts_round_up(planned, plan));
                    ASSERT_NO_FATAL_FAILURE(expect_sound(planned, plan, 8)) << n_docs << " documents, query " << row;
                }
            }
        }
    }
}

TEST(LevelPlan, OfMoreWindowsThanOne) {
    Random random(2);
    const ImpactParts parts(test::scattered_rows(random, 65600, 300, 40, 6, test::real_weight));
    const Rows queries = test::random_rows(random, 3, 40, 9, test::signed_real);
    LevelPlan plan;
    for (std::size_t row = 0; row < queries.n_rows(); ++row) {
        const Planned planned(parts, queries, row);
        planned.assign(plan, Order::find);
        ASSERT_FALSE(plan.empty());
        ASSERT_NO_FATAL_FAILURE(expect_sound(planned, plan, 4));
    }
}

TEST(LevelPlan, CountsACutTermAsNeverRead) {
    Random random(3);
    const ImpactParts parts(few_of_each(random, 300));
    const Rows queries = test::random_rows(random, 6, 60, 12, test::signed_real);
    LevelPlan plan;
    for (std::size_t row = 0; row < queries.n_rows(); ++row) {
        const Planned planned(parts, queries, row);
        for (const std::size_t max_terms : {std::size_t{1}, std::size_t{3}, planned.query.size()}) {
            if (max_terms > planned.query.size()) continue;
            planned.assign(plan, Order::find, max_terms);
            std::vector<std::pair<double, std::uint32_t>> terms;
            for (const std::uint32_t slot : planned.query.slots)
                terms.emplace_back(-std::fabs(planned.step(slot)), slot);
            std::sort(terms.begin(), terms.end());
            std::set<std::uint32_t> heaviest;
            for (std::size_t i = 0; i < max_terms; ++i) heaviest.insert(terms[i].second);
            std::set<std::uint32_t> chosen;
            for (const LevelPlan::Term& term : plan.terms()) chosen.insert(term.slot);
            ASSERT_EQ(chosen, heaviest) << max_terms << " terms";
            if (max_terms == 0) continue;
            ASSERT_NO_FATAL_FAILURE(expect_amounts_round_up(planned, plan));
            ASSERT_NO_FATAL_FAILURE(expect_sound(planned, plan, 4)) << max_terms << " terms";
        }
    }
}

TEST(LevelPlan, CutsTermsOfEqualWeightFromTheLastSlot) {
    Rows docs;
    docs.n_terms = 9;
    for (int doc = 0; doc < 20; ++doc) {
        Row row;
        for (std::uint32_t term = 0; term < 9; ++term) row.emplace_back(term, 1.0F);
        docs.add(row);
    }
    const ImpactParts parts(docs);
    Row every;
    for (std::uint32_t term = 0; term < 9; ++term) every.emplace_back(term, term % 2 == 0 ? 2.0F : -2.0F);
    const Rows queries = rows_of(9, {every});
    const Planned planned(parts, queries, 0);
    LevelPlan plan;
    planned.assign(plan, Order::prove, 4);
    std::set<std::uint32_t> chosen;
    for (const LevelPlan::Term& term : plan.terms()) chosen.insert(term.slot);
    EXPECT_EQ(chosen, (std::set<std::uint32_t>{0, 1, 2, 3}));
    EXPECT_NEAR(plan.remaining(plan.n_levels()), 3 * 2.0, 1e-9) << "slots 4, 6 and 8; 5 and 7 take away";
}

TEST(LevelPlan, OfMoreTermsThanItsSumsHaveRoomFor) {
    Random random(4);
    Rows docs;
    docs.n_terms = 9000;
    for (std::uint32_t doc = 0; doc < 30; ++doc) {
        Row row;
        for (std::uint32_t term = 300 * doc; term < 300 * doc + 300; ++term) {
            row.emplace_back(term, test::real_weight(random));
        }
        docs.add(row);
    }
    const ImpactParts parts(docs);
    LevelPlan plan;
    for (const float sign : {1.0F, -1.0F}) {
        Row every;
        for (std::uint32_t term = 0; term < 9000; ++term) {
            every.emplace_back(term, sign * test::real_weight(random));
        }
        const Rows queries = rows_of(9000, {every});
        const Planned planned(parts, queries, 0);
        for (const std::size_t max_terms : {kAllTerms, std::size_t{9000}, std::size_t{8193}}) {
            planned.assign(plan, Order::prove, max_terms);
            ASSERT_EQ(plan.terms().size(), 8192U);
        }
        double never_read = 0;
        for (const auto& [slot, weight] : planned.weights) never_read += kLevels * std::max(planned.step(slot), 0.0);
        EXPECT_NEAR(plan.remaining(0), never_read, 1e-9 * never_read);
        double max = 0;
        for (const LevelPlan::Term& term : plan.terms()) {
            max += term.amounts[kLevels];
            never_read -= kLevels * std::max(planned.step(term.slot), 0.0);
        }
        EXPECT_NEAR(plan.remaining(8192), std::max(never_read, 0.0), 1e-6 * plan.remaining(0));
        EXPECT_TRUE(sign < 0 || plan.remaining(8192) > 0);
        EXPECT_TRUE(max <= 32767 && max >= -32768) << max;
        plan.want(plan.n_levels());
        for (const LevelPlan::Term& term : plan.terms()) ASSERT_EQ(term.wanted, 1U);
    }
}

TEST(LevelPlan, ExpectsNothingOfNegativeWeights) {
    Random random(5);
    const ImpactParts parts(few_of_each(random, 200));
    const Rows queries = rows_of(60, {{{0, -1.0F}, {1, -3.0F}, {30, -2.0F}}});
    const Planned planned(parts, queries, 0);
    LevelPlan plan;
    for (const std::size_t max_terms : {std::size_t{1}, kAllTerms}) {
        planned.assign(plan, Order::prove, max_terms);
        ASSERT_GT(plan.n_levels(), 0U);
        for (std::size_t n = 0; n <= plan.n_levels(); ++n) ASSERT_EQ(plan.remaining(n), 0);
        EXPECT_EQ(plan.first_below(0), 0U);
    }
    ASSERT_NO_FATAL_FAILURE(expect_amounts_round_up(planned, plan));
}

TEST(LevelPlan, OfAQueryOfNoKnownTermIsEmpty) {
    Random random(6);
    const ImpactParts parts(few_of_each(random, 50));
    LevelPlan plan;
    const Rows queries = rows_of(1000, {{{0, 1.0F}, {1, 2.0F}}, {}, {{999, 1.0F}}});
    const auto planned_of_row = [&](std::size_t row) { Planned(parts, queries, row).assign(plan, Order::find); };
    for (const std::size_t row : {0, 1, 2}) {
        planned_of_row(row);
        EXPECT_EQ(plan.empty(), row != 0);
        EXPECT_EQ(plan.n_levels() == 0, row != 0) << "nothing is left of the query before";
        EXPECT_EQ(plan.remaining(0) == 0, row != 0);
        EXPECT_EQ(plan.terms().empty(), row != 0);
    }
    planned_of_row(0);
    plan.assign(parts.query(queries, 1), parts.levels, parts.quantiser, kAllTerms);
    EXPECT_EQ(plan.n_levels(), 0U) << "even before it is arranged";
    EXPECT_EQ(plan.n_postings(0), 0U);
    EXPECT_EQ(plan.max_within(100), 0U);
    EXPECT_EQ(plan.first_below(0), 0U);
}

// Whatever an order is for, no level comes much before one that serves it better, but for lighter levels of a term,
// which wait for the heavier ones.
TEST(LevelPlan, ReadsFirstWhatServesTheOrderMost) {
    Random random(7);
    const ImpactParts parts(few_of_each(random, 500));
    const Rows queries = test::random_rows(random, 6, 60, 10, test::signed_real);
    LevelPlan plan;
    std::size_t n_told_apart = 0;
    for (std::size_t row = 0; row < queries.n_rows(); ++row) {
        const Planned planned(parts, queries, row);
        std::vector<std::vector<std::pair<std::uint32_t, std::uint32_t>>> orders;
        for (const Order order : {Order::prove, Order::find}) {
            planned.assign(plan, order);
            if (plan.empty()) continue;
            std::map<std::pair<std::uint32_t, std::uint32_t>, double> priorities;
            for (const auto& [slot, weight] : planned.weights) {
                const double size = std::fabs(planned.step(slot));
                const auto levels = planned.levels(slot);
                double min = HUGE_VAL;
                for (std::size_t i = 0; i < levels.size(); ++i) {
                    const bool is_rare = slot >= parts.levels.n_levelled();
                    const double level = is_rare ? kLevels : levels[i].first;
                    const double next = i + 1 < levels.size() ? levels[i + 1].first : 0;
                    const auto n = static_cast<double>(levels[i].second);
                    const double priority =
                        order == Order::prove ? (level - next) * size / n : level * size / std::pow(n, 0.25);
                    min = std::min(min, priority);
                    priorities[{slot, levels[i].first}] = min;
                }
            }
            orders.push_back(order_of(prefixes_of(plan)));
            double later = 0;
            for (auto at = orders.back().rbegin(); at != orders.back().rend(); ++at) {
                const double priority = priorities.at(*at);
                ASSERT_GE(priority * (1 + 1.0 / 15), later) << "slot " << at->first << " level " << at->second;
                later = std::max(later, priority);
            }
        }
        n_told_apart += orders.size() == 2 && orders[0] != orders[1];
    }
    EXPECT_GE(n_told_apart, 4U);
}

TEST(LevelPlan, WantsMoreOrLessAsItIsTold) {
    Random random(8);
    const ImpactParts parts(few_of_each(random, 300));
    const Rows queries = rows_of(60, {{{0, 1.0F}, {1, 2.0F}, {2, 3.0F}}});
    const Planned planned(parts, queries, 0);
    LevelPlan plan;
    planned.assign(plan, Order::prove);
    const auto prefixes = prefixes_of(plan);
    planned.assign(plan, Order::prove);
    for (const std::size_t n : {5, 2, 0, 9, 9, 8}) {
        plan.want(n);
        EXPECT_EQ(wanted_of(plan), prefixes[n]);
    }
}

// What is open of light terms must not drown in the rounding of what heavy ones had.
TEST(LevelPlan, BoundsLightTermsBesideHugeOnes) {
    const ImpactParts parts(rows_of(3, {{{0, 1e30F}}, {{0, 1e-10F}}, {{1, 1.0F}}, {{2, 1e-12F}}}));
    LevelPlan plan;
    for (const auto& queries :
         {rows_of(3, {{{0, 1.0F}, {1, 1.0F}, {2, 1.0F}}}), rows_of(3, {{{0, 1.0F}, {1, 1.0F}, {2, -1.0F}}}),
          rows_of(3, {{{0, -1.0F}, {1, 1e-30F}, {2, 1e10F}}})}) {
        const Planned planned(parts, queries, 0);
        for (const Order order : {Order::prove, Order::find}) {
            planned.assign(plan, order);
            ASSERT_NO_FATAL_FAILURE(expect_sound(planned, plan, 10));
            planned.assign(plan, order, 2);
            ASSERT_NO_FATAL_FAILURE(expect_sound(planned, plan, 10));
        }
    }
}

}  // namespace
}  // namespace thresher
