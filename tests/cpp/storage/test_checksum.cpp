// Checksums: CRC-32C, and the two-level checksum of a section.
#include "core/storage/checksum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "support/random_rows.hpp"

namespace thresher {
namespace {

constexpr std::size_t kBlock = 65536;

std::uint32_t checksum_of(std::span<const std::byte> bytes, unsigned threads) {
    Progress progress = test::silent();
    return section_checksum(bytes, threads, progress);
}

TEST(Checksum, HasThePublishedCheckValue) {
    const std::string_view digits = "123456789";
    EXPECT_EQ(crc32c(std::as_bytes(std::span(digits))), 0xE3069283U);
    EXPECT_EQ(crc32c({}), 0U);
}

TEST(Checksum, OfASectionIsThatOfItsBlocksChecksums) {
    test::Random random(1);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kBlock - 1, kBlock, kBlock + 1, 5 * kBlock + 12345,
                                   200 * kBlock, 200 * kBlock + 64}) {
        std::vector<std::byte> bytes(size);
        for (auto& byte : bytes) byte = static_cast<std::byte>(random());
        std::vector<std::uint32_t> blocks;
        for (std::size_t begin = 0; begin < size; begin += kBlock) {
            blocks.push_back(crc32c(std::span(bytes).subspan(begin, std::min(kBlock, size - begin))));
        }
        const std::uint32_t expected = crc32c(std::as_bytes(std::span(blocks)));
        for (const unsigned threads : {1U, 2U, 4U}) EXPECT_EQ(checksum_of(bytes, threads), expected) << size;
    }
}

TEST(Checksum, SeesEveryBit) {
    std::vector<std::byte> bytes(kBlock + 100);
    const std::uint32_t before = checksum_of(bytes, 1);
    for (std::size_t i = 0; i < bytes.size(); i += 97) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            bytes[i] ^= std::byte{1} << bit;
            ASSERT_NE(checksum_of(bytes, 1), before) << i;
            bytes[i] ^= std::byte{1} << bit;
        }
    }
    EXPECT_EQ(checksum_of(bytes, 1), before);
}

TEST(Checksum, ThrowsWhereTheInstructionSetWishedForIsUnknown) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    const auto in_a_new_process = [] {
        ::setenv("THRESHER_ISA", "sse9", 1);
        try {
            crc32c({});
        } catch (const std::invalid_argument& error) {
            std::cerr << error.what();
        }
        std::exit(0);
    };
    EXPECT_EXIT(in_a_new_process(), testing::ExitedWithCode(0), "THRESHER_ISA must be");
}

}  // namespace
}  // namespace thresher
