// Lists of positions: what goes in comes out, in the bytes that the format promises, and any bytes are read in bounds.
#include "core/storage/position_lists.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "support/altered_file.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::buffer_of;
using test::Random;
using test::TemporaryDirectory;

using List = std::vector<std::uint32_t>;
using Lists = std::vector<List>;
using Bytes = std::vector<std::uint8_t>;

PositionLists build(const Lists& lists, unsigned threads = 1) {
    Progress progress = test::silent();
    return PositionLists::build(
        lists.size(), [&](std::size_t i) { return std::span<const std::uint32_t>(lists[i]); }, threads, progress);
}

List list_of(const PositionLists& lists, std::size_t i) {
    List list;
    lists.prefetch(i);
    lists.for_each(i, [&](std::uint32_t position) { list.push_back(position); });
    return list;
}

Lists lists_of(const PositionLists& lists) {
    Lists all;
    for (std::size_t i = 0; i < lists.size(); ++i) all.push_back(list_of(lists, i));
    return all;
}

// Lists whose bytes are those given, one after the other.
PositionLists lists_of_bytes(const std::vector<Bytes>& lists) {
    std::vector<std::uint32_t> offsets{0};
    Bytes bytes;
    for (const Bytes& list : lists) {
        bytes.insert(bytes.end(), list.begin(), list.end());
        offsets.push_back(static_cast<std::uint32_t>(bytes.size()));
    }
    bytes.resize(bytes.size() + 64);  // the margin
    const auto start_buffer = buffer_of(offsets);
    const auto byte_buffer = buffer_of(bytes);
    SectionList sections;
    sections.add("p/starts", start_buffer);
    sections.add("p/bytes", byte_buffer);
    const TemporaryDirectory directory;
    write_index_file(directory.path("f"), "test", {}, sections, nullptr);
    return PositionLists::load(IndexFile::open(directory.path("f"), true, nullptr), "p", lists.size());
}

// The bytes of a list.
Bytes bytes_of(const List& list) {
    const PositionLists lists = build({list});
    SectionList sections;
    lists.save(sections, "p");
    EXPECT_EQ(sections.sections()[1].name, "p/bytes");
    Bytes bytes;
    for (const std::byte byte : sections.sections()[1].bytes) bytes.push_back(std::to_integer<std::uint8_t>(byte));
    EXPECT_GE(bytes.size(), 64U);
    bytes.resize(bytes.size() - 64);  // the margin
    return bytes;
}

constexpr std::uint32_t kLast = (1U << 31) - 1;

