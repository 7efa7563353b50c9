#include "impact_levels.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../base/prefetch.hpp"

namespace thresher {

namespace {

// Fewer postings a window than this, on average, and a directory entry costs more than two bytes a posting.
constexpr std::uint64_t kLevelledFrom = 16;

// `frequencies`: a Vocabulary, or CollectionStatistics.
template <class Frequencies>
std::uint32_t n_levelled_of(const Frequencies& frequencies, std::size_t n_windows) {
    return frequencies.n_with(static_cast<double>(kLevelledFrom * n_windows));
}

}  // namespace

ImpactLevels ImpactLevels::build(const ForwardIndex& forward, const Vocabulary& vocabulary, const Quantiser& quantiser,
                                 unsigned threads, Progress& progress) {
    ImpactLevels levels;
    levels.n_docs_ = forward.n_docs();
    levels.n_slots_ = vocabulary.n_slots();
    levels.n_levelled_ = n_levelled_of(vocabulary, levels.n_windows());
    RareListsBuilder rare(levels.n_slots_ - levels.n_levelled_);
    levels.count(forward, quantiser, rare, threads, progress);
    rare.place();
    levels.fill(forward, quantiser, rare, threads, progress);
    levels.rare_ = rare.finish(levels.n_docs_, threads, progress.monitor());
    return levels;
}

// Fills the directory, and what is summed from it.
void ImpactLevels::count(const ForwardIndex& forward, const Quantiser& quantiser, RareListsBuilder& rare,
                         unsigned threads, Progress& progress) {
    Filling<std::uint16_t> directory(directory_size());
    Filling<std::uint64_t> bases(n_windows() + 1);
    struct Scratch {
        std::vector<Posting> postings;
        std::vector<std::uint32_t> counts;  // (slot, level)
        std::vector<std::uint32_t> totals;  // the same, over all windows
    };
    std::vector<Scratch> scratch(worker_count(threads, n_windows()));
    parallel_for(n_windows(), threads, progress, [&](std::size_t w, unsigned worker) {
        auto& [postings, counts, totals] = scratch[worker];
        counts.assign(std::size_t{n_levelled_} * kLevels, 0);
        totals.resize(counts.size());
        for (std::size_t doc = w * kWindow; doc < std::min((w + 1) * kWindow, n_docs_); ++doc) {
            forward.read(doc, postings);
            for (const auto& [slot, weight] : postings) {
                if (slot < n_levelled_) {
                    ++counts[slot * kLevels + kLevels - level(quantiser, slot, weight)];
                } else {
                    rare.count(slot - n_levelled_);
                }
            }
        }
        std::uint64_t begin = 0;
        std::uint16_t* entry = directory.items.data() + w * (n_levelled_ + std::size_t{1}) * kEntry;
        for (std::uint32_t slot = 0; slot <= n_levelled_; ++slot, entry += kEntry) {
            entry[0] = static_cast<std::uint16_t>(begin);
            entry[1] = static_cast<std::uint16_t>(begin >> 16);
            if (slot == n_levelled_) break;
            std::uint32_t end = 0;
            for (std::uint32_t i = 0; i < kLevels; ++i) {
                const std::uint32_t n = counts[slot * kLevels + i];
                totals[slot * kLevels + i] += n;
                end += n;
                if (i + 1 < kLevels) entry[2 + i] = static_cast<std::uint16_t>(end);
            }
            begin += end;
        }
        if (begin > std::numeric_limits<std::uint32_t>::max()) {
            throw std::invalid_argument("docs: " + std::to_string(begin) + " postings in " + std::to_string(kWindow) +
                                        " consecutive documents are too many");
        }
        bases.items[w + 1] = begin;
    });
    std::partial_sum(bases.items.begin(), bases.items.end(), bases.items.begin());
    Filling<std::uint32_t> counts(std::size_t{n_levelled_} * kLevels);
    for (const Scratch& mine : scratch) {
        for (std::size_t i = 0; i < mine.totals.size(); ++i) counts.items[i] += mine.totals[i];
    }
    counts_ = std::move(counts.buffer);
    bases_ = std::move(bases.buffer);
    directory_ = std::move(directory.buffer);
}

void ImpactLevels::fill(const ForwardIndex& forward, const Quantiser& quantiser, RareListsBuilder& rare,
                        unsigned threads, Progress& progress) {
    Filling<std::uint16_t> docs(static_cast<std::size_t>(bases_[n_windows()]));
    struct Scratch {
        std::vector<Posting> postings;
        std::vector<std::uint32_t> next;  // (slot, level) -> where its next posting goes
    };
    std::vector<Scratch> scratch(worker_count(threads, n_windows()));
    parallel_for(n_windows(), threads, progress, [&](std::size_t w, unsigned worker) {
        auto& [postings, next] = scratch[worker];
        next.resize(std::size_t{n_levelled_} * kLevels);
        for (std::uint32_t slot = 0; slot < n_levelled_; ++slot) {
            const std::uint32_t begin = begin_of(entry(w, slot));
            next[slot * kLevels] = begin;
            for (std::uint32_t i = 1; i < kLevels; ++i) next[slot * kLevels + i] = begin + entry(w, slot)[1 + i];
        }
        std::uint16_t* mine = docs.items.data() + bases_[w];
        const std::size_t first = w * kWindow;
        for (std::size_t doc = first; doc < std::min(first + kWindow, n_docs_); ++doc) {
            forward.read(doc, postings);
            for (const auto& [slot, weight] : postings) {
                const std::uint32_t on = level(quantiser, slot, weight);
                if (slot < n_levelled_) {
                    mine[next[slot * kLevels + kLevels - on]++] = static_cast<std::uint16_t>(doc - first);
                } else {
                    rare.put(slot - n_levelled_, static_cast<std::uint32_t>(doc), static_cast<std::uint8_t>(on));
                }
            }
        }
    });
    docs_ = std::move(docs.buffer);
}

ImpactLevels::Window ImpactLevels::window(std::size_t w, std::uint32_t slot) const noexcept {
    // Clamped, so that an altered file can't lead out of bounds.
    const std::uint16_t* here = entry(w, slot);
    const std::uint64_t base = std::min<std::uint64_t>(bases_[w], docs_.size());
    const std::uint64_t end = std::min<std::uint64_t>(base + begin_of(here + kEntry), docs_.size());
    const std::uint64_t begin = std::min<std::uint64_t>(base + begin_of(here), end);
    Window window;
    window.docs_ = docs_.data() + begin;
    window.ends_ = here + 2;
    window.n_ = static_cast<std::uint32_t>(end - begin);
    return window;
}

void ImpactLevels::prefetch(std::size_t w, std::uint32_t slot) const noexcept {
    const std::uint16_t* here = entry(w, slot);
    thresher::prefetch(here);
    thresher::prefetch(here + kEntry);
}

std::size_t ImpactLevels::levels_nbytes() const noexcept {
    return counts_.nbytes() + bases_.nbytes() + directory_.nbytes() + docs_.nbytes();
}

std::vector<EstimatedPart> ImpactLevels::estimated_parts(const CollectionStatistics& statistics) {
    const std::size_t windows = (statistics.n_docs + kWindow - 1) / kWindow;
    const std::uint32_t n_levelled = n_levelled_of(statistics, windows);
    const double n_windows = static_cast<double>(windows);
    const double directory = n_windows * (n_levelled + 1.0) * kEntry * sizeof(directory_[0]);
    const double counts = static_cast<double>(n_levelled) * kLevels * sizeof(counts_[0]);
    const double docs = statistics.postings(0, n_levelled) * sizeof(docs_[0]);
    const std::uint32_t n_rare = statistics.n_slots() - n_levelled;
    const double rare = statistics.postings(n_levelled, statistics.n_slots());
    return {{"segments", counts + sizeof(bases_[0]) * (n_windows + 1) + directory + docs},
            {"rare", RareLists::estimated_nbytes(n_rare, rare, statistics.n_docs)}};
}

void ImpactLevels::save(Parameters& counts, SectionList& sections) const {
    counts.set("n_levelled", std::uint64_t{n_levelled_});
    sections.add("segments/counts", counts_);
    sections.add("segments/bases", bases_);
    sections.add("segments/directory", directory_);
    sections.add("segments/docs", docs_);
    rare_.save(sections, "levels");
}

ImpactLevels ImpactLevels::load(const IndexFile& file, std::size_t n_docs, std::uint32_t n_slots) {
    ImpactLevels levels;
    levels.n_docs_ = n_docs;
    levels.n_slots_ = n_slots;
    const std::uint64_t n_levelled = file.integer("n_levelled");
    file.require(n_levelled <= n_slots, "more levelled terms than slots");
    levels.n_levelled_ = static_cast<std::uint32_t>(n_levelled);
    levels.counts_ = file.section<std::uint32_t>("segments/counts", std::size_t{levels.n_levelled_} * kLevels);
    levels.bases_ = file.section<std::uint64_t>("segments/bases", levels.n_windows() + 1);
    levels.directory_ = file.section<std::uint16_t>("segments/directory", levels.directory_size());
    levels.docs_ = file.section<std::uint16_t>("segments/docs");
    levels.rare_ = RareLists::load(file, n_slots - levels.n_levelled_, n_docs, "levels");
    return levels;
}

}  // namespace thresher
