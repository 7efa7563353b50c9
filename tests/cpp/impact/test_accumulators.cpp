// Sums of levels: what adding them one posting at a time gives, in however many parts, and zero for the next query.
#include "core/impact/accumulators.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "core/storage/index_file.hpp"
#include "support/altered_file.hpp"
#include "support/impact_parts.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::ImpactParts;
using test::postings_of;
using test::Random;
using test::Row;
using test::Rows;
using test::rows_of;
using test::TemporaryDirectory;
using Order = LevelPlan::Order;
using Sums = std::vector<std::int32_t>;  // of each document

constexpr std::uint32_t kLevels = ImpactLevels::kLevels;

// Takes every sum, or those that reach a cutoff.
struct Sink {
    explicit Sink(std::int32_t cutoff = -1'000'000) : min(cutoff) {}
    std::int32_t cutoff() const { return min; }
    void add(std::uint32_t first_doc, const std::uint32_t* docs, const std::int32_t* doc_sums, std::size_t n) {
        EXPECT_TRUE(calls == 0 || first_doc > last_first) << "in ascending order";
        last_first = first_doc;
        ++calls;
        for (std::size_t i = 0; i < n; ++i) {
            EXPECT_TRUE(i == 0 || docs[i - 1] < docs[i]);
            if (sums.size() <= first_doc + docs[i]) sums.resize(first_doc + docs[i] + 1, kNone);
            EXPECT_EQ(sums[first_doc + docs[i]], kNone) << "document " << first_doc + docs[i] << " twice";
            sums[first_doc + docs[i]] = doc_sums[i];
        }
    }
    static constexpr std::int32_t kNone = std::numeric_limits<std::int32_t>::min();

    std::int32_t min;
    Sums sums;
    std::size_t calls = 0;
    std::uint32_t last_first = 0;
};

Sums scanned(Accumulators& scores) {
    Sink sink;
    scores.scan(sink);
    return sink.sums;
}

// As many sums as a scan looks at.
std::size_t n_scanned(std::size_t n_docs) { return (n_docs + kernels::kStrip - 1) / kernels::kStrip * kernels::kStrip; }

// What a plan wants, posting by posting.
Sums expected(const ImpactParts& parts, LevelPlan& plan) {
    Sums sums(n_scanned(parts.forward.n_docs()));
    for (const LevelPlan::Term& term : plan.terms()) {
        const bool is_rare = term.slot >= parts.levels.n_levelled();
        for (const auto& [doc, level] : postings_of(parts.levels, term.slot)) {
            if (is_rare ? term.wanted <= kLevels : level >= term.wanted) sums[doc] += term.amounts[level];
        }
    }
    return sums;
}

void assign(LevelPlan& plan, const ImpactParts& parts, const Rows& queries, std::size_t row, Order order) {
    plan.assign(parts.query(queries, row), parts.levels, parts.quantiser, SIZE_MAX);
    plan.arrange(order);
}

Rows collection(Random& random, std::size_t n_docs) {
    return n_docs > 5000 ? test::scattered_rows(random, n_docs, 400, 40, 6, test::real_weight)
                         : test::random_rows(random, n_docs, 40, 6, test::real_weight);
}

const std::vector<std::size_t> kSizes{1, 63, 64, 65, 2047, 2049, 65472, 65473, 2 * std::size_t{65472} + 100};

constexpr auto kNothingBefore = [](std::size_t) {};

TEST(Accumulators, AreTheSumsOfWhatIsWantedWhateverIsAddedAtOnce) {
    Random random(1);
    LevelPlan plan;
    for (const std::size_t n_docs : kSizes) {
        const ImpactParts parts(collection(random, n_docs));
        const Rows queries = test::random_rows(random, 3, 40, 8, test::signed_real);
        Accumulators scores(n_docs);
        for (std::size_t row = 0; row < queries.n_rows(); ++row) {
            const Order order = row % 2 == 0 ? Order::prove : Order::find;
            assign(plan, parts, queries, row, order);
            const std::size_t n_levels = plan.n_levels();
            for (const std::size_t parts_of : {std::size_t{1}, std::size_t{3}, n_docs > 5000 ? 5 : n_levels + 1}) {
                for (std::size_t part = 1; part <= parts_of; ++part) {
                    plan.want(n_levels * part / parts_of);
                    scores.add(parts.levels, plan);
                    ASSERT_EQ(scanned(scores), expected(parts, plan)) << n_docs << " documents, query " << row;
                    for (const LevelPlan::Term& term : plan.terms()) ASSERT_EQ(term.read, term.wanted);
                    if (part % 2 == 0) scores.add(parts.levels, plan);  // nothing is new
                }
                ASSERT_EQ(scanned(scores), expected(parts, plan)) << "nothing is added twice";
                scores.clear();
                ASSERT_EQ(scanned(scores), Sums(n_scanned(n_docs)));
                assign(plan, parts, queries, row, order);
            }
        }
    }
}

