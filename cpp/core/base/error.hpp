// The exceptions of the core beyond the standard ones. std::invalid_argument says what is wrong in the caller's input.
#pragma once

#include <stdexcept>
#include <string>
#include <system_error>

namespace thresher {

// A file that is not an index, is truncated or altered, or comes from a newer format version.
class FormatError : public std::runtime_error {
  public:
    FormatError(const std::string& path, const std::string& what) : std::runtime_error(path + ": " + what) {}
};

// An operating system call on a file that failed.
class FileError : public std::system_error {
  public:
    FileError(int error, std::string path)
        : std::system_error(error, std::generic_category(), path), path_(std::move(path)) {}
    const std::string& path() const noexcept { return path_; }

  private:
    std::string path_;
};

}  // namespace thresher
