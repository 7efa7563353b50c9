// Ascending numbers against a plain array: each is read back, found, and nothing else is; in bounds whatever the file.
#include "core/storage/ascending_numbers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/error.hpp"
#include "support/altered_file.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::Random;
using Numbers = std::vector<std::uint64_t>;

AscendingNumbers built(const Numbers& numbers, std::uint64_t bound) {
    return AscendingNumbers::build(numbers.size(), bound, [&](std::size_t i) { return numbers[i]; });
}

void expect_same(const AscendingNumbers& ascending, const Numbers& numbers, std::uint64_t bound, Random& random) {
    ASSERT_EQ(ascending.size(), numbers.size());
    const auto expected = [&](std::uint64_t number) {
        const auto found = std::ranges::lower_bound(numbers, number);
        return found != numbers.end() && *found == number ? static_cast<std::size_t>(found - numbers.begin())
                                                          : numbers.size();
    };
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        ASSERT_EQ(ascending[i], numbers[i]) << i << " of " << numbers.size() << " below " << bound;
        for (const std::uint64_t number : {numbers[i] - 1, numbers[i], numbers[i] + 1}) {
            ASSERT_EQ(ascending.find(number), expected(number)) << number;
        }
    }
    for (int i = 0; i < 100; ++i) {
        const std::uint64_t number = random() % (bound + 2);
        ASSERT_EQ(ascending.find(number), expected(number)) << number;
    }
    ASSERT_EQ(ascending.find(~std::uint64_t{0}), numbers.size());
}

TEST(AscendingNumbers, AreReadBackAndFound) {
    Random random(1);
    const test::TemporaryDirectory directory;
    for (const std::uint64_t bound :
         {1ULL, 2ULL, 100ULL, 1ULL << 16, (1ULL << 32) - 1, 8 * ((1ULL << 32) - 1), 1ULL << 40}) {
        for (const std::size_t n : {0, 1, 2, 511, 512, 513, 3000}) {
            // Anywhere, in few places, side by side at either end, all the same.
            for (int kind = 0; kind < 5; ++kind) {
                Numbers numbers(n);
                for (std::size_t i = 0; i < n; ++i) {
                    const std::uint64_t anywhere = random() % bound;
                    numbers[i] = kind == 0   ? anywhere
                                 : kind == 1 ? anywhere / (bound / 3 + 1) * (bound / 3)
                                 : kind == 2 ? std::min<std::uint64_t>(i, bound - 1)
                                 : kind == 3 ? bound - 1 - std::min<std::uint64_t>(i, bound - 1)
                                             : bound / 2;
                }
                std::ranges::sort(numbers);
                const AscendingNumbers saved = built(numbers, bound);
                ASSERT_NO_FATAL_FAILURE(expect_same(saved, numbers, bound, random)) << "kind " << kind;
                SectionList sections;
                saved.save(sections, "numbers");
                write_index_file(directory.path("f"), "test", Parameters{}, sections, nullptr);
                const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
                const auto loaded = AscendingNumbers::load(file, "numbers", n, bound);
                ASSERT_NO_FATAL_FAILURE(expect_same(loaded, numbers, bound, random)) << "kind " << kind;
                EXPECT_EQ(loaded.nbytes(), saved.nbytes());
                if (n > 0) {
                    EXPECT_NEAR(static_cast<double>(saved.nbytes()),
                                AscendingNumbers::estimated_nbytes(static_cast<double>(n), bound), 1);
                    EXPECT_THROW(AscendingNumbers::load(file, "numbers", n + 3000, bound), FormatError);
                }
            }
        }
    }
}

TEST(AscendingNumbers, TakeTwoBitsBesideThoseOfTheirMeanGap) {
    Random random(2);
    constexpr std::size_t kNumbers = 200'000;
    for (const unsigned gap_bits : {0U, 4U, 9U}) {
        const std::uint64_t bound = std::uint64_t{kNumbers} << gap_bits;
        Numbers numbers(kNumbers);
        for (auto& number : numbers) number = random() % bound;
        std::ranges::sort(numbers);
        EXPECT_LT(static_cast<double>(built(numbers, bound).nbytes()) * 8 / kNumbers, gap_bits + 2.2);
    }
}

TEST(AscendingNumbers, StayInBoundsWhateverTheFile) {
    Random random(3);
    const test::TemporaryDirectory directory;
    constexpr std::uint64_t kBound = 1'000'000;
    Numbers numbers(2000);
    for (auto& number : numbers) number = random() % kBound;
    std::ranges::sort(numbers);
    const AscendingNumbers saved = built(numbers, kBound);
    SectionList sections;
    saved.save(sections, "numbers");
    const auto altered = [&](std::uint64_t with) {
        return [&random, with](auto& items) {
            for (auto& item : items) {
                if (random() % 3 == 0)
                    item = static_cast<std::remove_reference_t<decltype(item)>>(with == 1 ? random() : with);
            }
        };
    };
    for (int round = 0; round < 60; ++round) {
        write_index_file(directory.path("f"), "test", Parameters{}, sections, nullptr);
        auto bytes = test::read_bytes(directory.path("f"));
        const std::uint64_t with = round % 3 == 0 ? 0 : round % 3 == 1 ? 1 : ~std::uint64_t{0};
        const int section = round / 3 % 3;
        if (section == 0) test::alter_section<std::uint8_t>(bytes, "numbers/low", altered(with));
        if (section == 1) test::alter_section<std::uint64_t>(bytes, "numbers/high", altered(with));
        if (section == 2) test::alter_section<std::uint32_t>(bytes, "numbers/ranks", altered(with));
        test::write_bytes(directory.path("f"), bytes);
        const IndexFile file = IndexFile::open(directory.path("f"), false, nullptr);
        const auto loaded = AscendingNumbers::load(file, "numbers", numbers.size(), kBound);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            ASSERT_LT(loaded[i], kBound);
            ASSERT_LE(loaded.find(numbers[i]), numbers.size());
        }
    }
}

}  // namespace
}  // namespace thresher