TEST(Accumulators, AddScanAndClearInOne) {
    Random random(2);
    LevelPlan plan;
    for (const std::size_t n_docs : kSizes) {
        const ImpactParts parts(collection(random, n_docs));
        const Rows queries = test::random_rows(random, 4, 40, 8, test::signed_real);
        Accumulators scores(n_docs);
        for (std::size_t row = 0; row < queries.n_rows(); ++row) {
            for (const std::size_t fraction : {0, 1, 2, 4}) {
                assign(plan, parts, queries, row, Order::find);
                plan.want(plan.n_levels() * fraction / 4);
                const Sums sums = expected(parts, plan);
                if (fraction == 2) {  // on top of what is there
                    assign(plan, parts, queries, row, Order::find);
                    plan.want(plan.n_levels() / 4);
                    scores.add(parts.levels, plan);
                    plan.want(plan.n_levels() / 2);
                }
                Sink sink;
                scores.add_scan_and_clear(parts.levels, plan, sink, kNothingBefore);
                ASSERT_EQ(sink.sums, sums) << n_docs << " documents, query " << row << ", share " << fraction;
                ASSERT_EQ(scanned(scores), Sums(n_scanned(n_docs))) << "zero for the next query";
                for (const LevelPlan::Term& term : plan.terms()) ASSERT_EQ(term.read, term.wanted);
            }
        }
    }
}

TEST(Accumulators, ReadEachWindowAsFarAsIsWantedBeforeIt) {
    Random random(7);
    constexpr std::size_t kWindow = ImpactLevels::kWindow;
    const ImpactParts parts(collection(random, 2 * kWindow + 100));
    const Rows queries = test::random_rows(random, 4, 40, 8, test::signed_real);
    LevelPlan plan;
    Accumulators scores(2 * kWindow + 100);
    for (std::size_t row = 0; row < queries.n_rows(); ++row) {
        // Without rare terms, which are read in all windows at once.
        SlotQuery query = parts.query(queries, row);
        for (std::size_t i = query.size(); i-- > 0;) {
            if (query.slots[i] < parts.levels.n_levelled()) continue;
            query.slots.erase(query.slots.begin() + static_cast<std::ptrdiff_t>(i));
            query.weights.erase(query.weights.begin() + static_cast<std::ptrdiff_t>(i));
        }
        plan.assign(query, parts.levels, parts.quantiser, SIZE_MAX);
        plan.arrange(Order::find);
        const std::size_t max = plan.n_levels();
        ASSERT_GT(max, 8U);
        const std::vector<std::size_t> wanted{max * 3 / 4, max / 3, max / 2};
        std::vector<Sums> sums;
        for (const std::size_t n : wanted) {
            plan.want(n);
            sums.push_back(expected(parts, plan));
        }
        plan.want(max);
        Sink sink;
        scores.add_scan_and_clear(parts.levels, plan, sink, [&](std::size_t w) { plan.want(wanted[w]); });
        for (std::size_t doc = 0; doc < sink.sums.size(); ++doc) {
            ASSERT_EQ(sink.sums[doc], sums[doc / kWindow][doc]) << "document " << doc << ", query " << row;
        }
    }
}

TEST(Accumulators, GiveOnlyWhatReachesTheCutoff) {
    Random random(3);
    const ImpactParts parts(collection(random, 5000));
    const Rows queries = rows_of(40, {{{0, 1.0F}, {1, -0.5F}, {2, 2.0F}, {39, 3.0F}}});
    LevelPlan plan;
    assign(plan, parts, queries, 0, Order::prove);
    plan.want(plan.n_levels());
    Accumulators scores(5000);
    scores.add(parts.levels, plan);
    const Sums all = scanned(scores);
    ASSERT_LT(*std::min_element(all.begin(), all.end()), 0);
    for (const std::int32_t min : {-32769, -32768, -1, 0, 1, 5000, all[7], all[7] + 1, 32767}) {
        Sink sink(min);
        scores.scan(sink);
        sink.sums.resize(all.size(), Sink::kNone);
        for (std::size_t doc = 0; doc < all.size(); ++doc) {
            ASSERT_EQ(sink.sums[doc], all[doc] >= min ? all[doc] : Sink::kNone) << "cutoff " << min;
        }
    }
    for (const std::int32_t beyond : {32768, 1'000'000}) {
        Sink sink(beyond);
        scores.scan(sink);
        EXPECT_EQ(sink.calls, 0U) << "no sum is as great";
    }
    Sink beyond(32768);
    scores.add_scan_and_clear(parts.levels, plan, beyond, kNothingBefore);
    EXPECT_EQ(scanned(scores), Sums(n_scanned(5000))) << "cleared all the same";
}

