// AVX2 kernels (with F16C and the CRC32 instruction of SSE4.2). See kernels.hpp for the contracts.
#include <immintrin.h>

#include <cstring>

#include "kernels.hpp"

namespace thresher::kernels {

namespace {

#include "x86_common.inc"

// Adds rows a and b, 32 documents each, to four accumulators of 8 documents. Unpacking works within 128-bit lanes:
// sums[j] holds documents 4j .. 4j+3 of the low half, then 16+4j .. 16+4j+3 of the high half.
inline void add_row_pair(const std::uint8_t* a, const std::uint8_t* b, __m256i weights, __m256i sums[4]) noexcept {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i cells_a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a));
    const __m256i cells_b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b));
    const __m256i low = _mm256_unpacklo_epi8(cells_a, cells_b);
    const __m256i high = _mm256_unpackhi_epi8(cells_a, cells_b);
    sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(_mm256_unpacklo_epi8(low, zero), weights));
    sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(_mm256_unpackhi_epi8(low, zero), weights));
    sums[2] = _mm256_add_epi32(sums[2], _mm256_madd_epi16(_mm256_unpacklo_epi8(high, zero), weights));
    sums[3] = _mm256_add_epi32(sums[3], _mm256_madd_epi16(_mm256_unpackhi_epi8(high, zero), weights));
}

std::size_t select_candidates(const std::uint8_t* const* rows, const std::int16_t* weights, std::size_t n_rows,
                              std::int32_t* scores, std::size_t n_docs, const std::uint64_t* allowed,
                              std::int32_t cutoff, std::uint32_t* candidates, std::int32_t* candidate_scores) noexcept {
    const __m256i below = _mm256_set1_epi32(cutoff == INT32_MIN ? INT32_MIN : cutoff - 1);
    const bool everything = cutoff == INT32_MIN;
    std::size_t count = 0;
    for (std::size_t first = 0; first < n_docs; first += 32) {
        const auto wanted =
            allowed == nullptr ? ~0U : static_cast<std::uint32_t>(allowed[first / kStrip] >> first % kStrip);
        if (wanted == 0) {
            std::memset(scores + first, 0, 32 * sizeof *scores);
            continue;
        }
        __m256i sums[4] = {};
        for (std::size_t r = 0; r < n_rows; r += 2) {
            add_row_pair(rows[r] + first, rows[r + 1] + first, _mm256_set1_epi32(load_pair(weights + r)), sums);
        }
        auto* memory = reinterpret_cast<__m256i*>(scores + first);
        const __m256i in_order[4] = {
            _mm256_permute2x128_si256(sums[0], sums[1], 0x20), _mm256_permute2x128_si256(sums[2], sums[3], 0x20),
            _mm256_permute2x128_si256(sums[0], sums[1], 0x31), _mm256_permute2x128_si256(sums[2], sums[3], 0x31)};
        for (std::size_t j = 0; j < 4; ++j) {
            const __m256i total = _mm256_add_epi32(in_order[j], _mm256_loadu_si256(memory + j));
            auto hits =
                static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(total, below))));
            if (everything) hits = 0xFF;
            hits &= wanted >> 8 * j;
            _mm256_storeu_si256(memory + j, _mm256_setzero_si256());
            if (hits == 0) continue;
            alignas(32) std::int32_t lanes[8];
            _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), total);
            count = append_hits(hits, static_cast<std::uint32_t>(first + 8 * j), lanes, candidates, candidate_scores,
                                count);
        }
    }
    return count;
}

