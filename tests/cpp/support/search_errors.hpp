// What a search, and an order to store documents in, are refused for.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "support/brute_force.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"

namespace thresher::test {

// The message for a search of an index of one term, which is the same for a batch and for one query.
template <class Engine, class Params>
std::string error_of_search(const Engine& index, const Params& params, std::size_t k = 1) {
    Hits hits(1, k);
    const Rows query = rows_of(1, {{{0, 1.0F}}});
    const std::string batch = error_of([&] { index.search(query.view(), {k, 1, nullptr}, params, hits.view()); });
    EXPECT_EQ(error_of([&] { index.search_one(query.terms, query.weights, params, hits.view()); }), batch);
    return batch;
}

// `build(order)` stores two documents in an order.
template <class Build>
void expect_orders_to_be_checked(const Build& build) {
    const auto ordered = [&](const std::vector<std::uint32_t>& order) { return error_of([&] { build(order); }); };
    EXPECT_EQ(ordered({0}), "reorder: 1 documents; there are 2");
    EXPECT_EQ(ordered({}), "reorder: 0 documents; there are 2");
    EXPECT_EQ(ordered({0, 2}), "reorder: 2 is not a document; there are 2");
    EXPECT_EQ(ordered({1, 1}), "reorder: document 1 occurs twice");
    EXPECT_EQ(ordered({1, 0}), "no error");
}

}  // namespace thresher::test
