// Interruption points: how work that takes long hears that its caller does not want it any more (Ctrl-C).
//
// Work of any length calls `interruption_point` as it goes on. Who is asked there belongs to the thread: the monitor of
// the call, every few tens of milliseconds; or, on a thread that helps in a parallel loop, whether that was cancelled.
// Either ends the work by an exception through it, so that it must not be noexcept. A point costs a subtraction, and
// now and then a look at the clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include "monitor.hpp"

namespace thresher {

// Whom a thread's interruption points ask.
class Interrupter {
  public:
    // Throws to end the thread's work.
    virtual void ask() = 0;

  protected:
    ~Interrupter() = default;
};

namespace detail {

struct Interruption {
    std::int64_t credit = 0;  // work left until the interrupter is asked
    Interrupter* interrupter = nullptr;
    const Monitor* monitor = nullptr;  // that is heard already
};

extern constinit thread_local Interruption interruption;

}  // namespace detail

// Asks the thread's interrupter, if it has one.
void ask_interrupter();

// Does so once in about a millisecond. `work`: what was done since the last point, in nanoseconds, as an order of
// magnitude.
inline void interruption_point(std::uint64_t work) {
    if ((detail::interruption.credit -= static_cast<std::int64_t>(work)) < 0) ask_interrupter();
}

// A thread's interrupter for the length of a scope.
class InterrupterScope {
  public:
    explicit InterrupterScope(Interrupter& interrupter) noexcept
        : outer_(std::exchange(detail::interruption.interrupter, &interrupter)) {}
    ~InterrupterScope() { detail::interruption.interrupter = outer_; }
    InterrupterScope(const InterrupterScope&) = delete;
    InterrupterScope& operator=(const InterrupterScope&) = delete;

  private:
    Interrupter* outer_;
};

// While it lives, the interruption points of the thread that made it poll a monitor. A null monitor, or one that is
// polled already, changes nothing.
class MonitorScope final : public Interrupter {
  public:
    explicit MonitorScope(Monitor* monitor) noexcept;
    ~MonitorScope();
    MonitorScope(const MonitorScope&) = delete;
    MonitorScope& operator=(const MonitorScope&) = delete;
    void ask() override;

  private:
    Monitor* monitor_ = nullptr;  // null if it changes nothing
    detail::Interruption outer_;
    std::chrono::steady_clock::time_point asked_;
};

// Makes an exception thrown on this thread safe where memory has run out: what C++ keeps for each thread is allocated
// here, while a failure can still be told. False if there is no memory for it. Costs a few instructions but for the
// first time.
bool ready_to_throw() noexcept;

// std::sort and its like ask in between if their comparison is wrapped by this.
template <class Less>
auto interruptible(Less less) {
    return [less](const auto& a, const auto& b) {
        interruption_point(8);
        return less(a, b);
    };
}

}  // namespace thresher
