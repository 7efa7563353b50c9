#include "string_order.hpp"

#include <algorithm>
#include <cstddef>
#include <tuple>

#include "../base/interruption.hpp"

namespace thresher {

namespace {

constexpr std::size_t kDigit = 8;  // bytes

struct Item {
    std::uint64_t digit;
    std::uint32_t string;
    std::uint32_t rest;  // bytes of the string from its digit on; kDigit + 1: more than a digit
};

struct Range {
    std::size_t begin;
    std::size_t end;
    std::size_t depth;  // bytes that its strings have in common
};

bool is_less(const Item& a, const Item& b) noexcept {
    return std::tie(a.digit, a.rest, a.string) < std::tie(b.digit, b.rest, b.string);
}

void read_digit(std::string_view string, std::size_t depth, Item& item) noexcept {
    const std::string_view from = string.substr(depth);
    item.rest = static_cast<std::uint32_t>(std::min(from.size(), kDigit + 1));
    item.digit = 0;
    for (std::size_t i = 0; i < kDigit; ++i) {
        item.digit = item.digit << 8 | (i < from.size() ? static_cast<std::uint8_t>(from[i]) : 0U);
    }
}

}  // namespace

std::vector<std::uint32_t> string_order(std::span<const std::string_view> strings) {
    std::vector<Item> items(strings.size());
    for (std::size_t i = 0; i < items.size(); ++i) items[i].string = static_cast<std::uint32_t>(i);
    std::vector<Range> open{{0, items.size(), 0}};
    while (!open.empty()) {
        const Range range = open.back();
        open.pop_back();
        for (std::size_t i = range.begin; i < range.end; ++i) {
            interruption_point(30);
            read_digit(strings[items[i].string], range.depth, items[i]);
        }
        const auto first = items.begin() + static_cast<std::ptrdiff_t>(range.begin);
        const auto last = items.begin() + static_cast<std::ptrdiff_t>(range.end);
        if (!std::is_sorted(first, last, is_less)) std::sort(first, last, interruptible(is_less));
        for (std::size_t begin = range.begin; begin < range.end;) {
            const Item& item = items[begin];
            std::size_t end = begin + 1;
            while (end < range.end && items[end].digit == item.digit && items[end].rest == item.rest) ++end;
            if (end - begin > 1 && item.rest > kDigit) open.push_back({begin, end, range.depth + kDigit});
            begin = end;
        }
    }
    std::vector<std::uint32_t> order(items.size());
    std::ranges::transform(items, order.begin(), &Item::string);
    return order;
}

}  // namespace thresher
