// Byte strings one behind the other: what is written comes back, and no file leads out of bounds.
#include "core/storage/stretches.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "support/altered_file.hpp"
#include "support/random_rows.hpp"
#include "support/recording_monitor.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::buffer_of;
using test::Random;
using test::TemporaryDirectory;

using Strings = std::vector<std::vector<std::uint8_t>>;

Stretches build(const Strings& strings, unsigned threads = 1) {
    Progress progress = test::silent();
    return Stretches::build(
        strings.size(), threads, progress, [&](std::size_t i) { return strings[i].size(); },
        [&](std::size_t i, std::uint8_t* to) { std::copy(strings[i].begin(), strings[i].end(), to); });
}

Strings strings_of(const Stretches& stretches) {
    Strings strings;
    for (std::size_t i = 0; i < stretches.size(); ++i) {
        stretches.prefetch_offset(i);
        stretches.prefetch(i);
        strings.emplace_back(stretches[i].begin(), stretches[i].end());
    }
    return strings;
}

Strings random_strings(Random& random, std::size_t n, std::int64_t longest) {
    Strings strings(n);
    for (auto& string : strings) {
        string.resize(static_cast<std::size_t>(test::uniform(random, 0, 2) == 0 ? 0 : random() % (longest + 1)));
        for (std::uint8_t& byte : string) byte = static_cast<std::uint8_t>(random());
    }
    return strings;
}

// Zeros behind the last stretch.
constexpr std::size_t kMargin = 64;

