// Numbers of so many bits: each comes back, whatever its width.
#include "core/storage/packed_numbers.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/random_rows.hpp"

namespace thresher {
namespace {

TEST(PackedNumbers, GiveBackWhatIsWritten) {
    test::Random random(1);
    for (std::uint64_t limit = 1; limit <= std::uint64_t{1} << 32; limit = limit < 70 ? limit + 1 : 2 * limit - 3) {
        for (const std::size_t n : {0, 1, 2, 7, 8, 9, 100}) {
            std::vector<std::uint32_t> numbers(n);
            for (auto& number : numbers) number = static_cast<std::uint32_t>(random() % limit);
            if (n > 0) numbers[n - 1] = static_cast<std::uint32_t>(limit - 1);
            const auto packed = PackedNumbers::build(numbers, limit);
            EXPECT_FALSE(packed.is_empty());
            for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(packed[i], numbers[i]) << "below " << limit;
        }
    }
    EXPECT_TRUE(PackedNumbers().is_empty());
}

TEST(PackedNumbers, TakeTheBitsOfTheLargest) {
    for (const auto& [limit, bits] : {std::pair(1, 0), {2, 1}, {3, 2}, {4, 2}, {5, 3}, {256, 8}, {257, 9}}) {
        const std::vector<std::uint32_t> numbers(8000);
        EXPECT_EQ(PackedNumbers::build(numbers, static_cast<std::uint64_t>(limit)).nbytes(), 1000U * bits + 8) << limit;
    }
}

}  // namespace
}  // namespace thresher
