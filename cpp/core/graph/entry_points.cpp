#include "entry_points.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "../selection/hits.hpp"

namespace thresher {

namespace {

constexpr std::size_t kRowsPerTask = 4096;

}  // namespace

EntryPoints EntryPoints::build(const ForwardIndex& forward, const Vocabulary& vocabulary, std::size_t max,
                               unsigned threads, Progress& progress) {
    // One heap a slot, its worst document in front.
    std::vector<std::size_t> offsets(vocabulary.n_slots() + 1);
    vocabulary.for_each_class([&](std::uint32_t frequency, std::uint32_t first, std::uint32_t end) {
        for (std::size_t slot = first; slot < end; ++slot) {
            offsets[slot + 1] = offsets[slot] + std::min<std::size_t>(frequency, max);
        }
    });
    LargeVector<Hit> heaps(offsets.back());
    std::vector<std::uint32_t> sizes(vocabulary.n_slots());
    std::vector<Posting> postings;
    // On one thread: it takes a fraction of a second a million documents.
    parallel_for_rows(forward.n_docs(), kRowsPerTask, 1, progress, [&](std::size_t begin, std::size_t end, unsigned) {
        for (std::size_t doc = begin; doc < end; ++doc) {
            forward.read(doc, postings);
            for (const auto& [slot, weight] : postings) {
                const Hit hit{weight, static_cast<std::uint32_t>(doc)};
                Hit* const heap = heaps.data() + offsets[slot];
                Hit* const last = heap + sizes[slot];
                if (sizes[slot] < offsets[slot + 1] - offsets[slot]) {
                    *last = hit;
                    ++sizes[slot];
                    std::push_heap(heap, last + 1, better);
                } else if (better(hit, *heap)) {
                    std::pop_heap(heap, last, better);
                    *(last - 1) = hit;
                    std::push_heap(heap, last, better);
                }
            }
        }
    });

    EntryPoints entries;
    Filling<float> heaviest(vocabulary.n_slots());
    const auto heap = [&](std::size_t slot) { return std::span(heaps).subspan(offsets[slot], sizes[slot]); };
    for (std::uint32_t slot = 0; slot < vocabulary.n_slots(); ++slot) {
        for (const Hit& hit : heap(slot)) heaviest.items[slot] = std::max(heaviest.items[slot], hit.score);
        interruption_point(16 * sizes[slot]);
        std::ranges::sort(heap(slot), {}, &Hit::doc);
    }
    entries.heaviest_ = std::move(heaviest.buffer);
    const auto list = [&](std::size_t slot) {
        thread_local std::vector<std::uint32_t> docs;
        docs.clear();
        for (const Hit& hit : heap(slot)) docs.push_back(hit.doc);
        return std::span<const std::uint32_t>(docs);
    };
    entries.documents_ = PositionLists::build(vocabulary.n_slots(), list, threads, progress);
    return entries;
}

double EntryPoints::estimated_nbytes(const CollectionStatistics& statistics, std::size_t max) noexcept {
    const auto n_slots = static_cast<double>(statistics.n_slots());
    double bytes = 0;
    for (const double frequency : statistics.frequencies) {
        const double n = std::min(frequency, static_cast<double>(max));
        bytes += n * PositionLists::estimated_bytes(static_cast<double>(statistics.n_docs) / n);
    }
    return n_slots * sizeof(heaviest_[0]) + PositionLists::estimated_nbytes(n_slots, bytes);
}

void EntryPoints::save(SectionList& sections) const {
    sections.add("entries/heaviest", heaviest_);
    documents_.save(sections, "entries");
}

EntryPoints EntryPoints::load(const IndexFile& file, std::size_t n_slots) {
    EntryPoints entries;
    entries.heaviest_ = file.section<float>("entries/heaviest", n_slots);
    entries.documents_ = PositionLists::load(file, "entries", n_slots);
    return entries;
}

}  // namespace thresher
