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

// The element-wise maximum over all postings of value(slot, weight). A maximum does not depend on the order.
template <class Value>
Filling<float> maximum_by_slot(const ForwardIndex& forward, const Vocabulary& vocabulary, unsigned threads,
                               Progress& progress, const Value& value) {
    const auto maxima = for_each_posting<std::vector<float>>(
        forward, vocabulary.n_slots(), threads, progress,
        [&](std::vector<float>& mine, std::uint32_t, std::uint32_t slot, float weight) {
            mine[slot] = std::max(mine[slot], value(slot, weight));
        });
    Filling<float> result(vocabulary.n_slots());
    for (const auto& mine : maxima) {
        for (std::size_t slot = 0; slot < mine.size(); ++slot) {
            result.items[slot] = std::max(result.items[slot], mine[slot]);
        }
    }
    return result;
}

// The heaviest postings of a term: all that may be apart, and one more.
class Heaviest {
  public:
    void add(float weight, std::uint32_t row) noexcept {
        if (n_ == postings_.size() && weight <= postings_.back().weight) return;
        std::size_t at = n_ < postings_.size() ? n_++ : n_ - 1;
        for (; at > 0 && postings_[at - 1].weight < weight; --at) postings_[at] = postings_[at - 1];
        postings_[at] = {weight, row};
    }
    void add(const Heaviest& other) noexcept {
        for (std::size_t i = 0; i < other.n_; ++i) add(other.postings_[i].weight, other.postings_[i].row);
    }
    float weight(std::size_t i) const noexcept { return i < n_ ? postings_[i].weight : 0; }
    std::uint32_t row(std::size_t i) const noexcept { return postings_[i].row; }
    // How many are apart: as many as can be.
    std::size_t n_apart(float usual) const noexcept {
        for (std::size_t n = std::min(n_, kMaxOutliers); n > 0; --n) {
            const auto others = static_cast<double>(std::max(weight(n), usual));
            if (others > 0 && static_cast<double>(weight(n - 1)) > kFarAbove * others) return n;
        }
        return 0;
    }

  private:
    struct Posting {
        float weight;
        std::uint32_t row;
    };
    std::array<Posting, kMaxOutliers + 1> postings_{};  // falling
    std::size_t n_ = 0;
};

// Of the largest weights of terms, how many postings these have, by an eighth of an octave.
class WeightHistogram {
  public:
    WeightHistogram(std::span<const float> maxima, const Vocabulary& vocabulary) : counts_(bucket_of(kInfinity) + 1) {
        for (std::uint32_t slot = 0; slot < maxima.size(); ++slot) {
            counts_[bucket_of(maxima[slot])] += vocabulary.document_frequency(slot);
            total_ += vocabulary.document_frequency(slot);
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
    const WeightHistogram histogram(maxima, vocabulary);
    const float usual_of_all = histogram.usual(0, 0);
    std::vector<std::uint32_t> suspects;  // slots that may have outliers
    std::vector<std::uint32_t> places(maxima.size(), kNoSlot);
    for (std::uint32_t slot = 0; slot < maxima.size(); ++slot) {
        const bool is_heavy = static_cast<double>(maxima[slot]) > kFarAbove * static_cast<double>(usual_of_all);
        if (!is_heavy && !histogram.is_large_part(vocabulary.document_frequency(slot))) continue;
        places[slot] = static_cast<std::uint32_t>(suspects.size());
        suspects.push_back(slot);
    }
    if (suspects.empty()) return {};
    Progress silent(progress.monitor());
    const auto found = for_each_posting<std::vector<Heaviest>>(
        forward, suspects.size(), threads, silent,
        [&](std::vector<Heaviest>& mine, std::uint32_t row, std::uint32_t slot, float weight) {
            if (places[slot] != kNoSlot) mine[places[slot]].add(weight, row);
        });
    std::vector<OutlierPostings::Posting> postings;
    for (std::size_t place = 0; place < suspects.size(); ++place) {
        interruption_point(kMaxOutliers * found.size());
        Heaviest heaviest;
        for (const auto& mine : found) heaviest.add(mine[place]);
        // A term that most postings are of is not measured by itself.
        const std::uint32_t slot = suspects[place];
        const std::uint64_t n_own = vocabulary.document_frequency(slot);
        const float usual = histogram.is_large_part(n_own) ? histogram.usual(maxima[slot], n_own) : usual_of_all;
        const std::size_t n = heaviest.n_apart(usual);
        if (n == 0) continue;
        for (std::size_t i = 0; i < n; ++i) postings.push_back({slot, heaviest.row(i)});
        maxima[slot] = heaviest.weight(n) > 0 ? heaviest.weight(n) : usual;
    }
    return OutlierPostings(std::move(postings));
}

}  // namespace

Quantiser Quantiser::build(const ForwardIndex& forward, const Vocabulary& vocabulary, unsigned threads,
                           Progress& progress) {
    Quantiser quantiser;
    auto maxima =
        maximum_by_slot(forward, vocabulary, threads, progress, [](std::uint32_t, float weight) { return weight; });
    quantiser.outliers_ = set_apart(forward, vocabulary, maxima.items, threads, progress);
    quantiser.maxima_ = std::move(maxima.buffer);
    auto errors =
        maximum_by_slot(forward, vocabulary, threads, progress, [&quantiser](std::uint32_t slot, float weight) {
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
    quantiser.maxima_ = file.section<float>("quantiser/maxima", n_slots);
    quantiser.errors_ = file.section<float>("quantiser/errors", n_slots);
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