TEST(Accumulators, ReachTheEndsOfTheRange) {
    LevelPlan plan;
    for (const std::uint32_t n_terms : {1U, 20U, 400U}) {
        Row every;
        Row light;
        for (std::uint32_t term = 0; term < n_terms; ++term) {
            every.emplace_back(term, 1.5F);
            light.emplace_back(term, 0.001F);
        }
        const ImpactParts parts(rows_of(n_terms, {every, light, every}));
        for (const float sign : {1.0F, -1.0F}) {
            Row query;
            for (std::uint32_t term = 0; term < n_terms; ++term) query.emplace_back(term, sign);
            const Rows queries = rows_of(n_terms, {query});
            assign(plan, parts, queries, 0, Order::find);
            plan.want(plan.n_levels());
            Accumulators scores(3);
            scores.add(parts.levels, plan);
            const Sums sums = scanned(scores);
            EXPECT_EQ(sums, expected(parts, plan)) << "as integers of any width give";
            EXPECT_TRUE(sign < 0 ? sums[0] < -29000 : sums[0] > 32767 - 2 * static_cast<int>(n_terms)) << sums[0];
            EXPECT_TRUE(sign > 0 || sums[1] == 0) << "what is below the lightest level takes nothing away";
        }
    }
}

TEST(Accumulators, OfNoDocuments) {
    const ImpactParts parts(rows_of(3, {}));
    Accumulators scores(0);
    LevelPlan plan;
    assign(plan, parts, rows_of(3, {{{0, 1.0F}}}), 0, Order::prove);
    scores.add(parts.levels, plan);
    Sink sink;
    scores.add_scan_and_clear(parts.levels, plan, sink, kNothingBefore);
    scores.clear();
    EXPECT_EQ(sink.calls, 0U);
}

// An altered file may name any document of 16 bits in a window, any of 32 bits of a rare term, and any level of that.
TEST(Accumulators, StayInBoundsWhateverAFileSays) {
    Random random(4);
    for (const std::size_t n_docs : {100, 65472, 65480}) {
        const ImpactParts parts(n_docs == 100 ? collection(random, n_docs)
                                              : test::scattered_rows(random, n_docs, 300, 20, 6, test::real_weight));
        Parameters counts;
        SectionList sections;
        parts.levels.save(counts, sections);
        const TemporaryDirectory directory;
        write_index_file(directory.path("f"), "test", counts, sections, nullptr);
        const test::Bytes whole = test::read_bytes(directory.path("f"));
        Row every;
        for (std::uint32_t term = 0; term < 40; ++term) every.emplace_back(term, 1.0F);
        const Rows queries = rows_of(40, {every});
        for (const std::uint32_t fill : {0U, 0x7FFFFFFFU, 0xFFFFFFFFU, 1234567U}) {
            test::Bytes file = whole;
            const auto alter = [&](auto& elements) {
                using Element = typename std::decay_t<decltype(elements)>::value_type;
                for (auto& element : elements) {
                    element = static_cast<Element>(fill == 1234567 ? static_cast<std::uint32_t>(random()) : fill);
                }
            };
            test::alter_section<std::uint16_t>(file, "segments/docs", alter);
            test::alter_section<std::uint8_t>(file, "rare/docs", alter);
            test::alter_section<std::uint8_t>(file, "rare/levels", alter);
            if (fill == 1234567) test::alter_section<std::uint16_t>(file, "segments/directory", alter);
            test::write_bytes(directory.path("altered"), file);
            const auto altered = ImpactLevels::load(IndexFile::open(directory.path("altered"), false, nullptr), n_docs,
                                                    parts.vocabulary.n_slots());
            LevelPlan plan;
            plan.assign(parts.query(queries, 0), altered, parts.quantiser, SIZE_MAX);
            plan.arrange(Order::find);
            plan.want(plan.n_levels());
            Accumulators scores(n_docs);
            Sink sink;
            scores.add(altered, plan);
            scores.scan(sink);
            EXPECT_EQ(sink.sums.size(), n_scanned(n_docs));
            scores.clear();
            EXPECT_EQ(scanned(scores), Sums(n_scanned(n_docs)));
        }
    }
}

TEST(Accumulators, LeaveOutRareDocumentsAndLevelsThatAreNotThere) {
    const ImpactParts parts(rows_of(1, {{{0, 1.0F}}, {{0, 1.0F}}, {{0, 1.0F}}, {{0, 1.0F}}, {}}));
    Parameters counts;
    SectionList sections;
    parts.levels.save(counts, sections);
    const TemporaryDirectory directory;
    write_index_file(directory.path("f"), "test", counts, sections, nullptr);
    test::Bytes file = test::read_bytes(directory.path("f"));
    test::alter_section<std::uint8_t>(file, "rare/docs", [](auto& docs) {  // 0, 5, 7 and 3, of three bits each
        docs[0] = 5 << 3 | (7 & 3) << 6;
        docs[1] = 7 >> 2 | 3 << 1;
    });
    test::alter_section<std::uint8_t>(file, "rare/levels", [](auto& levels) { levels = {15, 15, 15, 16}; });
    test::write_bytes(directory.path("f"), file);
    const auto altered = ImpactLevels::load(IndexFile::open(directory.path("f"), false, nullptr), 5, 1);
    LevelPlan plan;
    plan.assign(parts.query(rows_of(1, {{{0, 1.0F}}}), 0), altered, parts.quantiser, SIZE_MAX);
    plan.arrange(Order::prove);
    plan.want(1);
    Accumulators scores(5);
    scores.add(altered, plan);
    Sums sums(64);
    sums[0] = plan.terms()[0].amounts[15];
    EXPECT_EQ(scanned(scores), sums);
}

}  // namespace
}  // namespace thresher