TEST(Stretches, GiveBackWhatIsWritten) {
    Random random(1);
    EXPECT_EQ(build({}).size(), 0U);
    EXPECT_EQ(Stretches().size(), 0U);
    for (const Strings& strings : {Strings{{}}, Strings{{}, {}, {}}, Strings{{7}}, Strings{{}, {1, 2, 3}, {}},
                                   Strings{std::vector<std::uint8_t>(100'000, 9), {}, {1}},
                                   random_strings(random, 1000, 30), random_strings(random, 50, 3000)}) {
        const Stretches stretches = build(strings);
        ASSERT_EQ(stretches.size(), strings.size());
        EXPECT_EQ(strings_of(stretches), strings);
        std::size_t n_bytes = 0;
        for (const auto& string : strings) n_bytes += string.size();
        EXPECT_EQ(stretches.nbytes(), n_bytes + kMargin + 4 * (strings.size() + 1)) << "nothing is padded below 4 GiB";
    }
}

TEST(Stretches, AreZeroBeforeTheyAreWritten) {
    Progress progress = test::silent();
    const Stretches stretches = Stretches::build(
        5, 1, progress, [](std::size_t i) { return 2 * i; },
        [](std::size_t i, std::uint8_t* to) {
            if (i == 3) *to = 1;
        });
    EXPECT_EQ(strings_of(stretches), (Strings{{}, {0, 0}, {0, 0, 0, 0}, {1, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}}));
}

TEST(Stretches, DoNotDependOnTheNumberOfThreads) {
    Random random(2);
    const Strings strings = random_strings(random, 20'000, 10);  // five tasks
    for (unsigned threads = 1; threads <= 4; ++threads) EXPECT_EQ(strings_of(build(strings, threads)), strings);
}

TEST(Stretches, ReportOnePass) {
    test::RecordingMonitor monitor;
    Progress progress(&monitor, 2, 1000);
    Stretches::build(1000, 2, progress, [](std::size_t) { return 1; }, [](std::size_t, std::uint8_t*) {});
    EXPECT_EQ(monitor.reports().back().first, 500U);
}

// Memory is reserved, and next to none of it touched.
TEST(Stretches, ArePaddedToUnitsBeyond4GiB) {
    const std::size_t max = std::size_t{1} << 32;
    for (const auto& [first, unit] : {std::pair(max - 7, std::size_t{1}), {max - 6, 2}, {max, 2}, {2 * max, 4}}) {
        const std::vector<std::size_t> sizes{1, first, 3, 0, 2};
        Progress progress = test::silent();
        Stretches stretches;
        try {
            stretches = Stretches::build(
                sizes.size(), 1, progress, [&](std::size_t i) { return sizes[i]; },
                [&](std::size_t i, std::uint8_t* to) {
                    if (sizes[i] == 0) return;
                    to[0] = static_cast<std::uint8_t>(10 + i);
                    to[sizes[i] - 1] = static_cast<std::uint8_t>(20 + i);
                });
        } catch (const std::bad_alloc&) {
            GTEST_SKIP() << "this machine does not reserve " << first << " bytes";
        }
        std::size_t n_bytes = 0;
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const auto stretch = stretches[i];
            ASSERT_EQ(stretch.size(), (sizes[i] + unit - 1) / unit * unit)
                << "stretch " << i << " of units of " << unit;
            n_bytes += stretch.size();
            if (sizes[i] == 0) continue;
            ASSERT_EQ(stretch[0], sizes[i] == 1 ? 20 + i : 10 + i);
            ASSERT_EQ(stretch[sizes[i] - 1], 20 + i);
            for (std::size_t at = sizes[i]; at < stretch.size(); ++at) ASSERT_EQ(stretch[at], 0);
        }
        EXPECT_EQ(stretches.nbytes(), n_bytes + kMargin + 4 * (sizes.size() + 1)) << "in units of " << unit;
    }
}

// ---- From a file.

struct Saved {
    void save(const Stretches& stretches) {
        SectionList sections;
        stretches.save(sections, "s");
        write_index_file(directory.path("f"), "test", {}, sections, nullptr);
    }
    void save(const std::vector<std::uint32_t>& offsets, std::vector<std::uint8_t> bytes,
              std::size_t margin = kMargin) {
        bytes.resize(bytes.size() + margin);
        const auto start_buffer = buffer_of(offsets);
        const auto byte_buffer = buffer_of(bytes);
        SectionList sections;
        sections.add("s/starts", start_buffer);
        sections.add("s/bytes", byte_buffer);
        write_index_file(directory.path("f"), "test", {}, sections, nullptr);
    }
    IndexFile open() const { return IndexFile::open(directory.path("f"), true, nullptr); }

    TemporaryDirectory directory;
};

TEST(Stretches, GoThroughAFile) {
    Random random(3);
    Saved saved;
    for (const Strings& strings :
         {Strings{}, Strings{{}}, Strings{{1}, {}, {2, 3}}, random_strings(random, 3000, 40)}) {
        const Stretches stretches = build(strings);
        saved.save(stretches);
        const Stretches loaded = Stretches::load(saved.open(), "s", strings.size());
        EXPECT_EQ(loaded.size(), strings.size());
        EXPECT_EQ(loaded.nbytes(), stretches.nbytes());
        EXPECT_EQ(strings_of(loaded), strings);
    }
}

TEST(Stretches, StayInBoundsWhateverTheStartsAre) {
    Random random(4);
    Saved saved;
    std::vector<std::uint8_t> bytes(100);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
    std::vector<std::vector<std::uint32_t>> altered{
        {0, 50, 40, 100},         {100, 50, 0, 0},   {0, 101, 102, 4294967295U}, {200, 300, 400, 500},
        {0, 4294967295U, 0, 100}, {99, 100, 101, 0}, {101, 99, 100, 1},          {5, 5, 5, 5}};
    for (int i = 0; i < 200; ++i) {
        std::vector<std::uint32_t> offsets(static_cast<std::size_t>(test::uniform(random, 2, 30)));
        for (std::uint32_t& start : offsets) {
            start = i % 4 == 0 ? static_cast<std::uint32_t>(random())
                               : static_cast<std::uint32_t>(test::uniform(random, 0, 130));
        }
        altered.push_back(offsets);
    }
    for (auto& offsets : altered) offsets.back() = 100;  // or it would be refused
    auto with_margin = bytes;
    with_margin.resize(bytes.size() + kMargin);
    const auto byte_buffer = buffer_of(with_margin);
    std::vector<Buffer<std::uint32_t>> buffers;
    SectionList sections;
    for (const auto& offsets : altered) {
        const std::string name = std::to_string(buffers.size());
        buffers.push_back(buffer_of(offsets));
        sections.add(name + "/starts", buffers.back());
        sections.add(name + "/bytes", byte_buffer);
    }
    write_index_file(saved.directory.path("f"), "test", {}, sections, nullptr);
    const IndexFile file = saved.open();
    for (std::size_t which = 0; which < altered.size(); ++which) {
        const auto& offsets = altered[which];
        const std::string name = std::to_string(which);
        const auto* const data = file.section<std::uint8_t>(name + "/bytes").data();
        const Stretches loaded = Stretches::load(file, name, offsets.size() - 1);
        ASSERT_EQ(loaded.size(), offsets.size() - 1);
        for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
            loaded.prefetch_offset(i);
            loaded.prefetch(i);
            const std::size_t end = std::min<std::size_t>(offsets[i + 1], bytes.size());
            const std::size_t begin = std::min<std::size_t>(offsets[i], end);
            ASSERT_EQ(loaded[i].size(), end - begin) << "from " << offsets[i] << " to " << offsets[i + 1];
            ASSERT_EQ(loaded[i].data(), data + begin) << "from " << offsets[i] << " to " << offsets[i + 1];
        }
    }
    saved.save({7, 9, 0}, {});
    EXPECT_EQ(strings_of(Stretches::load(saved.open(), "s", 2)), (Strings{{}, {}})) << "without any bytes";
}

TEST(Stretches, EndWhereTheirBytesEnd) {
    Saved saved;
    const auto refused = [&](std::uint32_t end, std::size_t n_bytes, std::size_t margin) {
        saved.save({0, end}, std::vector<std::uint8_t>(n_bytes), margin);
        try {
            Stretches::load(saved.open(), "s", 1);
        } catch (const FormatError&) {
            return true;
        }
        return false;
    };
    EXPECT_FALSE(refused(5, 5, kMargin));
    EXPECT_FALSE(refused(0, 0, kMargin));
    EXPECT_TRUE(refused(5, 4, kMargin));
    EXPECT_TRUE(refused(5, 6, kMargin));
    EXPECT_TRUE(refused(UINT32_MAX, 5, kMargin));
    EXPECT_TRUE(refused(0, 0, kMargin - 1)) << "too short for a margin";
    EXPECT_TRUE(refused(0, 0, 0));
}

TEST(Stretches, NeedOneStartMoreThanThereAreStretches) {
    Saved saved;
    saved.save({0, 1, 2}, {1, 2});
    EXPECT_EQ(strings_of(Stretches::load(saved.open(), "s", 2)), (Strings{{1}, {2}}));
    for (const std::size_t n : {0, 1, 3, 4}) {
        try {
            Stretches::load(saved.open(), "s", n);
            FAIL() << n << " stretches";
        } catch (const FormatError& error) {
            EXPECT_TRUE(
                std::string(error.what()).ends_with("section s/starts has 3 elements, not " + std::to_string(n + 1)))
                << error.what();
        }
    }
    EXPECT_THROW(Stretches::load(saved.open(), "t", 2), FormatError) << "no such section";
}

}  // namespace
}  // namespace thresher
