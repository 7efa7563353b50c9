// Large arrays made within a scope are in files that nobody sees, and are otherwise as those in memory.
#include "core/base/scratch_files.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/buffer.hpp"
#include "core/base/error.hpp"
#include "core/base/growing_array.hpp"
#include "core/base/parallel.hpp"
#include "support/file_size_limit.hpp"
#include "support/random_rows.hpp"
#include "support/recording_monitor.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

constexpr std::size_t kLarge = std::size_t{3} << 20;

// Whether the memory at an address is a mapping of a file, as the kernel tells.
bool is_in_a_file(const void* memory) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        const auto dash = line.find('-');
        const auto begin = std::stoull(line.substr(0, dash), nullptr, 16);
        const auto end = std::stoull(line.substr(dash + 1), nullptr, 16);
        if (address >= begin && address < end) return line.find('/') != std::string::npos;
    }
    return false;
}

class ScratchFilesTest : public testing::Test {
  protected:
    std::string path() const { return folder_.path("."); }
    std::size_t n_files() const { return folder_.n_files(); }

  private:
    test::TemporaryDirectory folder_;
};

TEST_F(ScratchFilesTest, HoldLargeArraysWithinAScope) {
    const ScratchFiles files(path());
    Filling<std::uint32_t> outside(kLarge);
    EXPECT_FALSE(is_in_a_file(outside.items.data()));
    std::optional<Filling<std::uint32_t>> inside;
    {
        const ScratchScope scope(&files);
        inside.emplace(kLarge);
        EXPECT_FALSE(is_in_a_file(Filling<std::uint32_t>(1000).items.data())) << "small ones are not worth a file";
        const ScratchScope nothing(nullptr);
        EXPECT_FALSE(is_in_a_file(Filling<std::uint32_t>(kLarge).items.data()));
    }
    EXPECT_FALSE(is_in_a_file(Filling<std::uint32_t>(kLarge).items.data()));
    EXPECT_TRUE(is_in_a_file(inside->items.data()));
    EXPECT_TRUE(std::ranges::all_of(inside->items, [](std::uint32_t item) { return item == 0; }));
    std::iota(inside->items.begin(), inside->items.end(), 0U);
    EXPECT_EQ(inside->buffer[kLarge - 1], kLarge - 1);
    EXPECT_EQ(n_files(), 0U);
}

TEST_F(ScratchFilesTest, HoldLargeVectorsAsTheyGrow) {
    const ScratchFiles files(path());
    LargeVector<std::uint64_t> vector;
    {
        const ScratchScope scope(&files);
        for (std::uint64_t i = 0; i < kLarge; ++i) vector.push_back(i);
    }
    EXPECT_TRUE(is_in_a_file(vector.data()));
    for (std::uint64_t i = 0; i < kLarge; ++i) ASSERT_EQ(vector[i], i);
    vector.resize(2 * kLarge);
    EXPECT_FALSE(is_in_a_file(vector.data())) << "what grows outside of the scope moves to memory";
    vector.assign(3, 1);
    vector.shrink_to_fit();
    EXPECT_EQ(vector, LargeVector<std::uint64_t>({1, 1, 1}));
}

TEST_F(ScratchFilesTest, AreForTheThreadsOfALoopToo) {
    const ScratchFiles files(path());
    const ScratchScope scope(&files);
    std::atomic<int> n_in_files{0};
    Progress progress = test::silent();
    parallel_for(64, 4, progress, [&](std::size_t, unsigned) {
        n_in_files += is_in_a_file(Filling<std::uint8_t>(kLarge).items.data()) ? 1 : 0;
    });
    EXPECT_EQ(n_in_files, 64);
}

TEST_F(ScratchFilesTest, AreOfOneThreadOnly) {
    const ScratchFiles files(path());
    const ScratchScope scope(&files);
    bool seen = true;
    std::thread([&] { seen = scratch_files() != nullptr; }).join();
    EXPECT_FALSE(seen);
    EXPECT_EQ(scratch_files(), &files);
}

TEST_F(ScratchFilesTest, TellOfADiskThatIsFull) {
    const ScratchFiles files(path());
    const ScratchScope scope(&files);
    const test::FileSizeLimit limit(1 << 20);
    try {
        Filling<std::uint8_t> filling(kLarge);
        FAIL();
    } catch (const FileError& error) {
        EXPECT_EQ(error.code().value(), EFBIG);
        EXPECT_EQ(error.path(), path());
    }
    EXPECT_THROW(LargeVector<std::uint64_t> vector(kLarge), FileError);
    EXPECT_EQ(n_files(), 0U);
}

TEST(ScratchFiles, TellOfAFolderThatTakesNone) {
    for (const std::string folder : {"/nowhere/at all", "/proc/self"}) {
        try {
            const ScratchFiles files(folder);
            FAIL() << folder;
        } catch (const FileError& error) {
            EXPECT_EQ(error.path(), folder);
        }
    }
}

TEST_F(ScratchFilesTest, HoldArraysThatGrow) {
    const ScratchFiles files(path());
    for (const ScratchFiles* where : {&files, static_cast<const ScratchFiles*>(nullptr)}) {
        GrowingArray<std::uint32_t> array(where);
        EXPECT_TRUE(array.items().empty());
        std::vector<std::uint32_t> expected;
        for (std::uint32_t n : {1U, 0U, 5000U, 3U, 100'000U}) {
            std::vector<std::uint32_t> part(n);
            std::iota(part.begin(), part.end(), n);
            array.append(part);
            expected.insert(expected.end(), part.begin(), part.end());
            ASSERT_EQ(array.size(), expected.size());
            ASSERT_TRUE(std::ranges::equal(array.items(), expected));
        }
        EXPECT_EQ(is_in_a_file(array.items().data()), where != nullptr);
        array.truncate(5002);
        array.append(std::array<std::uint32_t, 1>{7});
        expected.resize(5002);
        expected.push_back(7);
        EXPECT_TRUE(std::ranges::equal(array.items(), expected));
    }
}

TEST_F(ScratchFilesTest, HoldArraysThatMove) {
    const ScratchFiles files(path());
    GrowingArray<std::uint32_t> array(&files);
    array.append(std::array<std::uint32_t, 2>{1, 2});
    GrowingArray<std::uint32_t> other = std::move(array);
    other.append(std::array<std::uint32_t, 1>{3});
    EXPECT_TRUE(std::ranges::equal(other.items(), std::array<std::uint32_t, 3>{1, 2, 3}));
}

}  // namespace
}  // namespace thresher
