// Interruption points: who is asked, and that work of every kind comes by enough of them to be ended anywhere.
#include "core/base/interruption.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/base/parallel.hpp"
#include "engines/registry.hpp"
#include "support/altered_file.hpp"
#include "support/brute_force.hpp"
#include "support/random_rows.hpp"
#include "support/recording_monitor.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::Cancelled;
using test::Random;
using test::RecordingMonitor;
using test::Rows;

// Counts how often it is asked, and ends the work at one of these times.
class Counter final : public Interrupter {
  public:
    explicit Counter(int end_at = 0) : end_at_(end_at) {}
    void ask() override {
        if (++asked_ == end_at_) throw Cancelled();
    }
    int asked() const { return asked_; }

  private:
    int end_at_;
    int asked_ = 0;
};

TEST(Interruption, AsksOnceForSoMuchWork) {
    interruption_point(1'000'000'000);  // nobody is asked: that credit is new
    Counter counter;
    const InterrupterScope scope(counter);
    for (int i = 0; i < 10; ++i) interruption_point(100'000);
    EXPECT_EQ(counter.asked(), 0);
    for (int i = 0; i < 100; ++i) interruption_point(100'000);
    EXPECT_EQ(counter.asked(), 10);
    interruption_point(50'000'000);
    EXPECT_EQ(counter.asked(), 11);
}

TEST(Interruption, AsksTheInnermostScope) {
    Counter outer;
    Counter inner;
    const InterrupterScope scope(outer);
    {
        const InterrupterScope nested(inner);
        ask_interrupter();
    }
    ask_interrupter();
    ask_interrupter();
    EXPECT_EQ(inner.asked(), 1);
    EXPECT_EQ(outer.asked(), 2);
}

TEST(Interruption, PollsAMonitorFromTimeToTime) {
    RecordingMonitor monitor(3);
    const MonitorScope scope(&monitor);
    for (int i = 0; i < 1000; ++i) interruption_point(1'000'000);
    EXPECT_EQ(monitor.polls(), 0) << "there was no time for that";
    EXPECT_THROW(for (;;) interruption_point(1'000'000), Cancelled);
    EXPECT_EQ(monitor.polls(), 3);
}

TEST(Interruption, LeavesWhoIsAskedToANullMonitor) {
    Counter counter;
    const InterrupterScope scope(counter);
    {
        const MonitorScope none(nullptr);
        ask_interrupter();
    }
    EXPECT_EQ(counter.asked(), 1);
}

TEST(Interruption, PollsOneMonitorOnceHoweverManyScopesItHas) {
    RecordingMonitor monitor;
    const MonitorScope scope(&monitor);
    Counter counter;
    const InterrupterScope own(counter);  // as a loop's
    const MonitorScope again(&monitor);
    ask_interrupter();
    EXPECT_EQ(counter.asked(), 1) << "the inner scope of the same monitor does not stand before others";
}

TEST(Interruption, EndsSorts) {
    Random random(1);
    std::vector<std::uint64_t> numbers(200'000);
    for (auto& number : numbers) number = random();
    Counter counter(3);
    const InterrupterScope scope(counter);
    EXPECT_THROW(std::sort(numbers.begin(), numbers.end(), interruptible(std::less<>{})), Cancelled);
}

TEST(Interruption, MakesThreadsReadyToThrow) {
    EXPECT_TRUE(ready_to_throw());
    bool ready = false;
    std::thread([&] { ready = ready_to_throw() && ready_to_throw(); }).join();
    EXPECT_TRUE(ready);
}

TEST(ParallelFor, IsCancelledInTheMiddleOfTasks) {
    for (unsigned threads = 1; threads <= 3; ++threads) {
        RecordingMonitor monitor(2);
        Progress progress(&monitor, 1, 100);
        // No task ends by itself.
        EXPECT_THROW(parallel_for(100, threads, progress,
                                  [](std::size_t, unsigned) {
                                      for (;;) interruption_point(1'000'000);
                                  }),
                     Cancelled);
        EXPECT_EQ(monitor.polls(), 2) << "not asked again";
    }
}

TEST(ParallelFor, IsCancelledInTheMiddleOfNestedLoops) {
    RecordingMonitor monitor(2);
    Progress progress(&monitor, 1, 100);
    EXPECT_THROW(parallel_for(3, 3, progress,
                              [](std::size_t, unsigned) {
                                  Progress inner = test::silent();
                                  parallel_for(2, 2, inner, [](std::size_t, unsigned) {
                                      for (;;) interruption_point(1'000'000);
                                  });
                              }),
                 Cancelled);
}

TEST(ParallelFor, IsCancelledRatherThanWrong) {
    RecordingMonitor monitor(1);
    Progress progress(&monitor, 1, 2);
    std::atomic<bool> started{false};
    EXPECT_THROW(parallel_for(2, 2, progress,
                              [&](std::size_t index, unsigned) {
                                  if (index == 0) {
                                      while (!started) std::this_thread::yield();
                                      throw std::runtime_error("wrong");
                                  }
                                  started = true;
                                  for (;;) interruption_point(1'000'000);
                              }),
                 Cancelled);
}

// Few long documents, and long queries: what tasks of so many rows take far too long for.
struct Long {
    Rows docs;
    Rows queries;
};

Long long_collection() {
    Random random(3);
    Long all;
    all.docs.n_terms = all.queries.n_terms = 3000;
    for (int doc = 0; doc < 300; ++doc) {
        test::Row row;
        for (std::uint32_t term = 0; term < 3000; ++term) {
            if (test::uniform(random, 0, 2) == 0) row.emplace_back(term, test::real_weight(random));
        }
        all.docs.add(row);
    }
    for (int query = 0; query < 8; ++query) {
        test::Row row;
        for (std::uint32_t term = 0; term < 3000; ++term) row.emplace_back(term, test::real_weight(random));
        all.queries.add(row);
    }
    return all;
}

class EveryEngine : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Interruption, EveryEngine,
                         ::testing::Values("exact", "block-max", "clustered", "graph", "impact", "postings"),
                         [](const auto& engine) {
                             std::string name = engine.param;
                             std::erase(name, '-');
                             return name;
                         });

// Ends `call` at several of the times at which it asks, of which there must be `least`.
void expect_to_end_anywhere(int least, const std::function<void()>& call) {
    Counter all;
    {
        const InterrupterScope scope(all);
        call();
    }
    EXPECT_GE(all.asked(), least);
    for (int i = 0; i < 3; ++i) {
        Counter counter(1 + i * (all.asked() - 1) / 3);  // how often it is asked may differ by what was left before
        const InterrupterScope scope(counter);
        EXPECT_THROW(call(), Cancelled) << i;
    }
}

TEST_P(EveryEngine, CanBeEndedAnywhere) {
    const Long collection = long_collection();
    const auto build = [&] { return build_index(GetParam(), collection.docs.view(), {}, {.threads = 1}); };
    expect_to_end_anywhere(8, build);
    const auto index = build();
    const test::Hits expected = test::search(*index, collection.queries, 100);
    expect_to_end_anywhere(2, [&] { test::search(*index, collection.queries, 300); });
    const auto one = [&] {
        for (int i = 0; i < 8; ++i) {
            test::Hits hits(1, 300);
            index->search_one(collection.queries.view().row_terms(0), collection.queries.view().row_weights(0),
                              hits.view());
        }
    };
    expect_to_end_anywhere(2, one);
    std::vector<std::int64_t> ids(300);
    expect_to_end_anywhere(2, [&] { index->vectors(ids); });
    EXPECT_EQ(test::search(*index, collection.queries, 100), expected) << "what was ended leaves nothing behind";
}

}  // namespace
}  // namespace thresher
