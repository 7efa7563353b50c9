#include "parallel.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "scratch_files.hpp"

namespace thresher {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kWait = std::chrono::milliseconds(30);

// Ends a task of a loop that was cancelled.
struct Stopped {};

// The state that the workers of one loop share.
class Loop {
  public:
    Loop(std::size_t n_tasks, const std::function<void(std::size_t, unsigned)>& task)
        : n_tasks_(n_tasks), task_(task) {}

    bool run_one(unsigned worker) {
        if (stopped_.load(std::memory_order_relaxed)) return false;
        const std::size_t index = next_.fetch_add(1, std::memory_order_relaxed);
        if (index >= n_tasks_) return false;
        try {
            task_(index, worker);
        } catch (const Stopped&) {
            return false;
        } catch (...) {
            fail(index, std::current_exception());
        }
        done_.fetch_add(1, std::memory_order_relaxed);
        return true;
    }

    // No further tasks start; those that run may yet fail with a smaller index.
    void fail(std::size_t index, std::exception_ptr error) {
        const std::lock_guard lock(mutex_);
        stopped_.store(true, std::memory_order_relaxed);
        if (error_ == nullptr || index < error_index_) {
            error_ = std::move(error);
            error_index_ = index;
        }
    }

    // Those that run end too, at their next interruption point.
    void cancel(std::exception_ptr reason) {
        const std::lock_guard lock(mutex_);
        stopped_.store(true, std::memory_order_relaxed);
        cancelled_.store(true, std::memory_order_relaxed);
        if (reason_ == nullptr) reason_ = std::move(reason);
    }
    void leave_if_cancelled() const {
        if (cancelled_.load(std::memory_order_relaxed)) throw Stopped();
    }

    void worker_left() {
        const std::lock_guard lock(mutex_);
        ++left_;
        all_left_.notify_one();
    }

    // True once `n_workers` have left; waits for at most the poll interval.
    bool wait(unsigned n_workers) {
        std::unique_lock lock(mutex_);
        return all_left_.wait_for(lock, kWait, [&] { return left_ == n_workers; });
    }

    std::size_t done() const noexcept { return done_.load(std::memory_order_relaxed); }
    bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

    void rethrow() {
        if (reason_ != nullptr) std::rethrow_exception(reason_);
        if (error_ != nullptr) std::rethrow_exception(error_);
    }

  private:
    const std::size_t n_tasks_;
    const std::function<void(std::size_t, unsigned)>& task_;
    std::atomic<std::size_t> next_{0};
    std::atomic<std::size_t> done_{0};
    std::atomic<bool> stopped_{false};
    std::atomic<bool> cancelled_{false};
    std::mutex mutex_;
    std::condition_variable all_left_;
    unsigned left_ = 0;
    std::exception_ptr error_;
    std::size_t error_index_ = 0;
    std::exception_ptr reason_;
};

// Of the threads that a loop started.
class HelperInterrupter final : public Interrupter {
  public:
    explicit HelperInterrupter(const Loop& loop) : loop_(loop) {}
    void ask() override { loop_.leave_if_cancelled(); }

  private:
    const Loop& loop_;
};

// Of the thread that called: whoever was asked before cancels the loop.
class CallerInterrupter final : public Interrupter {
  public:
    explicit CallerInterrupter(Loop& loop) : loop_(loop), outer_(detail::interruption.interrupter) {}
    void ask() override {
        loop_.leave_if_cancelled();
        if (outer_ == nullptr) return;
        try {
            outer_->ask();
        } catch (...) {
            loop_.cancel(std::current_exception());
        }
        loop_.leave_if_cancelled();
    }

  private:
    Loop& loop_;
    Interrupter* outer_;
};

}  // namespace

void Progress::begin_pass() noexcept {
    passed_ += weight_;
    weight_ = std::exchange(next_weight_, 1U);
}

void Progress::report(std::uint64_t tasks_done, std::uint64_t n_tasks) {
    if (monitor_ == nullptr || n_rows_ == 0) return;
    const double fraction = n_tasks == 0 ? 1 : static_cast<double>(tasks_done) / static_cast<double>(n_tasks);
    const double passes = static_cast<double>(passed_) + static_cast<double>(weight_) * fraction;
    const double rows = static_cast<double>(n_rows_) * passes / static_cast<double>(n_passes_);
    const std::uint64_t done = std::min(static_cast<std::uint64_t>(rows + 0.5), n_rows_);
    if (reported_ && done <= *reported_) return;
    reported_ = done;
    monitor_->progress(done, n_rows_);
}

unsigned worker_count(unsigned threads, std::size_t n_tasks) noexcept {
    const unsigned wanted = threads != 0 ? threads : std::max(1U, std::thread::hardware_concurrency());
    return static_cast<unsigned>(std::clamp<std::size_t>(n_tasks, 1, wanted));
}

void parallel_for(std::size_t n_tasks, unsigned threads, Progress& progress,
                  const std::function<void(std::size_t, unsigned)>& task) {
    progress.begin_pass();
    const unsigned n_helpers = worker_count(threads, n_tasks) - 1;
    Monitor* monitor = progress.monitor();
    Loop loop(n_tasks, task);
    CallerInterrupter interrupter(loop);
    auto reported = Clock::now();
    const auto listen = [&] {
        try {
            ask_interrupter();
            if (monitor == nullptr || Clock::now() - reported < kWait) return;
            reported = Clock::now();
            progress.report(loop.done(), n_tasks);
        } catch (const Stopped&) {
        } catch (...) {
            loop.cancel(std::current_exception());
        }
    };

    std::vector<std::thread> helpers;
    helpers.reserve(n_helpers);
    try {
        for (unsigned h = 0; h < n_helpers; ++h) {
            helpers.emplace_back([&loop, worker = h + 1, files = scratch_files()] {
                if (ready_to_throw()) {  // otherwise as if the system had given no thread
                    HelperInterrupter cancellation(loop);
                    const InterrupterScope scope(cancellation);
                    const ScratchScope scratch(files);
                    while (loop.run_one(worker)) {
                    }
                }
                loop.worker_left();
            });
        }
    } catch (const std::exception&) {  // std::system_error or std::bad_alloc
        // The system gives no more threads: those that started, and this one, do the work.
    }
    {
        const InterrupterScope scope(interrupter);
        while (loop.run_one(0)) listen();
        while (!loop.wait(static_cast<unsigned>(helpers.size()))) listen();
    }
    for (std::thread& helper : helpers) helper.join();
    loop.rethrow();
    if (monitor != nullptr) {
        monitor->poll();
        progress.report(n_tasks, n_tasks);
    }
}

void parallel_for_rows(std::size_t n_rows, std::size_t chunk, unsigned threads, Progress& progress,
                       const std::function<void(std::size_t, std::size_t, unsigned)>& body) {
    parallel_for((n_rows + chunk - 1) / chunk, threads, progress, [&](std::size_t index, unsigned worker) {
        body(index * chunk, std::min(n_rows, (index + 1) * chunk), worker);
    });
}

}  // namespace thresher
