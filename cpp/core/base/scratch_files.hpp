// Temporary files for what may be larger than memory: the large arrays of a build.
//
// They have no name, so that the system drops them with their last mapping, whatever becomes of the process. Their
// pages are the kernel's to write out and to drop: they count as resident only while there is room, and not as data of
// the process (RLIMIT_DATA). Room on the disk is reserved before it is mapped: where there is none, that is an error
// here and no signal later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "descriptor.hpp"

namespace thresher {

// A file without a name. Every function throws FileError, which names the directory.
class ScratchFile {
  public:
    explicit ScratchFile(std::string directory);

    void write(std::uint64_t offset, std::span<const std::byte> bytes);
    // Zeroed memory of a file of that size; whoever calls unmaps it. Nothing has been written.
    std::byte* map_zeroed(std::size_t size);
    // What was written, read-only; whoever calls unmaps it. `size` is not 0.
    const std::byte* map_written(std::size_t size) const;

  private:
    std::string directory_;
    Descriptor descriptor_;
};

class ScratchFiles {
  public:
    // Throws FileError unless files can be made in the directory.
    explicit ScratchFiles(std::string directory);
    ScratchFile open() const { return ScratchFile(directory_); }
    const std::string& directory() const noexcept { return directory_; }

  private:
    std::string directory_;
};

// Where large arrays go that this thread makes: null for memory.
const ScratchFiles* scratch_files() noexcept;

// While it lives, large arrays that the thread makes are kept in files, or, if null, in memory. Loops over threads pass
// it on. Arrays outlive it.
class ScratchScope {
  public:
    explicit ScratchScope(const ScratchFiles* files) noexcept;
    ~ScratchScope();
    ScratchScope(const ScratchScope&) = delete;
    ScratchScope& operator=(const ScratchScope&) = delete;

  private:
    const ScratchFiles* outer_;
};

}  // namespace thresher
