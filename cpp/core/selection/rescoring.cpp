#include "rescoring.hpp"

#include "scratch.hpp"

namespace thresher {

std::vector<Hit>& Rescoring::rescore(const SlotQuery& query, std::span<const std::uint32_t> docs,
                                     const ForwardIndex& forward, const DocumentOrder& order) {
    empty_scratch(found_, docs.size());
    table_.load(query);
    rescore_each(docs, table_, forward, order, [&](std::size_t, const Hit& hit) {
        found_.push_back(hit);
        return true;
    });
    table_.clear(query);
    return found_;
}

}  // namespace thresher
