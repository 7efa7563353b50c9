#include "ordering.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include "similar_order.hpp"

namespace thresher {

Ordering::Ordering(bool reorder, const GivenOrder& given, std::size_t n_docs)
    : reorder_(reorder || given), n_docs_(n_docs), given_(given) {
    if (given && given->size() != n_docs) {
        throw std::invalid_argument("reorder: " + std::to_string(given->size()) + " documents; there are " +
                                    std::to_string(n_docs));
    }
}

Ordering Ordering::none(std::string_view engine, const GivenOrder& given, std::size_t n_docs) {
    if (given) {
        throw std::invalid_argument("order: the engine '" + std::string(engine) + "' keeps the order of the rows");
    }
    return {false, given, n_docs};
}

unsigned Ordering::passes(std::uint32_t block_size) const noexcept {
    return reorder_ && !given_ ? similar_order_passes(n_docs_, block_size) : 0;
}

DocumentOrder Ordering::of(const DocumentSource& documents, std::uint32_t n_slots, std::uint32_t block_size,
                           unsigned threads, Progress& progress) const {
    if (!reorder_) return {};
    if (!given_) return DocumentOrder(similar_order(documents.postings(), n_slots, block_size, threads, progress));
    const std::vector<std::uint32_t> copied(given_->begin(), given_->end());  // what is checked must not change
    return DocumentOrder(copied);
}

}  // namespace thresher
