// Writes numbers of so many bits each, the first in the lowest bits: a little-endian stream that ends on a whole byte.
#pragma once

#include <cstdint>

namespace thresher {

class BitWriter {
  public:
    BitWriter(std::uint8_t* to, unsigned width) : to_(to), width_(width) {}
    void put(std::uint32_t value) noexcept {
        bits_ |= static_cast<std::uint64_t>(value) << n_bits_;
        for (n_bits_ += width_; n_bits_ >= 8; n_bits_ -= 8) flush();
    }
    void finish() noexcept {
        if (n_bits_ > 0) flush();
    }

  private:
    void flush() noexcept {
        *to_++ = static_cast<std::uint8_t>(bits_);
        bits_ >>= 8;
    }

    std::uint8_t* to_;
    unsigned width_;
    std::uint64_t bits_ = 0;
    unsigned n_bits_ = 0;
};

}  // namespace thresher
