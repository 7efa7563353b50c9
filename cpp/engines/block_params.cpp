#include "block_params.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include "../core/similar_order.hpp"

namespace thresher {

void check_share(double share, const char* name) {
    if (share > 0 && share <= 1) return;
    throw std::invalid_argument(std::string(name) + " must be in (0, 1], got " + std::to_string(share));
}

void check_count(std::int64_t count, const char* name) {
    if (count >= 0) return;
    throw std::invalid_argument(std::string(name) + " must be >= 0, got " + std::to_string(count));
}

void check_block_size(std::int64_t size, const char* name) {
    if (size == 0 || (size >= 4 && size <= 64 && (size & (size - 1)) == 0)) return;
    throw std::invalid_argument(std::string(name) + " must be 4, 8, 16, 32 or 64, or 0 to choose, got " +
                                std::to_string(size));
}

Ordering::Ordering(bool reorder, const GivenOrder& given, std::size_t n_docs)
    : reorder_(reorder || given), n_docs_(n_docs), given_(given) {
    if (given && given->size() != n_docs) {
        throw std::invalid_argument("reorder: " + std::to_string(given->size()) + " documents; there are " +
                                    std::to_string(n_docs));
    }
}

unsigned Ordering::passes(std::uint32_t block_size) const noexcept {
    if (!reorder_) return 0;
    return given_ ? 1 : 1 + similar_order_passes(n_docs_, block_size);
}

DocumentOrder Ordering::apply(ForwardIndex& forward, const Vocabulary& vocabulary, std::uint32_t block_size,
                              unsigned threads, Progress& progress) const {
    if (!reorder_) return {};
    std::vector<std::uint32_t> similar;
    if (!given_) similar = similar_order(forward, vocabulary, block_size, threads, progress);
    const std::span<const std::uint32_t> documents = given_ ? *given_ : similar;
    DocumentOrder order(documents);
    forward = forward.reordered(documents, threads, progress);
    return order;
}

}  // namespace thresher
