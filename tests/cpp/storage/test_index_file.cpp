// The index file: what is written is read back, and nothing else is taken for an index.
#include "core/storage/index_file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/error.hpp"
#include "engines/registry.hpp"
#include "support/altered_file.hpp"
#include "support/file_size_limit.hpp"
#include "support/recording_monitor.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::buffer_of;
using test::Bytes;
using test::entry_at;
using test::error_of;
using test::get;
using test::kFileSizeAt;
using test::kFormatVersionAt;
using test::kHeaderSize;
using test::kOffsetAt;
using test::kSectionCountAt;
using test::kSizeAt;
using test::kTypeAt;
using test::n_sections;
using test::Patcher;
using test::put;
using test::read_bytes;
using test::refused;
using test::reseal;
using test::small_file;
using test::small_index;
using test::TemporaryDirectory;
using test::values_of;
using test::write_bytes;

TEST(IndexFile, GivesBackEveryElementType) {
    const TemporaryDirectory directory;
    const std::string path = directory.path("all.thresher");
    const std::vector<std::uint8_t> u8{1, 255, 0};
    const std::vector<std::uint16_t> u16{1, 65535};
    const std::vector<std::uint32_t> u32(100, 4000000000U);
    const std::vector<std::uint64_t> u64{std::uint64_t{1} << 63};
    const std::vector<float> f32{1.5F, -0.0F, std::numeric_limits<float>::infinity()};
    const std::vector<std::uint8_t> large(3 << 20, 7);
    const auto buffers = std::tuple(buffer_of(u8), buffer_of(u16), buffer_of(u32), buffer_of(u64), buffer_of(f32));
    const auto large_buffer = buffer_of(large);
    SectionList list;
    list.add("a/u8", std::get<0>(buffers));
    list.add("a/u16", std::get<1>(buffers));
    list.add("u32", std::get<2>(buffers));
    list.add("empty", Buffer<float>());
    list.add("u64", std::get<3>(buffers));
    list.add("f32", std::get<4>(buffers));
    list.add("large", large_buffer);
    Parameters parameters;
    parameters.set("whole", std::numeric_limits<std::uint64_t>::max());
    parameters.set("share", 0.1);
    parameters.set("one", 1.0);
    parameters.set("tiny", 1e-300);
    write_index_file(path, "some-engine", parameters, list, nullptr);

    for (const bool verify : {true, false}) {
        const IndexFile file = IndexFile::open(path, verify, nullptr);
        EXPECT_EQ(file.path(), path);
        EXPECT_EQ(file.engine(), "some-engine");
        EXPECT_EQ(file.library_version(), THRESHER_VERSION);
        EXPECT_EQ(file.format_version(), kFormatVersion);
        EXPECT_EQ(file.integer("whole"), std::numeric_limits<std::uint64_t>::max());
        EXPECT_EQ(file.number("share"), 0.1);
        EXPECT_EQ(file.number("one"), 1.0);
        EXPECT_EQ(file.number("tiny"), 1e-300);
        EXPECT_EQ(values_of(file.section<std::uint8_t>("a/u8", 3)), u8);
        EXPECT_EQ(values_of(file.section<std::uint16_t>("a/u16")), u16);
        EXPECT_EQ(values_of(file.section<std::uint32_t>("u32")), u32);
        EXPECT_EQ(values_of(file.section<std::uint64_t>("u64")), u64);
        EXPECT_EQ(values_of(file.section<float>("f32")), f32);
        EXPECT_EQ(file.section<float>("empty", 0).size(), 0U);
        EXPECT_EQ(values_of(file.section<std::uint8_t>("large")), large);
        for (const Section& section : file.sections()) EXPECT_EQ(section.offset % 64, 0U) << section.name;
        EXPECT_THROW(file.section<float>("u32"), FormatError);
        EXPECT_THROW(file.section<std::uint32_t>("u32", 99), FormatError);
        EXPECT_THROW(file.section<std::uint32_t>("missing"), FormatError);
        EXPECT_THROW(file.integer("missing"), FormatError);
        EXPECT_THROW(file.integer("share"), FormatError);
    }
}

