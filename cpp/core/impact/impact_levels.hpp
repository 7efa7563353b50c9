// An inverted index in order of impact: a term's postings in levels, the heaviest first.
//
// A posting's weight is kept as one of 15 levels of equal width, rounded up. The documents of one term that are on one
// level are a *level*: their level is implied, so that a posting is a document and nothing else. Documents are cut
// into windows of 65,472, within which a document takes 16 bits, and the sums of scores that a level is added to stay
// in the second-level cache. Terms with hardly a posting in a window ('rare') are one list of all documents, with
// levels. Invariant: level * step(slot) >= the posting's weight > (level - 1) * step(slot), give or take a rounding.
//
// Impact-ordered levels: Anh, de Kretser, Moffat, SIGIR 2001; JASS: Lin, Trotman, *Anytime Ranking for
// Impact-Ordered Indexes*, ICTIR 2015. What other encodings gave: docs/internals/impact.md. Cost: 2 bytes a posting and
// 32 for each window of each term that is not rare.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "../documents/forward_index.hpp"
#include "../documents/quantiser.hpp"
#include "../documents/rare_lists.hpp"
#include "../documents/vocabulary.hpp"
#include "../storage/index_file.hpp"

namespace thresher {

class ImpactLevels {
  public:
    // Levels are 1 .. kLevels: what four bits hold.
    static constexpr std::uint32_t kLevels = 15;
    // The most documents, in whole strips of kernels::kStrip, of which a count takes 16 bits.
    static constexpr std::uint32_t kWindow = 65472;

    ImpactLevels() = default;

    // Two passes of `progress`. Throws std::invalid_argument for 2^32 postings and more in one window.
    static ImpactLevels build(const ForwardIndex& forward, const Vocabulary& vocabulary, const Quantiser& quantiser,
                              unsigned threads, Progress& progress);

    std::size_t n_docs() const noexcept { return n_docs_; }
    std::size_t n_windows() const noexcept { return (n_docs_ + kWindow - 1) / kWindow; }
    // Slots [0, n_levelled) are in levels, the others rare.
    std::uint32_t n_levelled() const noexcept { return n_levelled_; }

    // The weight that one level stands for.
    static double step(const Quantiser& quantiser, std::uint32_t slot) noexcept {
        return quantiser.step(slot) * kImpactsPerLevel;
    }
    // Postings of a levelled slot on each level, from kLevels down to 1, over all windows.
    std::span<const std::uint32_t> counts(std::uint32_t slot) const noexcept {
        return counts_.items().subspan(std::size_t{slot} * kLevels, kLevels);
    }

    // A levelled slot's postings in one window, by falling level; on each level ascending.
    class Window {
      public:
        // Documents relative to the window's first, of the levels from kLevels down to `level`: [0, end(level)).
        const std::uint16_t* docs() const noexcept { return docs_; }
        std::uint32_t end(std::uint32_t level) const noexcept {
            if (level > kLevels) return 0;
            return level == 1 || ends_[kLevels - level] > n_ ? n_ : ends_[kLevels - level];
        }

      private:
        friend class ImpactLevels;
        const std::uint16_t* docs_;
        const std::uint16_t* ends_;
        std::uint32_t n_;
    };
    Window window(std::size_t w, std::uint32_t slot) const noexcept;
    // Starts fetching what `window` will read.
    void prefetch(std::size_t w, std::uint32_t slot) const noexcept;

    // A rare slot's documents; their impacts are levels.
    RareLists::List rare(std::uint32_t slot) const noexcept { return rare_[slot - n_levelled_]; }

    std::size_t levels_nbytes() const noexcept;
    std::size_t rare_nbytes() const noexcept { return rare_.nbytes(); }
    static std::vector<EstimatedPart> estimated_parts(const CollectionStatistics& statistics);
    void save(Parameters& counts, SectionList& sections) const;
    static ImpactLevels load(const IndexFile& file, std::size_t n_docs, std::uint32_t n_slots);

  private:
    static constexpr std::uint32_t kImpactsPerLevel = Quantiser::kMaxImpact / kLevels;
    // Words of a directory entry: where the postings begin, relative to the window's, in two words, and where each
    // level but the last ends, relative to that. The last level ends where the next entry begins.
    static constexpr std::size_t kEntry = 16;

    static std::uint32_t level(const Quantiser& quantiser, std::uint32_t slot, float weight) noexcept {
        return (quantiser.ceiling(slot, weight) + kImpactsPerLevel - 1) / kImpactsPerLevel;
    }
    std::size_t directory_size() const noexcept { return n_windows() * (n_levelled_ + std::size_t{1}) * kEntry; }
    const std::uint16_t* entry(std::size_t w, std::uint32_t slot) const noexcept {
        return directory_.data() + (w * (n_levelled_ + std::size_t{1}) + slot) * kEntry;
    }
    static std::uint32_t begin_of(const std::uint16_t* entry) noexcept {
        return entry[0] | static_cast<std::uint32_t>(entry[1]) << 16;
    }

    void count(const ForwardIndex& forward, const Quantiser& quantiser, RareListsBuilder& rare, unsigned threads,
               Progress& progress);
    void fill(const ForwardIndex& forward, const Quantiser& quantiser, RareListsBuilder& rare, unsigned threads,
              Progress& progress);

    std::size_t n_docs_ = 0;
    std::uint32_t n_slots_ = 0;
    std::uint32_t n_levelled_ = 0;

    Buffer<std::uint32_t> counts_;     // (slot, level) -> postings; kLevels a slot, falling levels
    Buffer<std::uint64_t> bases_;      // window -> its first posting; n_windows + 1
    Buffer<std::uint16_t> directory_;  // (window, slot) -> entry; n_levelled + 1 a window
    Buffer<std::uint16_t> docs_;
    RareLists rare_;
};

}  // namespace thresher
