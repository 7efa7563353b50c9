// Buffers: aligned, zeroed to a multiple of 64 bytes, shared by their copies.
#include "core/base/buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

namespace thresher {
namespace {

TEST(Buffer, MemoryIsAlignedAndZeroedToAMultipleOf64) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65},
                                   std::size_t{4} << 20, (std::size_t{4} << 20) - 1, (std::size_t{6} << 20) + 1}) {
        const auto memory = allocate_bytes(size);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.get()) % 64, 0U) << size;
        const std::size_t whole = (size + 63) / 64 * 64;
        EXPECT_TRUE(std::all_of(memory.get(), memory.get() + whole, [](std::byte b) { return b == std::byte{0}; }))
            << size;
        std::fill_n(memory.get(), whole, std::byte{0xFF});  // all of it is writable
    }
}

TEST(Buffer, RefusesWhatNoMachineHas) {
    EXPECT_THROW(allocate_bytes(SIZE_MAX), std::bad_alloc);
    EXPECT_THROW(allocate_bytes(SIZE_MAX / 2), std::bad_alloc);
    EXPECT_THROW(allocate_bytes(SIZE_MAX - (std::size_t{3} << 20)), std::bad_alloc);
}

TEST(Buffer, IsFilledAndThenRead) {
    Filling<std::uint32_t> filling(5);
    ASSERT_EQ(filling.items.size(), 5U);
    for (std::uint32_t i = 0; i < 5; ++i) filling.items[i] = i * i;
    const Buffer<std::uint32_t> buffer = std::move(filling.buffer);
    EXPECT_EQ(buffer.size(), 5U);
    EXPECT_EQ(buffer.nbytes(), 20U);
    EXPECT_EQ(buffer[4], 16U);
    EXPECT_EQ(buffer.items()[3], 9U);
    EXPECT_EQ(buffer.data(), buffer.items().data());
}

TEST(Buffer, CopiesShareTheMemoryAndKeepItAlive) {
    Buffer<std::uint8_t> copy;
    EXPECT_EQ(copy.size(), 0U);
    const std::uint8_t* data = nullptr;
    {
        Filling<std::uint8_t> filling(3);
        filling.items[2] = 42;
        data = filling.buffer.data();
        copy = filling.buffer;
    }
    EXPECT_EQ(copy.data(), data);
    EXPECT_EQ(copy[2], 42);
}

TEST(Buffer, LetsGoOfItsOwnerWithTheLastCopy) {
    auto owner = std::make_shared<std::uint16_t>(std::uint16_t{7});
    const std::weak_ptr<std::uint16_t> alive = owner;
    const std::span<const std::uint16_t> items(owner.get(), 1);
    Buffer<std::uint16_t> first(items, std::move(owner));
    Buffer<std::uint16_t> second = first;
    first = {};
    EXPECT_FALSE(alive.expired());
    EXPECT_EQ(second[0], 7);
    second = {};
    EXPECT_TRUE(alive.expired());
}

}  // namespace
}  // namespace thresher
