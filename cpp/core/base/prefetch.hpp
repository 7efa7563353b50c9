// Fetching ahead.
#pragma once

namespace thresher {

// Starts to fetch a cache line into the second-level cache: the first level has too few buffers for the tens of lines
// that a search asks for at once. The empty statement keeps GCC from deleting, as having no effect, a function that
// does nothing but fetch.
inline void prefetch(const void* line) noexcept {
    __builtin_prefetch(line, 0, 2);
    asm volatile("");
}

}  // namespace thresher
