// AVX-512 kernels (F, BW, VL, DQ, VBMI, VBMI2). See kernels.hpp for the contracts.
#include <immintrin.h>

#include <cstring>

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
                              std::int32_t* scores, std::size_t n_docs, const std::uint64_t* allowed,
                              std::int32_t cutoff, std::uint32_t* candidates, std::int32_t* candidate_scores) noexcept {
    const __m512i threshold = _mm512_set1_epi32(cutoff);
    std::size_t count = 0;
    for (std::size_t first = 0; first < n_docs; first += kStrip) {
        const std::uint64_t wanted = allowed == nullptr ? ~std::uint64_t{0} : allowed[first / kStrip];
        if (wanted == 0) {
            std::memset(scores + first, 0, kStrip * sizeof *scores);
            continue;
        }
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
        hits &= wanted;
        if (hits == 0) continue;
        alignas(64) std::int32_t lanes[kStrip];
        for (std::size_t j = 0; j < 4; ++j) _mm512_store_si512(lanes + 16 * j, sums[j]);
        count = append_hits(hits, static_cast<std::uint32_t>(first), lanes, candidates, candidate_scores, count);
    }
    return count;
}

// Sums superblocks whose codes `rows.load(r, s)` finds.
template <class Rows>
inline void sum_superblocks(const Rows& rows, const std::uint8_t* weights, std::size_t n_rows, std::uint16_t* bounds,
                            std::size_t n_superblocks, std::uint16_t* maxima) noexcept {
    const __m512i low_half = _mm512_set1_epi8(15);
    for (std::size_t s = 0; s < n_superblocks; ++s) {
        // sums[j] holds blocks 32l + 8j .. 32l + 8j + 7 in lane l.
        __m512i sums[4] = {};
        for (std::size_t r = 0; r < n_rows; r += 2) {
            const __m512i a = rows.load(r, s);
            const __m512i b = rows.load(r + 1, s);
            const __m512i pair = _mm512_set1_epi16(load_bytes(weights + r));
            const auto add = [&](std::size_t j, __m512i codes) {
                sums[j] = _mm512_adds_epu16(sums[j], _mm512_maddubs_epi16(codes, pair));
            };
            const __m512i first = _mm512_unpacklo_epi8(a, b);
            const __m512i second = _mm512_unpackhi_epi8(a, b);
            add(0, _mm512_and_si512(first, low_half));
            add(1, _mm512_and_si512(second, low_half));
            add(2, _mm512_and_si512(_mm512_srli_epi16(first, 4), low_half));
            add(3, _mm512_and_si512(_mm512_srli_epi16(second, 4), low_half));
        }
        transpose_lanes(sums);
        __m512i largest = _mm512_setzero_si512();
        for (std::size_t j = 0; j < 4; ++j) {
            std::uint16_t* memory = bounds + s * kSuperblock + 32 * j;
            const __m512i bound = _mm512_adds_epu16(sums[j], _mm512_loadu_si512(memory));
            _mm512_storeu_si512(memory, bound);
            largest = _mm512_max_epu16(largest, bound);
        }
        __m256i half = _mm256_max_epu16(_mm512_castsi512_si256(largest), _mm512_extracti64x4_epi64(largest, 1));
        maxima[s] = largest_of(_mm_max_epu16(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
    }
}

// All superblocks, one behind the other.
struct WholeRows {
    const std::uint8_t* const* rows;
    std::size_t ahead;
    __m512i load(std::size_t r, std::size_t s) const noexcept {
        const std::uint8_t* codes = rows[r] + s * (kSuperblock / 2);
        _mm_prefetch(codes + ahead, _MM_HINT_T1);
        return _mm512_loadu_si512(codes);
    }
};

// Superblocks put together from groups.
struct GroupRows {
    const std::uint8_t* const* rows;
    const std::uint32_t* groups;
    __m512i load(std::size_t r, std::size_t s) const noexcept {
        const std::uint32_t* four = groups + s * (kSuperblock / kGroup);
        const auto at = [&](std::size_t i) {
            return reinterpret_cast<const __m128i*>(rows[r] + std::size_t{four[i]} * (kGroup / 2));
        };
        for (std::size_t i = 0; i < 4; ++i) _mm_prefetch(at(kGroupsAhead + i), _MM_HINT_T1);
        const __m256i low =
            _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(at(0))), _mm_loadu_si128(at(1)), 1);
        const __m256i high =
            _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(at(2))), _mm_loadu_si128(at(3)), 1);
        return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
    }
};

