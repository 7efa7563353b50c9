#include "position_lists.hpp"

#include <cmath>
#include <utility>

namespace thresher {

PositionLists PositionLists::build(std::size_t n,
                                   const std::function<std::span<const std::uint32_t>(std::size_t i)>& list,
                                   unsigned threads, Progress& progress) {
    PositionLists built;
    built.lists_ = Stretches::build(
        n, threads, progress,
        [&](std::size_t i) {
            std::size_t size = 0;
            encode_positions(list(i), [&](std::uint8_t) { ++size; });
            return size;
        },
        [&](std::size_t i, std::uint8_t* to) { encode_positions(list(i), [&](std::uint8_t byte) { *to++ = byte; }); });
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
