// Portable kernels: the reference of every other table, and what a machine without AVX2 runs. Plain loops that a
// compiler vectorises for the baseline instruction set (SSE2, NEON).
#include <array>
#include <bit>
#include <cstring>

#include "kernels.hpp"

namespace thresher::kernels {

namespace {

void accumulate_lists(const std::uint32_t* lists, const std::int32_t* weights, std::size_t n_lists,
                      const std::uint32_t* offsets, std::uint32_t n_postings, const std::uint16_t* docs,
                      const std::uint8_t* impacts, std::int32_t* scores) noexcept {
    auto* sums = reinterpret_cast<std::uint32_t*>(scores);  // unsigned: wraps rather than undefined on altered files
    for (std::size_t i = 0; i < n_lists; ++i) {
        const std::uint32_t end = offsets[lists[i] + 1] < n_postings ? offsets[lists[i] + 1] : n_postings;
        const auto weight = static_cast<std::uint32_t>(weights[i]);
        for (std::uint32_t p = offsets[lists[i]]; p < end; ++p) sums[docs[p]] += weight * impacts[p];
    }
}

std::size_t select_candidates(const std::uint8_t* const* rows, const std::int16_t* weights, std::size_t n_rows,
                              std::int32_t* scores, std::size_t n_docs, const std::uint64_t* allowed,
                              std::int32_t cutoff, std::uint32_t* candidates, std::int32_t* candidate_scores) noexcept {
    std::size_t count = 0;
    for (std::size_t first = 0; first < n_docs; first += kStrip) {
        const std::uint64_t wanted = allowed == nullptr ? ~std::uint64_t{0} : allowed[first / kStrip];
        std::uint32_t sums[kStrip];
        std::memcpy(sums, scores + first, sizeof sums);
        std::memset(scores + first, 0, sizeof sums);
        if (wanted == 0) continue;
        for (std::size_t r = 0; r < n_rows; ++r) {
            const std::uint8_t* row = rows[r] + first;
            const auto weight = static_cast<std::uint32_t>(static_cast<std::int32_t>(weights[r]));
            for (std::size_t d = 0; d < kStrip; ++d) sums[d] += weight * row[d];
        }
        for (std::size_t d = 0; d < kStrip; ++d) {
            const auto sum = static_cast<std::int32_t>(sums[d]);
            candidates[count] = static_cast<std::uint32_t>(first + d);
            candidate_scores[count] = sum;
            count += sum >= cutoff && (wanted >> d & 1) != 0;
        }
    }
    return count;
}

void sum_bounds(const std::uint8_t* const* rows, const std::uint8_t* weights, std::size_t n_rows, std::uint16_t* bounds,
                std::size_t n_superblocks, std::uint16_t* maxima) noexcept {
    for (std::size_t s = 0; s < n_superblocks; ++s) {
        std::uint32_t sums[kSuperblock];
        for (std::size_t b = 0; b < kSuperblock; ++b) sums[b] = bounds[s * kSuperblock + b];
        for (std::size_t r = 0; r < n_rows; ++r) {
            const std::uint8_t* codes = rows[r] + s * (kSuperblock / 2);
            const std::uint32_t weight = weights[r];
            for (std::size_t group = 0; group < kSuperblock / 32; ++group) {
                for (std::size_t j = 0; j < 16; ++j) {
                    sums[32 * group + j] += weight * (codes[16 * group + j] & 15U);
                    sums[32 * group + 16 + j] += weight * (codes[16 * group + j] >> 4U);
                }
            }
        }
        std::uint32_t largest = 0;
        for (std::size_t b = 0; b < kSuperblock; ++b) {
            const std::uint32_t bound = sums[b] < 65535 ? sums[b] : 65535;
            bounds[s * kSuperblock + b] = static_cast<std::uint16_t>(bound);
            largest = bound > largest ? bound : largest;
        }
        maxima[s] = static_cast<std::uint16_t>(largest);
    }
}

void sum_groups(const std::uint8_t* const* rows, const std::uint8_t* weights, std::size_t n_rows,
                const std::uint32_t* groups, std::uint16_t* bounds, std::size_t n_superblocks,
                std::uint16_t* maxima) noexcept {
    for (std::size_t s = 0; s < n_superblocks; ++s) {
        std::uint32_t largest = 0;
        for (std::size_t b = 0; b < kSuperblock; ++b) {
            const std::uint32_t group = groups[s * (kSuperblock / kGroup) + b / kGroup];
            std::uint32_t sum = bounds[s * kSuperblock + b];
            for (std::size_t r = 0; r < n_rows; ++r) {
                const std::uint8_t both = rows[r][std::size_t{group} * (kGroup / 2) + b % 16];
                sum += std::uint32_t{weights[r]} * (b % 32 < 16 ? both & 15U : both >> 4U);
            }
            if (sum > 65535) sum = 65535;
            bounds[s * kSuperblock + b] = static_cast<std::uint16_t>(sum);
            largest = sum > largest ? sum : largest;
        }
        maxima[s] = static_cast<std::uint16_t>(largest);
    }
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
    std::size_t count = 0;
    for (std::size_t s = 0; s < n_superblocks; ++s) {
        if (maxima[s] < low) continue;
        for (std::size_t b = s * kSuperblock; b < (s + 1) * kSuperblock; ++b) {
            blocks[count] = static_cast<std::uint32_t>(b);
            block_bounds[count] = bounds[b];
            count += bounds[b] >= low && bounds[b] < high;
        }
    }
    return count;
}

std::size_t select_sums(const std::int16_t* sums, std::size_t n, std::int16_t min, std::uint32_t* items,
                        std::int32_t* item_sums) noexcept {
    std::size_t count = 0;
    for (std::size_t i = 0; i < n; ++i) {
        items[count] = static_cast<std::uint32_t>(i);
        item_sums[count] = sums[i];
        count += sums[i] >= min;
    }
    return count;
}

void stretch_maxima(const std::uint8_t* bytes, std::size_t n_stretches, std::uint8_t* maxima) noexcept {
    for (std::size_t s = 0; s < n_stretches; ++s, bytes += kStretch) {
        std::uint8_t largest = 0;
        for (std::size_t i = 0; i < kStretch; ++i) largest = largest < bytes[i] ? bytes[i] : largest;
        maxima[s] = largest;
    }
}

std::size_t select_bytes(const std::uint8_t* bytes, std::size_t n, std::uint8_t min, std::uint32_t* items) noexcept {
    std::size_t count = 0;
    for (std::size_t first = 0; first < n; first += 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes + first, sizeof word);
        if (word == 0 && min > 0) continue;  // most bytes are 0
        for (std::size_t i = first; i < first + 8; ++i) {
            items[count] = static_cast<std::uint32_t>(i);
            count += bytes[i] >= min;
        }
    }
    return count;
}

void bound_members(const std::uint8_t* tile, const std::uint32_t* rows, const std::uint8_t* weights, std::size_t n_rows,
                   std::size_t block_size, std::uint16_t* lacks) noexcept {
    std::uint32_t sums[64] = {};
    for (std::size_t r = 0; r < n_rows; ++r) {
        const std::uint8_t* row = tile + rows[r] * block_size / 2;
        const auto code = [&](std::size_t d) { return static_cast<std::uint32_t>(row[d / 2] >> (d % 2 * 4)) & 15U; };
        std::uint32_t largest = 0;
        for (std::size_t d = 0; d < block_size; ++d) largest = code(d) > largest ? code(d) : largest;
        for (std::size_t d = 0; d < block_size; ++d) sums[d] += weights[r] * (largest - code(d));
    }
    for (std::size_t d = 0; d < block_size; ++d)
        lacks[d] = static_cast<std::uint16_t>(sums[d] < 65535 ? sums[d] : 65535);
}

float widen(std::uint16_t half) noexcept {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
    const std::uint32_t exponent = (half >> 10) & 0x1FU;
    const std::uint32_t fraction = half & 0x3FFU;
    if (exponent == 0) {  // zero or subnormal: fraction * 2^-24
        const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
        return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
    }
    if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000U | (fraction << 13));
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

#include "document_layout.inc"
#include "score_document.inc"

double score_document(const std::uint8_t* document, std::size_t size, const DocumentFormat& format,
                      const OtherWeights* others, const std::uint16_t* filter, const float* table,
                      std::size_t table_size, double* max_error) noexcept {
    return score_with<PortableMatch>(document, size, format, others, filter, table, table_size, max_error);
}

void unpack_documents(const std::uint8_t* packed, unsigned width, std::size_t n, std::uint32_t next, std::uint32_t last,
                      std::uint32_t* docs) noexcept {
    const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
    std::uint32_t doc = next - 1;
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t bit = i * width;
        doc += static_cast<std::uint32_t>((load_value<std::uint64_t>(packed + bit / 8) >> (bit % 8)) & mask) + 1;
        docs[i] = doc < last ? doc : last;
    }
}