void sum_bounds(const std::uint8_t* const* rows, const std::uint8_t* weights, std::size_t n_rows, std::uint16_t* bounds,
                std::size_t n_superblocks, std::uint16_t* maxima) noexcept {
    sum_superblocks(WholeRows{rows, fetched_ahead(n_rows)}, weights, n_rows, bounds, n_superblocks, maxima);
}

void sum_groups(const std::uint8_t* const* rows, const std::uint8_t* weights, std::size_t n_rows,
                const std::uint32_t* groups, std::uint16_t* bounds, std::size_t n_superblocks,
                std::uint16_t* maxima) noexcept {
    sum_superblocks(GroupRows{rows, groups}, weights, n_rows, bounds, n_superblocks, maxima);
}

void add_to_groups(const std::uint16_t* items, const std::uint8_t* impacts, std::size_t n, unsigned shift,
                   std::uint32_t factor, std::uint32_t rounding, const std::uint8_t* chosen,
                   const std::uint32_t* places, std::uint16_t* bounds) noexcept {
    // A table of 256 bytes in four registers, looked up by the upper bits of a block.
    const __m512i chosen_0 = _mm512_loadu_si512(chosen);
    const __m512i chosen_1 = _mm512_loadu_si512(chosen + 64);
    const __m512i chosen_2 = _mm512_loadu_si512(chosen + 128);
    const __m512i chosen_3 = _mm512_loadu_si512(chosen + 192);
    const __m512i bits = _mm512_set1_epi64(static_cast<long long>(0x8040201008040201U));
    const __m512i even = _mm512_set1_epi16(0x00FF);
    const __m128i to_group = _mm_cvtsi32_si128(static_cast<int>(shift + 5));
    const __m128i to_byte = _mm_cvtsi32_si128(static_cast<int>(shift + 8));
    // First all that are chosen, then what they add: a loop that nothing interrupts.
    constexpr std::size_t kFound = 1024;
    std::uint16_t found_items[kFound + 64];
    std::uint8_t found_impacts[kFound + 64];
    std::size_t count = 0;
    const auto add_found = [&] {
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t block = std::uint32_t{found_items[i]} >> shift;
            std::uint16_t& bound = bounds[std::size_t{places[block / kGroup]} * kGroup + block % kGroup];
            bound = static_cast<std::uint16_t>(bound + ((factor * found_impacts[i] + rounding) >> 16));
        }
        count = 0;
    };
    for (std::size_t first = 0; first < n; first += 64) {
        const std::size_t left = n - first;
        const std::uint64_t there = left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
        const __m512i low = _mm512_maskz_loadu_epi16(static_cast<std::uint32_t>(there), items + first);
        const __m512i high = _mm512_maskz_loadu_epi16(static_cast<std::uint32_t>(there >> 32), items + first + 32);
        // Byte 2i is of item i, byte 2i + 1 of item 32 + i.
        const auto both = [&](__m512i a, __m512i b) {
            return _mm512_or_si512(_mm512_and_si512(a, even), _mm512_slli_epi16(b, 8));
        };
        const __m512i bytes = both(_mm512_srl_epi16(low, to_byte), _mm512_srl_epi16(high, to_byte));
        const __m512i groups = both(_mm512_srl_epi16(low, to_group), _mm512_srl_epi16(high, to_group));
        const __m512i found =
            _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), _mm512_permutex2var_epi8(chosen_0, bytes, chosen_1),
                                   _mm512_permutex2var_epi8(chosen_2, bytes, chosen_3));
        const __m512i bit = _mm512_shuffle_epi8(bits, _mm512_and_si512(groups, _mm512_set1_epi8(7)));
        const std::uint64_t mixed = _mm512_test_epi8_mask(found, bit);
        const std::uint64_t hits =
            there & (_pext_u64(mixed, 0x5555555555555555U) | _pext_u64(mixed, 0xAAAAAAAAAAAAAAAAU) << 32);
        const auto low_hits = static_cast<std::uint32_t>(hits);
        const __m512i impact = _mm512_maskz_loadu_epi8(there, impacts + first);
        _mm512_storeu_si512(found_items + count, _mm512_maskz_compress_epi16(low_hits, low));
        _mm512_storeu_si512(found_impacts + count, _mm512_maskz_compress_epi8(hits, impact));
        count += static_cast<std::size_t>(__builtin_popcount(low_hits));
        _mm512_storeu_si512(found_items + count,
                            _mm512_maskz_compress_epi16(static_cast<std::uint32_t>(hits >> 32), high));
        count += static_cast<std::size_t>(__builtin_popcountll(hits >> 32));
        if (count > kFound - 64) add_found();
    }
    add_found();
}

