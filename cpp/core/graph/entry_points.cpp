#include "entry_points.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "../selection/hits.hpp"

namespace thresher {

namespace {

constexpr std::size_t kRowsPerTask = 4096;
// Passes over the documents, each for the slots of its part of the entry points: while these are found, each takes
// eight bytes beside the four that it takes then.
constexpr std::size_t kPasses = 6;

// Fills in the entry points of the slots from `first` on, and their largest weights: those of slot `first` + i are
// [offsets[i], offsets[i + 1]) of `docs`. On one thread: it takes a fraction of a second a million documents.
void find_heaviest(const ForwardIndex& forward, std::uint32_t first, std::span<const std::size_t> offsets,
                   std::span<std::uint32_t> docs, std::span<float> heaviest, Progress& progress) {
    const std::size_t n_slots = offsets.size() - 1;
    const std::size_t begin_of_all = offsets.front();
    LargeVector<Hit> heaps(offsets.back() - begin_of_all);  // one a slot, its worst document in front
    std::vector<std::uint32_t> sizes(n_slots);
    std::vector<Posting> postings;
    parallel_for_rows(forward.n_docs(), kRowsPerTask, 1, progress, [&](std::size_t begin, std::size_t end, unsigned) {
        for (std::size_t doc = begin; doc < end; ++doc) {
            forward.read(doc, postings);
            for (const auto& [slot, weight] : postings) {
                if (slot < first || slot - first >= n_slots) continue;
                const std::size_t at = slot - first;
                const Hit hit{weight, static_cast<std::uint32_t>(doc)};
                Hit* const heap = heaps.data() + (offsets[at] - begin_of_all);
                Hit* const last = heap + sizes[at];
                if (sizes[at] < offsets[at + 1] - offsets[at]) {
                    *last = hit;
                    ++sizes[at];
                    std::push_heap(heap, last + 1, better);
                } else if (better(hit, *heap)) {
                    std::pop_heap(heap, last, better);
                    *(last - 1) = hit;
                    std::push_heap(heap, last, better);
                }
            }
        }
    });
    for (std::size_t at = 0; at < n_slots; ++at) {
        const std::span heap(heaps.data() + (offsets[at] - begin_of_all), sizes[at]);
        interruption_point(16 * heap.size());
        for (const Hit& hit : heap) heaviest[first + at] = std::max(heaviest[first + at], hit.score);
        std::ranges::sort(heap, {}, &Hit::doc);
        std::ranges::transform(heap, docs.begin() + static_cast<std::ptrdiff_t>(offsets[at]), &Hit::doc);
    }
}

}  // namespace

EntryPoints EntryPoints::build(const ForwardIndex& forward, const Vocabulary& vocabulary, std::size_t max,
                               unsigned threads, Progress& progress) {
    const std::uint32_t n_slots = vocabulary.n_slots();
    std::vector<std::size_t> offsets(n_slots + std::size_t{1});
    vocabulary.for_each_class([&](std::uint32_t frequency, std::uint32_t first, std::uint32_t end) {
        for (std::size_t slot = first; slot < end; ++slot) {
            offsets[slot + 1] = offsets[slot] + std::min<std::size_t>(frequency, max);
        }
    });
    LargeVector<std::uint32_t> docs(offsets.back());
    Filling<float> heaviest(n_slots);
    Progress silent(progress.monitor());
    std::uint32_t first = 0;
    for (std::size_t pass = 1; pass <= kPasses; ++pass) {
        const auto bound = std::ranges::upper_bound(offsets, offsets.back() * pass / kPasses);
        const auto end = std::max(first, static_cast<std::uint32_t>(bound - offsets.begin() - 1));
        const std::span range(std::as_const(offsets).data() + first, end - first + std::size_t{1});
        find_heaviest(forward, first, range, docs, heaviest.items, pass == 1 ? progress : silent);
        first = end;
    }

    EntryPoints entries;
    entries.heaviest_ = std::move(heaviest.buffer);
    const auto list = [&](std::size_t slot) {
        return std::span<const std::uint32_t>(docs).subspan(offsets[slot], offsets[slot + 1] - offsets[slot]);
    };
    entries.documents_ = PositionLists::build(n_slots, list, threads, progress);
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
