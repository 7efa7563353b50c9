// A read-only array that either owns its memory or points into a mapped file; copies share it. Either way its memory
// is 64-byte aligned and extends, zeroed, to a multiple of 64 bytes.
//
// Large allocations ask for huge pages: a query touches thousands of distant cache lines, and 4 KiB pages would
// cost it a TLB miss for most of them. Within a ScratchScope they are mapped from files instead.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

namespace thresher {

// Zeroed memory, 64-byte aligned, of at least `size` bytes and a multiple of 64. Throws std::bad_alloc, or FileError
// within a ScratchScope.
std::shared_ptr<std::byte> allocate_bytes(std::size_t size);
// The same without an owner: free_bytes(memory, size) frees it, within the scope or not.
std::byte* take_bytes(std::size_t size);
void free_bytes(std::byte* memory, std::size_t size) noexcept;

// Of vectors that grow with a collection.
template <class T>
struct LargeAllocator {
    using value_type = T;
    LargeAllocator() = default;
    template <class U>
    explicit(false) LargeAllocator(const LargeAllocator<U>&) noexcept {}
    T* allocate(std::size_t n) {
        if (n > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
        return reinterpret_cast<T*>(take_bytes(n * sizeof(T)));
    }
    void deallocate(T* items, std::size_t n) noexcept {
        free_bytes(reinterpret_cast<std::byte*>(items), n * sizeof(T));
    }
    template <class U>
    bool operator==(const LargeAllocator<U>&) const noexcept {
        return true;
    }
};

// What a build makes on its way, and drops: large, it is kept where buffers are.
template <class T>
using LargeVector = std::vector<T, LargeAllocator<T>>;

template <class T>
class Buffer {
  public:
    Buffer() = default;
    Buffer(std::span<const T> items, std::shared_ptr<const void> owner) : items_(items), owner_(std::move(owner)) {}

    std::size_t size() const noexcept { return items_.size(); }
    std::size_t nbytes() const noexcept { return items_.size_bytes(); }
    const T* data() const noexcept { return items_.data(); }
    const T& operator[](std::size_t i) const noexcept { return items_[i]; }
    std::span<const T> items() const noexcept { return items_; }

  private:
    std::span<const T> items_;
    std::shared_ptr<const void> owner_;
};

// A buffer that a builder fills through `items` before it hands `buffer` on.
template <class T>
struct Filling {
    explicit Filling(std::size_t n) {
        auto memory = allocate_bytes(n * sizeof(T));
        items = {reinterpret_cast<T*>(memory.get()), n};
        buffer = Buffer<T>(items, std::move(memory));
    }
    std::span<T> items;
    Buffer<T> buffer;
};

}  // namespace thresher
