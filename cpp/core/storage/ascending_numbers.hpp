// Numbers that never fall, in two bits each beside those of their mean gap, read and found without unpacking others.
//
// Elias (J. ACM 1974) and Fano (1971). The low bits of each number are packed; its high bits are a one among as many
// bits as there are numbers and values of the high bits: number i with high bits h is bit h + i. Ones counted before
// each 512 bits make both directions, number i and the numbers with high bits h, a binary search over these and a few
// words. O(log n), about a tenth of a microsecond.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "../base/buffer.hpp"
#include "index_file.hpp"
#include "packed_numbers.hpp"

namespace thresher {

class AscendingNumbers {
  public:
    AscendingNumbers() = default;
    // number(i), which is below `bound`, for each i below `n`; called once for each, in their order, and twice over.
    // n < 2^32, bound <= 2^40.
    static AscendingNumbers build(std::size_t n, std::uint64_t bound,
                                  const std::function<std::uint64_t(std::size_t i)>& number);

    std::size_t size() const noexcept { return low_.size(); }
    // Below the bound for any file: an altered one gives a wrong number.
    std::uint64_t operator[](std::size_t i) const noexcept;
    // The first that is `number`, or `size`.
    std::size_t find(std::uint64_t number) const noexcept;

    std::size_t nbytes() const noexcept { return low_.nbytes() + high_.nbytes() + ranks_.nbytes(); }
    static double estimated_nbytes(double n, std::uint64_t bound) noexcept;
    // As the sections <name>/low, <name>/high and <name>/ranks.
    void save(SectionList& sections, const std::string& name) const;
    static AscendingNumbers load(const IndexFile& file, const std::string& name, std::size_t n, std::uint64_t bound);

  private:
    static constexpr std::size_t kBlock = 8;  // words between two ranks

    AscendingNumbers(std::size_t n, std::uint64_t bound) noexcept;
    static unsigned low_bits(double n, std::uint64_t bound) noexcept;
    std::size_t n_blocks(std::size_t n) const noexcept;
    // The position of the one, or of the zero, that so many are before.
    std::size_t position_of_one(std::size_t n_before) const noexcept;
    std::size_t position_of_zero(std::size_t n_before) const noexcept;
    template <class CountBefore, class Word>
    std::size_t position(std::size_t n_before, const CountBefore& count_before, const Word& word) const noexcept;
    // How many numbers have high bits below `high`.
    std::size_t n_below(std::uint64_t high) const noexcept;

    std::uint64_t bound_ = 0;
    unsigned low_bits_ = 0;
    PackedNumbers low_;
    Buffer<std::uint64_t> high_;   // whole blocks
    Buffer<std::uint32_t> ranks_;  // ones before each block
};

}  // namespace thresher
