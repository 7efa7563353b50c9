#include "position_lists.hpp"

#include <cmath>
#include <utility>

namespace thresher {

namespace {

// Calls put(byte) for every byte of the list.
template <class Put>
void encode(std::span<const std::uint32_t> list, Put&& put) {
    std::uint32_t next = 0;
    for (const std::uint32_t position : list) {
        std::uint32_t gap = position + 1 - next;
        next = position + 1;
        for (; gap >= 128; gap >>= 7) put(static_cast<std::uint8_t>(gap | 128U));
        put(static_cast<std::uint8_t>(gap));
    }
}

}  // namespace

PositionLists PositionLists::build(std::size_t n,
                                   const std::function<std::span<const std::uint32_t>(std::size_t i)>& list,
                                   unsigned threads, Progress& progress) {
    PositionLists built;
    built.lists_ = Stretches::build(
        n, threads, progress,
        [&](std::size_t i) {
            std::size_t size = 0;
            encode(list(i), [&](std::uint8_t) { ++size; });
            return size;
        },
        [&](std::size_t i, std::uint8_t* to) { encode(list(i), [&](std::uint8_t byte) { *to++ = byte; }); });
    return built;
}

double PositionLists::estimated_bytes(double mean_gap) noexcept {
    double bytes = 1;
    for (double longer = 128; longer < 0x1p32; longer *= 128) bytes += std::exp(-longer / mean_gap);
    return bytes;
}

PositionLists PositionLists::load(const IndexFile& file, const std::string& name, std::size_t n_lists) {
    PositionLists loaded;
    loaded.lists_ = Stretches::load(file, name, n_lists);
    return loaded;
}

}  // namespace thresher
