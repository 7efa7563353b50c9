// A query as documents are scored by it: its weights by slot.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "../../kernels/kernels.hpp"
#include "slot_query.hpp"

namespace thresher {

// A query as a table over slots and a filter in front of it, reused from query to query. Zero outside `load` ..
// `clear`.
class QueryTable {
  public:
    // Room for every slot that a document can name: 16-bit slots are in bounds without a check.
    explicit QueryTable(std::uint32_t n_slots) : weights_(n_slots < 65536 ? 65536 : n_slots) {}
    void load(const SlotQuery& query) noexcept {
        for (std::size_t i = 0; i < query.size(); ++i) {
            const std::uint32_t slot = query.slots[i];
            filter_[slot % kernels::kFilter] |= static_cast<std::uint16_t>(1U << (slot / kernels::kFilter % 16));
            weights_[slot] = query.weights[i];
        }
    }
    void clear(const SlotQuery& query) noexcept {
        filter_.fill(0);
        for (const std::uint32_t slot : query.slots) weights_[slot] = 0;
    }
    // See kernels::Kernels::score_document.
    const std::uint16_t* filter() const noexcept { return filter_.data(); }
    std::span<const float> weights() const noexcept { return weights_; }

  private:
    alignas(64) std::array<std::uint16_t, kernels::kFilter> filter_{};
    std::vector<float> weights_;
};

}  // namespace thresher
