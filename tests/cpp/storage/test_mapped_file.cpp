// Mappings outlive their files' names; a replacement is whole or it is not there.
#include "core/storage/mapped_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

namespace fs = std::filesystem;
using test::read_bytes;
using test::TemporaryDirectory;
using test::write_bytes;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string text_in(const std::string& path) {
    const auto bytes = read_bytes(path);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void replace(const std::string& path, std::string_view text) {
    AtomicFile file(path);
    file.write(bytes_of(text));
    file.commit();
}

template <class Call>
int code_of(const Call& call) {
    try {
        call();
    } catch (const FileError& error) {
        return error.code().value();
    }
    return 0;
}

mode_t mode_of(const std::string& path) {
    struct stat status{};
    ::stat(path.c_str(), &status);
    return status.st_mode & 07777;
}

TEST(MapFile, GivesTheBytesAndKeepsThem) {
    const TemporaryDirectory directory;
    write_bytes(directory.path("f"), bytes_of("some text"));
    const MappedFile mapped = map_file(directory.path("f"));
    fs::remove(directory.path("f"));
    EXPECT_TRUE(std::ranges::equal(mapped.bytes, bytes_of("some text")));
    write_bytes(directory.path("empty"), {});
    EXPECT_TRUE(map_file(directory.path("empty")).bytes.empty());
}

TEST(MapFile, NamesWhatItCannotMap) {
    const TemporaryDirectory directory;
    ASSERT_EQ(::mkfifo(directory.path("pipe").c_str(), 0600), 0);
    EXPECT_EQ(code_of([&] { map_file(directory.path("missing")); }), ENOENT);
    EXPECT_EQ(code_of([&] { map_file(directory.path(".")); }), EISDIR);
    EXPECT_EQ(code_of([&] { map_file(directory.path("pipe")); }), EINVAL) << "and does not wait for a writer";
}

TEST(AtomicFile, IsThereOnceCommitted) {
    const TemporaryDirectory directory;
    write_bytes(directory.path("f"), bytes_of("old"));
    {
        AtomicFile file(directory.path("f"));
        file.write(bytes_of("ne"));
        file.write(bytes_of("w"));
        EXPECT_EQ(text_in(directory.path("f")), "old");
        file.commit();
        EXPECT_EQ(text_in(directory.path("f")), "new");
    }
    EXPECT_EQ(text_in(directory.path("f")), "new");
    EXPECT_EQ(directory.n_files(), 1U);
}

TEST(AtomicFile, LeavesNoTraceUnlessCommitted) {
    const TemporaryDirectory directory;
    {
        AtomicFile file(directory.path("f"));
        file.write(bytes_of("text"));
    }
    EXPECT_EQ(directory.n_files(), 0U);
}

TEST(AtomicFile, HasThePermissionsOfAnyNewFileOrOfTheOldOne) {
    const TemporaryDirectory directory;
    const mode_t mask = ::umask(027);
    replace(directory.path("new"), "1");
    ::umask(mask);
    EXPECT_EQ(mode_of(directory.path("new")), 0640U);
    ASSERT_EQ(::chmod(directory.path("new").c_str(), 0604), 0);
    replace(directory.path("new"), "2");
    EXPECT_EQ(mode_of(directory.path("new")), 0604U);
}

TEST(AtomicFile, ReplacesWhatALinkLeadsTo) {
    const TemporaryDirectory directory;
    fs::create_directory(directory.path("folder"));
    write_bytes(directory.path("folder/target"), bytes_of("old"));
    fs::create_symlink("folder/target", directory.path("link"));
    replace(directory.path("link"), "new");
    EXPECT_TRUE(fs::is_symlink(directory.path("link")));
    EXPECT_EQ(text_in(directory.path("folder/target")), "new");
}

TEST(AtomicFile, CreatesWhatALinkLeadsTo) {
    const TemporaryDirectory directory;
    fs::create_directory(directory.path("folder"));
    fs::create_symlink("other", directory.path("folder/link"));
    fs::create_symlink(directory.path("folder/link"), directory.path("link"));
    replace(directory.path("link"), "new");
    EXPECT_TRUE(fs::is_symlink(directory.path("link")));
    EXPECT_TRUE(fs::is_symlink(directory.path("folder/link")));
    EXPECT_EQ(text_in(directory.path("folder/other")), "new");
    fs::create_symlink("round", directory.path("round"));
    EXPECT_EQ(code_of([&] { replace(directory.path("round"), "text"); }), ELOOP);
}

TEST(AtomicFile, RemovesWhatWritersThatAreGoneHaveLeft) {
    const TemporaryDirectory directory;
    const std::string stale = directory.path(".f.thresher-0");
    const std::string busy = directory.path(".f.thresher-1");
    const std::string later = directory.path(".f.thresher-3");
    for (const auto& path : {stale, busy, later, directory.path(".g.thresher-0")}) write_bytes(path, bytes_of("half"));
    const int writer = ::open(busy.c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_EQ(::flock(writer, LOCK_EX), 0);
    replace(directory.path("f"), "new");
    EXPECT_EQ(text_in(directory.path("f")), "new");
    EXPECT_FALSE(fs::exists(stale));
    EXPECT_TRUE(fs::exists(busy));
    EXPECT_FALSE(fs::exists(later));
    EXPECT_TRUE(fs::exists(directory.path(".g.thresher-0"))) << "which is another file's";
    ::close(writer);
}

TEST(AtomicFile, TakesNamesOfAnyLength) {
    const TemporaryDirectory directory;
    std::string wide;  // 254 bytes
    while (wide.size() < 254) wide += "\xC3\xA4";
    for (const auto& name : {std::string(255, 'n'), wide}) {
        replace(directory.path(name), "new");
        EXPECT_EQ(text_in(directory.path(name)), "new");
    }
    EXPECT_EQ(directory.n_files(), 2U);
}

TEST(AtomicFile, RefusesToReplaceWhatIsNoFile) {
    const TemporaryDirectory directory;
    ASSERT_EQ(::mkfifo(directory.path("pipe").c_str(), 0600), 0);
    fs::create_directory(directory.path("folder"));
    EXPECT_EQ(code_of([&] { replace(directory.path("pipe"), "text"); }), EINVAL);
    EXPECT_EQ(code_of([&] { replace(directory.path("folder"), "text"); }), EISDIR);
    EXPECT_EQ(code_of([&] { replace(directory.path("missing/f"), "text"); }), ENOENT);
    EXPECT_TRUE(fs::is_fifo(directory.path("pipe")));
    EXPECT_EQ(directory.n_files(), 2U);
}

}  // namespace
}  // namespace thresher
