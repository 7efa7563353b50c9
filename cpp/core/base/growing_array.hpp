// An array that grows at its end, in memory or in a file.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "scratch_files.hpp"

namespace thresher {

template <class T>
class GrowingArray {
  public:
    // Null: in memory. Throws FileError.
    explicit GrowingArray(const ScratchFiles* files) {
        if (files != nullptr) file_.emplace(files->open());
    }

    std::size_t size() const noexcept { return size_; }
    // Memory for so many more; doubles, so that many small parts cost no more than one.
    void reserve(std::size_t more) {
        if (file_ || memory_.capacity() - size_ >= more) return;
        memory_.reserve(std::max(size_ + more, 2 * size_));
    }
    // Throws std::bad_alloc or FileError, and has then appended nothing.
    void append(std::span<const T> items) {
        if (file_) {
            file_->write(size_ * sizeof(T), std::as_bytes(items));
        } else {
            reserve(items.size());
            memory_.insert(memory_.end(), items.begin(), items.end());
        }
        size_ += items.size();
    }
    void truncate(std::size_t size) noexcept {
        size_ = size;
        if (!file_) memory_.resize(size);
    }
    // Valid until the array grows.
    std::span<const T> items() const {
        if (!file_) return memory_;
        if (size_ == 0) return {};
        if (mapped_size_ != size_) {
            const std::size_t n_bytes = size_ * sizeof(T);
            mapping_ = {file_->map_written(n_bytes),
                        [n_bytes](const std::byte* base) { ::munmap(const_cast<std::byte*>(base), n_bytes); }};
            mapped_size_ = size_;
        }
        return {reinterpret_cast<const T*>(mapping_.get()), size_};
    }

  private:
    std::size_t size_ = 0;
    std::vector<T> memory_;
    std::optional<ScratchFile> file_;
    mutable std::shared_ptr<const std::byte> mapping_;
    mutable std::size_t mapped_size_ = 0;
};

}  // namespace thresher