std::size_t select_blocks(const std::uint16_t* bounds, const std::uint16_t* maxima, std::size_t n_superblocks,
                          std::uint32_t low, std::uint32_t high, std::uint32_t* blocks,
                          std::uint16_t* block_bounds) noexcept {
    if (low > 65535 || high == 0) return 0;
    const __m512i min = _mm512_set1_epi16(static_cast<std::int16_t>(low));
    const __m512i max = _mm512_set1_epi16(static_cast<std::int16_t>(high > 65535 ? 65535 : high - 1));
    std::size_t count = 0;
    for (std::size_t s = 0; s < n_superblocks; ++s) {
        if (maxima[s] < low) continue;
        for (std::size_t first = s * kSuperblock; first < (s + 1) * kSuperblock; first += 32) {
            const __m512i bound = _mm512_loadu_si512(bounds + first);
            auto hits =
                static_cast<std::uint32_t>(_mm512_cmpge_epu16_mask(bound, min) & _mm512_cmple_epu16_mask(bound, max));
            for (; hits != 0; hits &= hits - 1) {
                const std::size_t block = first + static_cast<std::size_t>(__builtin_ctz(hits));
                blocks[count] = static_cast<std::uint32_t>(block);
                block_bounds[count] = bounds[block];
                ++count;
            }
        }
    }
    return count;
}

std::size_t select_sums(const std::int16_t* sums, std::size_t n, std::int16_t min, std::uint32_t* items,
                        std::int32_t* item_sums) noexcept {
    const __m512i threshold = _mm512_set1_epi16(min);
    std::size_t count = 0;
    for (std::size_t first = 0; first < n; first += kStrip) {
        const auto hits_at = [&](std::size_t at) -> std::uint64_t {
            return _mm512_cmpge_epi16_mask(_mm512_loadu_si512(sums + at), threshold);
        };
        for (std::uint64_t hits = hits_at(first) | hits_at(first + 32) << 32; hits != 0; hits &= hits - 1) {
            const std::size_t item = first + static_cast<std::size_t>(__builtin_ctzll(hits));
            items[count] = static_cast<std::uint32_t>(item);
            item_sums[count] = sums[item];
            ++count;
        }
    }
    return count;
}