void widen_halves(const std::uint16_t* halves, std::size_t n, float* out) noexcept {
    for (std::size_t i = 0; i < n; ++i) out[i] = widen(halves[i]);
}

constexpr std::uint32_t kCastagnoli = 0x82F63B78U;  // reflected polynomial

constexpr std::array<std::array<std::uint32_t, 256>, 8> make_tables() {
    std::array<std::array<std::uint32_t, 256>, 8> tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? kCastagnoli : 0U);
        tables[0][byte] = crc;
    }
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        for (std::size_t t = 1; t < 8; ++t) {
            tables[t][byte] = (tables[t - 1][byte] >> 8) ^ tables[0][tables[t - 1][byte] & 0xFFU];
        }
    }
    return tables;
}

constexpr auto kTables = make_tables();

// Slicing by eight (Kounavis and Berry, 2005).
std::uint32_t crc32c(const std::uint8_t* data, std::size_t size) noexcept {
    std::uint32_t crc = ~0U;
    std::size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        const std::uint32_t low =
            crc ^ (static_cast<std::uint32_t>(data[i]) | static_cast<std::uint32_t>(data[i + 1]) << 8 |
                   static_cast<std::uint32_t>(data[i + 2]) << 16 | static_cast<std::uint32_t>(data[i + 3]) << 24);
        crc = kTables[7][low & 0xFFU] ^ kTables[6][(low >> 8) & 0xFFU] ^ kTables[5][(low >> 16) & 0xFFU] ^
              kTables[4][low >> 24] ^ kTables[3][data[i + 4]] ^ kTables[2][data[i + 5]] ^ kTables[1][data[i + 6]] ^
              kTables[0][data[i + 7]];
    }
    for (; i < size; ++i) crc = (crc >> 8) ^ kTables[0][(crc ^ data[i]) & 0xFFU];
    return ~crc;
}

