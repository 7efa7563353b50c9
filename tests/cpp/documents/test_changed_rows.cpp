// Rows that another thread changes while an index is built of them: an error or an index of some of both, nothing else.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/interruption.hpp"
#include "core/documents/collected_rows.hpp"
#include "engines/block_max_index.hpp"
#include "engines/registry.hpp"
#include "support/brute_force.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using test::Rows;

// Changes rows in one of several ways, in the middle of the arrays.
constexpr int kChanges = 9;
void change(Rows& rows, int how, std::uint64_t at) {
    const std::size_t p = at % rows.terms.size();
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    switch (how) {
        case 0:
            rows.terms[p] = std::numeric_limits<std::uint32_t>::max();
            break;
        case 1:
            rows.terms[p] = 0;  // then terms neither ascend nor differ
            break;
        case 2:
            rows.terms[p] = static_cast<std::uint32_t>(rows.n_terms - 1);  // that no document had
            break;
        case 3:
            rows.weights[p] = kInfinity;
            break;
        case 4:
            rows.weights[p] = std::numeric_limits<float>::quiet_NaN();
            break;
        case 5:
            rows.weights[p] = -1;
            break;
        case 6:
            rows.weights[p] *= 1000;
            break;
        case 7:
            rows.indptr[at % rows.indptr.size()] = std::numeric_limits<std::int64_t>::max();
            break;
        default:
            rows.indptr[at % rows.indptr.size()] = -1;
    }
}

// Changes rows when it is polled for the time number `when`.
class Meddler final : public Monitor {
  public:
    Meddler(Rows& rows, int when, int how) : rows_(rows), when_(when), how_(how) {}
    void poll() override {
        if (++polls_ != when_) return;
        for (std::uint64_t i = 1; i <= 3; ++i) change(rows_, how_, i * 7919);
    }
    void progress(std::uint64_t, std::uint64_t) override {}
    int polls() const { return polls_; }

  private:
    Rows& rows_;
    int when_;
    int how_;
    int polls_ = 0;
};

// Asked at every interruption point, and does something at one of them.
class AtEachPoint final : public Interrupter {
  public:
    AtEachPoint(int when, std::function<void()> act) : left_(when), act_(std::move(act)) {
        detail::interruption.credit = -1;
    }
    void ask() override {
        detail::interruption.credit = -1;
        if (left_-- == 0) act_();
    }

  private:
    int left_;
    std::function<void()> act_;
};

Rows collection(bool canonical, bool wide) {
    Random random(5);
    const std::uint64_t n_terms = wide ? 1'000'000'000 : 500;  // counted by sorting, and looked up by hashing
    Rows rows = test::random_rows(random, 200, n_terms - 1, 20, test::real_weight);
    rows.n_terms = n_terms;
    if (!canonical) std::swap(rows.terms[0], rows.terms[1]);
    return rows;
}

// True if an index was built, which then must work.
bool builds(std::string_view engine, const CsrView& docs, const Rows& queries, unsigned threads, Monitor* monitor) {
    std::unique_ptr<Index> index;
    try {
        index = build_index(engine, docs, {}, {.threads = threads, .monitor = monitor});
    } catch (const std::invalid_argument& error) {
        EXPECT_TRUE(std::string(error.what()).starts_with("docs: ")) << error.what();
        return false;
    }
    const test::Hits hits = test::search(*index, queries, 20);
    for (const std::int64_t id : hits.ids) {
        EXPECT_TRUE(id >= -1 && id < static_cast<std::int64_t>(docs.n_rows())) << id;
    }
    return true;
}

