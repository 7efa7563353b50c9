// Parallel loops: every task once, errors that do not depend on threads, cancellation, progress.
#include "core/base/parallel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/random_rows.hpp"
#include "support/recording_monitor.hpp"

namespace thresher {
namespace {

using test::Cancelled;
using test::RecordingMonitor;

TEST(ParallelFor, CallsEachTaskOnce) {
    for (unsigned threads = 0; threads <= 5; ++threads) {
        for (const std::size_t n : {0, 1, 2, 7, 5000}) {
            std::vector<std::atomic<int>> calls(n);
            Progress progress = test::silent();
            parallel_for(n, threads, progress, [&](std::size_t index, unsigned) { ++calls[index]; });
            for (const auto& count : calls) ASSERT_EQ(count, 1);
        }
    }
}

TEST(ParallelFor, GivesEachWorkerOneTaskAtATime) {
    constexpr unsigned kThreads = 4;
    std::vector<std::atomic<bool>> busy(kThreads);
    std::atomic<bool> wrong{false};
    Progress progress = test::silent();
    parallel_for(20000, kThreads, progress, [&](std::size_t, unsigned worker) {
        if (worker >= kThreads || busy[worker].exchange(true)) {
            wrong = true;
            return;
        }
        busy[worker] = false;
    });
    EXPECT_FALSE(wrong);
}

TEST(ParallelFor, UsesAsManyThreadsAsAskedFor) {
    std::atomic<unsigned> arrived{0};
    std::vector<std::thread::id> ids(3);
    Progress progress = test::silent();
    parallel_for(3, 3, progress, [&](std::size_t index, unsigned) {
        ids[index] = std::this_thread::get_id();
        ++arrived;
        while (arrived < 3) std::this_thread::yield();  // ends only if three run at once
    });
    EXPECT_EQ(std::set<std::thread::id>(ids.begin(), ids.end()).size(), 3U);
    EXPECT_TRUE(std::count(ids.begin(), ids.end(), std::this_thread::get_id()) == 1) << "the caller works too";
}

TEST(ParallelFor, CountsWorkers) {
    EXPECT_EQ(worker_count(4, 100), 4U);
    EXPECT_EQ(worker_count(4, 3), 3U);
    EXPECT_EQ(worker_count(4, 0), 1U);
    EXPECT_EQ(worker_count(1, std::size_t{1} << 40), 1U);
    EXPECT_EQ(worker_count(0, std::size_t{1} << 40), std::max(1U, std::thread::hardware_concurrency()));
    EXPECT_EQ(worker_count(0, 1), 1U);
}

TEST(ParallelFor, RethrowsTheErrorOfTheSmallestIndex) {
    test::Random random(1);
    for (int round = 0; round < 200; ++round) {
        std::set<std::size_t> failing;
        for (int i = 0; i < 6; ++i) failing.insert(static_cast<std::size_t>(test::uniform(random, 0, 999)));
        const auto threads = static_cast<unsigned>(1 + round % 4);
        std::string caught;
        Progress progress = test::silent();
        try {
            parallel_for(1000, threads, progress, [&](std::size_t index, unsigned) {
                if (failing.contains(index)) throw std::runtime_error(std::to_string(index));
            });
        } catch (const std::runtime_error& error) {
            caught = error.what();
        }
        ASSERT_EQ(caught, std::to_string(*failing.begin()));
    }
}

TEST(ParallelFor, PrefersTheSmallerIndexThoughItFailsLater) {
    std::atomic<bool> second_failed{false};
    std::string caught;
    Progress progress = test::silent();
    try {
        parallel_for(100, 2, progress, [&](std::size_t index, unsigned) {
            if (index == 1) {
                second_failed = true;
                throw std::runtime_error("second");
            }
            while (!second_failed) std::this_thread::yield();
            throw std::runtime_error("first");
        });
    } catch (const std::runtime_error& error) {
        caught = error.what();
    }
    EXPECT_EQ(caught, "first");
}

TEST(ParallelFor, StopsAfterAnError) {
    std::atomic<std::uint64_t> calls{0};
    Progress progress = test::silent();
    EXPECT_THROW(parallel_for(std::size_t{1} << 60, 3, progress,
                              [&](std::size_t index, unsigned) {
                                  ++calls;
                                  if (index == 100) throw std::out_of_range("stop");
                              }),
                 std::out_of_range);
    EXPECT_GE(calls, 101U);
}

TEST(ParallelFor, JoinsItsThreadsWhenNestedLoopsThrow) {
    std::atomic<int> inside{0};
    Progress outer = test::silent();
    EXPECT_THROW(parallel_for(50, 3, outer,
                              [&](std::size_t index, unsigned) {
                                  Progress inner = test::silent();
                                  parallel_for(50, 3, inner, [&](std::size_t nested, unsigned) {
                                      ++inside;
                                      const bool fails = index == 20 && nested == 30;
                                      --inside;
                                      if (fails) throw std::runtime_error("nested");
                                  });
                              }),
                 std::runtime_error);
    EXPECT_EQ(inside, 0);
}

TEST(ParallelFor, IsCancelledByTheMonitor) {
    for (unsigned threads = 1; threads <= 3; ++threads) {
        RecordingMonitor monitor(2);
        Progress progress(&monitor, 1, 100);
        // More tasks than anything could finish: only the monitor ends this.
        EXPECT_THROW(parallel_for(std::size_t{1} << 60, threads, progress, [](std::size_t, unsigned) {}), Cancelled);
        EXPECT_EQ(monitor.polls(), 2) << "not asked again";
    }
}

TEST(ParallelFor, HearsTheMonitorWhileOtherThreadsFinish) {
    RecordingMonitor monitor(3);
    Progress progress(&monitor, 1, 2);
    std::atomic<int> started{0};
    EXPECT_THROW(parallel_for(2, 2, progress,
                              [&](std::size_t, unsigned worker) {
                                  ++started;
                                  while (started < 2) std::this_thread::yield();
                                  if (worker == 0) return;
                                  while (monitor.polls() < 3) std::this_thread::yield();
                              }),
                 Cancelled);
}

TEST(ParallelFor, IsCancelledAtTheEndAtTheLatest) {
    RecordingMonitor monitor(1);
    Progress progress(&monitor, 1, 1);
    EXPECT_THROW(parallel_for(1, 1, progress, [](std::size_t, unsigned) {}), Cancelled);
}

TEST(ParallelFor, ReportsProgressThatRisesToTheTotal) {
    for (unsigned threads = 1; threads <= 4; ++threads) {
        RecordingMonitor monitor;
        Progress progress(&monitor, 3, 1000);
        for (int pass = 1; pass <= 3; ++pass) {
            parallel_for(77, threads, progress, [](std::size_t, unsigned) {});
            ASSERT_FALSE(monitor.reports().empty());
            EXPECT_EQ(monitor.reports().back().first, static_cast<std::uint64_t>((1000 * pass + 1) / 3));
        }
        for (const auto& report : monitor.reports()) EXPECT_EQ(report.second, 1000U);
        EXPECT_EQ(monitor.reports().back().first, 1000U);
    }
}

TEST(ParallelFor, ReportsLongPassesByTheirWeight) {
    RecordingMonitor monitor;
    Progress progress(&monitor, 10, 1000);
    const auto pass = [&] {
        parallel_for(7, 2, progress, [](std::size_t, unsigned) {});
        return monitor.reports().back().first;
    };
    EXPECT_EQ(pass(), 100U);
    progress.weigh_next_pass(7);
    EXPECT_EQ(pass(), 800U);
    EXPECT_EQ(pass(), 900U);
    progress.weigh_next_pass(0);
    EXPECT_EQ(pass(), 900U);
    EXPECT_EQ(pass(), 1000U);
}

TEST(Progress, TellsNothingTwice) {
    RecordingMonitor monitor;  // which wants it so
    Progress progress(&monitor, 2, 10);
    const auto last = [&] { return monitor.reports().back().first; };
    progress.begin_pass();
    progress.report(0, 7);
    EXPECT_EQ(last(), 0U);
    progress.report(7, 7);
    progress.report(7, 7);
    progress.report(3, 7);
    EXPECT_EQ(last(), 5U);
    progress.begin_pass();
    progress.report(0, 3);
    progress.report(3, 3);
    progress.report(3, 3);
    EXPECT_EQ(monitor.reports().size(), 3U);
    EXPECT_EQ(last(), 10U);
}

TEST(ParallelFor, HasDoneAPassOverNothing) {
    RecordingMonitor monitor;
    Progress progress(&monitor, 2, 10);
    parallel_for(3, 1, progress, [](std::size_t, unsigned) {});
    EXPECT_EQ(monitor.reports().back().first, 5U);
    parallel_for(0, 1, progress, [](std::size_t, unsigned) {});
    EXPECT_EQ(monitor.reports().back().first, 10U);
}

TEST(ParallelForRows, CutsRowsIntoChunks) {
    for (const std::size_t n : {0, 1, 9, 10, 11, 1005}) {
        for (unsigned threads = 1; threads <= 3; ++threads) {
            std::vector<std::atomic<int>> calls(n);
            std::atomic<bool> wrong{false};
            Progress progress = test::silent();
            parallel_for_rows(n, 10, threads, progress, [&](std::size_t begin, std::size_t end, unsigned) {
                wrong = wrong || begin % 10 != 0 || end <= begin || end - begin > 10 || end > n;
                for (std::size_t row = begin; row < end; ++row) ++calls[row];
            });
            EXPECT_FALSE(wrong);
            for (const auto& count : calls) ASSERT_EQ(count, 1);
        }
    }
}

}  // namespace
}  // namespace thresher
