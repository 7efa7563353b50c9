// A dictionary: strings that are numbered from 0 and all different, found by their numbers and the numbers by them, in
// little space and without being loaded.
//
// The strings in ascending order are front-coded in blocks of 32. What tells a block's first string from the one before
// it is a string of a level above, which is cut into blocks likewise, and so on up to a single block: a prefix B-tree
// (Rudolf Bayer, Karl Unterauer, Prefix B-trees, 1977) without pointers. A string is found by reading part of a block
// on each level, five of them for ten million strings, of which all but the last one or two are in cache; what strings
// have in common at their beginning costs no time. Where numbers are not in the order of the strings, two permutations
// lead from one to the other.
//
// Whatever a file holds, strings and numbers may be wrong, but nothing is read out of bounds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "../base/parallel.hpp"
#include "index_file.hpp"
#include "packed_numbers.hpp"
#include "stretches.hpp"

namespace thresher {

class Words {
  public:
    // The number of a string is its place in `words`, which are borrowed. Throws std::invalid_argument, with what
    // `name` calls them, for two that are equal, and for 2^32 or more. Does not depend on the number of threads.
    static Words build(std::span<const std::string_view> words, std::string_view name, unsigned threads,
                       Progress& progress);

    std::size_t size() const noexcept { return size_; }
    // The string of a number below `size`, in place of what `to` held.
    void read(std::uint32_t number, std::string& to) const;
    std::string operator[](std::uint32_t number) const;
    std::optional<std::uint32_t> find(std::string_view word) const noexcept;

    std::size_t nbytes() const noexcept { return blocks_.nbytes() + ids_.nbytes() + ranks_.nbytes(); }
    // As the parameter n_<name> and the sections <name>/starts, /bytes, /ids and /ranks.
    void save(Parameters& counts, SectionList& sections, const std::string& name) const;
    // None if the file has no such parameter.
    static std::optional<Words> load(const IndexFile& file, const std::string& name);

  private:
    // Where the blocks of each level begin, from the strings' own up.
    struct Levels {
        explicit Levels(std::size_t n_strings);
        std::size_t n_blocks() const noexcept { return starts[size]; }

        std::size_t size = 0;
        std::array<std::size_t, 8> starts{};
    };

    Words(std::size_t size, Stretches blocks, PackedNumbers ids, PackedNumbers ranks);

    std::size_t size_;
    Levels levels_;
    Stretches blocks_;     // level by level
    PackedNumbers ids_;    // by rank, the place in ascending order; none if that is the same
    PackedNumbers ranks_;  // by number
};

}  // namespace thresher
