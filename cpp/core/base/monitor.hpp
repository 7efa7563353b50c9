// How a long call can be watched and ended.
#pragma once

#include <cstdint>

namespace thresher {

// The caller's ear during a long call. Both functions run on the thread that called into the core.
class Monitor {
  public:
    virtual ~Monitor() = default;
    // Called at least every few tens of milliseconds; throws to cancel the call (Ctrl-C).
    virtual void poll() = 0;
    // Work done so far, in units of the caller's rows.
    virtual void progress(std::uint64_t done, std::uint64_t total) = 0;
};

}  // namespace thresher
