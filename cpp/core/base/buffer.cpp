#include "buffer.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "scratch_files.hpp"

namespace thresher {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kPage = 4096;

// What is that large is mapped, in memory or in a file, and the rest allocated: the size tells how to free it.
constexpr bool is_mapped(std::size_t size) noexcept { return size >= kHugePage; }

std::size_t rounded(std::size_t size) {
    const std::size_t alignment = is_mapped(size) ? kPage : 64;  // the last huge page would be empty but for its start
    const std::size_t whole = (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
    if (whole < size) throw std::bad_alloc();
    return whole;
}

// Fresh pages come zeroed: reserves room to align, and gives back the edges.
std::byte* map_memory(std::size_t size) {
    void* raw = ::mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) throw std::bad_alloc();
    auto* base = static_cast<std::byte*>(raw);
    const auto misaligned = reinterpret_cast<std::uintptr_t>(base) % kHugePage;
    const std::size_t head = misaligned == 0 ? 0 : kHugePage - misaligned;
    if (head != 0) ::munmap(base, head);
    ::munmap(base + head + size, kHugePage - head);
#ifdef MADV_HUGEPAGE
    ::madvise(base + head, size, MADV_HUGEPAGE);
#endif
    return base + head;
}

}  // namespace

std::byte* take_bytes(std::size_t size) {
    const std::size_t whole = rounded(size);
    if (is_mapped(size)) {
        const ScratchFiles* const files = scratch_files();
        return files == nullptr ? map_memory(whole) : files->open().map_zeroed(whole);
    }
    auto* memory = static_cast<std::byte*>(std::aligned_alloc(64, whole));
    if (memory == nullptr) throw std::bad_alloc();
    std::memset(memory, 0, whole);
    return memory;
}

void free_bytes(std::byte* memory, std::size_t size) noexcept {
    if (is_mapped(size)) {
        ::munmap(memory, rounded(size));
    } else {
        std::free(memory);
    }
}

std::shared_ptr<std::byte> allocate_bytes(std::size_t size) {
    return {take_bytes(size), [size](std::byte* memory) { free_bytes(memory, size); }};
}

}  // namespace thresher
