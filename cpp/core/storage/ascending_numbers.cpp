#include "ascending_numbers.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace thresher {

namespace {

constexpr std::size_t kAtATime = 65536;  // numbers between two interruption points
constexpr unsigned kMaxLow = 32;

// The position of the one in `word` that `n_before` are before; there are more.
std::size_t position_in(std::uint64_t word, std::size_t n_before) noexcept {
    for (; n_before > 0; --n_before) word &= word - 1;
    return static_cast<std::size_t>(std::countr_zero(word));
}

}  // namespace

AscendingNumbers::AscendingNumbers(std::size_t n, std::uint64_t bound) noexcept
    : bound_(bound), low_bits_(low_bits(static_cast<double>(n), bound)) {}

unsigned AscendingNumbers::low_bits(double n, std::uint64_t bound) noexcept {
    const double gap = static_cast<double>(bound) / std::max(n, 1.0);
    return gap < 2 ? 0U : std::min(static_cast<unsigned>(std::ilogb(gap)), kMaxLow);
}

std::size_t AscendingNumbers::n_blocks(std::size_t n) const noexcept {
    return n == 0 ? 0 : (n + static_cast<std::size_t>(bound_ >> low_bits_)) / (64 * kBlock) + 1;
}

AscendingNumbers AscendingNumbers::build(std::size_t n, std::uint64_t bound,
                                         const std::function<std::uint64_t(std::size_t i)>& number) {
    AscendingNumbers numbers(n, bound);
    const unsigned bits = numbers.low_bits_;
    const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
    numbers.low_ = PackedNumbers::build(n, mask + 1, [&](std::size_t i) { return number(i) & mask; });
    Filling<std::uint64_t> high(numbers.n_blocks(n) * kBlock);
    for (std::size_t i = 0; i < n; ++i) {
        if (i % kAtATime == 0) interruption_point(4 * kAtATime);
        const std::size_t at = static_cast<std::size_t>(number(i) >> bits) + i;
        high.items[at / 64] |= std::uint64_t{1} << at % 64;
    }
    Filling<std::uint32_t> ranks(numbers.n_blocks(n));
    std::uint32_t n_ones = 0;
    for (std::size_t block = 0; block < ranks.items.size(); ++block) {
        ranks.items[block] = n_ones;
        for (const std::uint64_t word : high.items.subspan(block * kBlock, kBlock)) {
            n_ones += static_cast<std::uint32_t>(std::popcount(word));
        }
    }
    numbers.high_ = std::move(high.buffer);
    numbers.ranks_ = std::move(ranks.buffer);
    return numbers;
}

// `count_before(block)` does not fall; `word(i)` has the bits that count. In an altered file the end, if none is found.
template <class CountBefore, class Word>
std::size_t AscendingNumbers::position(std::size_t n_before, const CountBefore& count_before,
                                       const Word& word) const noexcept {
    std::size_t block = 0;  // the last that no more are before
    for (std::size_t end = ranks_.size(); end - block > 1;) {
        const std::size_t middle = block + (end - block) / 2;
        (count_before(middle) <= n_before ? block : end) = middle;
    }
    std::size_t left = n_before - std::min(n_before, count_before(block));
    for (std::size_t i = block * kBlock; i < (block + 1) * kBlock; ++i) {
        const std::uint64_t bits = word(i);
        const auto n = static_cast<std::size_t>(std::popcount(bits));
        if (left < n) return i * 64 + position_in(bits, left);
        left -= n;
    }
    return (block + 1) * kBlock * 64;
}

std::size_t AscendingNumbers::position_of_one(std::size_t n_before) const noexcept {
    return position(
        n_before, [&](std::size_t block) { return std::size_t{ranks_[block]}; },
        [&](std::size_t i) { return high_[i]; });
}

std::size_t AscendingNumbers::position_of_zero(std::size_t n_before) const noexcept {
    return position(
        n_before,
        [&](std::size_t block) {
            const std::size_t n_bits = block * kBlock * 64;
            return n_bits - std::min<std::size_t>(ranks_[block], n_bits);
        },
        [&](std::size_t i) { return ~high_[i]; });
}

std::uint64_t AscendingNumbers::operator[](std::size_t i) const noexcept {
    const std::size_t at = position_of_one(i);
    const std::uint64_t high = at - std::min(at, i);
    return std::min(high << low_bits_ | low_[i], bound_ - 1);
}

std::size_t AscendingNumbers::n_below(std::uint64_t high) const noexcept {
    if (high == 0) return 0;
    const std::size_t at = position_of_zero(static_cast<std::size_t>(high - 1));
    return std::min(at + 1 - std::min<std::size_t>(at + 1, static_cast<std::size_t>(high)), size());
}

std::size_t AscendingNumbers::find(std::uint64_t number) const noexcept {
    if (number >= bound_ || size() == 0) return size();
    const std::uint64_t high = number >> low_bits_;
    const auto low = static_cast<std::uint32_t>(number & ((std::uint64_t{1} << low_bits_) - 1));
    std::size_t first = n_below(high);
    const std::size_t last = std::max(n_below(high + 1), first);
    for (std::size_t end = last; first < end;) {
        const std::size_t middle = first + (end - first) / 2;
        if (low_[middle] < low) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return first < last && low_[first] == low ? first : size();
}

double AscendingNumbers::estimated_nbytes(double n, std::uint64_t bound) noexcept {
    if (n < 1) return PackedNumbers::estimated_nbytes(0, 1);
    const unsigned bits = low_bits(n, bound);
    const double blocks = std::floor((n + static_cast<double>(bound >> bits)) / (64 * kBlock)) + 1;
    return PackedNumbers::estimated_nbytes(n, std::uint64_t{1} << bits) +
           blocks * (kBlock * sizeof(std::uint64_t) + sizeof(std::uint32_t));
}

void AscendingNumbers::save(SectionList& sections, const std::string& name) const {
    low_.save(sections, name + "/low");
    sections.add(name + "/high", high_);
    sections.add(name + "/ranks", ranks_);
}

AscendingNumbers AscendingNumbers::load(const IndexFile& file, const std::string& name, std::size_t n,
                                        std::uint64_t bound) {
    AscendingNumbers numbers(n, bound);
    numbers.low_ = PackedNumbers::load(file, name + "/low", n, std::uint64_t{1} << numbers.low_bits_);
    numbers.ranks_ = file.section<std::uint32_t>(name + "/ranks", numbers.n_blocks(n));
    numbers.high_ = file.section<std::uint64_t>(name + "/high", numbers.ranks_.size() * kBlock);
    return numbers;
}

}  // namespace thresher
