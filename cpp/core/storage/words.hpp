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

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "../base/monitor.hpp"

namespace thresher {

class IndexFile;
class Parameters;
class Progress;
class SectionList;

// Immutable: any number of threads may read one at once, and copies share its memory.
class Words {
  public:
    // The number of a string is its place in `words`, which are borrowed. Throws std::invalid_argument, with what
    // `name` calls them, for two that are equal, and for 2^32 or more. Does not depend on the number of threads, of
    // which 0 means one for each core.
    static Words of(std::span<const std::string_view> words, std::string_view name = "words", unsigned threads = 0,
                    Monitor* monitor = nullptr);
    // The same as a part of other work.
    static Words build(std::span<const std::string_view> words, std::string_view name, unsigned threads,
                       Progress& progress);

    std::size_t size() const noexcept;
    // The string of a number below `size`, in place of what `to` held; of any other, no bytes.
    void read(std::uint32_t number, std::string& to) const;
    std::string operator[](std::uint32_t number) const;
    // The number of a string, if it is there.
    std::optional<std::uint32_t> find(std::string_view word) const noexcept;

    std::size_t nbytes() const noexcept;
    // As the parameter n_<name> and the sections <name>/starts, /bytes, /ids and /ranks.
    void save(Parameters& counts, SectionList& sections, const std::string& name) const;
    // None if the file has no such parameter.
    static std::optional<Words> load(const IndexFile& file, const std::string& name);

  private:
    struct Tables;
    explicit Words(Tables tables);

    std::shared_ptr<const Tables> tables_;
};

}  // namespace thresher
