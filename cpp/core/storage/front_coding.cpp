#include "front_coding.hpp"

#include <algorithm>

namespace thresher {

namespace {

constexpr unsigned kLong = 15;
constexpr unsigned kMaxBits = 56;  // of a number, whose rest is left out

void append_rest(std::size_t number, std::vector<std::uint8_t>& to) {
    if (number < kLong) return;
    for (number -= kLong; number > 127; number >>= 7) to.push_back(static_cast<std::uint8_t>(number | 128));
    to.push_back(static_cast<std::uint8_t>(number));
}

}  // namespace

std::size_t shared_prefix(std::string_view a, std::string_view b) noexcept {
    const std::size_t n = std::min(a.size(), b.size());
    return static_cast<std::size_t>(
        std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(n), b.begin()).first - a.begin());
}

void append_front_coded(std::string_view before, std::string_view string, std::size_t shared,
                        std::vector<std::uint8_t>& to) {
    const std::size_t drop = before.size() - shared;
    const std::string_view added = string.substr(shared);
    to.push_back(static_cast<std::uint8_t>(std::min<std::size_t>(drop, kLong) << 4 |
                                           std::min<std::size_t>(added.size(), kLong)));
    append_rest(drop, to);
    append_rest(added.size(), to);
    to.insert(to.end(), added.begin(), added.end());
}

std::size_t FrontReader::rest() noexcept {
    std::size_t value = 0;
    for (unsigned shift = 0; at_ != end_ && shift < kMaxBits; shift += 7) {
        const std::uint8_t byte = *at_++;
        value |= static_cast<std::size_t>(byte & 127) << shift;
        if (byte < 128) break;
    }
    return value;
}

}  // namespace thresher
