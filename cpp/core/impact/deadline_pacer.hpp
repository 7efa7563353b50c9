// The pace of a reading that must end in time: how far to read each window.
//
// A window is read as far as the time left allows, shared evenly among the windows left, at the speed found so far. All
// is then read about equally far, whatever a posting takes on this machine, from these caches, at this moment; and a
// delay, whoever is to blame for it, shortens what follows instead of rescoring. Times are in microseconds.
#pragma once

#include <algorithm>
#include <cstddef>

namespace thresher {

class DeadlinePacer {
  public:
    // `time`: what all may take, of which `left` is left. Expected are: a `rescore` behind the windows, and `scans`,
    // what all windows take besides reading. n_windows > 0.
    DeadlinePacer(double time, double left, double rescore, double scans, std::size_t n_windows) noexcept
        : begun_(left),
          min_(kMinFraction * time),
          reserve_(std::min(rescore, kMaxReserve * time)),
          scans_(scans),
          n_windows_(static_cast<double>(n_windows)) {}

    // The next window should be read as far as would be expected to take this for all windows, when `left` is left.
    double next(double left) const noexcept {
        // It begins as if one window had gone as expected.
        const double one = std::max(begun_ - reserve_, 1.0) / n_windows_;
        const double slowness = (begun_ - left + one) / (expected_ + one);
        const double available = left / slowness - reserve_ - (n_read_ == 0 ? kStart : 0);
        return std::max(available * n_windows_ / (n_windows_ - n_read_) - scans_, min_);
    }
    // No window will be read further than this; known before the first.
    double max() const noexcept { return kFastest * next(begun_); }
    // The next window is read as far as is expected to take `time` for all. At most once for each window.
    void expect(double time) noexcept {
        expected_ += (time + scans_) / n_windows_ + (n_read_ == 0 ? kStart : 0);
        n_read_ += 1;
    }

  private:
    // What the first window takes beyond reading, since nothing is in cache yet.
    static constexpr double kStart = 10;
    // No more than this fraction of the time is kept for rescoring.
    static constexpr double kMaxReserve = 0.2;
    // However late it is, a window is read as far as is expected to take this fraction of the time for all.
    static constexpr double kMinFraction = 0.25;
    // What is prepared for and then not read takes time too.
    static constexpr double kFastest = 1.2;

    double begun_;
    double min_;
    double reserve_;
    double scans_;
    double n_windows_;
    double expected_ = 0;  // of the windows read
    double n_read_ = 0;
};

}  // namespace thresher
