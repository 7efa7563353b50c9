#include "interruption.hpp"

#include <pthread.h>

#include <array>
#include <cstdlib>
#include <exception>
#include <optional>

namespace thresher {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kCredit = 1'000'000;
constexpr auto kPollInterval = std::chrono::milliseconds(30);

// Blocks of malloc's small sizes, which it keeps for the thread that frees them.
constexpr std::size_t kSizeStep = 16;
constexpr std::size_t kSizes = 64;

// Set by threads once they are ready; one for the process. None if the system has no more keys: then every time is the
// first.
const std::optional<pthread_key_t>& ready_key() noexcept {
    static const std::optional<pthread_key_t> key = []() -> std::optional<pthread_key_t> {
        pthread_key_t made{};
        if (pthread_key_create(&made, nullptr) != 0) return std::nullopt;
        return made;
    }();
    return key;
}

}  // namespace

constinit thread_local detail::Interruption detail::interruption;

void ask_interrupter() {
    detail::interruption.credit = kCredit;
    if (detail::interruption.interrupter != nullptr) detail::interruption.interrupter->ask();
}

MonitorScope::MonitorScope(Monitor* monitor) noexcept {
    if (monitor == nullptr || detail::interruption.monitor == monitor) return;
    monitor_ = monitor;
    outer_ = detail::interruption;
    detail::interruption.interrupter = this;
    detail::interruption.monitor = monitor;
}

MonitorScope::~MonitorScope() {
    if (monitor_ == nullptr) return;
    detail::interruption.interrupter = outer_.interrupter;
    detail::interruption.monitor = outer_.monitor;
}

void MonitorScope::ask() {
    const auto now = Clock::now();
    if (asked_ != Clock::time_point{} && now - asked_ < kPollInterval) return;
    const bool first = asked_ == Clock::time_point{};
    asked_ = now;
    if (!first) monitor_->poll();
}

// A thread's storage in a library that was loaded later than the program is allocated at its first use, and glibc ends
// the process if that fails. So memory is tried first: blocks of every size that such storage may have stay with this
// thread when they are freed, and the first use takes one of them.
bool ready_to_throw() noexcept {
    const std::optional<pthread_key_t>& key = ready_key();
    if (key && pthread_getspecific(*key) != nullptr) return true;
    std::array<void* volatile, kSizes> blocks{};
    bool enough = true;
    for (std::size_t i = 0; i < kSizes; ++i) {
        blocks[i] = std::malloc((i + 1) * kSizeStep);
        enough = enough && blocks[i] != nullptr;
    }
    for (void* const block : blocks) std::free(block);
    if (!enough) return false;
    // The first uses: of what exceptions need, and of our own.
    static const char kReady = 0;
    [[maybe_unused]] volatile bool used = std::uncaught_exceptions() > 0 || detail::interruption.credit > 0;
    return !key || pthread_setspecific(*key, &kReady) == 0;
}

}  // namespace thresher