// Sums superblocks, of whose codes `rows.load(r, s, half)` finds a half.
template <class Rows>
inline void sum_superblocks(const Rows& rows, const std::uint8_t* weights, std::size_t n_rows, std::uint16_t* bounds,
                            std::size_t n_superblocks, std::uint16_t* maxima) noexcept {
    const __m256i low_half = _mm256_set1_epi8(15);
    for (std::size_t s = 0; s < n_superblocks; ++s) {
        __m256i largest = _mm256_setzero_si256();
        for (std::size_t half = 0; half < 2; ++half) {
            // sums[j] holds blocks 8j .. 8j + 7, then 32 + 8j .. 32 + 8j + 7.
            __m256i sums[4] = {};
            for (std::size_t r = 0; r < n_rows; r += 2) {
                const __m256i a = rows.load(r, s, half);
                const __m256i b = rows.load(r + 1, s, half);
                const __m256i pair = _mm256_set1_epi16(load_bytes(weights + r));
                const auto add = [&](std::size_t j, __m256i codes) {
                    sums[j] = _mm256_adds_epu16(sums[j], _mm256_maddubs_epi16(codes, pair));
                };
                const __m256i low = _mm256_unpacklo_epi8(a, b);
                const __m256i high = _mm256_unpackhi_epi8(a, b);
                add(0, _mm256_and_si256(low, low_half));
                add(1, _mm256_and_si256(high, low_half));
                add(2, _mm256_and_si256(_mm256_srli_epi16(low, 4), low_half));
                add(3, _mm256_and_si256(_mm256_srli_epi16(high, 4), low_half));
            }
            const __m256i in_order[4] = {
                _mm256_permute2x128_si256(sums[0], sums[1], 0x20), _mm256_permute2x128_si256(sums[2], sums[3], 0x20),
                _mm256_permute2x128_si256(sums[0], sums[1], 0x31), _mm256_permute2x128_si256(sums[2], sums[3], 0x31)};
            for (std::size_t j = 0; j < 4; ++j) {
                auto* memory = reinterpret_cast<__m256i*>(bounds + s * kSuperblock + half * 64 + 16 * j);
                const __m256i bound = _mm256_adds_epu16(in_order[j], _mm256_loadu_si256(memory));
                _mm256_storeu_si256(memory, bound);
                largest = _mm256_max_epu16(largest, bound);
            }
        }
        maxima[s] = largest_of(_mm_max_epu16(_mm256_castsi256_si128(largest), _mm256_extracti128_si256(largest, 1)));
    }
}

// All superblocks, one behind the other.
struct WholeRows {
    const std::uint8_t* const* rows;
    std::size_t ahead;
    __m256i load(std::size_t r, std::size_t s, std::size_t half) const noexcept {
        const std::uint8_t* codes = rows[r] + s * (kSuperblock / 2) + half * 32;
        _mm_prefetch(codes + ahead, _MM_HINT_T1);
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
    }
};

// Superblocks put together from groups.
struct GroupRows {
    const std::uint8_t* const* rows;
    const std::uint32_t* groups;
    __m256i load(std::size_t r, std::size_t s, std::size_t half) const noexcept {
        const std::uint32_t* two = groups + s * (kSuperblock / kGroup) + half * 2;
        const auto at = [&](std::size_t i) {
            return reinterpret_cast<const __m128i*>(rows[r] + std::size_t{two[i]} * (kGroup / 2));
        };
        for (std::size_t i = 0; i < 2; ++i) _mm_prefetch(at(kGroupsAhead + i), _MM_HINT_T1);
        return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(at(0))), _mm_loadu_si128(at(1)), 1);
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
    for (std::size_t p = 0; p < n; ++p) {
        const std::uint32_t block = std::uint32_t{items[p]} >> shift;
        const std::uint32_t group = block / kGroup;
        if ((chosen[group / 8] >> (group % 8) & 1) == 0) continue;
        std::uint16_t& bound = bounds[std::size_t{places[group]} * kGroup + block % kGroup];
        bound = static_cast<std::uint16_t>(bound + ((factor * impacts[p] + rounding) >> 16));
    }
}

std::size_t select_blocks(const std::uint16_t* bounds, const std::uint16_t* maxima, std::size_t n_superblocks,
                          std::uint32_t low, std::uint32_t high, std::uint32_t* blocks,
                          std::uint16_t* block_bounds) noexcept {
    if (low > 65535 || high == 0) return 0;
    const __m256i min = _mm256_set1_epi16(static_cast<std::int16_t>(low));
    const __m256i max = _mm256_set1_epi16(static_cast<std::int16_t>(high > 65535 ? 65535 : high - 1));
    std::size_t count = 0;
    for (std::size_t s = 0; s < n_superblocks; ++s) {
        if (maxima[s] < low) continue;
        for (std::size_t first = s * kSuperblock; first < (s + 1) * kSuperblock; first += 16) {
            const __m256i bound = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bounds + first));
            const __m256i within = _mm256_and_si256(_mm256_cmpeq_epi16(_mm256_max_epu16(bound, min), bound),
                                                    _mm256_cmpeq_epi16(_mm256_min_epu16(bound, max), bound));
            // Two bits a block.
            auto hits = static_cast<std::uint32_t>(_mm256_movemask_epi8(within)) & 0x55555555U;
            for (; hits != 0; hits &= hits - 1) {
                const std::size_t block = first + static_cast<std::size_t>(__builtin_ctz(hits)) / 2;
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
    const __m256i below = _mm256_set1_epi16(min);
    std::size_t count = 0;
    for (std::size_t first = 0; first < n; first += 32) {
        const auto is_less = [&](std::size_t at) {
            return _mm256_cmpgt_epi16(below, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(sums + at)));
        };
        // Packing words to bytes works within 128-bit lanes: the middle quarters change places.
        const __m256i less = _mm256_permute4x64_epi64(_mm256_packs_epi16(is_less(first), is_less(first + 16)), 0xD8);
        auto hits = ~static_cast<std::uint32_t>(_mm256_movemask_epi8(less));
        for (; hits != 0; hits &= hits - 1) {
            const std::size_t item = first + static_cast<std::size_t>(__builtin_ctz(hits));
            items[count] = static_cast<std::uint32_t>(item);
            item_sums[count] = sums[item];
            ++count;
        }
    }
    return count;
}