// Positions at and around the gaps at which an encoding grows by a byte, and at both ends.
Lists difficult_lists() {
    Lists lists{
        {}, {0}, {1}, {0, 1, 2, 3, 4, 5}, {}, {kLast}, {0, kLast}, {kLast - 1, kLast}, {4294967294U}, {0, 4294967294U}};
    for (const std::uint32_t gap :
         {127U, 128U, 129U, 16'383U, 16'384U, 16'385U, 2'097'151U, 2'097'152U, 268'435'455U, 268'435'456U}) {
        lists.push_back({gap - 1});  // the first gap counts from -1
        lists.push_back({0, gap, 2 * gap});
        lists.push_back({5, 5 + gap, 6 + gap, 6 + 2 * gap});
    }
    lists.emplace_back();
    return lists;
}

TEST(PositionLists, GiveBackWhatGoesIn) {
    EXPECT_EQ(build({}).size(), 0U);
    EXPECT_EQ(lists_of(build({{}, {}})), (Lists{{}, {}}));
    const Lists difficult = difficult_lists();
    EXPECT_EQ(lists_of(build(difficult)), difficult);
    Random random(1);
    Lists lists(10'000);
    for (List& list : lists) {
        std::set<std::uint32_t> positions;
        const std::int64_t max = std::int64_t{1} << test::uniform(random, 0, 31);
        for (std::int64_t i = test::uniform(random, 0, 20); i > 0; --i) {
            positions.insert(static_cast<std::uint32_t>(test::uniform(random, 0, max - 1)));
        }
        list.assign(positions.begin(), positions.end());
    }
    const PositionLists one = build(lists);
    EXPECT_EQ(lists_of(one), lists);
    for (unsigned threads = 2; threads <= 3; ++threads) {
        const PositionLists many = build(lists, threads);
        EXPECT_EQ(many.nbytes(), one.nbytes());
        EXPECT_EQ(lists_of(many), lists);
    }
}

TEST(PositionLists, AreGapsOfSevenBitsAByte) {
    EXPECT_EQ(bytes_of({}), Bytes{});
    EXPECT_EQ(bytes_of({0}), Bytes{1});
    EXPECT_EQ(bytes_of({0, 1, 5}), (Bytes{1, 1, 4}));
    EXPECT_EQ(bytes_of({126}), Bytes{127});
    EXPECT_EQ(bytes_of({127}), (Bytes{0x80, 1}));
    EXPECT_EQ(bytes_of({128}), (Bytes{0x81, 1}));
    EXPECT_EQ(bytes_of({16'382}), (Bytes{0xFF, 0x7F}));
    EXPECT_EQ(bytes_of({16'383}), (Bytes{0x80, 0x80, 1}));
    EXPECT_EQ(bytes_of({3, 131}), (Bytes{4, 0x80, 1}));
    EXPECT_EQ(bytes_of({kLast}), (Bytes{0x80, 0x80, 0x80, 0x80, 8}));
    EXPECT_EQ(bytes_of({kLast - 1}), (Bytes{0xFF, 0xFF, 0xFF, 0xFF, 7}));
}

TEST(PositionLists, EndAtAByteOfZeroOrWithTheirStretch) {
    const PositionLists lists = lists_of_bytes({{1, 0, 5}, {0}, {2, 0x85}, {0x81}, {1, 0x80, 0, 7}, {3}});
    EXPECT_EQ(lists_of(lists), (Lists{{0}, {}, {1}, {}, {0}, {2}}));
}

TEST(PositionLists, GoThroughAFile) {
    const Lists lists = difficult_lists();
    const PositionLists built = build(lists);
    SectionList sections;
    built.save(sections, "p");
    const TemporaryDirectory directory;
    write_index_file(directory.path("f"), "test", {}, sections, nullptr);
    const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
    const PositionLists loaded = PositionLists::load(file, "p", lists.size());
    EXPECT_EQ(loaded.nbytes(), built.nbytes());
    EXPECT_EQ(lists_of(loaded), lists);
    EXPECT_THROW(PositionLists::load(file, "p", lists.size() - 1), FormatError);
    EXPECT_THROW(PositionLists::load(file, "p", lists.size() + 1), FormatError);
    EXPECT_THROW(PositionLists::load(file, "q", lists.size()), FormatError);
}

// What a list of arbitrary bytes has to give, as long as no gap takes more bytes than a position needs: otherwise any
// positions will do, no more than there are bytes.
struct Decoded {
    List list;
    bool is_sound = true;
};

Decoded decoded(const Bytes& bytes) {
    Decoded decoded;
    std::uint64_t next = 0;
    std::uint64_t gap = 0;
    unsigned n = 0;
    for (const std::uint8_t byte : bytes) {
        if (n < 5) gap |= std::uint64_t{byte & 127U} << (7 * n);
        decoded.is_sound = decoded.is_sound && ++n <= 5;
        if (byte >= 128) continue;
        if (gap == 0) break;
        next += gap;
        decoded.is_sound = decoded.is_sound && next < (std::uint64_t{1} << 32);
        decoded.list.push_back(static_cast<std::uint32_t>(next - 1));
        gap = n = 0;
    }
    return decoded;
}

TEST(PositionLists, AreReadInBoundsWhateverTheBytesAre) {
    Random random(2);
    std::size_t n_sound = 0;
    for (int round = 0; round < 20; ++round) {
        std::vector<Bytes> all(200);
        for (Bytes& bytes : all) {
            bytes.resize(static_cast<std::size_t>(test::uniform(random, 0, 40)));
            for (std::uint8_t& byte : bytes) {
                byte = static_cast<std::uint8_t>(random());
                if (round % 3 == 0) byte |= 0x80;  // gaps without end
                if (round % 3 == 1 && random() % 2 == 0) byte &= 0x7F;
            }
        }
        const PositionLists together = lists_of_bytes(all);
        for (std::size_t i = 0; i < all.size(); ++i) {
            const List list = list_of(together, i);
            ASSERT_LE(list.size(), all[i].size());
            const Decoded expected = decoded(all[i]);
            if (!expected.is_sound) continue;
            ++n_sound;
            ASSERT_EQ(list, expected.list) << "a list does not depend on the next";
        }
    }
    EXPECT_GT(n_sound, 1000U);
    for (const std::uint8_t byte : Bytes{0x00, 0x01, 0x7F, 0x80, 0xFF}) {
        const PositionLists lists = lists_of_bytes({Bytes(1000, byte)});
        EXPECT_EQ(list_of(lists, 0).size(), byte == 0x01 || byte == 0x7F ? 1000U : 0U);
    }
}

}  // namespace
}  // namespace thresher
