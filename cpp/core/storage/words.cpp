#include "words.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "../base/parallel.hpp"
#include "front_coding.hpp"
#include "index_file.hpp"
#include "packed_numbers.hpp"
#include "stretches.hpp"
#include "string_order.hpp"

namespace thresher {

namespace {

constexpr std::size_t kBlock = 32;
constexpr std::size_t kBlocksPerTask = 256;
constexpr std::size_t kShown = 60;  // bytes of a string in a message

std::size_t blocks_of(std::size_t n_strings) noexcept { return (n_strings + kBlock - 1) / kBlock; }

// In a message, which takes neither control characters nor a part of a character.
std::string shown(std::string_view word) {
    std::string text = "'";
    std::size_t end = std::min(word.size(), kShown);
    while (end < word.size() && end > 0 && (static_cast<std::uint8_t>(word[end]) & 0xC0) == 0x80) --end;
    for (const char c : word.substr(0, end)) {
        if (static_cast<std::uint8_t>(c) < ' ') {
            constexpr std::string_view kDigits = "0123456789abcdef";
            text += "\\x";
            text += kDigits[static_cast<std::uint8_t>(c) >> 4];
            text += kDigits[static_cast<std::uint8_t>(c) & 15];
        } else {
            text += c;
        }
    }
    return text + (end < word.size() ? "...'" : "'");
}

// Blocks of consecutive strings, one behind the other.
struct EncodedBlocks {
    std::vector<std::uint8_t> bytes;
    std::vector<std::size_t> ends;
};

// The strings of a level, given by their places, in blocks; `shared[b]` becomes what block b's first string has in
// common with the one before.
template <class StringAt>
std::vector<EncodedBlocks> encode(std::size_t n_strings, const StringAt& string_at, unsigned threads,
                                  Progress& progress, std::vector<std::size_t>& shared) {
    const std::size_t n_blocks = blocks_of(n_strings);
    std::vector<EncodedBlocks> parts((n_blocks + kBlocksPerTask - 1) / kBlocksPerTask);
    shared.resize(n_blocks);
    const auto encode_some = [&](std::size_t first, std::size_t last, unsigned) {
        EncodedBlocks& part = parts[first / kBlocksPerTask];
        for (std::size_t block = first; block < last; ++block) {
            const std::size_t begin = block * kBlock;
            std::string_view before = string_at(begin);
            shared[block] = begin == 0 ? 0 : shared_prefix(string_at(begin - 1), before);
            append_front_coded({}, before, 0, part.bytes);
            for (std::size_t place = begin + 1; place < std::min(begin + kBlock, n_strings); ++place) {
                const std::string_view string = string_at(place);
                interruption_point(100 + string.size() / 8);
                append_front_coded(before, string, shared_prefix(before, string), part.bytes);
                before = string;
            }
            part.ends.push_back(part.bytes.size());
        }
    };
    parallel_for_rows(n_blocks, kBlocksPerTask, threads, progress, encode_some);
    return parts;
}

// Where a string is among the `n` of a block: the last one that is not above it, none if all are.
struct Place {
    std::optional<std::size_t> last;
    bool is_equal = false;
};

Place place_of(std::string_view word, std::span<const std::uint8_t> block, std::size_t n) noexcept {
    FrontReader reader(block);
    Place place;
    std::size_t matched = 0;  // bytes that the word has in common with the string before, which is less
    for (std::size_t i = 0; i < n && reader.next(); ++i) {
        if (reader.shared() < matched) break;  // greater where the one before was equal
        if (reader.shared() == matched) {
            const std::string_view rest = word.substr(matched);
            const std::size_t common = shared_prefix(reader.added(), rest);
            const bool is_prefix = common == reader.added().size();
            if (is_prefix && common == rest.size()) return {i, true};
            if (!is_prefix && (common == rest.size() || static_cast<std::uint8_t>(reader.added()[common]) >
                                                            static_cast<std::uint8_t>(rest[common]))) {
                break;
            }
            matched += common;
        }
        place.last = i;
    }
    return place;
}

// Where the blocks of each level begin, from the strings' own up.
struct Levels {
    explicit Levels(std::size_t n_strings) {
        for (std::size_t n = blocks_of(n_strings); n > 0; n = n > 1 ? blocks_of(n) : 0) {
            starts[size + 1] = starts[size] + n;
            ++size;
        }
    }
    std::size_t n_blocks() const noexcept { return starts[size]; }

    std::size_t size = 0;
    std::array<std::size_t, 8> starts{};
};

}  // namespace

struct Words::Tables {
    Tables(std::size_t n, Stretches of_blocks, PackedNumbers of_ids, PackedNumbers of_ranks)
        : size(n), levels(n), blocks(std::move(of_blocks)), ids(std::move(of_ids)), ranks(std::move(of_ranks)) {}

