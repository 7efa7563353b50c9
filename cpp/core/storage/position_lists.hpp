// Lists of ascending positions, most in one or two bytes each: the edges of a graph, the entries into it.
//
// A list is the gaps between its positions, seven bits a byte, the lowest first and the last byte of each below 128.
// The first gap counts from -1, so that no gap is 0 and a byte of 0 ends a list before its stretch does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "../base/parallel.hpp"
#include "index_file.hpp"
#include "stretches.hpp"

namespace thresher {

// Calls put(byte) for every byte of a list of strictly ascending positions.
template <class Put>
void encode_positions(std::span<const std::uint32_t> list, Put&& put) {
    std::uint32_t next = 0;
    for (const std::uint32_t position : list) {
        std::uint32_t gap = position + 1 - next;
        next = position + 1;
        for (; gap >= 128; gap >>= 7) put(static_cast<std::uint8_t>(gap | 128U));
        put(static_cast<std::uint8_t>(gap));
    }
}

// Calls visit(position) for each of a list, up to its end or a byte of 0.
template <class Visit>
void decode_positions(std::span<const std::uint8_t> list, Visit&& visit) {
    std::uint32_t next = 0;
    std::uint32_t gap = 0;
    unsigned shift = 0;
    for (const std::uint8_t byte : list) {
        gap |= (byte & 127U) << shift;
        if (byte >= 128) {
            shift = shift < 28 ? shift + 7 : 28;
            continue;
        }
        if (gap == 0) return;
        next += gap;
        visit(next - 1);
        gap = shift = 0;
    }
}

class PositionLists {
  public:
    PositionLists() = default;
    // list(i) of `n`; each ascends strictly. One pass of `progress`.
    static PositionLists build(std::size_t n, const std::function<std::span<const std::uint32_t>(std::size_t i)>& list,
                               unsigned threads, Progress& progress);

    std::size_t size() const noexcept { return lists_.size(); }
    // Calls visit(position) for each of list `i`. In an altered file positions may be any.
    template <class Visit>
    void for_each(std::size_t i, Visit&& visit) const {
        decode_positions(lists_[i], visit);
    }
    // Starts fetching list `i`.
    void prefetch(std::size_t i) const noexcept { lists_.prefetch(i); }

    std::size_t nbytes() const noexcept { return lists_.nbytes(); }
    // Of `n_lists` lists whose positions take so many bytes together.
    static double estimated_nbytes(double n_lists, double bytes) noexcept {
        return Stretches::estimated_nbytes(n_lists, bytes);
    }
    // Of a position that is so far from the one before it on average, where any are as likely: gaps are exponential.
    static double estimated_bytes(double mean_gap) noexcept;
    static constexpr double kMaxBytes = 5;  // of a position
    // As the sections <name>/starts and <name>/bytes.
    void save(SectionList& sections, const std::string& name) const { lists_.save(sections, name); }
    static PositionLists load(const IndexFile& file, const std::string& name, std::size_t n_lists);

  private:
    Stretches lists_;
};

}  // namespace thresher