void stretch_maxima(const std::uint8_t* bytes, std::size_t n_stretches, std::uint8_t* maxima) noexcept {
    for (std::size_t s = 0; s < n_stretches; ++s, bytes += kStretch) {
        __m256i largest = _mm256_setzero_si256();
        for (std::size_t i = 0; i < kStretch; i += 32) {
            largest = _mm256_max_epu8(largest, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + i)));
        }
        maxima[s] = largest_byte(_mm_max_epu8(_mm256_castsi256_si128(largest), _mm256_extracti128_si256(largest, 1)));
    }
}

std::size_t select_bytes(const std::uint8_t* bytes, std::size_t n, std::uint8_t min, std::uint32_t* items) noexcept {
    const __m256i threshold = _mm256_set1_epi8(static_cast<char>(min));
    std::size_t count = 0;
    for (std::size_t first = 0; first < n; first += 32) {
        const __m256i lanes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + first));
        const __m256i reaches = _mm256_cmpeq_epi8(_mm256_max_epu8(lanes, threshold), lanes);
        auto hits = static_cast<std::uint32_t>(_mm256_movemask_epi8(reaches));
        for (; hits != 0; hits &= hits - 1) {
            items[count++] = static_cast<std::uint32_t>(first) + static_cast<std::uint32_t>(__builtin_ctz(hits));
        }
    }
    return count;
}

#include "document_layout.inc"
#include "score_document.inc"

double score_document(const std::uint8_t* document, std::size_t size, const DocumentFormat& format,
                      const OtherWeights* others, const std::uint16_t* filter, const float* table,
                      std::size_t table_size, double* max_error) noexcept {
    return score_with<PortableMatch>(document, size, format, others, filter, table, table_size, max_error);
}

// Eight gaps take `width` bytes, a gap at most two of their words of 32 bits.
void unpack_documents(const std::uint8_t* packed, unsigned width, std::size_t n, std::uint32_t next, std::uint32_t last,
                      std::uint32_t* docs) noexcept {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i bits = _mm256_mullo_epi32(lanes, _mm256_set1_epi32(static_cast<int>(width)));
    const __m256i low_words = _mm256_srli_epi32(bits, 5);
    const __m256i high_words = _mm256_add_epi32(low_words, _mm256_set1_epi32(1));
    const __m256i down = _mm256_and_si256(bits, _mm256_set1_epi32(31));
    const __m256i up = _mm256_sub_epi32(_mm256_set1_epi32(32), down);  // of 32: shifts everything out
    const __m256i mask = _mm256_set1_epi32(static_cast<int>(width == 32 ? ~0U : (1U << width) - 1));
    const __m256i max = _mm256_set1_epi32(static_cast<int>(last));
    __m256i before = _mm256_set1_epi32(static_cast<int>(next - 1));  // the document before the lanes, in each of them
    for (std::size_t i = 0; i < n; i += 8, packed += width) {
        const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(packed));
        __m256i sums = _mm256_or_si256(_mm256_srlv_epi32(_mm256_permutevar8x32_epi32(words, low_words), down),
                                       _mm256_sllv_epi32(_mm256_permutevar8x32_epi32(words, high_words), up));
        sums = _mm256_add_epi32(_mm256_and_si256(sums, mask), _mm256_set1_epi32(1));
        sums = _mm256_add_epi32(sums, _mm256_slli_si256(sums, 4));
        sums = _mm256_add_epi32(sums, _mm256_slli_si256(sums, 8));
        // The high half has yet to be raised by the last of the low one.
        const __m256i carry = _mm256_permutevar8x32_epi32(sums, _mm256_set1_epi32(3));
        sums = _mm256_add_epi32(sums, _mm256_blend_epi32(_mm256_setzero_si256(), carry, 0xF0));
        const __m256i found = _mm256_add_epi32(sums, before);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(docs + i), _mm256_min_epu32(found, max));
        before = _mm256_permutevar8x32_epi32(found, _mm256_set1_epi32(7));
    }
}

