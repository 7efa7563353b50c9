// The two system services that the index file stands on: a read-only mapping, and an atomic replacement.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace thresher {

struct MappedFile {
    std::span<const std::byte> bytes;
    std::shared_ptr<const void> owner;  // unmaps when the last copy goes
};

// Maps a regular file. Throws FileError; an empty file gives an empty span.
MappedFile map_file(const std::string& path);

// Writes a new file beside `path`; `commit` makes it durable and renames it over `path`. Destroyed before that, it
// leaves no trace. Symbolic links are followed, an existing file's permissions kept; what is not a regular file is
// refused. Every function throws FileError.
class AtomicFile {
  public:
    explicit AtomicFile(const std::string& path);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(std::span<const std::byte> bytes);
    void commit();

  private:
    std::string name_;    // as the caller gave it, for errors
    std::string target_;  // where its links lead
    std::string temporary_;
    int descriptor_ = -1;
};

}  // namespace thresher
