// AVX-512 kernels (F, BW, VL, DQ). See kernels.hpp for the contracts.
#include <immintrin.h>

#include "kernels.hpp"

namespace thresher::kernels {

namespace {

#include "x86_common.inc"

// Adds rows a and b, 64 documents each, to four accumulators of 16 documents. Unpacking works within 128-bit lanes:
// sums[j] holds documents 16l + 4j .. 16l + 4j + 3 in lane l.
inline void add_row_pair(const std::uint8_t* a, const std::uint8_t* b, __m512i weights, __m512i sums[4]) noexcept {
    const __m512i zero = _mm512_setzero_si512();
    const __m512i cells_a = _mm512_loadu_si512(a);
    const __m512i cells_b = _mm512_loadu_si512(b);
    const __m512i low = _mm512_unpacklo_epi8(cells_a, cells_b);
    const __m512i high = _mm512_unpackhi_epi8(cells_a, cells_b);
    sums[0] = _mm512_add_epi32(sums[0], _mm512_madd_epi16(_mm512_unpacklo_epi8(low, zero), weights));
    sums[1] = _mm512_add_epi32(sums[1], _mm512_madd_epi16(_mm512_unpackhi_epi8(low, zero), weights));
    sums[2] = _mm512_add_epi32(sums[2], _mm512_madd_epi16(_mm512_unpacklo_epi8(high, zero), weights));
    sums[3] = _mm512_add_epi32(sums[3], _mm512_madd_epi16(_mm512_unpackhi_epi8(high, zero), weights));
}

// Turns the lanes of add_row_pair's accumulators into document order: a 4 x 4 transposition of 128-bit lanes.
inline void transpose_lanes(__m512i sums[4]) noexcept {
    const __m512i even_low = _mm512_shuffle_i32x4(sums[0], sums[1], 0x88);  // lanes 0, 2 of each
    const __m512i odd_low = _mm512_shuffle_i32x4(sums[0], sums[1], 0xDD);   // lanes 1, 3
    const __m512i even_high = _mm512_shuffle_i32x4(sums[2], sums[3], 0x88);
    const __m512i odd_high = _mm512_shuffle_i32x4(sums[2], sums[3], 0xDD);
    sums[0] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
    sums[1] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
    sums[2] = _mm512_shuffle_i32x4(even_low, even_high, 0xDD);
    sums[3] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xDD);
}

std::size_t select_candidates(const std::uint8_t* const* rows, const std::int16_t* weights, std::size_t n_rows,
                              std::int32_t* scores, std::size_t n_docs, std::int32_t cutoff, std::uint32_t* candidates,
                              std::int32_t* candidate_scores) noexcept {
    const __m512i threshold = _mm512_set1_epi32(cutoff);
    std::size_t count = 0;
    for (std::size_t first = 0; first < n_docs; first += kStrip) {
        __m512i sums[4] = {};
        for (std::size_t r = 0; r < n_rows; r += 2) {
            add_row_pair(rows[r] + first, rows[r + 1] + first, _mm512_set1_epi32(load_pair(weights + r)), sums);
        }
        transpose_lanes(sums);
        std::uint64_t hits = 0;
        for (std::size_t j = 0; j < 4; ++j) {
            std::int32_t* memory = scores + first + 16 * j;
            sums[j] = _mm512_add_epi32(sums[j], _mm512_loadu_si512(memory));
            _mm512_storeu_si512(memory, _mm512_setzero_si512());
            hits |= static_cast<std::uint64_t>(_mm512_cmpge_epi32_mask(sums[j], threshold)) << (16 * j);
        }
        if (hits == 0) continue;
        alignas(64) std::int32_t lanes[kStrip];
        for (std::size_t j = 0; j < 4; ++j) _mm512_store_si512(lanes + 16 * j, sums[j]);
        count = append_hits(hits, static_cast<std::uint32_t>(first), lanes, candidates, candidate_scores, count);
    }
    return count;
}

constexpr Kernels kAvx512{"avx512", accumulate_lists, select_candidates, widen_halves, checksum_blocks};

}  // namespace

const Kernels& avx512_kernels() noexcept { return kAvx512; }

}  // namespace thresher::kernels
