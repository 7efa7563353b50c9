// Whole numbers of as many bits each as the largest may take, one behind the other.
//
// Eight bytes behind the last are there too, so that any number is read by one load.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "../base/bit_writer.hpp"
#include "../base/buffer.hpp"
#include "../base/interruption.hpp"
#include "index_file.hpp"

namespace thresher {

class PackedNumbers {
  public:
    PackedNumbers() = default;
    // value(i), which is below `bound`, for each i below `n`, in their order. 0 < bound <= 2^32.
    template <class Value>
    static PackedNumbers build(std::size_t n, std::uint64_t bound, const Value& value) {
        PackedNumbers numbers(n, bits_for(bound));
        Filling<std::uint8_t> bytes(n_bytes(n, numbers.bits_));
        BitWriter writer(bytes.items.data(), numbers.bits_);
        for (std::size_t i = 0; i < n; ++i) {
            if (i % kAtATime == 0) interruption_point(4 * kAtATime);
            writer.put(static_cast<std::uint32_t>(value(i)));
        }
        writer.finish();
        numbers.bytes_ = std::move(bytes.buffer);
        return numbers;
    }

    std::size_t size() const noexcept { return n_; }
    std::uint32_t operator[](std::size_t i) const noexcept {
        const std::size_t bit = i * bits_;
        std::uint64_t eight;
        std::memcpy(&eight, bytes_.data() + bit / 8, sizeof eight);  // little-endian
        return static_cast<std::uint32_t>(eight >> bit % 8 & mask_);
    }

    // Numbers [begin, end), clamped, so that an altered file can't lead out of bounds. Borrows.
    class Part {
      public:
        std::size_t first() const noexcept { return first_; }
        std::size_t size() const noexcept { return n_; }
        std::uint32_t operator[](std::size_t i) const noexcept { return (*numbers_)[first_ + i]; }

      private:
        friend class PackedNumbers;
        Part(const PackedNumbers& numbers, std::size_t first, std::size_t n) noexcept
            : numbers_(&numbers), first_(first), n_(n) {}

        const PackedNumbers* numbers_;
        std::size_t first_;
        std::size_t n_;
    };
    Part between(std::uint64_t begin, std::uint64_t end) const noexcept {
        const auto last = static_cast<std::size_t>(std::min<std::uint64_t>(end, n_));
        const auto first = static_cast<std::size_t>(std::min<std::uint64_t>(begin, last));
        return {*this, first, last - first};
    }

    std::size_t nbytes() const noexcept { return bytes_.nbytes(); }
    static double estimated_nbytes(double n, std::uint64_t bound) noexcept {
        return n * static_cast<double>(bits_for(bound)) / 8 + kMargin;
    }
    // As the section `name`.
    void save(SectionList& sections, const std::string& name) const { sections.add(name, bytes_); }
    static PackedNumbers load(const IndexFile& file, const std::string& name, std::size_t n, std::uint64_t bound) {
        PackedNumbers numbers(n, bits_for(bound));
        // Sizes of altered files must not overflow.
        file.require(n <= file.section<std::uint8_t>(name).size() * 8 || numbers.bits_ == 0,
                     "section " + name + " is too short");
        numbers.bytes_ = file.section<std::uint8_t>(name, n_bytes(n, numbers.bits_));
        return numbers;
    }

  private:
    static constexpr std::size_t kMargin = 8;
    static constexpr std::size_t kAtATime = 65536;  // between two interruption points

    PackedNumbers(std::size_t n, unsigned bits) noexcept : n_(n), bits_(bits), mask_((std::uint64_t{1} << bits) - 1) {}
    static unsigned bits_for(std::uint64_t bound) noexcept {
        return bound <= 1 ? 0U : static_cast<unsigned>(std::bit_width(bound - 1));
    }
    static std::size_t n_bytes(std::size_t n, unsigned bits) noexcept { return (n * bits + 7) / 8 + kMargin; }

    std::size_t n_ = 0;
    unsigned bits_ = 0;
    std::uint64_t mask_ = 0;
    Buffer<std::uint8_t> bytes_;
};

}  // namespace thresher
