#include "checksum.hpp"

#include <algorithm>
#include <vector>

#include "../../kernels/kernels.hpp"

namespace thresher {

namespace {

constexpr std::size_t kBlock = std::size_t{64} << 10;
constexpr std::size_t kBlocksPerTask = 64;

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes) {
    std::uint32_t checksum = 0;
    kernels::active().checksum_blocks(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), 1, &checksum);
    return checksum;
}

std::uint32_t section_checksum(std::span<const std::byte> bytes, unsigned threads, Progress& progress) {
    const std::size_t n_whole = bytes.size() / kBlock;
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    std::vector<std::uint32_t> checksums(n_whole);
    parallel_for_rows(n_whole, kBlocksPerTask, threads, progress, [&](std::size_t begin, std::size_t end, unsigned) {
        kernels::active().checksum_blocks(data + begin * kBlock, kBlock, end - begin, checksums.data() + begin);
    });
    if (bytes.size() % kBlock != 0) checksums.push_back(crc32c(bytes.subspan(n_whole * kBlock)));
    return crc32c(std::as_bytes(std::span(checksums)));
}

}  // namespace thresher