// Even and odd documents apart, as words, 64 documents at a time.
void add_overlaps(const std::uint8_t* tiles, std::size_t tile_rows, const std::uint32_t* rows,
                  const std::uint8_t* floors, const std::uint8_t* rises, std::size_t n_rows, std::size_t n_tiles,
                  std::uint16_t* overlaps) noexcept {
    const __m256i low_bytes = _mm256_set1_epi16(255);
    for (std::size_t half = 0; half < n_tiles * 2; ++half, overlaps += kLanes / 2) {
        const std::uint8_t* const first = tiles + half / 2 * tile_rows * kLanes + half % 2 * (kLanes / 2);
        __m256i even[2] = {};
        __m256i odd[2] = {};
        for (std::size_t i = 0; i < n_rows; ++i) {
            const auto* codes = reinterpret_cast<const __m256i*>(first + rows[i] * kLanes);
            const __m256i floor = _mm256_set1_epi8(static_cast<char>(floors[i]));
            const __m256i rise = _mm256_set1_epi8(static_cast<char>(rises[i]));
            for (std::size_t j = 0; j < 2; ++j) {
                const __m256i more = _mm256_min_epu8(_mm256_subs_epu8(_mm256_loadu_si256(codes + j), floor), rise);
                even[j] = _mm256_adds_epu16(even[j], _mm256_and_si256(more, low_bytes));
                odd[j] = _mm256_adds_epu16(odd[j], _mm256_srli_epi16(more, 8));
            }
        }
        auto* sums = reinterpret_cast<__m256i*>(overlaps);
        for (std::size_t j = 0; j < 2; ++j, sums += 2) {
            // Unpacking works within 128-bit lanes.
            const __m256i low = _mm256_unpacklo_epi16(even[j], odd[j]);
            const __m256i high = _mm256_unpackhi_epi16(even[j], odd[j]);
            const __m256i in_order[2] = {_mm256_permute2x128_si256(low, high, 0x20),
                                         _mm256_permute2x128_si256(low, high, 0x31)};
            _mm256_storeu_si256(sums, _mm256_adds_epu16(_mm256_loadu_si256(sums), in_order[0]));
            _mm256_storeu_si256(sums + 1, _mm256_adds_epu16(_mm256_loadu_si256(sums + 1), in_order[1]));
        }
    }
}

std::size_t best_overlap(const std::uint16_t* overlaps, const float* factors, std::size_t n) noexcept {
    __m256 max = _mm256_setzero_ps();
    __m256i best = _mm256_set1_epi32(static_cast<int>(n));
    __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    for (std::size_t d = 0; d < n; d += 8) {
        const __m256i words = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(overlaps + d)));
        const __m256 products = _mm256_mul_ps(_mm256_cvtepi32_ps(words), _mm256_loadu_ps(factors + d));
        const __m256 is_more = _mm256_cmp_ps(products, max, _CMP_GT_OQ);
        max = _mm256_blendv_ps(max, products, is_more);
        best = _mm256_blendv_epi8(best, lanes, _mm256_castps_si256(is_more));
        lanes = _mm256_add_epi32(lanes, _mm256_set1_epi32(8));
    }
    float products[8];
    std::uint32_t places[8];
    _mm256_storeu_ps(products, max);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(places), best);
    return first_largest(products, places, 8);
}

constexpr Kernels kAvx2{"avx2",        accumulate_lists, select_candidates, sum_bounds,     sum_groups,
                        add_to_groups, select_blocks,    select_sums,       stretch_maxima, select_bytes,
                        bound_members, score_document,   unpack_documents,  widen_halves,   add_overlaps,
                        best_overlap,  checksum_blocks};

}  // namespace

const Kernels& avx2_kernels() noexcept { return kAvx2; }

}  // namespace thresher::kernels
