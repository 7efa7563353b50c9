#include "selection.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "../documents/stored_documents.hpp"

namespace thresher {

namespace {

// Of eight bytes, a bit for each that is not 0: the first is the lowest.
std::uint64_t bits_of(const std::uint8_t* bytes) noexcept {
    constexpr std::uint64_t kLow = 0x7F7F7F7F7F7F7F7FU;
    std::uint64_t eight = 0;
    std::memcpy(&eight, bytes, sizeof eight);
    const std::uint64_t set = (((eight & kLow) + kLow) | eight) >> 7 & 0x0101010101010101U;
    return set * 0x0102040810204080U >> 56;
}

// A bit for each block of `size` documents in a word that has any: the lowest of the block's.
std::uint64_t blocks_of(std::uint64_t word, std::uint32_t size) noexcept {
    constexpr std::uint64_t kAll = ~std::uint64_t{0};
    for (std::uint32_t step = 1; step < size; step *= 2) word |= word >> step;
    return word & (size == 64 ? 1 : kAll / ((std::uint64_t{1} << size) - 1));
}

void require_document(std::int64_t id, std::size_t n_docs, const char* name) {
    if (id >= 0 && static_cast<std::uint64_t>(id) < n_docs) return;
    throw std::invalid_argument(std::string(name) + ": " + std::to_string(id) + " is not a document; the index has " +
                                std::to_string(n_docs));
}

}  // namespace

Selection::Selection(Documents documents, std::uint32_t block_size)
    : documents_(std::move(documents)),
      n_docs_(documents_->forward.n_docs()),
      block_size_(block_size),
      words_((n_docs_ + 63) / 64) {}

Selection Selection::of_mask(Documents documents, std::uint32_t block_size, std::span<const std::uint8_t> mask,
                             const char* name) {
    Selection selection(std::move(documents), block_size);
    const std::size_t n = selection.n_docs();
    if (mask.size() != n) {
        throw std::invalid_argument(std::string(name) + ": " + std::to_string(mask.size()) +
                                    " documents; the index has " + std::to_string(n));
    }
    const DocumentOrder& order = selection.documents_->order;
    const std::size_t whole = order.is_identity() ? n / 8 * 8 : 0;  // of these, eight at once
    for (std::size_t i = 0; i < whole; i += 8) selection.words_[i / 64] |= bits_of(mask.data() + i) << i % 64;
    for (std::size_t i = whole; i < n; ++i) {
        const bool is_in = mask[order.id_of(static_cast<std::uint32_t>(i))] != 0;
        selection.words_[i / 64] |= std::uint64_t{is_in} << i % 64;
    }
    selection.count();
    return selection;
}

Selection Selection::of_ids(Documents documents, std::uint32_t block_size, std::span<const std::int64_t> ids,
                            const char* name) {
    Selection selection(std::move(documents), block_size);
    for (const std::int64_t id : ids) {
        require_document(id, selection.n_docs(), name);
        const std::uint32_t position = selection.documents_->order.position(static_cast<std::uint32_t>(id));
        selection.words_[position / 64] |= std::uint64_t{1} << position % 64;
    }
    selection.count();
    return selection;
}

void Selection::count() noexcept {
    size_ = 0;
    n_blocks_ = 0;
    for (const std::uint64_t word : words_) {
        size_ += static_cast<std::size_t>(std::popcount(word));
        n_blocks_ += static_cast<std::size_t>(std::popcount(blocks_of(word, block_size_)));
    }
}

std::vector<std::int64_t> Selection::ids() const {
    std::vector<std::int64_t> ids;
    ids.reserve(size_);
    for_each([&](std::uint32_t position) { ids.push_back(documents_->order.id_of(position)); });
    if (!documents_->order.is_identity()) std::sort(ids.begin(), ids.end());
    return ids;
}

std::vector<std::uint8_t> Selection::mask() const {
    std::vector<std::uint8_t> mask(n_docs());
    for_each([&](std::uint32_t position) { mask[documents_->order.id_of(position)] = 1; });
    return mask;
}

bool Selection::has_id(std::int64_t id) const {
    require_document(id, n_docs(), "id");
    return has(documents_->order.position(static_cast<std::uint32_t>(id)));
}

template <class Combine>
Selection Selection::combined(const Selection& other, const Combine& combine) const {
    if (documents_ != other.documents_) throw std::invalid_argument("the selections are of different indexes");
    Selection result(documents_, block_size_);
    std::transform(words_.begin(), words_.end(), other.words_.begin(), result.words_.begin(), combine);
    result.count();
    return result;
}

Selection Selection::operator&(const Selection& other) const {
    return combined(other, [](std::uint64_t a, std::uint64_t b) { return a & b; });
}

Selection Selection::operator|(const Selection& other) const {
    return combined(other, [](std::uint64_t a, std::uint64_t b) { return a | b; });
}

Selection Selection::operator-(const Selection& other) const {
    return combined(other, [](std::uint64_t a, std::uint64_t b) { return a & ~b; });
}

Selection Selection::operator~() const {
    Selection result(documents_, block_size_);
    std::transform(words_.begin(), words_.end(), result.words_.begin(), [](std::uint64_t word) { return ~word; });
    if (const std::size_t rest = n_docs() % 64; rest != 0) result.words_.back() &= (std::uint64_t{1} << rest) - 1;
    result.count();
    return result;
}

bool Selection::operator==(const Selection& other) const noexcept {
    return documents_ == other.documents_ && words_ == other.words_;
}

}  // namespace thresher
