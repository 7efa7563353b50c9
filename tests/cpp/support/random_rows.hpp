// Seeded random sparse rows, and rows written out by hand.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/documents/csr.hpp"

namespace thresher::test {

using Random = std::mt19937_64;

// From low to high, both included.
inline std::int64_t uniform(Random& random, std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

// In [0, 1).
inline double unit(Random& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

// Multiples of 1/16 up to 16: exact in float16, and sums of their products are exact in double in any order.
inline float dyadic_weight(Random& random) { return static_cast<float>(uniform(random, 1, 256)) / 16.0F; }
inline float real_weight(Random& random) { return static_cast<float>(1e-3 + 3.0 * unit(random) * unit(random)); }
inline float random_sign(Random& random) { return uniform(random, 0, 2) == 0 ? -1.0F : 1.0F; }
inline float signed_dyadic(Random& random) { return dyadic_weight(random) * random_sign(random); }
inline float signed_real(Random& random) { return real_weight(random) * random_sign(random); }

// Owns what a CsrView borrows.
struct Rows {
    std::uint64_t n_terms = 0;
    std::vector<std::int64_t> indptr{0};
    std::vector<std::uint32_t> terms;
    std::vector<float> weights;

    std::size_t n_rows() const { return indptr.size() - 1; }
    CsrView view() const { return {n_terms, indptr, terms, weights}; }

    template <class Row>
    void add(const Row& row) {
        for (const auto& [term, weight] : row) {
            terms.push_back(term);
            weights.push_back(weight);
        }
        indptr.push_back(static_cast<std::int64_t>(terms.size()));
    }
};

using Row = std::vector<std::pair<std::uint32_t, float>>;

inline Rows rows_of(std::uint64_t n_terms, const std::vector<Row>& rows) {
    Rows result;
    result.n_terms = n_terms;
    for (const Row& row : rows) result.add(row);
    return result;
}

inline Row row_of(const Rows& rows, std::size_t row) {
    Row result;
    for (std::size_t i = 0; i < rows.view().row_size(row); ++i) {
        result.emplace_back(rows.view().row_terms(row)[i], rows.view().row_weights(row)[i]);
    }
    return result;
}

inline void add_rows(Rows& rows, const Rows& more) {
    for (std::size_t row = 0; row < more.n_rows(); ++row) rows.add(row_of(more, row));
}

// A row of about `length` distinct ascending terms; small terms are frequent and large ones rare.
template <class Weight>
std::map<std::uint32_t, float> random_row(Random& random, std::uint64_t n_terms, std::size_t length,
                                          const Weight& weight) {
    std::map<std::uint32_t, float> row;
    for (std::size_t i = 0; i < length; ++i) {
        const double skewed = std::pow(unit(random), 4.0);
        row.emplace(static_cast<std::uint32_t>(skewed * static_cast<double>(n_terms)), weight(random));
    }
    return row;
}

// Canonical rows of 0 to 2 * mean_length terms.
template <class Weight>
Rows random_rows(Random& random, std::size_t n_rows, std::uint64_t n_terms, std::size_t mean_length,
                 const Weight& weight) {
    Rows rows;
    rows.n_terms = n_terms;
    for (std::size_t row = 0; row < n_rows; ++row) {
        const auto length = n_terms == 0 ? 0 : uniform(random, 0, static_cast<std::int64_t>(2 * mean_length));
        rows.add(random_row(random, n_terms, static_cast<std::size_t>(length), weight));
    }
    return rows;
}

// The numbers below n in an order of their own.
inline std::vector<std::uint32_t> shuffled(std::size_t n) {
    Random random(n);
    std::vector<std::uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0U);
    std::shuffle(order.begin(), order.end(), random);
    return order;
}

// The progress of a call that nobody listens to.
inline Progress silent() { return {nullptr, 1, 0}; }

}  // namespace thresher::test
