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

unsigned Ordering::passes(std::uint32_t block_size) const noexcept {
    if (!reorder_) return 0;
    return given_ ? 1 : 1 + similar_order_passes(n_docs_, block_size);
}

DocumentOrder Ordering::apply(ForwardIndex& forward, const Vocabulary& vocabulary, std::uint32_t block_size,
                              unsigned threads, Progress& progress) const {
    if (!reorder_) return {};
    std::vector<std::uint32_t> documents;
    if (given_) {  // a copy: what was checked must not change
        documents.assign(given_->begin(), given_->end());
    } else {
        documents = similar_order(
            {n_docs_, [&](std::size_t doc, std::vector<Posting>& postings) { forward.read(doc, postings); }},
            vocabulary.n_slots(), block_size, threads, progress);
    }
    DocumentOrder order(documents);
    forward = forward.reordered(documents, threads, progress);
    return order;
}

}  // namespace thresher
