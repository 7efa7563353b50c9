#include "outlier_postings.hpp"

#include <algorithm>
#include <tuple>

#include "../base/interruption.hpp"

namespace thresher {

OutlierPostings::OutlierPostings(std::vector<Posting> postings) {
    if (postings.empty()) return;
    std::sort(postings.begin(), postings.end(), interruptible([](const Posting& a, const Posting& b) {
                  return std::tie(a.slot, a.position) < std::tie(b.slot, b.position);
              }));
    Filling<std::uint32_t> slots(postings.size());
    Filling<std::uint32_t> positions(postings.size());
    for (std::size_t i = 0; i < postings.size(); ++i) {
        slots.items[i] = postings[i].slot;
        positions.items[i] = postings[i].position;
    }
    slots_ = std::move(slots.buffer);
    positions_ = std::move(positions.buffer);
}

void OutlierPostings::find(const SlotQuery& query, std::vector<std::uint32_t>& positions) const {
    positions.clear();
    if (empty()) return;
    const auto slots = slots_.items();
    for (const std::uint32_t slot : query.slots) {
        const auto [first, last] = std::ranges::equal_range(slots, slot);
        const auto at = positions_.items().begin() + (first - slots.begin());
        positions.insert(positions.end(), at, at + (last - first));
    }
    std::ranges::sort(positions);
    const auto repeated = std::ranges::unique(positions);
    positions.erase(repeated.begin(), repeated.end());
}

void OutlierPostings::save(SectionList& sections) const {
    if (empty()) return;
    sections.add("outliers/slots", slots_);
    sections.add("outliers/positions", positions_);
}

OutlierPostings OutlierPostings::load(const IndexFile& file, std::size_t n_slots, std::size_t n_docs) {
    OutlierPostings outliers;
    if (!file.has_section("outliers/slots")) return outliers;
    outliers.slots_ = file.section<std::uint32_t>("outliers/slots");
    outliers.positions_ = file.section<std::uint32_t>("outliers/positions", outliers.size());
    const auto all_below = [](const Buffer<std::uint32_t>& items, std::size_t end) {
        return std::ranges::all_of(items.items(), [end](std::uint32_t item) { return item < end; });
    };
    file.require(all_below(outliers.slots_, n_slots) && std::ranges::is_sorted(outliers.slots_.items()),
                 "its outliers are not of ascending terms");
    file.require(all_below(outliers.positions_, n_docs), "its outliers are not of its documents");
    return outliers;
}

}  // namespace thresher