TEST(ChangedRows, DoNoHarmBetweenTheirPasses) {
    int refused = 0;
    for (const std::string_view engine : engine_names()) {
        for (const bool canonical : {true, false}) {
            for (const bool wide : {false, true}) {
                const Rows original = collection(canonical, wide);
                Rows queries = original;
                queries.indptr.resize(21);
                queries.terms.resize(static_cast<std::size_t>(queries.indptr.back()));
                queries.weights.resize(queries.terms.size());
                for (int how = 0; how < kChanges; ++how) {
                    for (int when = 1; when <= 8; when += when < 4 ? 1 : 2) {
                        Rows docs = original;
                        Meddler meddler(docs, when, how);
                        const bool built = builds(engine, docs.view(), queries, 1, &meddler);
                        refused += built ? 0 : 1;
                        ASSERT_TRUE(meddler.polls() >= when || !built);
                    }
                }
            }
        }
    }
    EXPECT_GT(refused, 0);
}

TEST(ChangedRows, DoNoHarmWithinTheirPasses) {
    const Rows original = collection(true, false);
    for (const std::string_view engine : engine_names()) {
        for (int how = 0; how < kChanges; ++how) {
            for (int when = 0; when < 5000; when += 397) {
                Rows docs = original;
                AtEachPoint changes(when, [&] {
                    for (std::uint64_t i = 1; i <= 3; ++i) change(docs, how, i * 7919);
                });
                const InterrupterScope scope(changes);
                try {
                    build_index(engine, docs.view(), {}, {.threads = 1});
                } catch (const std::invalid_argument&) {
                }
            }
        }
    }
}

// The race is the caller's: the name has none of the words by which ThreadSanitizer's run chooses its tests.
TEST(ChangedRows, DoNoHarmWhileOthersWriteThem) {
    for (const std::string_view engine : engine_names()) {
        for (const bool canonical : {true, false}) {
            const Rows original = collection(canonical, false);
            Rows queries = original;
            queries.indptr.resize(21);
            queries.terms.resize(static_cast<std::size_t>(queries.indptr.back()));
            queries.weights.resize(queries.terms.size());
            Rows docs = original;
            std::atomic<bool> done{false};
            std::thread meddler([&] {
                Random random(1);
                while (!done) {
                    const std::size_t p = random() % docs.terms.size();
                    const auto change_for_a_while = [&](auto& item, auto other) {
                        std::atomic_ref ref(item);
                        const auto before = ref.exchange(other);
                        std::this_thread::yield();
                        ref.store(before);
                    };
                    change_for_a_while(docs.terms[p], static_cast<std::uint32_t>(random() >> random() % 64));
                    change_for_a_while(docs.weights[p], static_cast<float>(random()));
                    change_for_a_while(docs.indptr[random() % docs.indptr.size()], static_cast<std::int64_t>(random()));
                }
            });
            for (int round = 0; round < 20; ++round) builds(engine, docs.view(), queries, 2, nullptr);
            done = true;
            meddler.join();
        }
    }
}

TEST(ChangedRows, AreFoundOutOfPartsToo) {
    const Rows original = collection(true, false);
    for (int how = 0; how < kChanges; ++how) {
        Rows part = original;
        CollectedRows collected(Signs::non_negative, "docs");
        Meddler meddler(part, 1, how);
        Progress progress(&meddler);
        collected.add(part.view(), 1, progress);
        EXPECT_EQ(collected.view().indptr.back(), static_cast<std::int64_t>(original.terms.size()));
        builds("exact", collected.view(), original, 1, nullptr);
    }
}

TEST(ChangedRows, OfAnOrderDoNoHarm) {
    const Rows docs = collection(true, false);
    const std::vector<std::uint32_t> original = test::shuffled(docs.n_rows());
    std::vector<std::uint32_t> order;
    const auto spoil = [&] { order.assign(order.size(), std::numeric_limits<std::uint32_t>::max()); };
    int built = 0;
    for (int when = 0; when < 60; ++when) {
        order = original;
        AtEachPoint changes(when * 300, spoil);
        const InterrupterScope scope(changes);
        try {
            BlockMaxIndex::build(docs.view(), {}, {.order = order, .threads = 1});
            ++built;
        } catch (const std::invalid_argument&) {
        }
    }
    EXPECT_GT(built, 0);
    EXPECT_LT(built, 60);
}

}  // namespace
}  // namespace thresher
