#include "packed_numbers.hpp"

#include <bit>

#include "../base/bit_writer.hpp"
#include "../base/interruption.hpp"

namespace thresher {

namespace {

constexpr std::size_t kMargin = 8;

unsigned width_of(std::uint64_t limit) noexcept {
    return limit == 0 ? 0 : static_cast<unsigned>(std::bit_width(limit - 1));
}

std::size_t size_of_numbers(std::size_t n, std::uint64_t limit) noexcept {
    return (static_cast<std::uint64_t>(n) * width_of(limit) + 7) / 8 + kMargin;
}

}  // namespace

PackedNumbers::PackedNumbers(Buffer<std::uint8_t> bytes, std::uint64_t limit)
    : width_(width_of(limit)), mask_((std::uint64_t{1} << width_) - 1), bytes_(std::move(bytes)) {}

PackedNumbers PackedNumbers::build(std::span<const std::uint32_t> numbers, std::uint64_t limit) {
    Filling<std::uint8_t> bytes(size_of_numbers(numbers.size(), limit));
    BitWriter writer(bytes.items.data(), width_of(limit));
    for (const std::uint32_t number : numbers) {
        interruption_point(3);
        writer.put(number);
    }
    writer.finish();
    return {std::move(bytes.buffer), limit};
}

PackedNumbers PackedNumbers::load(const IndexFile& file, const std::string& name, std::size_t n, std::uint64_t limit) {
    auto bytes = file.section<std::uint8_t>(name);
    if (bytes.size() == 0) return {};
    file.require(bytes.size() == size_of_numbers(n, limit),
                 "section " + name + " has another size than its " + std::to_string(n) + " numbers");
    return {std::move(bytes), limit};
}

}  // namespace thresher
