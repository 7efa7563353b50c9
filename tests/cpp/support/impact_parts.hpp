// The parts that a search by impact is made of, and collections of more windows than one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "core/documents/quantiser.hpp"
#include "core/documents/stored_documents.hpp"
#include "core/impact/anytime_search.hpp"
#include "core/impact/impact_levels.hpp"
#include "support/random_rows.hpp"

namespace thresher::test {

struct ImpactParts {
    explicit ImpactParts(const Rows& docs, unsigned threads = 1) {
        Progress progress = silent();
        vocabulary = Vocabulary::build(docs.view(), threads, progress);
        forward = ForwardIndex::build(GivenDocuments(docs.view(), vocabulary), {}, vocabulary, Precision::full, threads,
                                      progress);
        quantiser = Quantiser::build(forward, vocabulary, threads, progress);
        levels = ImpactLevels::build(forward, vocabulary, quantiser, threads, progress);
    }
    SearchedIndex index() const { return {documents, levels, quantiser}; }
    SlotQuery query(const Rows& queries, std::size_t row) const {
        SlotQuery query;
        query.assign(queries.view(), row, vocabulary);
        return query;
    }

    StoredDocuments documents;
    Vocabulary& vocabulary = documents.vocabulary;
    ForwardIndex& forward = documents.forward;
    Quantiser quantiser;
    ImpactLevels levels;
};

// A posting as the levels have it.
struct LevelledPosting {
    std::uint32_t doc;
    std::uint32_t level;
    bool operator==(const LevelledPosting&) const = default;
};

// A slot's postings: the levels fall within a window, and on each level documents ascend.
inline std::vector<LevelledPosting> postings_of(const ImpactLevels& levels, std::uint32_t slot) {
    std::vector<LevelledPosting> postings;
    if (slot >= levels.n_levelled()) {
        const auto rare = levels.rare(slot);
        for (std::size_t p = 0; p < rare.docs.size(); ++p) postings.push_back({rare.docs[p], rare.impacts[p]});
        return postings;
    }
    for (std::size_t w = 0; w < levels.n_windows(); ++w) {
        const auto window = levels.window(w, slot);
        std::uint32_t p = 0;
        for (std::uint32_t level = ImpactLevels::kLevels; level >= 1; --level) {
            for (; p < window.end(level); ++p) {
                const auto first = static_cast<std::uint32_t>(w * ImpactLevels::kWindow);
                postings.push_back({first + window.docs()[p], level});
            }
        }
    }
    return postings;
}

// `n_docs` documents, of which about `n_filled` have terms: those at the ends of windows and others anywhere.
template <class Weight>
Rows scattered_rows(Random& random, std::size_t n_docs, std::size_t n_filled, std::uint64_t n_terms,
                    std::size_t mean_length, const Weight& weight) {
    std::set<std::size_t> filled;
    for (const std::size_t edge : {std::size_t{0}, std::size_t{65472}, std::size_t{65536}, 2 * std::size_t{65472}}) {
        for (std::size_t doc = edge < 2 ? 0 : edge - 2; doc < edge + 3; ++doc) filled.insert(doc);
    }
    for (std::size_t doc = n_docs < 3 ? 0 : n_docs - 3; doc < n_docs; ++doc) filled.insert(doc);
    while (filled.size() < n_filled) filled.insert(static_cast<std::size_t>(random() % n_docs));
    Rows rows;
    rows.n_terms = n_terms;
    for (std::size_t doc = 0; doc < n_docs; ++doc) {
        if (filled.contains(doc)) {
            rows.add(random_row(
                random, n_terms,
                static_cast<std::size_t>(uniform(random, 1, 2 * static_cast<std::int64_t>(mean_length))), weight));
        } else {
            rows.add(Row{});
        }
    }
    return rows;
}

}  // namespace thresher::test
