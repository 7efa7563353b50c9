#include "mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <utility>

#include "../base/error.hpp"

namespace thresher {

namespace {

constexpr std::size_t kWriteAtMost = std::size_t{1} << 30;

// Closes at the end of the scope.
class Descriptor {
  public:
    explicit Descriptor(int value) : value_(value) {}
    ~Descriptor() {
        if (value_ >= 0) ::close(value_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const noexcept { return value_; }

  private:
    int value_;
};

// The file that a chain of symbolic links leads to, so that a link stays one.
std::string follow_links(const std::string& path) {
    const std::unique_ptr<char, void (*)(void*)> target(::realpath(path.c_str(), nullptr), std::free);
    return target == nullptr ? path : target.get();
}

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
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
    static std::atomic<unsigned> count{0};
    do {
        temporary_ = directory_of(target_) + "/.thresher-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
        descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (descriptor_ < 0 && errno == EEXIST);
    if (descriptor_ < 0) throw FileError(errno, name_);
    if (exists) ::fchmod(descriptor_, status.st_mode & 07777);
}

AtomicFile::~AtomicFile() {
    if (descriptor_ < 0) return;
    ::close(descriptor_);
    ::unlink(temporary_.c_str());
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
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) throw FileError(errno, name_);
    ::close(std::exchange(descriptor_, -1));
    const Descriptor directory(::open(directory_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() >= 0) ::fsync(directory.get());  // some file systems refuse; the file itself is safe
}

}  // namespace thresher
