#include "document_order.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace thresher {

DocumentOrder::DocumentOrder(std::span<const std::uint32_t> ids) {
    constexpr std::uint32_t kUnset = std::numeric_limits<std::uint32_t>::max();
    Filling<std::uint32_t> copy(ids.size());
    Filling<std::uint32_t> positions(ids.size());
    std::copy(ids.begin(), ids.end(), copy.items.begin());
    std::fill(positions.items.begin(), positions.items.end(), kUnset);
    for (std::size_t position = 0; position < ids.size(); ++position) {
        const std::uint32_t doc = ids[position];
        if (doc >= ids.size()) {
            throw std::invalid_argument("reorder: " + std::to_string(doc) + " is not a document; there are " +
                                        std::to_string(ids.size()));
        }
        if (positions.items[doc] != kUnset) {
            throw std::invalid_argument("reorder: document " + std::to_string(doc) + " occurs twice");
        }
        positions.items[doc] = static_cast<std::uint32_t>(position);
    }
    ids_ = std::move(copy.buffer);
    positions_ = std::move(positions.buffer);
}

void DocumentOrder::save(SectionList& sections) const {
    sections.add("order/given", ids_);
    sections.add("order/positions", positions_);
}

DocumentOrder DocumentOrder::load(const IndexFile& file) {
    DocumentOrder order;
    const auto n_docs = static_cast<std::size_t>(file.integer("n_docs"));
    order.ids_ = file.section<std::uint32_t>("order/given");
    order.positions_ = file.section<std::uint32_t>("order/positions", order.ids_.size());
    file.require(order.ids_.size() == 0 || order.ids_.size() == n_docs,
                 "the order does not have the collection's number of documents");
    return order;
}

}  // namespace thresher