TEST(IndexFile, KeepsItsMappingForItsBuffers) {
    const TemporaryDirectory directory;
    const auto buffer = buffer_of(std::vector<std::uint32_t>{1, 2, 3});
    SectionList list;
    list.add("s", buffer);
    write_index_file(directory.path("f"), "e", Parameters{}, list, nullptr);
    const Buffer<std::uint32_t> section =
        IndexFile::open(directory.path("f"), true, nullptr).section<std::uint32_t>("s");
    std::filesystem::remove(directory.path("f"));
    EXPECT_EQ(values_of(section), (std::vector<std::uint32_t>{1, 2, 3}));
}

TEST(IndexFile, IsTheSameBytesEachTime) { EXPECT_EQ(small_file(), small_file()); }

TEST(IndexFile, NamesWhatIsNotAnIndex) {
    EXPECT_EQ(error_of(Bytes{}), "not a thresher index: 0 bytes are too few for a header");
    EXPECT_EQ(error_of(Bytes(1000)), "not a thresher index: it does not start with 'THRESHER'");
    Bytes newer = small_file();
    for (const std::uint32_t version : {0U, kFormatVersion + 1, UINT32_MAX}) {
        put<std::uint32_t>(newer, kFormatVersionAt, version);
        reseal(newer);
        EXPECT_EQ(error_of(newer), "format version " + std::to_string(version) +
                                       "; this library (" THRESHER_VERSION ") reads versions up to " +
                                       std::to_string(kFormatVersion));
    }
    Bytes older = small_file();
    put<std::uint32_t>(older, kFormatVersionAt, 1);
    reseal(older);
    EXPECT_EQ(error_of(older), "no section forward/slots16");
    put<std::uint32_t>(older, kFormatVersionAt, 2);
    reseal(older);
    EXPECT_EQ(error_of(older), "no section forward/postings");
    older = test::version_1_of(small_file());
    put<std::uint32_t>(older, kFormatVersionAt, 3);
    reseal(older);
    EXPECT_EQ(error_of(older), "no section forward/format");
    Bytes other = small_file();
    std::memcpy(other.data() + 32, "other", 6);
    reseal(other);
    EXPECT_EQ(error_of(other), "written for the engine 'other', which this library does not have");
    Bytes altered = small_file();
    altered.back() ^= std::byte{1};
    EXPECT_EQ(error_of(altered), "altered: the checksum of section rare/impacts does not match");
    altered = small_file();
    altered[kHeaderSize] ^= std::byte{1};
    EXPECT_EQ(error_of(altered), "altered: the header's checksum does not match");
}

TEST(IndexFile, RefusesPathsThatAreNoFiles) {
    const TemporaryDirectory directory;
    const auto code_of = [](const std::string& path) {
        try {
            open_index(path, true, nullptr);
        } catch (const FileError& error) {
            EXPECT_EQ(error.path(), path);
            return error.code().value();
        }
        return 0;
    };
    EXPECT_EQ(code_of(directory.path("missing")), ENOENT);
    EXPECT_EQ(code_of(directory.path(".")), EISDIR);
    EXPECT_NE(code_of("/dev/zero"), 0);
}

TEST(IndexFile, RefusesEveryTruncation) {
    const Bytes whole = small_file();
    const TemporaryDirectory directory;
    write_bytes(directory.path("f"), whole);
    ASSERT_FALSE(refused(directory.path("f"), true));
    for (std::size_t size = whole.size(); size-- > 0;) {
        std::filesystem::resize_file(directory.path("f"), size);
        ASSERT_TRUE(refused(directory.path("f"), true)) << size << " bytes of " << whole.size();
        ASSERT_TRUE(refused(directory.path("f"), false)) << size << " bytes of " << whole.size();
    }
}