void stretch_maxima(const std::uint8_t* bytes, std::size_t n_stretches, std::uint8_t* maxima) noexcept {
    for (std::size_t s = 0; s < n_stretches; ++s, bytes += kStretch) {
        __m512i largest = _mm512_setzero_si512();
        for (std::size_t i = 0; i < kStretch; i += 64)
            largest = _mm512_max_epu8(largest, _mm512_loadu_si512(bytes + i));
        const __m256i half = _mm256_max_epu8(_mm512_castsi512_si256(largest), _mm512_extracti64x4_epi64(largest, 1));
        maxima[s] = largest_byte(_mm_max_epu8(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
    }
}

std::size_t select_bytes(const std::uint8_t* bytes, std::size_t n, std::uint8_t min, std::uint32_t* items) noexcept {
    const __m512i threshold = _mm512_set1_epi8(static_cast<char>(min));
    const __m512i places =
        _mm512_set_epi64(0x3F3E3D3C3B3A3938, 0x3736353433323130, 0x2F2E2D2C2B2A2928, 0x2726252423222120,
                         0x1F1E1D1C1B1A1918, 0x1716151413121110, 0x0F0E0D0C0B0A0908, 0x0706050403020100);
    std::size_t count = 0;
    for (std::size_t first = 0; first < n; first += kStrip) {
        const std::uint64_t hits = _mm512_cmpge_epu8_mask(_mm512_loadu_si512(bytes + first), threshold);
        // Eight at a time and no branch for fewer: how many there are nothing foresees.
        __m512i found = _mm512_maskz_compress_epi8(hits, places);
        const auto n_hits = static_cast<std::size_t>(__builtin_popcountll(hits));
        const __m256i offset = _mm256_set1_epi32(static_cast<std::int32_t>(first));
        for (std::size_t i = 0;;) {
            const __m256i wide = _mm256_add_epi32(offset, _mm256_cvtepu8_epi32(_mm512_castsi512_si128(found)));
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(items + count + i), wide);
            i += 8;
            if (i >= n_hits) break;
            found = _mm512_alignr_epi64(found, found, 1);
        }
        count += n_hits;
    }
    return count;
}

#include "document_layout.inc"
#include "score_document.inc"

// The filter is a table of 64 words in two registers.
struct Match {
    class Filter {
      public:
        explicit Filter(const std::uint16_t* filter) noexcept
            : low_words_(_mm512_loadu_si512(filter)), high_words_(_mm512_loadu_si512(filter + 32)) {}
        // Which of 32 slots pass, of which the low 16 bits suffice; nothing is known of those from `n` on.
        std::uint32_t operator()(__m512i slots, std::size_t n) const noexcept {
            const __m512i words = _mm512_permutex2var_epi16(low_words_, slots, high_words_);
            const __m512i shifts = _mm512_and_si512(_mm512_srli_epi16(slots, 6), _mm512_set1_epi16(15));
            const __m512i bits = _mm512_sllv_epi16(_mm512_set1_epi16(1), shifts);
            const std::uint32_t hits = _mm512_test_epi16_mask(words, bits);
            return n < 32 ? hits & ((1U << n) - 1) : hits;
        }

      private:
        __m512i low_words_;
        __m512i high_words_;
    };

    // The positions of the set bits, counted from `first`, to `positions`.
    static std::size_t append(std::uint32_t hits, std::size_t first, std::uint16_t* positions) noexcept {
        alignas(64) static constexpr std::uint16_t kLanes[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                                                 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                                                 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
        const __m512i all = _mm512_add_epi16(_mm512_load_si512(kLanes), _mm512_set1_epi16(static_cast<short>(first)));
        _mm512_storeu_si512(positions, _mm512_maskz_compress_epi16(hits, all));
        return static_cast<std::size_t>(__builtin_popcount(hits));
    }

    // 32 slots to memory, whole. The empty statement keeps GCC from making a slower memcpy of a loop that stores what
    // it has loaded.
    static void store(__m512i found, std::uint16_t* slots) noexcept {
        asm("" : "+v"(found));
        _mm512_storeu_si512(slots, found);
    }
    static void store(__m512i found, std::uint32_t* slots) noexcept {
        _mm512_storeu_si512(slots, _mm512_cvtepu16_epi32(_mm512_castsi512_si256(found)));
        _mm512_storeu_si512(slots + 16, _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(found, 1)));
    }

    template <class Slot>
    static std::size_t common(const std::uint8_t* lows, const std::uint8_t* nibbles, std::size_t n,
                              const std::uint16_t* filter, Slot* slots, std::uint16_t* positions) noexcept {
        const Filter passing(filter);
        std::size_t count = 0;
        for (std::size_t i = 0; i < n; i += 32) {
            const __m512i low = _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(lows + i)));
            const __m256i pairs =
                _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(nibbles + i / 2)));
            const __m512i shifted =
                _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_slli_epi16(pairs, 8)), _mm256_slli_epi16(pairs, 4), 1);
            const __m512i found = _mm512_or_si512(low, _mm512_and_si512(shifted, _mm512_set1_epi16(0xF00)));
            store(found, slots + i);
            count += append(passing(found, n - i), i, positions + count);
        }
        return count;
    }
    static std::size_t rare(const std::uint8_t* from, std::size_t n, const std::uint16_t* filter, std::uint16_t* slots,
                            std::size_t first, std::uint16_t* positions) noexcept {
        const Filter passing(filter);
        std::size_t count = 0;
        for (std::size_t i = 0; i < n; i += 32) {
            const __m512i found = _mm512_loadu_si512(from + i * 2);
            store(found, slots + first + i);
            count += append(passing(found, n - i), first + i, positions + count);
        }
        return count;
    }
    static std::size_t rare(const std::uint8_t* from, std::size_t n, const std::uint16_t* filter, std::uint32_t* slots,
                            std::size_t first, std::uint16_t* positions) noexcept {
        const Filter passing(filter);
        std::size_t count = 0;
        for (std::size_t i = 0; i < n; i += 32) {
            __m512i low = _mm512_loadu_si512(from + i * 4);
            __m512i high = n - i > 16 ? _mm512_loadu_si512(from + i * 4 + 64) : _mm512_setzero_si512();
            asm("" : "+v"(low), "+v"(high));  // as in `store`
            _mm512_storeu_si512(slots + first + i, low);
            _mm512_storeu_si512(slots + first + i + 16, high);
            const __m512i found =
                _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi32_epi16(low)), _mm512_cvtepi32_epi16(high), 1);
            count += append(passing(found, n - i), first + i, positions + count);
        }
        return count;
    }
};

