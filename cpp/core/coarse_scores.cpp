#include "coarse_scores.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "../kernels/kernels.hpp"

namespace thresher {

namespace {

constexpr double kOne = 65536;  // of a factor
// What a posting adds is rounded up by less than this, the factor's own rounding included.
constexpr double kMostRounding = 1.01;
// Of a sum of bounds: more than floating point is off by.
constexpr double kTolerance = 1e-6;

std::size_t whole_stretches(std::size_t n_docs) noexcept {
    const std::size_t window = std::min<std::size_t>(n_docs, CoarseScores::kWindow);
    return (window + kernels::kStretch - 1) / kernels::kStretch;
}

}  // namespace

CoarseScores::CoarseScores(std::size_t n_docs)
    : bounds_(whole_stretches(n_docs) * kernels::kStretch),
      docs_(bounds_.items.size() + kernels::kSelectMargin),
      maxima_(whole_stretches(n_docs)) {}

void CoarseScores::start(std::uint32_t first, std::int32_t most, std::size_t n_lists) noexcept {
    first_ = first;
    unit_ = static_cast<double>(most) / (255 - kMostRounding * static_cast<double>(n_lists));
    n_ = 0;
}

void CoarseScores::add(PostingCursor& list) noexcept {
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

std::uint8_t CoarseScores::rounded_up(std::int32_t score) const noexcept {
    return static_cast<std::uint8_t>(std::clamp(std::ceil(score / unit_ - kTolerance), 1.0, 255.0));
}

void CoarseScores::note(std::uint8_t least) noexcept {
    n_ = kernels::active().select_bytes(bounds_.items.data(), bounds_.items.size(), least, docs_.data());
}

void CoarseScores::select(std::int32_t least) noexcept { note(rounded_up(least)); }

// As many stretches as documents are wanted have one each that reaches the largest bound of the last of these.
void CoarseScores::select_best(std::size_t n, std::int32_t least) noexcept {
    kernels::active().stretch_maxima(bounds_.items.data(), maxima_.size(), maxima_.data());
    std::array<std::size_t, 256> stretches_of{};
    for (const std::uint8_t largest : maxima_) ++stretches_of[largest];
    std::uint8_t bound = 255;
    for (std::size_t n_found = stretches_of[bound]; bound > 1 && n_found < n; n_found += stretches_of[bound]) --bound;
    note(std::max(bound, rounded_up(least)));
}

void CoarseScores::keep(std::int32_t least) noexcept {
    const std::uint8_t lowest = rounded_up(least);
    std::size_t n = 0;
    for (std::size_t i = 0; i < n_; ++i) {
        docs_[n] = docs_[i];
        n += bounds_.items[docs_[n]] >= lowest;
    }
    n_ = n;
}

std::span<const CoarseScores::Bounded> CoarseScores::best(std::size_t n) {
    const std::uint8_t* const bounds = bounds_.items.data();
    std::array<std::size_t, 256> starts{};  // by bound: how many have it, then where they begin
    for (std::size_t i = 0; i < n_; ++i) ++starts[bounds[docs_[i]]];
    std::size_t n_best = 0;
    std::size_t lowest = 255;
    for (;; --lowest) {
        n_best += std::exchange(starts[lowest], n_best);
        if (n_best >= n || lowest == 0) break;
    }
    best_.resize(n_best);
    for (std::size_t i = 0; i < n_; ++i) {
        const std::uint8_t bound = bounds[docs_[i]];
        if (bound < lowest) continue;
        // A score is a whole number: one more covers what floating point may be off by.
        best_[starts[bound]++] = {first_ + docs_[i], static_cast<std::int64_t>(bound * unit_) + 1};
    }
    return best_;
}

void CoarseScores::finish() noexcept { std::memset(bounds_.items.data(), 0, bounds_.items.size()); }

}  // namespace thresher
