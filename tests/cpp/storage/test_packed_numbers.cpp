// Packed numbers: every width, read back one by one, from a file too, and in bounds whatever the file.
#include "core/storage/packed_numbers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/base/error.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::Random;

std::vector<std::uint32_t> random_numbers(Random& random, std::size_t n, std::uint64_t bound) {
    std::vector<std::uint32_t> numbers(n);
    for (std::uint32_t& number : numbers) number = static_cast<std::uint32_t>(random() % bound);
    if (n > 1) numbers[n / 2] = static_cast<std::uint32_t>(bound - 1);
    return numbers;
}

PackedNumbers packed(const std::vector<std::uint32_t>& numbers, std::uint64_t bound) {
    return PackedNumbers::build(numbers.size(), bound, [&](std::size_t i) { return numbers[i]; });
}

TEST(PackedNumbers, AreReadBackWhateverTheirWidth) {
    Random random(1);
    const test::TemporaryDirectory directory;
    for (unsigned bits = 0; bits <= 32; ++bits) {
        for (const std::size_t n : {0, 1, 7, 64, 1000}) {
            const std::uint64_t bound = std::uint64_t{1} << bits;
            const auto numbers = random_numbers(random, n, bound);
            const PackedNumbers saved = packed(numbers, bound);
            EXPECT_EQ(saved.nbytes(), (n * bits + 7) / 8 + 8);
            EXPECT_EQ(static_cast<double>(saved.nbytes()),
                      std::ceil(PackedNumbers::estimated_nbytes(static_cast<double>(n), bound)));
            SectionList sections;
            saved.save(sections, "numbers");
            write_index_file(directory.path("f"), "test", Parameters{}, sections, nullptr);
            const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
            for (const PackedNumbers& read : {saved, PackedNumbers::load(file, "numbers", n, bound)}) {
                ASSERT_EQ(read.size(), n);
                for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(read[i], numbers[i]) << bits << " bits";
            }
            if (bits > 0) {
                EXPECT_THROW(PackedNumbers::load(file, "numbers", n + 64, bound), FormatError);
            }
            EXPECT_THROW(PackedNumbers::load(file, "numbers", std::numeric_limits<std::size_t>::max() / 2, 1 << 9),
                         FormatError);
        }
    }
}

TEST(PackedNumbers, OfOtherBoundsTakeTheBitsOfTheLargest) {
    EXPECT_EQ(packed({4, 0, 2}, 5).nbytes(), 2U + 8U);
    EXPECT_EQ(packed({0, 0, 0}, 1).nbytes(), 8U);
    EXPECT_EQ(packed({}, 0).nbytes(), 8U);
}

TEST(PackedNumbers, PartsAreClamped) {
    const PackedNumbers numbers = packed({5, 6, 7}, 8);
    for (const std::uint64_t begin : {0ULL, 2ULL, 3ULL, 4ULL, ~0ULL}) {
        for (const std::uint64_t end : {0ULL, 1ULL, 3ULL, 4ULL, ~0ULL}) {
            const auto part = numbers.between(begin, end);
            const std::uint64_t last = std::min<std::uint64_t>(end, 3);
            ASSERT_EQ(part.size(), last - std::min(begin, last));
            for (std::size_t i = 0; i < part.size(); ++i) EXPECT_EQ(part[i], 5 + begin + i);
        }
    }
}

}  // namespace
}  // namespace thresher