double score_document(const std::uint8_t* document, std::size_t size, const DocumentFormat& format,
                      const OtherWeights* others, const std::uint16_t* filter, const float* table,
                      std::size_t table_size, double* max_error) noexcept {
    return score_with<Match>(document, size, format, others, filter, table, table_size, max_error);
}

// Sixteen gaps take 2 * width bytes, a gap at most two of their words of 32 bits.
void unpack_documents(const std::uint8_t* packed, unsigned width, std::size_t n, std::uint32_t next, std::uint32_t last,
                      std::uint32_t* docs) noexcept {
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i bits = _mm512_mullo_epi32(lanes, _mm512_set1_epi32(static_cast<int>(width)));
    const __m512i low_words = _mm512_srli_epi32(bits, 5);
    const __m512i high_words = _mm512_add_epi32(low_words, _mm512_set1_epi32(1));
    const __m512i mask = _mm512_set1_epi32(static_cast<int>(width == 32 ? ~0U : (1U << width) - 1));
    const __m512i max = _mm512_set1_epi32(static_cast<int>(last));
    const __m512i zero = _mm512_setzero_si512();
    __m512i before = _mm512_set1_epi32(static_cast<int>(next - 1));  // the document before the lanes, in each of them
    for (std::size_t i = 0; i < n; i += 16, packed += 2 * width) {
        const __m512i words = _mm512_loadu_si512(packed);
        __m512i sums = _mm512_shrdv_epi32(_mm512_permutexvar_epi32(low_words, words),
                                          _mm512_permutexvar_epi32(high_words, words), bits);
        sums = _mm512_add_epi32(_mm512_and_si512(sums, mask), _mm512_set1_epi32(1));
        sums = _mm512_add_epi32(sums, _mm512_alignr_epi32(sums, zero, 15));
        sums = _mm512_add_epi32(sums, _mm512_alignr_epi32(sums, zero, 14));
        sums = _mm512_add_epi32(sums, _mm512_alignr_epi32(sums, zero, 12));
        sums = _mm512_add_epi32(sums, _mm512_alignr_epi32(sums, zero, 8));
        const __m512i found = _mm512_add_epi32(sums, before);
        _mm512_storeu_si512(docs + i, _mm512_min_epu32(found, max));
        before = _mm512_permutexvar_epi32(_mm512_set1_epi32(15), found);
    }
}