    std::size_t size;
    Levels levels;
    Stretches blocks;     // level by level
    PackedNumbers ids;    // by rank, the place in ascending order; none if that is the same
    PackedNumbers ranks;  // by number
};

Words::Words(Tables tables) : tables_(std::make_shared<const Tables>(std::move(tables))) {}

std::size_t Words::size() const noexcept { return tables_->size; }

std::size_t Words::nbytes() const noexcept {
    return tables_->blocks.nbytes() + tables_->ids.nbytes() + tables_->ranks.nbytes();
}

Words Words::of(std::span<const std::string_view> words, std::string_view name, unsigned threads, Monitor* monitor) {
    Progress progress(monitor);
    return build(words, name, threads, progress);
}

Words Words::build(std::span<const std::string_view> words, std::string_view name, unsigned threads,
                   Progress& progress) {
    const std::size_t n = words.size();
    if (n > std::numeric_limits<std::uint32_t>::max()) {
        throw std::invalid_argument(std::string(name) + ": " + std::to_string(n) + "; at most 2^32 - 1 are supported");
    }
    const auto in_order = [](std::string_view a, std::string_view b) {
        interruption_point(10);
        return a < b;
    };
    const bool is_ascending = std::adjacent_find(words.begin(), words.end(), std::not_fn(in_order)) == words.end();
    const std::vector<std::uint32_t> order = is_ascending ? std::vector<std::uint32_t>() : string_order(words);
    const auto word_at = [&](std::size_t rank) { return words[is_ascending ? rank : order[rank]]; };
    const auto checked_word_at = [&](std::size_t rank) {
        const std::string_view word = word_at(rank);
        if (!is_ascending && rank + 1 < n && word == word_at(rank + 1)) {
            throw std::invalid_argument(std::string(name) + ": " + shown(word) + " is there twice, at " +
                                        std::to_string(order[rank]) + " and " + std::to_string(order[rank + 1]));
        }
        return word;
    };

    const Levels levels(n);
    std::vector<std::size_t> shared;
    std::vector<std::vector<EncodedBlocks>> parts{encode(n, checked_word_at, threads, progress, shared)};
    // On every level above, the string of a block is the beginning of its first one that is above all before.
    std::size_t stride = 1;
    for (std::size_t level = 1; level < levels.size; ++level, stride *= kBlock) {
        const auto separator_at = [&](std::size_t place) {
            const std::size_t block = place * stride;
            return block == 0 ? std::string_view() : word_at(block * kBlock).substr(0, shared[block] + 1);
        };
        std::vector<std::size_t> unused;
        const std::size_t n_strings = levels.starts[level] - levels.starts[level - 1];
        parts.push_back(encode(n_strings, separator_at, threads, progress, unused));
    }

    std::vector<std::span<const std::uint8_t>> blocks;
    blocks.reserve(levels.n_blocks());
    for (const auto& level : parts) {
        for (const EncodedBlocks& part : level) {
            std::size_t begin = 0;
            for (const std::size_t end : part.ends) {
                blocks.push_back(std::span(part.bytes).subspan(begin, end - begin));
                begin = end;
            }
        }
    }
    auto stretches = Stretches::build(
        blocks.size(), threads, progress, [&](std::size_t i) { return blocks[i].size(); },
        [&](std::size_t i, std::uint8_t* to) { std::ranges::copy(blocks[i], to); });
    if (is_ascending) return Words({n, std::move(stretches), {}, {}});
    std::vector<std::uint32_t> ranks(n);
    for (std::size_t rank = 0; rank < n; ++rank) {
        interruption_point(10);
        ranks[order[rank]] = static_cast<std::uint32_t>(rank);
    }
    const auto packed = [n](const std::vector<std::uint32_t>& numbers) {
        return PackedNumbers::build(n, n, [&](std::size_t i) { return numbers[i]; });
    };
    return Words({n, std::move(stretches), packed(order), packed(ranks)});
}

void Words::read(std::uint32_t number, std::string& to) const {
    to.clear();
    const Tables& tables = *tables_;
    const std::size_t rank = tables.ranks.size() == 0 ? number : tables.ranks[number];
    if (rank >= tables.size) return;
    FrontReader reader(tables.blocks[rank / kBlock]);
    for (std::size_t i = 0; i <= rank % kBlock && reader.next(); ++i) {
        to.resize(reader.shared());
        to.append(reader.added());
    }
}

std::string Words::operator[](std::uint32_t number) const {
    std::string word;
    read(number, word);
    return word;
}

std::optional<std::uint32_t> Words::find(std::string_view word) const noexcept {
    const Tables& tables = *tables_;
    std::size_t block = 0;
    for (std::size_t level = tables.levels.size; level-- > 0;) {
        const std::size_t n_strings =
            level == 0 ? tables.size : tables.levels.starts[level] - tables.levels.starts[level - 1];
        const std::size_t n = std::min(kBlock, n_strings - block * kBlock);
        const Place place = place_of(word, tables.blocks[tables.levels.starts[level] + block], n);
        block = block * kBlock + place.last.value_or(0);
        if (level > 0) continue;
        if (!place.is_equal) return std::nullopt;
        const auto number = tables.ids.size() == 0 ? static_cast<std::uint32_t>(block) : tables.ids[block];
        if (number < tables.size) return number;
    }
    return std::nullopt;
}

void Words::save(Parameters& counts, SectionList& sections, const std::string& name) const {
    counts.set("n_" + name, static_cast<std::uint64_t>(tables_->size));
    tables_->blocks.save(sections, name);
    tables_->ids.save(sections, name + "/ids");
    tables_->ranks.save(sections, name + "/ranks");
}

std::optional<Words> Words::load(const IndexFile& file, const std::string& name) {
    if (!file.has_parameter("n_" + name)) return std::nullopt;
    const std::uint64_t size = file.integer("n_" + name);
    file.require(size <= std::numeric_limits<std::uint32_t>::max(), "more than 2^32 - 1 " + name);
    const auto n = static_cast<std::size_t>(size);
    auto blocks = Stretches::load(file, name, Levels(n).n_blocks());
    const auto packed = [&](const std::string& section) -> PackedNumbers {
        if (file.section<std::uint8_t>(section).size() == 0) return {};
        return PackedNumbers::load(file, section, n, n);
    };
    auto ids = packed(name + "/ids");
    auto ranks = packed(name + "/ranks");
    file.require((ids.size() == 0) == (ranks.size() == 0),
                 "only one of the sections " + name + "/ids and /ranks has numbers");
    return Words({n, std::move(blocks), std::move(ids), std::move(ranks)});
}

}  // namespace thresher
