#include "quantiser.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace thresher {

namespace {

constexpr std::size_t kRowsPerTask = 8192;

// A posting is apart if it weighs so many times the largest weight of its term that is not, and so many times what is
// usual; of a term's postings so many at most.
constexpr double kFarAbove = 4;
constexpr std::size_t kMaxOutliers = 8;
// What is usual: so large a part of the postings are of terms whose largest weight is less.
constexpr std::uint64_t kUsualPart = 4;
// Fewer documents are scored in the time that anything else takes.
constexpr std::size_t kMinDocs = 64;

// Calls visit(state, position, slot, weight) for every posting, each worker's in the order of the documents, and
// returns the states of those that had any. A worker's takes memory for each of `n_items`.
template <class State, class Visit>
std::vector<State> for_each_posting(const ForwardIndex& forward, std::size_t n_items, unsigned threads,
                                    Progress& progress, const Visit& visit) {
    const std::size_t affordable = 1 + forward.nnz() / std::max<std::size_t>(n_items, 1);
    const unsigned workers = worker_count(threads, std::min(affordable, forward.n_docs() / kRowsPerTask + 1));
    std::vector<State> states(workers);
    parallel_for_rows(forward.n_docs(), kRowsPerTask, workers, progress,
                      [&](std::size_t begin, std::size_t end, unsigned worker) {
                          State& mine = states[worker];
                          mine.resize(n_items);
                          std::vector<Posting> postings;
                          for (std::size_t position = begin; position < end; ++position) {
                              forward.read(position, postings);
                              for (const auto& [slot, weight] : postings) {
                                  visit(mine, static_cast<std::uint32_t>(position), slot, weight);
                              }
                          }
                      });
    std::erase_if(states, [](const State& state) { return state.empty(); });
    return states;
}

// Which slots have a scale of their own: those that are listed. The tail, millions of terms of a few documents each,
// has one in all.
struct Scales {
    std::size_t n;
    std::uint64_t n_shared;  // postings of the last

    explicit Scales(const Vocabulary& vocabulary) {
        const std::uint32_t n_listed = vocabulary.n_listed();
        n = std::min<std::size_t>(n_listed + std::size_t{1}, vocabulary.n_slots());
        n_shared = n == 0 ? 0 : vocabulary.n_postings();
        for (std::uint32_t slot = 0; slot + 1 < n; ++slot) n_shared -= vocabulary.document_frequency(slot);
    }
    std::size_t of(std::uint32_t slot) const noexcept { return std::min<std::size_t>(slot, n - 1); }
    std::uint64_t n_postings(std::size_t scale, const Vocabulary& vocabulary) const noexcept {
        return scale + 1 == n ? n_shared : vocabulary.document_frequency(static_cast<std::uint32_t>(scale));
    }
};

// By scale, the maximum over all postings of value(slot, weight). A maximum does not depend on the order.
template <class Value>
Filling<float> maximum_by_scale(const ForwardIndex& forward, const Vocabulary& vocabulary, unsigned threads,
                                Progress& progress, const Value& value) {
    const Scales scales(vocabulary);
    const auto maxima = for_each_posting<std::vector<float>>(
        forward, scales.n, threads, progress,
        [&](std::vector<float>& mine, std::uint32_t, std::uint32_t slot, float weight) {
            mine[scales.of(slot)] = std::max(mine[scales.of(slot)], value(slot, weight));
        });
    Filling<float> result(scales.n);
    for (const auto& mine : maxima) {
        for (std::size_t scale = 0; scale < mine.size(); ++scale) {
            result.items[scale] = std::max(result.items[scale], mine[scale]);
        }
    }
    return result;
}

// The heaviest postings of a term: all that may be apart, and one more.
class Heaviest {
  public:
    void add(float weight, const OutlierPostings::Posting& posting) noexcept {
        if (n_ == postings_.size() && weight <= postings_.back().weight) return;
        std::size_t at = n_ < postings_.size() ? n_++ : n_ - 1;
        for (; at > 0 && postings_[at - 1].weight < weight; --at) postings_[at] = postings_[at - 1];
        postings_[at] = {weight, posting};
    }
    void add(const Heaviest& other) noexcept {
        for (std::size_t i = 0; i < other.n_; ++i) add(other.postings_[i].weight, other.postings_[i].posting);
    }
    float weight(std::size_t i) const noexcept { return i < n_ ? postings_[i].weight : 0; }
    const OutlierPostings::Posting& posting(std::size_t i) const noexcept { return postings_[i].posting; }
    // How many are apart: as many as can be.
    std::size_t n_apart(float usual) const noexcept {
        for (std::size_t n = std::min(n_, kMaxOutliers); n > 0; --n) {
            const auto others = static_cast<double>(std::max(weight(n), usual));
            if (others > 0 && static_cast<double>(weight(n - 1)) > kFarAbove * others) return n;
        }
        return 0;
    }

  private:
    struct Weighed {
        float weight;
        OutlierPostings::Posting posting;
    };
    std::array<Weighed, kMaxOutliers + 1> postings_{};  // falling
    std::size_t n_ = 0;
};

// Of the largest weights of terms, how many postings these have, by an eighth of an octave.
class WeightHistogram {
  public:
    WeightHistogram(std::span<const float> maxima, const Scales& scales, const Vocabulary& vocabulary)
        : counts_(bucket_of(kInfinity) + 1) {
        for (std::size_t scale = 0; scale < maxima.size(); ++scale) {
            counts_[bucket_of(maxima[scale])] += scales.n_postings(scale, vocabulary);
            total_ += scales.n_postings(scale, vocabulary);
        }
    }
    bool is_large_part(std::uint64_t n) const noexcept { return kUsualPart * n > total_; }
    // What is usual, leaving out the `n` postings of a term whose largest weight is `maximum`.
    float usual(float maximum, std::uint64_t n) const noexcept {
        std::uint64_t below = 0;
        for (std::uint32_t b = 0; b < counts_.size(); ++b) {
            below += counts_[b] - (b == bucket_of(maximum) ? n : 0);
            if (kUsualPart * below > total_ - n) return std::bit_cast<float>(b << kShift);
        }
        return 0;
    }

