// Picks a kernel table by CPUID and XCR0 (__builtin_cpu_supports reads both).
#ifdef THRESHER_X86
#include <cpuid.h>
#endif

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "kernels.hpp"

namespace thresher::kernels {

namespace {

#ifdef THRESHER_X86
// Two features of every AVX2 machine that older compilers' __builtin_cpu_supports does not know.
bool has_f16c_and_lzcnt() noexcept {
    constexpr unsigned kF16c = 1U << 29;
    constexpr unsigned kLzcnt = 1U << 5;
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned basic = 0;
    unsigned extended = 0;
    unsigned edx = 0;
    return __get_cpuid(1, &eax, &ebx, &basic, &edx) != 0 && (basic & kF16c) != 0 &&
           __get_cpuid(0x80000001U, &eax, &ebx, &extended, &edx) != 0 && (extended & kLzcnt) != 0;
}
#endif

const Kernels& choose() {
    const Available all = available();
    const char* wish = std::getenv("THRESHER_ISA");
    if (wish == nullptr || *wish == '\0') return *all.tables[all.count - 1];
    const std::string_view name = wish;
    if (name != "scalar" && name != "avx2" && name != "avx512") {
        throw std::invalid_argument("THRESHER_ISA must be scalar, avx2 or avx512, got '" + std::string(name) + "'");
    }
    const std::size_t level = name == "scalar" ? 0 : name == "avx2" ? 1 : 2;
    return *all.tables[level < all.count ? level : all.count - 1];
}

}  // namespace

Available available() noexcept {
    Available all{{&scalar_kernels(), nullptr, nullptr}, 1};
#ifdef THRESHER_X86
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                      __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                      __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt") && has_f16c_and_lzcnt();
    if (!avx2) return all;
    all.tables[all.count++] = &avx2_kernels();
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2");
    if (avx512) all.tables[all.count++] = &avx512_kernels();
#endif
    return all;
}

const Kernels& active() {
    static const Kernels& chosen = choose();
    return chosen;
}

}  // namespace thresher::kernels