// Even and odd documents apart, as words.
void add_overlaps(const std::uint8_t* tiles, std::size_t tile_rows, const std::uint32_t* rows,
                  const std::uint8_t* floors, const std::uint8_t* rises, std::size_t n_rows, std::size_t n_tiles,
                  std::uint16_t* overlaps) noexcept {
    const __m512i low_bytes = _mm512_set1_epi16(255);
    // Unpacking works within 128-bit lanes.
    const __m512i first_lanes = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i last_lanes = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    for (std::size_t t = 0; t < n_tiles; ++t, tiles += tile_rows * kLanes) {
        __m512i even[2] = {};
        __m512i odd[2] = {};
        for (std::size_t i = 0; i < n_rows; ++i) {
            const std::uint8_t* const codes = tiles + rows[i] * kLanes;
            const __m512i floor = _mm512_set1_epi8(static_cast<char>(floors[i]));
            const __m512i rise = _mm512_set1_epi8(static_cast<char>(rises[i]));
            for (std::size_t j = 0; j < 2; ++j) {
                const __m512i more = _mm512_min_epu8(_mm512_subs_epu8(_mm512_loadu_si512(codes + 64 * j), floor), rise);
                even[j] = _mm512_adds_epu16(even[j], _mm512_and_si512(more, low_bytes));
                odd[j] = _mm512_adds_epu16(odd[j], _mm512_srli_epi16(more, 8));
            }
        }
        for (std::size_t j = 0; j < 2; ++j, overlaps += 64) {
            const __m512i low = _mm512_unpacklo_epi16(even[j], odd[j]);
            const __m512i high = _mm512_unpackhi_epi16(even[j], odd[j]);
            const __m512i in_order[2] = {_mm512_permutex2var_epi64(low, first_lanes, high),
                                         _mm512_permutex2var_epi64(low, last_lanes, high)};
            _mm512_storeu_si512(overlaps, _mm512_adds_epu16(_mm512_loadu_si512(overlaps), in_order[0]));
            _mm512_storeu_si512(overlaps + 32, _mm512_adds_epu16(_mm512_loadu_si512(overlaps + 32), in_order[1]));
        }
    }
}

std::size_t best_overlap(const std::uint16_t* overlaps, const float* factors, std::size_t n) noexcept {
    __m512 max = _mm512_setzero_ps();
    __m512i best = _mm512_set1_epi32(static_cast<int>(n));
    __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (std::size_t d = 0; d < n; d += 16) {
        const __m512i words = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(overlaps + d)));
        const __m512 products = _mm512_mul_ps(_mm512_cvtepi32_ps(words), _mm512_loadu_ps(factors + d));
        const __mmask16 is_more = _mm512_cmp_ps_mask(products, max, _CMP_GT_OQ);
        max = _mm512_mask_mov_ps(max, is_more, products);
        best = _mm512_mask_mov_epi32(best, is_more, lanes);
        lanes = _mm512_add_epi32(lanes, _mm512_set1_epi32(16));
    }
    float products[16];
    std::uint32_t places[16];
    _mm512_storeu_ps(products, max);
    _mm512_storeu_si512(places, best);
    return first_largest(products, places, 16);
}

constexpr Kernels kAvx512{"avx512",      accumulate_lists, select_candidates, sum_bounds,     sum_groups,
                          add_to_groups, select_blocks,    select_sums,       stretch_maxima, select_bytes,
                          bound_members, score_document,   unpack_documents,  widen_halves,   add_overlaps,
                          best_overlap,  checksum_blocks};

}  // namespace

const Kernels& avx512_kernels() noexcept { return kAvx512; }

}  // namespace thresher::kernels
