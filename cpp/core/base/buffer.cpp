#include "buffer.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace thresher {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

std::shared_ptr<std::byte> allocate_bytes(std::size_t size) {
    const std::size_t alignment = size >= kHugePage ? kHugePage : 64;
    const std::size_t rounded = (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
    if (rounded < size) throw std::bad_alloc();
    if (alignment == kHugePage) {  // fresh pages come zeroed: reserve room to align, and give back the edges
        void* raw = ::mmap(nullptr, rounded + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (raw == MAP_FAILED) throw std::bad_alloc();
        auto* base = static_cast<std::byte*>(raw);
        const auto misaligned = reinterpret_cast<std::uintptr_t>(base) % kHugePage;
        const std::size_t head = misaligned == 0 ? 0 : kHugePage - misaligned;
        if (head != 0) ::munmap(base, head);
        ::munmap(base + head + rounded, kHugePage - head);
#ifdef MADV_HUGEPAGE
        ::madvise(base + head, rounded, MADV_HUGEPAGE);
#endif
        return {base + head, [rounded](std::byte* memory) { ::munmap(memory, rounded); }};
    }
    auto* memory = static_cast<std::byte*>(std::aligned_alloc(alignment, rounded));
    if (memory == nullptr) throw std::bad_alloc();
    std::memset(memory, 0, rounded);
    return {memory, [](std::byte* m) { std::free(m); }};
}

}  // namespace thresher
