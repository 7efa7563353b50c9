#include "collection_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "forward_index.hpp"
#include "vocabulary.hpp"

namespace thresher {

namespace {

// The document frequencies of a collection that is `growth` times the size of `docs`, whose terms `vocabulary` has.
std::vector<double> frequencies_at(double growth, const CsrView& docs, const Vocabulary& vocabulary, unsigned threads,
                                   Progress& progress) {
    std::vector<double> frequencies;
    frequencies.reserve(vocabulary.n_slots());
    vocabulary.for_each_class([&](std::uint32_t frequency, std::uint32_t first, std::uint32_t end) {
        frequencies.insert(frequencies.end(), end - first, growth * frequency);
    });
    if (growth == 1) return frequencies;
    const std::size_t half = docs.n_rows() / 2;
    const std::size_t half_nnz = half == 0 ? 0 : static_cast<std::size_t>(docs.indptr[half]);
    double power = 0;
    if (half_nnz > 0) {
        const CsrView part{docs.n_terms, docs.indptr.first(half + 1), docs.terms.first(half_nnz),
                           docs.weights.first(half_nnz)};
        const double n_before = Vocabulary::build(part, threads, progress).n_slots();
        power = std::log(vocabulary.n_slots() / n_before) /
                std::log(static_cast<double>(docs.n_rows()) / static_cast<double>(half));
    }
    const double grown = std::round(static_cast<double>(vocabulary.n_slots()) * std::pow(growth, power));
    const double most = static_cast<double>(docs.n_terms) * (vocabulary.is_signed() ? 2 : 1);
    const auto n_slots = static_cast<std::size_t>(std::min(grown, most));
    if (growth < 1) {
        frequencies.resize(std::min(n_slots, frequencies.size()));
        for (double& frequency : frequencies) frequency = std::max(frequency, 1.0);
    } else if (n_slots > frequencies.size()) {
        frequencies.resize(n_slots, 1.0);  // new terms are as rare as those that were seen once are now
    }
    return frequencies;
}

}  // namespace

std::uint32_t CollectionStatistics::n_with(double min) const noexcept {
    const auto end = std::ranges::partition_point(frequencies, [min](double frequency) { return frequency >= min; });
    return static_cast<std::uint32_t>(end - frequencies.begin());
}

std::uint32_t CollectionStatistics::n_frequent(double frequency, std::size_t of_docs) const noexcept {
    return n_with(Vocabulary::min_documents(frequency, of_docs));
}

double CollectionStatistics::postings(std::uint32_t first, std::uint32_t last) const noexcept {
    if (first >= last) return 0;
    return std::accumulate(frequencies.begin() + first, frequencies.begin() + last, 0.0);
}

double CollectionStatistics::postings(std::uint32_t first, std::uint32_t last, double max) const noexcept {
    double n = 0;
    for (std::uint32_t slot = first; slot < last; ++slot) n += std::min(frequencies[slot], max);
    return n;
}

CollectionStatistics CollectionStatistics::of(const CsrView& docs, std::size_t n_docs, unsigned threads,
                                              Progress& progress) {
    CollectionStatistics statistics;
    statistics.n_docs = n_docs;
    statistics.n_terms = docs.n_terms;
    const auto vocabulary = Vocabulary::build(docs, threads, progress);
    statistics.is_signed = vocabulary.is_signed();
    const double growth = static_cast<double>(n_docs) / static_cast<double>(docs.n_rows());
    statistics.frequencies = frequencies_at(growth, docs, vocabulary, threads, progress);
    ForwardIndex::describe(docs, vocabulary, threads, progress, statistics);
    return statistics;
}

}  // namespace thresher
