// Eight-bit impacts: a weight of a term is code * step, with step = the term's largest weight / 255.
//
// Codes of positive weights are 1 .. 255 (never 0), so that a document has a nonzero impact exactly where it has the
// term. The largest error that quantising made is kept for each term: a search turns it into a bound that makes
// pruning by impacts safe. Postings that weigh far more than all others of their term, and than is usual in the
// collection, are apart (OutlierPostings): they have no part in the scale nor in the error, and 255 stands for them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "../storage/index_file.hpp"
#include "collection_statistics.hpp"
#include "forward_index.hpp"
#include "outlier_postings.hpp"
#include "vocabulary.hpp"

namespace thresher {

class Quantiser {
  public:
    static constexpr std::uint8_t kMaxImpact = 255;

    Quantiser() = default;
    // Of the weights that documents are scored by.
    static Quantiser build(const ForwardIndex& forward, const Vocabulary& vocabulary, unsigned threads,
                           Progress& progress);

    std::uint8_t impact(std::uint32_t slot, float weight) const noexcept { return quantise(weight, largest(slot)); }
    // The smallest impact that stands for at least `weight` (give or take a rounding of double precision): for upper
    // bounds. Never below `impact`.
    std::uint8_t ceiling(std::uint32_t slot, float weight) const noexcept {
        const std::uint8_t nearest = impact(slot, weight);
        const bool below = step(slot) * nearest < static_cast<double>(weight);
        return below && nearest < kMaxImpact ? static_cast<std::uint8_t>(nearest + 1) : nearest;
    }
    // The largest weight of the term's postings that are not apart, or of all terms' that share a scale.
    float largest(std::uint32_t slot) const noexcept { return maxima_[scale_of(slot)]; }
    // The weight that one unit of impact stands for.
    double step(std::uint32_t slot) const noexcept { return static_cast<double>(largest(slot)) / kMaxImpact; }
    // At least |weight - step * impact| over the term's postings that are not apart; hardly more than a step.
    double error(std::uint32_t slot) const noexcept {
        // What is kept is a float32: where steps are less than the least of these, it says nothing.
        return std::min(static_cast<double>(errors_[scale_of(slot)]), step(slot) * (1 + 0x1p-40));
    }

    const OutlierPostings& outliers() const noexcept { return outliers_; }

    std::size_t nbytes() const noexcept { return maxima_.nbytes() + errors_.nbytes() + outliers_.nbytes(); }
    static double estimated_nbytes(const CollectionStatistics& statistics) noexcept {
        const std::uint32_t n_slots = statistics.n_slots();
        const double n_scales = std::min(Vocabulary::estimated_listed(statistics) + 1.0, static_cast<double>(n_slots));
        return n_scales * (sizeof(maxima_[0]) + sizeof(errors_[0]));
    }
    void save(SectionList& sections) const;
    static Quantiser load(const IndexFile& file, std::size_t n_slots, std::size_t n_docs);

  private:
    // Slots beyond the last scale share it.
    std::size_t scale_of(std::uint32_t slot) const noexcept {
        return slot < maxima_.size() ? slot : maxima_.size() - 1;
    }
    static std::uint8_t quantise(float weight, float maximum) noexcept {
        const double code = static_cast<double>(weight) / static_cast<double>(maximum) * kMaxImpact + 0.5;
        if (!(code >= 1.0)) return 1;
        // Above the maximum is what is apart.
        return static_cast<std::uint8_t>(std::min(code, static_cast<double>(kMaxImpact)));
    }

    Buffer<float> maxima_;  // scale -> largest weight
    Buffer<float> errors_;  // scale -> largest quantisation error, rounded up
    OutlierPostings outliers_;
};

}  // namespace thresher
