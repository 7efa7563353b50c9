#include "weight_patterns.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "../base/bit_writer.hpp"

namespace thresher {

namespace {

using kernels::WeightFormat;
using kernels::Weights;

constexpr std::uint32_t kMaxCode = 255;
// Bits of a scale: with the 8 of a code they fit the 24 of a float32.
constexpr std::uint32_t kScaleBits = 16;

// The binary16 pattern of a positive float if that is exactly its value, otherwise 0.
std::uint16_t exact_half(float weight) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(weight);
    const std::uint32_t exponent = bits >> 23;
    if (exponent >= 113 && exponent <= 142) {  // normal halves: 2^-14 <= weight < 2^16
        return (bits & 0x1FFFU) == 0 ? static_cast<std::uint16_t>((bits >> 13) - (112U << 10)) : std::uint16_t{0};
    }
    if (exponent >= 103 && exponent < 113) {  // subnormal halves: multiples of 2^-24
        const float units = weight * 0x1p24F;
        const auto whole = static_cast<std::uint16_t>(units);
        return static_cast<float>(whole) == units ? whole : std::uint16_t{0};
    }
    return 0;
}

std::uint32_t pattern_of(float weight, Weights kind) noexcept {
    return kind == Weights::halves ? exact_half(weight) : std::bit_cast<std::uint32_t>(weight);
}

// A positive float as mantissa * 2^exponent, the mantissa odd.
struct Binary {
    std::uint32_t mantissa;
    int exponent;

    explicit Binary(float weight) noexcept {
        const auto bits = std::bit_cast<std::uint32_t>(weight);
        const std::uint32_t biased = bits >> 23;
        mantissa = (bits & 0x7FFFFFU) | (biased == 0 ? 0U : 0x800000U);
        const int zeros = std::countr_zero(mantissa);
        mantissa >>= zeros;
        exponent = static_cast<int>(std::max(biased, 1U)) - 150 + zeros;
    }
};

// The largest number of which every weight is a whole multiple, 255 times at most; 0 if there is none that is short
// enough for a scale.
float common_unit(std::span<const Posting> postings, float max) noexcept {
    int exponent = std::numeric_limits<int>::max();
    for (const Posting& posting : postings) exponent = std::min(exponent, Binary(posting.weight).exponent);
    const double most = std::ldexp(static_cast<double>(max), -exponent);
    if (most >= static_cast<double>(kMaxCode << kScaleBits)) return 0;
    std::uint32_t unit = 0;
    for (const Posting& posting : postings) {
        const Binary weight(posting.weight);
        unit = std::gcd(unit, weight.mantissa << (weight.exponent - exponent));
        if (most > static_cast<double>(unit) * kMaxCode) return 0;
    }
    return unit >> kScaleBits == 0 ? std::ldexp(static_cast<float>(unit), exponent) : 0;
}

}  // namespace

void WeightRange::add(float weight) noexcept {
    halves_ &= exact_half(weight) != 0;
    min_ = std::min(min_, weight);
    max_ = std::max(max_, weight);
}

void WeightRange::add(const WeightRange& other) noexcept {
    halves_ &= other.halves_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
}

WeightFormat WeightRange::format() const noexcept {
    if (max_ == 0) return {};
    WeightFormat format{halves_ ? Weights::halves : Weights::floats, 0, 0};
    format.least = pattern_of(min_, format.kind);
    format.bits = static_cast<std::uint32_t>(std::bit_width(pattern_of(max_, format.kind) - format.least));
    return format;
}

bool write_patterns(std::span<const Posting> postings, const WeightFormat& format, std::uint8_t* to) noexcept {
    BitWriter weights(to, format.bits);
    std::uint32_t all = 0;
    for (const Posting& posting : postings) {
        const std::uint32_t weight = pattern_of(posting.weight, format.kind) - format.least;
        all |= weight;
        weights.put(weight);
    }
    weights.finish();
    return all >> format.bits == 0;
}

float code_scale(std::span<const Posting> postings) noexcept {
    float max = 0;
    for (const Posting& posting : postings) max = std::max(max, posting.weight);
    if (max == 0) return 0;
    if (const float unit = common_unit(postings, max); unit > 0) return unit;
    // The least number of 8 bits that is at least a 255th of the largest weight.
    const float scale = std::nextafter(max / static_cast<float>(kMaxCode), std::numeric_limits<float>::infinity());
    const auto pattern = std::bit_cast<std::uint32_t>(scale);
    // A mantissa has 24 bits, the first of which is not in the pattern; that of a subnormal number is the pattern.
    const int width = scale < std::numeric_limits<float>::min() ? std::bit_width(pattern) : 24;
    const std::uint32_t rest = (1U << std::max(width - 8, 0)) - 1;
    return std::bit_cast<float>((pattern + rest) & ~rest);
}

std::uint8_t code_of(float weight, float scale) noexcept {
    const double nearest = std::floor(static_cast<double>(weight) / static_cast<double>(scale) + 0.5);
    return static_cast<std::uint8_t>(std::clamp(nearest, 1.0, static_cast<double>(kMaxCode)));
}

float write_codes(std::span<const Posting> postings, std::uint8_t* to) noexcept {
    const float scale = code_scale(postings);
    std::memcpy(to, &scale, sizeof scale);
    double error = 0;
    for (std::size_t i = 0; i < postings.size(); ++i) {
        const std::uint8_t code = code_of(postings[i].weight, scale);
        to[sizeof scale + i] = code;
        const double stored = static_cast<double>(scale) * code;
        error = std::max(error, std::fabs(static_cast<double>(postings[i].weight) - stored));
    }
    const auto rounded = static_cast<float>(error);
    return static_cast<double>(rounded) >= error ? rounded : std::nextafter(rounded, std::numeric_limits<float>::max());
}

}  // namespace thresher