TEST(IndexFile, RefusesWhatIsLonger) {
    for (const std::size_t more : {1, 63, 64, 128}) {
        Bytes file = small_file();
        file.resize(file.size() + more);
        EXPECT_TRUE(refused(file, true)) << more;
        EXPECT_TRUE(refused(file, false)) << more;
        put<std::uint64_t>(file, kFileSizeAt, file.size());
        reseal(file);
        EXPECT_EQ(error_of(file), "bytes after the last section") << more;
    }
}

TEST(IndexFile, RefusesAFileOfAnotherSizeThanItsHeaderSays) {
    Bytes file = small_file();
    put<std::uint64_t>(file, kFileSizeAt, file.size() + 64);
    reseal(file);
    EXPECT_TRUE(error_of(file).starts_with("truncated or altered: the header says ")) << error_of(file);
}

TEST(IndexFile, RefusesALastSectionWithoutItsPadding) {
    Bytes file = small_file();
    const std::size_t last = entry_at(n_sections(file) - 1);
    const std::uint64_t size = get<std::uint64_t>(file, last + kSizeAt);
    ASSERT_NE(size % 64, 0U);
    file.resize(static_cast<std::size_t>(get<std::uint64_t>(file, last + kOffsetAt) + size));
    put<std::uint64_t>(file, kFileSizeAt, file.size());
    reseal(file);
    EXPECT_EQ(error_of(file), "section rare/impacts does not lie within the file");
}

TEST(IndexFile, RefusesEverySingleBitFlip) {
    const Bytes whole = small_file();
    const TemporaryDirectory directory;
    const std::string path = directory.path("f");
    Patcher patcher(path, whole);
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
        patcher.flip(bit);
        ASSERT_TRUE(refused(path, true)) << "byte " << bit / 8 << " bit " << bit % 8;
        patcher.flip(bit);
    }
    EXPECT_FALSE(refused(path, true)) << "all is as it was";
}

TEST(IndexFile, RefusesSectionTablesThatLie) {
    const Bytes whole = small_file();
    const auto with = [&](const std::function<void(Bytes&)>& alter) {
        Bytes file = whole;
        alter(file);
        reseal(file);
        return file;
    };
    ASSERT_FALSE(refused(with([](Bytes&) {}), false));
    const std::vector<std::uint64_t> offsets{
        0, 1, 64, whole.size(), whole.size() + 64, 1 << 30, UINT64_MAX, UINT64_MAX - 63, std::uint64_t{1} << 63};
    for (std::size_t s = 0; s < n_sections(whole); ++s) {
        const std::size_t entry = entry_at(s);
        const auto offset = get<std::uint64_t>(whole, entry + kOffsetAt);
        const auto size = get<std::uint64_t>(whole, entry + kSizeAt);
        for (const std::uint64_t wrong : offsets) {
            if (wrong == offset) continue;
            EXPECT_TRUE(refused(with([&](Bytes& f) { put(f, entry + kOffsetAt, wrong); }), false)) << s << " " << wrong;
        }
        EXPECT_TRUE(refused(with([&](Bytes& f) { put(f, entry + kOffsetAt, offset - 64); }), false)) << "overlap " << s;
        for (const std::uint64_t wrong : {size + 64, size + 4096, std::uint64_t{1} << 63, UINT64_MAX, UINT64_MAX - 63,
                                          UINT64_MAX - offset, std::uint64_t{0} - offset, std::uint64_t{1} << 32}) {
            EXPECT_TRUE(refused(with([&](Bytes& f) { put(f, entry + kSizeAt, wrong); }), false)) << s << " " << wrong;
        }
        const auto type = get<std::uint32_t>(whole, entry + kTypeAt);
        for (const std::uint32_t wrong : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 0xFFFFFFFFU}) {
            if (wrong == type) continue;
            EXPECT_TRUE(refused(with([&](Bytes& f) { put(f, entry + kTypeAt, wrong); }), false))
                << s << " type " << wrong;
        }
        EXPECT_TRUE(refused(with([&](Bytes& f) { f[entry] ^= std::byte{1}; }), false)) << "renamed section " << s;
        EXPECT_TRUE(refused(with([&](Bytes& f) { f[entry] = std::byte{7}; }), false)) << "unprintable section " << s;
    }
    const auto right = static_cast<std::uint32_t>(n_sections(whole));
    for (const std::uint32_t n : {0U, 1U, right - 1, right + 1, 1000U, 0xFFFFFFFFU}) {
        EXPECT_TRUE(refused(with([&](Bytes& f) { put(f, kSectionCountAt, n); }), false)) << n << " sections";
    }
}

