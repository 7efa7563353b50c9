#include "mapped_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <utility>

#include "../base/descriptor.hpp"
#include "../base/error.hpp"

namespace thresher {

namespace {

constexpr std::size_t kWriteAtMost = std::size_t{1} << 30;

// The file that a chain of symbolic links leads to, whether it exists or not, so that a link stays one.
std::string follow_links(const std::string& given) {
    constexpr int kMaxLinks = 40;  // as Linux
    std::string path = given;
    for (int n_links = 0; n_links <= kMaxLinks; ++n_links) {
        std::error_code error;
        const auto link = std::filesystem::read_symlink(path, error);
        if (error) return path;                                              // not a link
        path = (std::filesystem::path(path).parent_path() / link).string();  // `link` alone where it is absolute
    }
    throw FileError(ELOOP, given);
}

// Where the system shows the file behind a descriptor.
std::string link_to(int descriptor) { return "/proc/self/fd/" + std::to_string(descriptor); }

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// The n-th name of a temporary for `target`: hidden, beside it, and short enough for any file system.
std::string temporary_name(const std::string& target, unsigned n) {
    constexpr std::size_t kMaxBytes = 100;
    std::string name = target.substr(target.rfind('/') + 1);  // npos + 1 is 0
    if (name.size() > kMaxBytes) {
        auto end = kMaxBytes;
        while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;  // between two characters
        name.resize(end);
    }
    return directory_of(target) + "/." + name + ".thresher-" + std::to_string(n);
}

bool is_name_of(const std::string& path, int descriptor) {
    struct stat named{};
    struct stat opened{};
    return ::lstat(path.c_str(), &named) == 0 && ::fstat(descriptor, &opened) == 0 && named.st_dev == opened.st_dev &&
           named.st_ino == opened.st_ino;
}

// Removes temporaries of `target` whose writers are gone. A writer holds the lock of its file as long as it lives, and
// nobody else removes a file without its lock.
void sweep(const std::string& target) {
    constexpr unsigned kSwept = 8;  // names are taken from 0 on, so that these are all there is in practice
    for (unsigned n = 0; n < kSwept; ++n) {
        const std::string name = temporary_name(target, n);
        const Descriptor file(::open(name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
        if (file.get() < 0 || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
        if (is_name_of(name, file.get())) ::unlink(name.c_str());
    }
}

// Opens a file that has no name, which the system drops with its last descriptor. -1 where there is no such thing.
int open_unnamed(const std::string& directory) {
#ifdef O_TMPFILE
    const int file = ::open(directory.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    if (file >= 0 && ::access(link_to(file).c_str(), F_OK) == 0) return file;
    if (file >= 0) ::close(file);  // without /proc it could not be given a name
#else
    static_cast<void>(directory);
#endif
    return -1;
}

}  // namespace

MappedFile map_file(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) throw FileError(errno, path);
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) throw FileError(errno, path);
    if (S_ISDIR(status.st_mode)) throw FileError(EISDIR, path);
    if (!S_ISREG(status.st_mode)) throw FileError(EINVAL, path);
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) return {};
    void* base = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
    if (base == MAP_FAILED) throw FileError(errno, path);
#ifdef MADV_HUGEPAGE
    ::madvise(base, size, MADV_HUGEPAGE);  // only advice: file systems without huge pages ignore it
#endif
    std::shared_ptr<const void> owner(base, [size](const void* p) { ::munmap(const_cast<void*>(p), size); });
    return {{static_cast<const std::byte*>(base), size}, std::move(owner)};
}

AtomicFile::AtomicFile(const std::string& path) : name_(path), target_(follow_links(path)) {
    struct stat status{};
    const bool exists = ::stat(target_.c_str(), &status) == 0;
    if (!exists && errno != ENOENT) throw FileError(errno, name_);
    if (exists && S_ISDIR(status.st_mode)) throw FileError(EISDIR, name_);
    if (exists && !S_ISREG(status.st_mode)) throw FileError(EINVAL, name_);  // renaming would replace a device
    sweep(target_);
    descriptor_ = open_unnamed(directory_of(target_));
    if (descriptor_ < 0) open_named();
    ::flock(descriptor_, LOCK_EX | LOCK_NB);  // before an unnamed file has a name; some file systems have no locks
    if (exists) ::fchmod(descriptor_, status.st_mode & 07777);
}

AtomicFile::~AtomicFile() {
    if (descriptor_ < 0) return;
    if (!temporary_.empty()) ::unlink(temporary_.c_str());  // before the lock goes
    ::close(descriptor_);
}

void AtomicFile::open_named() {
    for (unsigned n = 0;; ++n) {
        temporary_ = temporary_name(target_, n);
        descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor_ < 0 && errno == EEXIST) continue;
        if (descriptor_ < 0) throw FileError(errno, name_);
        ::flock(descriptor_, LOCK_EX);
        if (is_name_of(temporary_, descriptor_)) return;
        ::close(std::exchange(descriptor_, -1));  // swept before it was locked
    }
}

void AtomicFile::give_name() {
    for (unsigned n = 0;; ++n) {
        std::string name = temporary_name(target_, n);
        if (::linkat(AT_FDCWD, link_to(descriptor_).c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
            temporary_ = std::move(name);
            return;
        }
        if (errno != EEXIST) throw FileError(errno, name_);
    }
}

void AtomicFile::write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kWriteAtMost));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw FileError(errno, name_);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

void AtomicFile::commit() {
    if (::fsync(descriptor_) != 0) throw FileError(errno, name_);
    if (temporary_.empty()) give_name();
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) throw FileError(errno, name_);
    ::close(std::exchange(descriptor_, -1));
    const Descriptor directory(::open(directory_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() >= 0) ::fsync(directory.get());  // some file systems refuse; the file itself is safe
}

}  // namespace thresher
