// The pool of search contexts: one for each search at a time, reused unless an exception went through it.
#include "core/base/context_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "engines/query_batches.hpp"
#include "support/brute_force.hpp"
#include "support/document_parts.hpp"
#include "support/random_rows.hpp"

namespace thresher {
namespace {

struct Context {
    explicit Context(int number) : built_with(number) {}
    int built_with;
    std::atomic<bool> in_use{false};
};

TEST(ContextPool, ReusesWhatIsGivenBack) {
    ContextPool<Context> pool;
    const Context* first = nullptr;
    {
        const auto lease = pool.borrow(1);
        first = &*lease;
        EXPECT_EQ((*lease).built_with, 1);
        const auto other = pool.borrow(2);
        EXPECT_NE(&*other, first);
        EXPECT_EQ((*other).built_with, 2);
    }
    const auto one = pool.borrow(3);
    const auto two = pool.borrow(3);
    EXPECT_EQ((*one).built_with + (*two).built_with, 3) << "neither is new";
    EXPECT_EQ((*pool.borrow(4)).built_with, 4);
}

TEST(ContextPool, KeepsALeaseThatMoves) {
    ContextPool<Context> pool;
    std::vector<ContextPool<Context>::Lease> leases;
    for (int i = 0; i < 10; ++i) leases.push_back(pool.borrow(i));
    for (int i = 0; i < 10; ++i) EXPECT_EQ((*leases[static_cast<std::size_t>(i)]).built_with, i);
}

TEST(ContextPool, DropsWhatAnExceptionInterrupted) {
    ContextPool<Context> pool;
    try {
        const auto lease = pool.borrow(1);
        throw std::runtime_error("interrupted");
    } catch (const std::runtime_error&) {
        EXPECT_EQ((*pool.borrow(2)).built_with, 2);
    }
    EXPECT_EQ((*pool.borrow(3)).built_with, 2) << "a lease taken while an error is handled is kept";
}

struct Counted {
    Counted() { ++alive; }
    ~Counted() { --alive; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    static inline std::atomic<std::size_t> alive{0};
};

TEST(ContextPool, KeepsAFewContextsForEachHardwareThread) {
    const std::size_t capacity = ContextPool<Counted>::capacity();
    EXPECT_GE(capacity, 2U);
    {
        ContextPool<Counted> pool;
        {
            std::vector<ContextPool<Counted>::Lease> leases;
            for (std::size_t i = 0; i < 10 * capacity; ++i) leases.push_back(pool.borrow());
            EXPECT_EQ(Counted::alive, 10 * capacity);
        }
        EXPECT_EQ(Counted::alive, capacity);
    }
    EXPECT_EQ(Counted::alive, 0U);
}

TEST(QueryBatches, MakeContextsForThoseWhoWork) {
    struct CountedContext : SearchContext, Counted {
        CountedContext() : SearchContext(1) {}
    };
    const test::DocumentParts docs(test::rows_of(1, std::vector<test::Row>(100, test::Row{{0, 1.0F}})));
    const test::Rows queries = test::rows_of(1, std::vector<test::Row>(5));
    const SearchOptions options{.k = 1, .threads = 4};
    test::Hits hits(5, 1);
    ContextPool<CountedContext> pool;
    // Three batches of two queries at most, for four workers.
    search_in_batches(queries.view(), Request(options, 5, docs.documents, false), {}, 256, hits.view(), pool,
                      [&](std::span<const Task> tasks, CountedContext&) {
                          EXPECT_LE(Counted::alive, 3U);
                          std::vector<Hit> none;
                          for (const Task& task : tasks) hits.view().write(task.row, none, true);
                      });
    EXPECT_LE(Counted::alive, 3U);
    EXPECT_EQ(hits.exact, std::vector<std::uint8_t>(5, 1));
}

TEST(ContextPool, LendsEachContextToOneThreadAtATime) {
    ContextPool<Context> pool;
    std::atomic<bool> shared{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int round = 0; round < 1000; ++round) {
                const auto lease = pool.borrow(0);
                if ((*lease).in_use.exchange(true)) shared = true;
                (*lease).in_use = false;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_FALSE(shared);
}

}  // namespace
}  // namespace thresher
