// A set of an index's documents, such as those that a search may return: a bit for each, in the index's own order, and
// how many of the engine's blocks have any. Prepared once, used by any number of searches at once.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace thresher {

struct StoredDocuments;

class Selection {
  public:
    using Documents = std::shared_ptr<const StoredDocuments>;

    // The documents of which `mask` has a byte that is not 0, by id. `block_size`: documents, a power of two up to 64,
    // that the engine looks at together. Throws std::invalid_argument unless there is a byte for each document; its
    // message calls the argument `name`.
    static Selection of_mask(Documents documents, std::uint32_t block_size, std::span<const std::uint8_t> mask,
                             const char* name);
    // The documents of these ids, in any order; naming one twice changes nothing. Throws std::invalid_argument for an
    // id outside [0, n_docs).
    static Selection of_ids(Documents documents, std::uint32_t block_size, std::span<const std::int64_t> ids,
                            const char* name);

    std::size_t n_docs() const noexcept { return n_docs_; }
    // Documents in it, and the blocks that have any.
    std::size_t size() const noexcept { return size_; }
    std::size_t n_blocks() const noexcept { return n_blocks_; }
    std::uint32_t block_size() const noexcept { return block_size_; }
    // Whether it is of documents of this index, or of one that shares them.
    bool is_of(const StoredDocuments& documents) const noexcept { return documents_.get() == &documents; }

    bool has(std::size_t position) const noexcept { return (words_[position / 64] >> position % 64 & 1) != 0; }
    // Whether it has any of `n` positions from `first` on: a power of two, and `first` a multiple of it. Positions
    // beyond the last document are in no selection.
    bool has_any(std::size_t first, std::size_t n) const noexcept {
        const std::size_t word = first / 64;
        if (n < 64) return word < words_.size() && (words_[word] >> first % 64 & ((std::uint64_t{1} << n) - 1)) != 0;
        for (std::size_t i = word; i < word + n / 64 && i < words_.size(); ++i) {
            if (words_[i] != 0) return true;
        }
        return false;
    }
    // A bit for each position; bits beyond the last document are 0.
    std::span<const std::uint64_t> words() const noexcept { return words_; }
    // Calls visit(position) for each, ascending.
    template <class Visit>
    void for_each(const Visit& visit) const {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            for (std::uint64_t word = words_[i]; word != 0; word &= word - 1) {
                visit(static_cast<std::uint32_t>(64 * i + static_cast<std::size_t>(std::countr_zero(word))));
            }
        }
    }

    // Ascending.
    std::vector<std::int64_t> ids() const;
    // A byte for each document, by id: 1 or 0.
    std::vector<std::uint8_t> mask() const;
    // Throws std::invalid_argument for an id outside [0, n_docs).
    bool has_id(std::int64_t id) const;

    // Of two selections of one index; std::invalid_argument for others.
    Selection operator&(const Selection& other) const;
    Selection operator|(const Selection& other) const;
    Selection operator-(const Selection& other) const;
    Selection operator~() const;
    bool operator==(const Selection& other) const noexcept;

  private:
    Selection(Documents documents, std::uint32_t block_size);
    template <class Combine>
    Selection combined(const Selection& other, const Combine& combine) const;
    void count() noexcept;

    Documents documents_;
    std::size_t n_docs_;
    std::uint32_t block_size_;
    std::vector<std::uint64_t> words_;
    std::size_t size_ = 0;
    std::size_t n_blocks_ = 0;
};

}  // namespace thresher
