// Collections, and queries for them, on which each engine must find what a brute force finds: of few and of many
// documents and terms, with ties, with weights and scores of every magnitude, with what is missing or not in order.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "support/brute_force.hpp"
#include "support/random_rows.hpp"

namespace thresher::test {

struct Trial {
    Rows docs;
    Rows queries;
    Sums sums;
};
using Trials = std::vector<Trial>;

// Weights of any power of two from 2^-60 to 2^60; of the least float32 numbers; and so large that the sum of a few
// products with usual weights is just finite.
inline float any_magnitude(Random& random) {
    return std::ldexp(1.0F + static_cast<float>(unit(random)), static_cast<int>(uniform(random, -60, 60)));
}
inline float subnormal_weight(Random& random) {
    return static_cast<float>(uniform(random, 1, 100)) * std::numeric_limits<float>::denorm_min();
}
inline float largest_weight(Random& random) { return 0x1p120F * static_cast<float>(1 + unit(random)); }

inline Trials exact_sums() {
    Random random(1);
    Trials trials;
    for (const std::size_t n_docs : {1, 2, 3, 7, 63, 64, 65, 127, 128, 129, 513, 1500}) {
        Rows queries = random_rows(random, 6, 300, 6, dyadic_weight);
        add_rows(queries, random_rows(random, 6, 300, 6, signed_dyadic));
        trials.push_back({random_rows(random, n_docs, 300, 8, dyadic_weight), queries, Sums::exact});
    }
    return trials;
}

inline Trials real_weights() {
    Random random(2);
    Trials trials;
    for (const std::size_t n_docs : {50, 1500}) {
        Rows queries = random_rows(random, 8, 300, 8, real_weight);
        add_rows(queries, random_rows(random, 8, 300, 8, signed_real));
        add_rows(queries, random_rows(random, 4, 300, 1, real_weight));  // a term or none
        trials.push_back({random_rows(random, n_docs, 300, 10, real_weight), queries, Sums::rounded});
    }
    return trials;
}

// Sixty copies of twelve documents.
inline Trials ties() {
    Random random(3);
    const Rows originals = random_rows(random, 12, 40, 5, dyadic_weight);
    Rows docs;
    docs.n_terms = 40;
    for (int copy = 0; copy < 60; ++copy) {
        for (std::size_t row = 0; row < originals.n_rows(); ++row) docs.add(row_of(originals, row));
    }
    return {{docs, random_rows(random, 6, 40, 5, signed_dyadic), Sums::exact}};
}

inline Trials ties_of_rounded_scores() {
    Rows docs;
    docs.n_terms = 2;
    for (int doc = 0; doc < 700; ++doc) {
        docs.add(Row{{0, 1.0F}, {1, static_cast<float>(doc % 7) * 0x1p-30F + 0x1p-40F}});
    }
    return {{docs, rows_of(2, {{{0, 1.0F}, {1, 1.0F}}, {{0, 1.0F}, {1, -1.0F}}}), Sums::exact}};
}

// Scores are float32: many that differ before they are rounded tie below its least number and beyond its greatest.
inline Trials ties_at_the_ends_of_float32() {
    Random random(15);
    Trials trials;
    for (const float weight : {0x1p-149F, 0x1p127F}) {  // scores of the second are infinite, but for a few
        trials.push_back(
            {random_rows(random, 700, 3, 2, real_weight), rows_of(3, {{{0, weight}, {1, weight}}}), Sums::exact});
    }
    return trials;
}

inline Trials equal_weights() {
    Random random(4);
    const auto one = [](Random&) { return 1.0F; };
    const Rows docs = random_rows(random, 1000, 60, 6, one);
    return {{docs, random_rows(random, 8, 60, 4, one), Sums::exact},
            {docs, rows_of(60, {{{0, -1.0F}, {1, 1.0F}}, {{0, 1e-30F}}, {{0, 1e30F}, {5, 1e30F}}}), Sums::rounded}};
}

inline Trials equal_documents() {
    const Rows docs = rows_of(9, std::vector<Row>(700, Row{{1, 2.0F}, {4, 0.5F}, {8, 0.125F}}));
    return {{docs, rows_of(9, {{{1, 1.0F}}, {{4, 1.0F}, {8, -1.0F}}, {{1, 1.0F}, {4, -4.0F}}, {}}), Sums::exact}};
}

inline Trials one_huge_weight() {
    Random random(5);
    Rows docs = random_rows(random, 800, 60, 6, real_weight);
    docs.weights[docs.weights.size() / 2] = 1e30F;  // its term's other weights all become impact 1
    docs.weights[docs.weights.size() / 3] = 1e-38F;
    const Rows light = rows_of(2, {{{0, 1e30F}}, {{0, 1e-10F}}, {{1, 1.0F}}});  // lost if rounded with the huge one
    return {{docs, random_rows(random, 10, 60, 12, signed_real), Sums::rounded},
            {light, rows_of(2, {{{0, 1.0F}, {1, 1.0F}}}), Sums::exact}};
}

inline Trials one_huge_query_weight() {
    Random random(6);
    const Rows docs = random_rows(random, 800, 60, 6, real_weight);
    return {{docs,
             rows_of(60, {{{0, 1e-6F}, {1, 1e6F}, {2, 1e-3F}, {50, 1.0F}},
                          {{0, 1e-6F}, {1, -1e6F}, {2, 1e-3F}, {50, 1.0F}},
                          {{0, 1e-20F}, {1, -1e15F}, {3, -1e-20F}}}),
             Sums::rounded}};
}

inline Trials weights_of_every_magnitude() {
    Random random(7);
    const Rows queries = random_rows(random, 5, 80, 6, any_magnitude);
    Trials trials;
    for (const std::size_t n_docs : {30, 600}) {
        trials.push_back({random_rows(random, n_docs, 80, 6, any_magnitude), queries, Sums::rounded});
        trials.push_back({random_rows(random, n_docs, 80, 6, subnormal_weight), queries, Sums::rounded});
        trials.push_back({random_rows(random, n_docs, 80, 6, largest_weight),
                          random_rows(random, 5, 80, 6, real_weight), Sums::rounded});
    }
    return trials;
}

inline Trials a_term_in_every_document() {
    Random random(8);
    Rows docs;
    docs.n_terms = 50;
    for (int doc = 0; doc < 900; ++doc) {
        auto row = random_row(random, 50, 4, dyadic_weight);
        row[49] = dyadic_weight(random);
        docs.add(row);
    }
    return {{docs, rows_of(50, {{{49, 1.0F}}, {{49, -1.0F}}, {{49, 0.5F}, {3, -2.0F}}, {{49, -0.25F}, {0, 1.0F}}}),
             Sums::exact}};
}

inline Trials empty_rows_and_columns() {
    Rows docs;
    docs.n_terms = 100;
    for (int doc = 0; doc < 300; ++doc) {
        docs.add(doc % 3 == 0 ? Row{{10, 1.0F + static_cast<float>(doc)}, {90, 1.0F}} : Row{});
    }
    return {{docs, rows_of(100, {{}, {{0, 1.0F}}, {{10, 1.0F}}, {{10, -1.0F}, {90, 200.0F}}, {{5, 1.0F}, {90, 1.0F}}}),
             Sums::exact}};
}

inline Trials terms_of_one_document() {
    Rows docs;
    docs.n_terms = 300;
    for (std::uint32_t doc = 0; doc < 300; ++doc) docs.add(Row{{doc, static_cast<float>(1 + doc % 5)}});
    Row all;
    for (std::uint32_t term = 0; term < 300; ++term) all.emplace_back(term, term % 3 == 0 ? -1.0F : 1.0F);
    return {{docs, rows_of(300, {all, {{299, 1.0F}}, {{0, -1.0F}}}), Sums::exact}};
}

// Thirty kinds of documents, of terms of their own.
inline Trials groups_that_share_no_term() {
    Random random(9);
    Rows docs;
    docs.n_terms = 300;
    for (std::uint32_t doc = 0; doc < 300; ++doc) {
        Row row;
        for (const auto& [term, weight] : random_row(random, 10, 4, dyadic_weight)) {
            row.emplace_back(10 * (doc % 30) + term, weight);
        }
        docs.add(row);
    }
    return {{docs, random_rows(random, 10, 300, 10, signed_dyadic), Sums::exact}};
}

// Queries of `n` terms, most of them of documents.
inline Rows queries_of(Random& random, const Rows& docs, std::size_t n_queries, std::size_t n) {
    Rows queries;
    queries.n_terms = docs.n_terms;
    for (std::size_t query = 0; query < n_queries; ++query) {
        std::map<std::uint32_t, float> row{{123, 1.0F}};
        for (std::size_t i = 0; i < n; ++i) row[docs.terms[random() % docs.terms.size()]] = signed_dyadic(random);
        queries.add(row);
    }
    return queries;
}

inline Trials hundreds_of_query_terms_and_large_term_ids() {
    Random random(10);
    Rows docs = random_rows(random, 500, (std::uint64_t{1} << 32) - 1, 10, dyadic_weight);
    docs.add(Row{{0, 1.0F}, {4294967294U, 3.0F}});
    Rows queries = queries_of(random, docs, 4, 600);
    queries.add(Row{{4294967294U, 1.0F}});
    return {{docs, queries, Sums::exact}};
}

// 70,000 terms in the first 350 documents; weights that are halves, and that are not.
inline Trials more_terms_than_16_bits_number() {
    Random random(11);
    Trials trials;
    for (const float more : {0.0F, 0.1F}) {
        Rows docs;
        docs.n_terms = 3'000'000'000;
        for (std::uint32_t doc = 0; doc < 350; ++doc) {
            Row row;
            for (std::uint32_t i = 0; i < 200; ++i) {
                row.emplace_back(40'000 * (200 * doc + i), more + dyadic_weight(random));
            }
            docs.add(row);
        }
        for (int doc = 0; doc < 350; ++doc) {
            std::map<std::uint32_t, float> row;
            for (int i = 0; i < 30; ++i) {
                row[40'000 * static_cast<std::uint32_t>(random() % 70'000)] = more + dyadic_weight(random);
            }
            docs.add(row);
        }
        trials.push_back({docs, queries_of(random, docs, 4, 50), more == 0 ? Sums::exact : Sums::rounded});
    }
    return trials;
}

// Codes of sparse autoencoders: every term frequent, none rare.
inline Trials codes_with_256_of_4096_dimensions() {
    Random random(12);
    const auto codes = [&](std::size_t n) {
        Rows rows;
        rows.n_terms = 4096;
        for (std::size_t row = 0; row < n; ++row) {
            std::map<std::uint32_t, float> code;
            while (code.size() < 256) {
                code.emplace(static_cast<std::uint32_t>(random() % 4096), dyadic_weight(random));
            }
            rows.add(code);
        }
        return rows;
    };
    const Rows docs = codes(300);
    return {{docs, codes(3), Sums::exact}};
}

// Frequent terms, most of them of small weight: each document has most of what each query asks for.
inline Trials sums_of_many_terms() {
    Random random(13);
    Rows docs;
    docs.n_terms = 60;
    for (int doc = 0; doc < 700; ++doc) {
        Row row;
        for (std::uint32_t term = 0; term < 60; ++term) {
            if (uniform(random, 0, 9) != 0) row.emplace_back(term, 8.0F + dyadic_weight(random) / 4);
        }
        docs.add(row);
    }
    Rows queries = random_rows(random, 3, 60, 200, [](Random&) { return 1.0F; });
    queries.add(random_row(random, 60, 1000, dyadic_weight));
    Rows uneven;
    uneven.n_terms = 30;
    for (int doc = 0; doc < 1500; ++doc) {
        Row row;
        for (std::uint32_t term = 0; term < 30; ++term) {
            if (unit(random) < (term < 20 ? 0.4 : 0.01)) row.emplace_back(term, dyadic_weight(random));
        }
        uneven.add(row);
    }
    return {{docs, queries, Sums::exact}, {uneven, random_rows(random, 10, 30, 15, dyadic_weight), Sums::exact}};
}

inline Trials rows_that_are_not_canonical() {
    return {{rows_of(9, {{{8, 1.0F}, {2, 2.0F}, {8, 3.0F}}, {{2, 0.0F}}, {{4, 1.0F}, {0, 1.0F}}}),
             rows_of(9, {{{8, 2.0F}, {2, 1.0F}, {8, -1.0F}}, {{4, 1.0F}, {0, 5.0F}, {4, -1.0F}}}), Sums::exact}};
}

inline Trials queries_of_negative_weights_only() {
    Random random(14);
    const auto negative = [](Random& source) { return -dyadic_weight(source); };
    const Rows docs = random_rows(random, 700, 50, 6, dyadic_weight);
    return {{docs, random_rows(random, 6, 50, 5, negative), Sums::exact}};
}

// Terms of both signs and of one, documents of positive weights, of negative ones alone, and of both.
inline Trials signed_documents() {
    Random random(17);
    Trials trials;
    for (const std::size_t n_docs : {1, 2, 65, 700, 1500}) {
        Rows docs = random_rows(random, n_docs, 200, 10, signed_dyadic);
        add_rows(docs, random_rows(random, n_docs / 3, 200, 10, dyadic_weight));
        add_rows(docs, random_rows(random, n_docs / 3, 200, 10, [](Random& source) { return -dyadic_weight(source); }));
        for (std::size_t p = 0; p < docs.terms.size(); ++p) {
            if (docs.terms[p] % 5 == 1) docs.weights[p] = std::fabs(docs.weights[p]);
            if (docs.terms[p] % 5 == 2) docs.weights[p] = -std::fabs(docs.weights[p]);
        }
        Rows queries = random_rows(random, 4, 200, 10, dyadic_weight);
        add_rows(queries, random_rows(random, 4, 200, 10, signed_dyadic));
        add_rows(queries, random_rows(random, 4, 200, 1, signed_dyadic));
        trials.push_back({docs, queries, Sums::exact});
    }
    trials.push_back({rows_of(2, {{{0, 1.0F}, {1, -2.0F}}, {{0, 1.0F}}, {{1, -1.0F}}}),
                      rows_of(2, {{{0, 1.0F}, {1, 1.0F}}, {{1, -1.0F}}, {{0, -1.0F}}}), Sums::exact});
    return trials;
}

inline Trials signed_documents_of_real_weights() {
    Random random(18);
    return {{random_rows(random, 1200, 100, 15, signed_real), random_rows(random, 10, 100, 15, signed_real),
             Sums::rounded}};
}

inline Trials documents_of_negative_weights_only() {
    Random random(19);
    const auto negative = [](Random& source) { return -dyadic_weight(source); };
    Rows queries = random_rows(random, 5, 50, 5, dyadic_weight);  // which nothing answers
    add_rows(queries, random_rows(random, 5, 50, 5, negative));
    add_rows(queries, random_rows(random, 5, 50, 5, signed_dyadic));
    return {{random_rows(random, 700, 50, 6, negative), queries, Sums::exact}};
}

inline Trials signed_documents_of_every_magnitude() {
    Random random(20);
    const auto of_any_sign = [](Random& source) { return any_magnitude(source) * random_sign(source); };
    return {{random_rows(random, 600, 80, 6, of_any_sign), random_rows(random, 6, 80, 6, of_any_sign), Sums::rounded}};
}

inline Trials signed_documents_of_large_term_ids() {
    Random random(21);
    Rows docs = random_rows(random, 500, (std::uint64_t{1} << 32) - 1, 10, signed_dyadic);
    docs.add(Row{{0, -1.0F}, {4294967294U, 3.0F}});
    docs.add(Row{{0, 1.0F}, {4294967294U, -3.0F}});
    Rows queries = queries_of(random, docs, 4, 600);
    queries.add(Row{{0, 1.0F}, {4294967294U, -1.0F}});
    return {{docs, queries, Sums::exact}};
}

// One document in each twelve has the term, with an impact of 100 for a weight of 100.45.
inline Trials weights_that_their_impacts_understate() {
    Trials trials;
    for (const int best : {0, 99}) {
        Rows docs;
        docs.n_terms = 1;
        for (int doc = 0; doc < 1200; ++doc) {
            docs.add(doc % 12 == 0 ? Row{{0, doc == 12 * best ? 100.484375F : 100.453125F}} : Row{});
        }
        docs.add(Row{{0, 255.0F}});
        trials.push_back({docs, rows_of(1, {{{0, 1.0F}}}), Sums::exact});
    }
    return trials;
}

// Several windows and superblocks of documents, with terms frequent and rare: some lists are so long that a cutoff is
// learned before they are read.
inline Trial many_windows() {
    Random random(16);
    const Rows docs = random_rows(random, 140'000, 400, 3, dyadic_weight);
    Rows queries = random_rows(random, 4, 400, 8, dyadic_weight);
    queries.add(Row{{0, 1.0F}, {1, 2.0F}, {2, 1.0F}});
    queries.add(Row{{390, 1.0F}, {395, 2.0F}});
    queries.add(Row{{0, 1.0F}, {1, -2.0F}, {300, 5.0F}});
    return {docs, queries, Sums::exact};
}

struct NamedTrials {
    std::string_view name;
    Trials (*make)();
};

inline constexpr NamedTrials kTrials[]{
    {"ExactSums", exact_sums},
    {"RealWeights", real_weights},
    {"Ties", ties},
    {"TiesOfRoundedScores", ties_of_rounded_scores},
    {"TiesAtTheEndsOfFloat32", ties_at_the_ends_of_float32},
    {"EqualWeights", equal_weights},
    {"EqualDocuments", equal_documents},
    {"OneHugeWeight", one_huge_weight},
    {"OneHugeQueryWeight", one_huge_query_weight},
    {"WeightsOfEveryMagnitude", weights_of_every_magnitude},
    {"ATermInEveryDocument", a_term_in_every_document},
    {"EmptyRowsAndColumns", empty_rows_and_columns},
    {"TermsOfOneDocument", terms_of_one_document},
    {"GroupsThatShareNoTerm", groups_that_share_no_term},
    {"HundredsOfQueryTermsAndLargeTermIds", hundreds_of_query_terms_and_large_term_ids},
    {"MoreTermsThan16BitsNumber", more_terms_than_16_bits_number},
    {"CodesWith256Of4096Dimensions", codes_with_256_of_4096_dimensions},
    {"SumsOfManyTerms", sums_of_many_terms},
    {"WeightsThatTheirImpactsUnderstate", weights_that_their_impacts_understate},
    {"RowsThatAreNotCanonical", rows_that_are_not_canonical},
    {"QueriesOfNegativeWeightsOnly", queries_of_negative_weights_only},
    {"SignedDocuments", signed_documents},
    {"SignedDocumentsOfRealWeights", signed_documents_of_real_weights},
    {"DocumentsOfNegativeWeightsOnly", documents_of_negative_weights_only},
    {"SignedDocumentsOfEveryMagnitude", signed_documents_of_every_magnitude},
    {"SignedDocumentsOfLargeTermIds", signed_documents_of_large_term_ids},
};

}  // namespace thresher::test
