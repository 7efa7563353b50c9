#include "document_order.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace thresher {

DocumentOrder::DocumentOrder(std::span<const std::uint32_t> given) {
    constexpr std::uint32_t kUnset = std::numeric_limits<std::uint32_t>::max();
    Filling<std::uint32_t> copy(given.size());
    Filling<std::uint32_t> positions(given.size());
    std::copy(given.begin(), given.end(), copy.items.begin());
    std::fill(positions.items.begin(), positions.items.end(), kUnset);
    for (std::size_t position = 0; position < given.size(); ++position) {
        const std::uint32_t doc = given[position];
        if (doc >= given.size()) {
            throw std::invalid_argument("reorder: " + std::to_string(doc) + " is not a document; there are " +
                                        std::to_string(given.size()));
        }
        if (positions.items[doc] != kUnset) {
            throw std::invalid_argument("reorder: document " + std::to_string(doc) + " occurs twice");
        }
        positions.items[doc] = static_cast<std::uint32_t>(position);
    }
    given_ = std::move(copy.buffer);
    positions_ = std::move(positions.buffer);
}

void DocumentOrder::save(SectionList& sections) const {
    sections.add("order/given", given_);
    sections.add("order/positions", positions_);
}

DocumentOrder DocumentOrder::load(const IndexFile& file) {
    DocumentOrder order;
    const auto n_docs = static_cast<std::size_t>(file.integer("n_docs"));
    order.given_ = file.section<std::uint32_t>("order/given");
    order.positions_ = file.section<std::uint32_t>("order/positions", order.given_.size());
    file.require(order.given_.size() == 0 || order.given_.size() == n_docs,
                 "the order does not have the collection's number of documents");
    return order;
}

}  // namespace thresher