TEST(IndexFile, RefusesSectionsOfAnotherLength) {
    const Bytes whole = small_file();
    for (std::size_t s = 0; s < n_sections(whole); ++s) {
        const std::size_t at = entry_at(s) + kSizeAt;
        const auto size = get<std::uint64_t>(whole, at);
        for (std::uint64_t wrong = size / 64 * 64; wrong < (size + 63) / 64 * 64; ++wrong) {
            if (wrong == size || wrong == 0) continue;
            Bytes file = whole;
            put(file, at, wrong);
            reseal(file);
            EXPECT_TRUE(refused(file, false)) << "section " << s << " of " << wrong << " bytes, not " << size;
        }
    }
}

TEST(IndexFile, LeavesTheOldFileWhereASaveFails) {
    const TemporaryDirectory directory;
    const auto index = small_index();
    index->save(directory.path("f"), nullptr);
    const Bytes before = read_bytes(directory.path("f"));
    for (const rlim_t limit : {rlim_t{0}, rlim_t{100}, static_cast<rlim_t>(before.size() - 1)}) {
        int error = 0;
        {
            const test::FileSizeLimit full(limit);
            try {
                index->save(directory.path("f"), nullptr);
            } catch (const FileError& failure) {
                error = failure.code().value();
                EXPECT_EQ(failure.path(), directory.path("f"));
            }
        }
        EXPECT_EQ(error, EFBIG);
        EXPECT_EQ(read_bytes(directory.path("f")), before);
        EXPECT_EQ(directory.n_files(), 1U) << "no temporary file is left";
    }
    test::RecordingMonitor monitor(1);
    EXPECT_THROW(index->save(directory.path("f"), &monitor), test::Cancelled);
    EXPECT_EQ(read_bytes(directory.path("f")), before);
    EXPECT_EQ(directory.n_files(), 1U);
}

TEST(IndexFile, NamesTheDirectoryThatCannotBeWritten) {
    const TemporaryDirectory directory;
    const auto code_of = [](const std::string& path) {
        try {
            small_index()->save(path, nullptr);
        } catch (const FileError& error) {
            EXPECT_EQ(error.path(), path);
            return error.code().value();
        }
        return 0;
    };
    EXPECT_EQ(code_of(directory.path("missing/f")), ENOENT);
    write_bytes(directory.path("file"), Bytes(1));
    EXPECT_EQ(code_of(directory.path("file/f")), ENOTDIR);
    std::filesystem::create_directory(directory.path("folder"));
    EXPECT_EQ(code_of(directory.path("folder")), EISDIR);
    EXPECT_EQ(directory.n_files(), 2U) << "no temporary file is left";
}

TEST(IndexFile, ReplacesTheFileThatItIsMappedFrom) {
    const TemporaryDirectory directory;
    small_index()->save(directory.path("f"), nullptr);
    const Bytes before = read_bytes(directory.path("f"));
    const auto index = open_index(directory.path("f"), true, nullptr);
    index->save(directory.path("f"), nullptr);
    EXPECT_EQ(read_bytes(directory.path("f")), before);
    EXPECT_EQ(directory.n_files(), 1U);
}

}  // namespace
}  // namespace thresher