  private:
    static constexpr unsigned kShift = 20;
    static constexpr float kInfinity = std::numeric_limits<float>::infinity();
    static std::uint32_t bucket_of(float weight) noexcept { return std::bit_cast<std::uint32_t>(weight) >> kShift; }

    std::vector<std::uint64_t> counts_;
    std::uint64_t total_ = 0;
};

// Takes postings apart, and lowers the maxima of their slots to what others weigh.
OutlierPostings set_apart(const ForwardIndex& forward, const Vocabulary& vocabulary, std::span<float> maxima,
                          unsigned threads, const Progress& progress) {
    if (forward.n_docs() < kMinDocs) return {};
    const Scales scales(vocabulary);
    const WeightHistogram histogram(maxima, scales, vocabulary);
    const float usual_of_all = histogram.usual(0, 0);
    std::vector<std::size_t> suspects;  // scales that may have outliers
    std::vector<std::uint32_t> places(maxima.size(), kNoSlot);
    for (std::size_t scale = 0; scale < maxima.size(); ++scale) {
        const bool is_heavy = static_cast<double>(maxima[scale]) > kFarAbove * static_cast<double>(usual_of_all);
        if (!is_heavy && !histogram.is_large_part(scales.n_postings(scale, vocabulary))) continue;
        places[scale] = static_cast<std::uint32_t>(suspects.size());
        suspects.push_back(scale);
    }
    if (suspects.empty()) return {};
    Progress silent(progress.monitor());
    const auto found = for_each_posting<std::vector<Heaviest>>(
        forward, suspects.size(), threads, silent,
        [&](std::vector<Heaviest>& mine, std::uint32_t position, std::uint32_t slot, float weight) {
            const std::uint32_t place = places[scales.of(slot)];
            if (place != kNoSlot) mine[place].add(weight, {slot, position});
        });
    std::vector<OutlierPostings::Posting> postings;
    for (std::size_t place = 0; place < suspects.size(); ++place) {
        interruption_point(kMaxOutliers * found.size());
        Heaviest heaviest;
        for (const auto& mine : found) heaviest.add(mine[place]);
        // A term that most postings are of is not measured by itself.
        const std::size_t scale = suspects[place];
        const std::uint64_t n_own = scales.n_postings(scale, vocabulary);
        const float usual = histogram.is_large_part(n_own) ? histogram.usual(maxima[scale], n_own) : usual_of_all;
        const std::size_t n = heaviest.n_apart(usual);
        if (n == 0) continue;
        for (std::size_t i = 0; i < n; ++i) postings.push_back(heaviest.posting(i));
        maxima[scale] = heaviest.weight(n) > 0 ? heaviest.weight(n) : usual;
    }
    return OutlierPostings(std::move(postings));
}

}  // namespace

Quantiser Quantiser::build(const ForwardIndex& forward, const Vocabulary& vocabulary, unsigned threads,
                           Progress& progress) {
    Quantiser quantiser;
    auto maxima =
        maximum_by_scale(forward, vocabulary, threads, progress, [](std::uint32_t, float weight) { return weight; });
    quantiser.outliers_ = set_apart(forward, vocabulary, maxima.items, threads, progress);
    quantiser.maxima_ = std::move(maxima.buffer);
    auto errors =
        maximum_by_scale(forward, vocabulary, threads, progress, [&quantiser](std::uint32_t slot, float weight) {
            if (weight > quantiser.largest(slot)) return 0.0F;  // it is apart
            const double restored = quantiser.step(slot) * quantiser.impact(slot, weight);
            const auto error = static_cast<float>(std::fabs(static_cast<double>(weight) - restored));
            return std::nextafter(error, std::numeric_limits<float>::infinity());
        });
    quantiser.errors_ = std::move(errors.buffer);
    return quantiser;
}

void Quantiser::save(SectionList& sections) const {
    sections.add("quantiser/maxima", maxima_);
    sections.add("quantiser/errors", errors_);
    outliers_.save(sections);
}

Quantiser Quantiser::load(const IndexFile& file, std::size_t n_slots, std::size_t n_docs) {
    Quantiser quantiser;
    quantiser.maxima_ = file.section<float>("quantiser/maxima");
    quantiser.errors_ = file.section<float>("quantiser/errors", quantiser.maxima_.size());
    file.require(quantiser.maxima_.size() <= n_slots && (quantiser.maxima_.size() > 0 || n_slots == 0),
                 "the quantiser has another number of scales than there are slots");
    const auto all_in_range = [](const Buffer<float>& values) {
        return std::all_of(values.items().begin(), values.items().end(),
                           [](float value) { return value >= 0 && std::isfinite(value); });
    };
    file.require(all_in_range(quantiser.maxima_) && all_in_range(quantiser.errors_),
                 "the quantiser's scales are not finite and >= 0");
    quantiser.outliers_ = OutlierPostings::load(file, n_slots, n_docs);
    return quantiser;
}

}  // namespace thresher
