// What a vocabulary is made of: terms, and in how many documents they are.
#pragma once

#include <cstdint>

namespace thresher {

// One sign of one term, and in how many documents: numbers that order as term and sign do, positive first.
class TermCount {
  public:
    TermCount(std::uint32_t term, bool negative, std::uint32_t count) noexcept
        : packed_(std::uint64_t{term} << 32 | std::uint64_t{negative} << kCountBits | (count - 1)) {}
    std::uint32_t term() const noexcept { return static_cast<std::uint32_t>(packed_ >> 32); }
    bool is_negative() const noexcept { return (packed_ >> kCountBits & 1) != 0; }
    std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(packed_ & kCountMask) + 1; }
    bool is_of_half(const TermCount& other) const noexcept { return (packed_ ^ other.packed_) >> kCountBits == 0; }
    // Of the same half.
    void add(const TermCount& other) noexcept { packed_ += other.count(); }
    bool operator<(const TermCount& other) const noexcept { return packed_ < other.packed_; }

  private:
    static constexpr unsigned kCountBits = 31;  // from 1 to 2^31, the most documents that there are
    static constexpr std::uint64_t kCountMask = (std::uint64_t{1} << kCountBits) - 1;

    std::uint64_t packed_;
};

}  // namespace thresher
