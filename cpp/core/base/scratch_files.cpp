#include "scratch_files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "error.hpp"

namespace thresher {

namespace {

constexpr std::size_t kWriteAtMost = std::size_t{1} << 30;

constinit thread_local const ScratchFiles* of_this_thread = nullptr;

// Without a name from the start where the system has such files, otherwise without one at once.
Descriptor open_unnamed(const std::string& directory) {
#ifdef O_TMPFILE
    Descriptor unnamed(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600));
    if (unnamed.get() >= 0) return unnamed;
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) throw FileError(errno, directory);
#endif
    std::string name = directory + "/.thresher-XXXXXX";
    Descriptor named(::mkostemp(name.data(), O_CLOEXEC));
    if (named.get() < 0) throw FileError(errno, directory);
    ::unlink(name.c_str());
    return named;
}

}  // namespace

ScratchFile::ScratchFile(std::string directory)
    : directory_(std::move(directory)), descriptor_(open_unnamed(directory_)) {}

void ScratchFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto written =
            ::pwrite(descriptor_.get(), bytes.data(), std::min(bytes.size(), kWriteAtMost), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw FileError(errno, directory_);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
    }
}

std::byte* ScratchFile::map_zeroed(std::size_t size) {
    int error = EINTR;
    while (error == EINTR) error = ::posix_fallocate(descriptor_.get(), 0, static_cast<off_t>(size));
    if (error != 0) throw FileError(error, directory_);
    void* const base = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_.get(), 0);
    if (base == MAP_FAILED) throw FileError(errno, directory_);
    return static_cast<std::byte*>(base);
}

const std::byte* ScratchFile::map_written(std::size_t size) const {
    void* const base = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor_.get(), 0);
    if (base == MAP_FAILED) throw FileError(errno, directory_);
    return static_cast<const std::byte*>(base);
}

ScratchFiles::ScratchFiles(std::string directory) : directory_(std::move(directory)) { static_cast<void>(open()); }

const ScratchFiles* scratch_files() noexcept { return of_this_thread; }

ScratchScope::ScratchScope(const ScratchFiles* files) noexcept : outer_(std::exchange(of_this_thread, files)) {}

ScratchScope::~ScratchScope() { of_this_thread = outer_; }

}  // namespace thresher
