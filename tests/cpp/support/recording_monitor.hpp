// A monitor of one call that remembers what it is told, and can cancel.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/parallel.hpp"

namespace thresher::test {

struct Cancelled {};

class RecordingMonitor final : public Monitor {
  public:
    // Cancels at the poll number `cancel_at`, counted from 1.
    explicit RecordingMonitor(int cancel_at = 0) : cancel_at_(cancel_at) {}
    void poll() override {
        EXPECT_EQ(std::this_thread::get_id(), caller_) << "the monitor hears from the caller's thread only";
        if (++polls_ == cancel_at_) throw Cancelled();
    }
    void progress(std::uint64_t done, std::uint64_t total) override {
        EXPECT_EQ(std::this_thread::get_id(), caller_);
        EXPECT_LE(done, total);
        if (!reports_.empty()) {
            EXPECT_GT(done, reports_.back().first) << "progress rises strictly";
        }
        reports_.emplace_back(done, total);
    }

    int polls() const { return polls_; }
    const std::vector<std::pair<std::uint64_t, std::uint64_t>>& reports() const { return reports_; }

  private:
    std::thread::id caller_ = std::this_thread::get_id();
    int cancel_at_;
    std::atomic<int> polls_{0};
    std::vector<std::pair<std::uint64_t, std::uint64_t>> reports_;
};

}  // namespace thresher::test