void checksum_blocks(const std::uint8_t* data, std::size_t block_size, std::size_t n_blocks,
                     std::uint32_t* checksums) noexcept {
    for (std::size_t b = 0; b < n_blocks; ++b) checksums[b] = crc32c(data + b * block_size, block_size);
}

void add_overlaps(const std::uint8_t* tiles, std::size_t tile_rows, const std::uint32_t* rows,
                  const std::uint8_t* floors, const std::uint8_t* rises, std::size_t n_rows, std::size_t n_tiles,
                  std::uint16_t* overlaps) noexcept {
    for (std::size_t t = 0; t < n_tiles; ++t, tiles += tile_rows * kLanes, overlaps += kLanes) {
        std::uint32_t sums[kLanes];
        for (std::size_t d = 0; d < kLanes; ++d) sums[d] = overlaps[d];
        for (std::size_t i = 0; i < n_rows; ++i) {
            const std::uint8_t* const codes = tiles + rows[i] * kLanes;
            for (std::size_t d = 0; d < kLanes; ++d) {
                const int beyond = codes[d] > floors[i] ? codes[d] - floors[i] : 0;
                sums[d] += static_cast<std::uint32_t>(beyond < rises[i] ? beyond : rises[i]);
            }
        }
        for (std::size_t d = 0; d < kLanes; ++d) {
            overlaps[d] = static_cast<std::uint16_t>(sums[d] < 65535 ? sums[d] : 65535);
        }
    }
}

std::size_t best_overlap(const std::uint16_t* overlaps, const float* factors, std::size_t n) noexcept {
    std::size_t best = n;
    float max = 0;
    for (std::size_t d = 0; d < n; ++d) {
        const float product = static_cast<float>(overlaps[d]) * factors[d];
        if (product > max) {
            max = product;
            best = d;
        }
    }
    return best;
}

constexpr Kernels kScalar{"scalar",      accumulate_lists, select_candidates, sum_bounds,     sum_groups,
                          add_to_groups, select_blocks,    select_sums,       stretch_maxima, select_bytes,
                          bound_members, score_document,   unpack_documents,  widen_halves,   add_overlaps,
                          best_overlap,  checksum_blocks};

}  // namespace

const Kernels& scalar_kernels() noexcept { return kScalar; }

}  // namespace thresher::kernels
