// Numbers of so many bits each, one behind the other, the first in the lowest bits; any of them is one load away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "../base/buffer.hpp"
#include "index_file.hpp"

namespace thresher {

class PackedNumbers {
  public:
    PackedNumbers() = default;
    // Of numbers below `limit`.
    static PackedNumbers build(std::span<const std::uint32_t> numbers, std::uint64_t limit);

    bool is_empty() const noexcept { return bytes_.size() == 0; }
    // Any number of `width` bits where the file was altered, `limit` or above too.
    std::uint32_t operator[](std::size_t i) const noexcept {
        const std::uint64_t bit = static_cast<std::uint64_t>(i) * width_;
        std::uint64_t bits = 0;
        std::memcpy(&bits, bytes_.data() + bit / 8, sizeof bits);
        return static_cast<std::uint32_t>(bits >> bit % 8 & mask_);
    }

    std::size_t nbytes() const noexcept { return bytes_.nbytes(); }
    void save(SectionList& sections, const std::string& name) const { sections.add(name, bytes_); }
    // `n` numbers below `limit`, or none if the section is empty.
    static PackedNumbers load(const IndexFile& file, const std::string& name, std::size_t n, std::uint64_t limit);

  private:
    PackedNumbers(Buffer<std::uint8_t> bytes, std::uint64_t limit);

    unsigned width_ = 0;  // at most 32
    std::uint64_t mask_ = 0;
    Buffer<std::uint8_t> bytes_;  // with a margin, so that eight bytes can be loaded from anywhere
};

}  // namespace thresher
