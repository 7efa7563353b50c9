// The checksum of a section: CRC-32C of the little-endian CRC-32Cs of its 64 KiB blocks (the last may be shorter).
// Two levels, so that blocks can be read side by side by instructions and by threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "../base/parallel.hpp"

namespace thresher {

std::uint32_t crc32c(std::span<const std::byte> bytes);
std::uint32_t section_checksum(std::span<const std::byte> bytes, unsigned threads, Progress& progress);

}  // namespace thresher
