// Front coding: strings come back one by one, in the bytes that docs/format.md states.
#include "core/storage/front_coding.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/random_rows.hpp"

namespace thresher {
namespace {

std::vector<std::uint8_t> coded(const std::vector<std::string>& strings) {
    std::vector<std::uint8_t> bytes;
    std::string_view before;
    for (const std::string& string : strings) {
        append_front_coded(before, string, shared_prefix(before, string), bytes);
        before = string;
    }
    return bytes;
}

std::vector<std::string> read(std::span<const std::uint8_t> bytes, std::size_t n) {
    std::vector<std::string> strings;
    FrontReader reader(bytes);
    std::string string;
    while (strings.size() < n && reader.next()) {
        EXPECT_LE(reader.shared(), string.size());
        string.resize(reader.shared());
        string += reader.added();
        strings.push_back(string);
    }
    return strings;
}

TEST(FrontCoding, GivesBackWhatIsWritten) {
    std::vector<std::string> strings{"", "a", "a", "ab", "b", std::string(14, 'c'), std::string(15, 'c'), "d"};
    for (const std::size_t length : {15, 16, 142, 143, 144, 20'000}) {
        strings.emplace_back(length, 'x');
        strings.emplace_back("y");
    }
    EXPECT_EQ(read(coded(strings), strings.size()), strings);
    EXPECT_EQ(read(coded(strings), 1000), strings) << "and then there is none";
}

TEST(FrontCoding, TakesTheBytesOfTheSpecification) {
    using Bytes = std::vector<std::uint8_t>;
    EXPECT_EQ(coded({"cab", "cat", "dog"}), (Bytes{0x03, 'c', 'a', 'b', 0x11, 't', 0x33, 'd', 'o', 'g'}));
    Bytes expected{0x0f, 0};
    expected.insert(expected.end(), 15, 'a');
    expected.insert(expected.end(), {0xf1, 0, 'b'});
    EXPECT_EQ(coded({std::string(15, 'a'), "b"}), expected);
    expected = {0x0f, 0x80, 0x01};
    expected.insert(expected.end(), 143, 'a');
    EXPECT_EQ(coded({std::string(143, 'a')}), expected);
}

TEST(FrontCoding, StaysInBoundsWhateverTheBytesAre) {
    test::Random random(1);
    for (int i = 0; i < 20'000; ++i) {
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(test::uniform(random, 0, 40)));
        for (auto& byte : bytes)
            byte = static_cast<std::uint8_t>(i % 2 == 0 ? random() : random() % 4 == 0 ? 255 : 128);
        std::size_t length = 0;
        FrontReader reader(bytes);
        while (reader.next()) {
            ASSERT_LE(reader.shared(), length);
            length = reader.shared() + reader.added().size();
            ASSERT_LE(length, bytes.size());
            if (reader.added().empty()) continue;
            ASSERT_GE(reinterpret_cast<const std::uint8_t*>(reader.added().data()), bytes.data());
            ASSERT_LE(reinterpret_cast<const std::uint8_t*>(reader.added().data()) + reader.added().size(),
                      bytes.data() + bytes.size());
        }
    }
}

}  // namespace
}  // namespace thresher
