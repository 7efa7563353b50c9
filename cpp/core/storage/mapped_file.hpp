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

// Writes a new file; `commit` makes it durable and renames it over `path`. Destroyed before that, it leaves no trace.
// Until `commit` the file has no name where the system has such files (Linux: O_TMPFILE), so that a process that is
// killed leaves none either; elsewhere it has one beside `path`, which the next writer of the same path removes.
// Symbolic links are followed, also to a file that does not exist; an existing file's permissions are kept; what is
// not a regular file is refused. Every function throws FileError.
class AtomicFile {
  public:
    explicit AtomicFile(const std::string& path);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(std::span<const std::byte> bytes);
    void commit();

  private:
    void open_named();
    void give_name();

    std::string name_;       // as the caller gave it, for errors
    std::string target_;     // where its links lead
    std::string temporary_;  // empty while the file has no name
    int descriptor_ = -1;
};

}  // namespace thresher
