#include "coarse_bounds.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "../../kernels/kernels.hpp"

namespace thresher {

namespace {

constexpr double kOne = 65536;  // of a factor
// What a posting adds is rounded up by less than this, the factor's own rounding included.
constexpr double kMaxRounding = 1.01;
// Of a sum of bounds: more than floating point is off by.
constexpr double kTolerance = 1e-6;

std::size_t whole_stretches(std::size_t n_docs) noexcept {
    const std::size_t window = std::min<std::size_t>(n_docs, CoarseBounds::kWindow);
    return (window + kernels::kStretch - 1) / kernels::kStretch;
}

}  // namespace

CoarseBounds::CoarseBounds(std::size_t n_docs)
    : bounds_(whole_stretches(n_docs) * kernels::kStretch),
      docs_(bounds_.items.size() + kernels::kSelectMargin),
      maxima_(whole_stretches(n_docs)) {}

void CoarseBounds::start(std::uint32_t first, std::int32_t max, std::size_t n_lists) noexcept {
    first_ = first;
    unit_ = static_cast<double>(max) / (255 - kMaxRounding * static_cast<double>(n_lists));
    n_ = 0;
}

void CoarseBounds::add(PostingCursor& list) noexcept {
    std::uint8_t* const bounds = bounds_.items.data();
    const std::uint32_t first = first_;
    const auto factor = static_cast<std::uint16_t>(std::min(std::ceil(list.weight() / unit_ * kOne), kOne - 1));
    list.next_geq(first);
    const auto end = first + static_cast<std::uint32_t>(bounds_.items.size());
    list.for_each_stretch_before(end, [=](const std::uint32_t* docs, const std::uint8_t* impacts, std::uint32_t n) {
        // In 16 bits, which vectors of every machine multiply: whole parts and 8 bits of a fraction, cut off, and 1.
        std::uint8_t added[CompressedPostings::kBlock];
        for (std::uint32_t p = 0; p < n; ++p) {
            const auto impact = static_cast<std::uint16_t>(impacts[p] << 8);
            const auto product = static_cast<std::uint16_t>(std::uint32_t{impact} * factor >> 16);
            added[p] = static_cast<std::uint8_t>((product >> 8) + 1);
        }
        for (std::uint32_t p = 0; p < n; ++p) {
            std::uint8_t& bound = bounds[docs[p] - first];
            bound = static_cast<std::uint8_t>(bound + added[p]);
        }
    });
}

std::uint8_t CoarseBounds::rounded_up(std::int32_t score) const noexcept {
    return static_cast<std::uint8_t>(std::clamp(std::ceil(score / unit_ - kTolerance), 1.0, 255.0));
}

void CoarseBounds::note(std::uint8_t min) noexcept {
    n_ = kernels::active().select_bytes(bounds_.items.data(), bounds_.items.size(), min, docs_.data());
}

void CoarseBounds::select(std::int32_t min) noexcept { note(rounded_up(min)); }

// As many stretches as documents are wanted have one each that reaches the largest bound of the last of these.
void CoarseBounds::select_best(std::size_t n, std::int32_t min) noexcept {
    kernels::active().stretch_maxima(bounds_.items.data(), maxima_.size(), maxima_.data());
    std::array<std::size_t, 256> stretches_of{};
    for (const std::uint8_t largest : maxima_) ++stretches_of[largest];
    std::uint8_t bound = 255;
    for (std::size_t n_found = stretches_of[bound]; bound > 1 && n_found < n; n_found += stretches_of[bound]) --bound;
    note(std::max(bound, rounded_up(min)));
}

void CoarseBounds::keep(std::int32_t min) noexcept {
    const std::uint8_t lowest = rounded_up(min);
    std::size_t n = 0;
    for (std::size_t i = 0; i < n_; ++i) {
        docs_[n] = docs_[i];
        n += bounds_.items[docs_[n]] >= lowest;
    }
    n_ = n;
}

std::span<const CoarseBounds::Bounded> CoarseBounds::take_best(std::size_t n) {
    const std::uint8_t* const bounds = bounds_.items.data();
    std::array<std::size_t, 256> offsets{};  // by bound: how many have it, then where they begin
    for (std::size_t i = 0; i < n_; ++i) ++offsets[bounds[docs_[i]]];
    std::size_t n_best = 0;
    std::size_t lowest = 255;
    for (;; --lowest) {
        n_best += std::exchange(offsets[lowest], n_best);
        if (n_best >= n || lowest == 0) break;
    }
    n_best = std::min(n_best, std::max(n, kMaxTaken));
    best_.resize(n_best);
    std::size_t n_left = 0;
    for (std::size_t i = 0; i < n_; ++i) {
        const std::uint8_t bound = bounds[docs_[i]];
        if (bound < lowest || offsets[bound] >= n_best) {
            docs_[n_left++] = docs_[i];
            continue;
        }
        // A score is a whole number: one more covers what floating point may be off by.
        best_[offsets[bound]++] = {first_ + docs_[i], static_cast<std::int64_t>(bound * unit_) + 1};
    }
    n_ = n_left;
    return best_;
}

void CoarseBounds::finish() noexcept { std::memset(bounds_.items.data(), 0, bounds_.items.size()); }

}  // namespace thresher
