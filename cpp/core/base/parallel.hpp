// Parallel loops over tasks, with cancellation and progress that reach the caller's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "interruption.hpp"
#include "monitor.hpp"

namespace thresher {

// Divides the progress of a call into passes over the same rows, of which some take as long as several, and tells it in
// numbers that rise strictly. While it lives, the interruption points of the thread that made it poll the monitor. A
// null monitor is silent.
class Progress {
  public:
    // Polls for cancellation, but tells no progress.
    explicit Progress(Monitor* monitor) : Progress(monitor, 1, 0) {}
    // `n_passes`: of all passes, each counted by its weight.
    Progress(Monitor* monitor, unsigned n_passes, std::uint64_t n_rows)
        : monitor_(monitor), scope_(monitor), n_passes_(n_passes), n_rows_(n_rows) {}
    Monitor* monitor() const noexcept { return monitor_; }
    // The next pass takes as long as so many of those that read all rows once.
    void weigh_next_pass(unsigned weight) noexcept { next_weight_ = weight; }
    void begin_pass() noexcept;
    void report(std::uint64_t tasks_done, std::uint64_t n_tasks);

  private:
    Monitor* monitor_;
    MonitorScope scope_;
    unsigned n_passes_;
    std::uint64_t n_rows_;
    unsigned passed_ = 0;  // passes before this one
    unsigned weight_ = 0;  // of this pass
    unsigned next_weight_ = 1;
    std::optional<std::uint64_t> reported_;
};

// The number of workers for a request of `threads` (0: one for each core), at most one for each task.
unsigned worker_count(unsigned threads, std::size_t n_tasks) noexcept;

// Calls task(index, worker) for every index in [0, n_tasks) on `worker_count(threads, n_tasks)` workers, the calling
// thread among them; tasks start in ascending order. If tasks throw, the exception of the smallest index is rethrown
// here after every worker has stopped, so that an error does not depend on the number of threads. What the monitor
// throws, between tasks or at an interruption point of one, ends all tasks at their next such point.
void parallel_for(std::size_t n_tasks, unsigned threads, Progress& progress,
                  const std::function<void(std::size_t index, unsigned worker)>& task);

// Cuts [0, n_rows) into chunks of `chunk` rows and calls body(begin, end, worker) for each.
void parallel_for_rows(std::size_t n_rows, std::size_t chunk, unsigned threads, Progress& progress,
                       const std::function<void(std::size_t begin, std::size_t end, unsigned worker)>& body);

}  // namespace thresher
