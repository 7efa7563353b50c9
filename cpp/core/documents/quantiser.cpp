#include "quantiser.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace thresher {

namespace {

constexpr std::size_t kRowsPerTask = 8192;
constexpr std::size_t kPostingsAtATime = 65536;  // between two interruption points

// The element-wise maximum over all postings of value(slot, weight). A maximum does not depend on the order.
template <class Value>
Buffer<float> maximum_by_slot(const CsrView& docs, const Vocabulary& vocabulary, unsigned threads, Progress& progress,
                              const Value& value) {
    const std::size_t n_slots = vocabulary.n_slots();
    const std::size_t affordable = 1 + docs.nnz() / std::max<std::size_t>(n_slots, 1);
    const unsigned workers = worker_count(threads, std::min(affordable, docs.n_rows() / kRowsPerTask + 1));
    std::vector<std::vector<float>> maxima(workers);
    parallel_for_rows(
        docs.n_rows(), kRowsPerTask, workers, progress, [&](std::size_t begin, std::size_t end, unsigned worker) {
            auto& mine = maxima[worker];
            mine.resize(n_slots);
            const auto first = static_cast<std::size_t>(docs.indptr[begin]);
            const auto last = static_cast<std::size_t>(docs.indptr[end]);
            for (std::size_t p = first; p < last; ++p) {
                if (p % kPostingsAtATime == 0) interruption_point(kPostingsAtATime);
                const auto [slot, weight] = vocabulary.posting(read_once(docs.terms[p]), read_once(docs.weights[p]));
                bool canonical = slot != kNoSlot;
                canonical &= weight > 0;
                canonical &= weight <= std::numeric_limits<float>::max();
                if (!canonical) reject_changed("docs");
                mine[slot] = std::max(mine[slot], value(slot, weight));
            }
        });
    Filling<float> result(n_slots);
    for (const auto& mine : maxima) {
        for (std::size_t slot = 0; slot < mine.size(); ++slot) {
            result.items[slot] = std::max(result.items[slot], mine[slot]);
        }
    }
    return std::move(result.buffer);
}

}  // namespace

Quantiser Quantiser::build(const CsrView& docs, const Vocabulary& vocabulary, unsigned threads, Progress& progress) {
    Quantiser quantiser;
    quantiser.maxima_ =
        maximum_by_slot(docs, vocabulary, threads, progress, [](std::uint32_t, float weight) { return weight; });
    quantiser.errors_ =
        maximum_by_slot(docs, vocabulary, threads, progress, [&quantiser](std::uint32_t slot, float weight) {
            const double restored = quantiser.step(slot) * quantiser.impact(slot, weight);
            const auto error = static_cast<float>(std::fabs(static_cast<double>(weight) - restored));
            return std::nextafter(error, std::numeric_limits<float>::infinity());
        });
    return quantiser;
}

void Quantiser::save(SectionList& sections) const {
    sections.add("quantiser/maxima", maxima_);
    sections.add("quantiser/errors", errors_);
}

Quantiser Quantiser::load(const IndexFile& file, std::size_t n_slots) {
    Quantiser quantiser;
    quantiser.maxima_ = file.section<float>("quantiser/maxima", n_slots);
    quantiser.errors_ = file.section<float>("quantiser/errors", n_slots);
    const auto all_in_range = [](const Buffer<float>& values) {
        return std::all_of(values.items().begin(), values.items().end(),
                           [](float value) { return value >= 0 && std::isfinite(value); });
    };
    file.require(all_in_range(quantiser.maxima_) && all_in_range(quantiser.errors_),
                 "the quantiser's scales are not finite and >= 0");
    return quantiser;
}

}  // namespace thresher
