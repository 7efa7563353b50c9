// Packing: as the greedy rule has it, in real numbers and document by document; whatever the weights.
#include "core/documents/packing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <vector>

#include "support/random_rows.hpp"

namespace thresher {
namespace {

using test::Random;
using Documents = std::vector<std::vector<Posting>>;

struct Packed {
    explicit Packed(const Documents& of, std::uint32_t n_slots, std::uint32_t block_size)
        : expected(ExpectedContributions::of({of.size(), source(of)}, n_slots)), order(of.size()) {
        std::iota(order.begin(), order.end(), 0U);
        const PostingSource documents{of.size(), source(of)};
        Packer packer(documents, expected, block_size);
        // In two nodes, the same scratch for both.
        packer.pack(std::span(order).first(of.size() / 2));
        packer.pack(std::span(order).subspan(of.size() / 2));
    }
    static std::function<void(std::size_t, std::vector<Posting>&)> source(const Documents& of) {
        return [&of](std::size_t doc, std::vector<Posting>& into) { into = of[doc]; };
    }

    ExpectedContributions expected;
    std::vector<std::uint32_t> order;
};

// The expected bounds of all blocks together.
double total_bound(const Documents& documents, const ExpectedContributions& expected,
                   const std::vector<std::uint32_t>& order, std::size_t block_size) {
    double total = 0;
    for (std::size_t begin = 0; begin < order.size(); begin += block_size) {
        std::map<std::uint32_t, float> maxima;
        for (std::size_t i = begin; i < std::min(begin + block_size, order.size()); ++i) {
            for (const Posting& posting : documents[order[i]]) {
                maxima[posting.slot] = std::max(maxima[posting.slot], expected.of(posting));
            }
        }
        for (const auto& [slot, max] : maxima) total += static_cast<double>(max);
    }
    return total;
}

// The rule itself, for one node.
std::vector<std::uint32_t> packed_one_by_one(const Documents& documents, const ExpectedContributions& expected,
                                             std::vector<std::uint32_t> left, std::size_t block_size) {
    const auto own = [&](std::uint32_t doc) {
        double sum = 0;
        for (const Posting& posting : documents[doc]) sum += static_cast<double>(expected.of(posting));
        return sum;
    };
    std::stable_sort(left.begin(), left.end(), [&](std::uint32_t a, std::uint32_t b) { return own(a) > own(b); });
    std::vector<std::uint32_t> order;
    std::map<std::uint32_t, float> maxima;
    while (!left.empty()) {
        std::size_t best = 0;
        if (order.size() % block_size == 0) {
            maxima.clear();
        } else {
            double min = std::numeric_limits<double>::infinity();
            for (std::size_t at = 0; at < left.size(); ++at) {
                double raised = 0;
                for (const Posting& posting : documents[left[at]]) {
                    raised += static_cast<double>(std::max(0.0F, expected.of(posting) - maxima[posting.slot]));
                }
                if (raised / own(left[at]) < min) {
                    min = raised / own(left[at]);
                    best = at;
                }
            }
        }
        for (const Posting& posting : documents[left[best]]) {
            maxima[posting.slot] = std::max(maxima[posting.slot], expected.of(posting));
        }
        order.push_back(left[best]);
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(best));
    }
    return order;
}

std::vector<Posting> postings_of(const std::map<std::uint32_t, float>& row) {
    std::vector<Posting> postings;
    for (const auto& [slot, weight] : row) postings.push_back({slot, weight});
    return postings;
}

// Documents of one of `n_topics`: most terms of a document are of its topic, a term of a topic in one in so many.
Documents topics(Random& random, std::size_t n_docs, std::int64_t n_topics) {
    Documents documents;
    for (std::size_t doc = 0; doc < n_docs; ++doc) {
        const std::int64_t topic = test::uniform(random, 0, n_topics - 1);
        std::map<std::uint32_t, float> row;
        for (int i = 0; i < 12; ++i) {
            const std::int64_t of = i < 2 ? test::uniform(random, 0, n_topics - 1) : topic;
            row.emplace(static_cast<std::uint32_t>(of * 20 + test::uniform(random, 0, 19)), test::real_weight(random));
        }
        documents.push_back(postings_of(row));
    }
    return documents;
}

TEST(Packing, PacksAsTheRuleHasIt) {
    Random random(1);
    // Terms that have rows, terms that have lists, and both.
    for (const std::int64_t n_topics : {2, 40, 8}) {
        const Documents documents = topics(random, 400, n_topics);
        const auto n_slots = static_cast<std::uint32_t>(n_topics * 20);
        for (const std::uint32_t block_size : {4U, 16U}) {
            const Packed packed(documents, n_slots, block_size);
            std::vector<std::uint32_t> given(documents.size());
            std::iota(given.begin(), given.end(), 0U);
            auto expected =
                packed_one_by_one(documents, packed.expected, {given.begin(), given.begin() + 200}, block_size);
            const auto second =
                packed_one_by_one(documents, packed.expected, {given.begin() + 200, given.end()}, block_size);
            expected.insert(expected.end(), second.begin(), second.end());
            const double bound = total_bound(documents, packed.expected, packed.order, block_size);
            EXPECT_LT(bound, 1.01 * total_bound(documents, packed.expected, expected, block_size)) << n_topics;
            EXPECT_LT(bound, 0.9 * total_bound(documents, packed.expected, given, block_size)) << n_topics;
        }
    }
}

TEST(Packing, PutsCopiesTogether) {
    Random random(2);
    Documents documents;
    for (int i = 0; i < 150; ++i) {
        std::map<std::uint32_t, float> row;  // no document is within others: all weigh about the same
        while (row.size() < 20) {
            row.emplace(static_cast<std::uint32_t>(test::uniform(random, 0, 299)),
                        1 + static_cast<float>(test::unit(random)));
        }
        documents.push_back(postings_of(row));
    }
    for (std::size_t doc = 150; doc < 1200; ++doc) documents.push_back(std::vector(documents[doc - 150]));
    const Packed packed(documents, 300, 4);
    for (std::size_t i = 0; i < packed.order.size(); ++i) {
        EXPECT_EQ(packed.order[i] % 150, packed.order[i / 4 * 4] % 150) << i;
    }
}

// Neither of another unit, nor of a document that all others look small beside.
TEST(Packing, IsTheSameWithOneHugeWeight) {
    Random random(3);
    Documents documents = topics(random, 2000, 8);
    const Packed before(documents, 160, 4);
    const double bound = total_bound(documents, before.expected, before.order, 4);
    for (const float huge : {1e6F, 1e30F, std::numeric_limits<float>::max()}) {
        Documents altered = documents;
        altered[1000].front().weight = huge;
        const Packed after(altered, 160, 4);
        EXPECT_LT(total_bound(documents, before.expected, after.order, 4), 1.03 * bound) << huge;
    }
}

TEST(Packing, HasEachDocumentOnce) {
    Random random(4);
    const auto any = [](Random& source) {
        return test::uniform(source, 0, 1) == 0 ? std::numeric_limits<float>::denorm_min()
                                                : std::numeric_limits<float>::max();
    };
    for (const std::size_t n : {0, 1, 2, 3, 127, 128, 129, 258}) {
        Documents long_ones, empty(n), extreme, same(n, {{1, 2.0F}});
        for (std::size_t doc = 0; doc < n; ++doc) {
            long_ones.push_back(postings_of(test::random_row(random, 5000, 900, test::real_weight)));
            extreme.push_back(postings_of(test::random_row(random, 5000, 5, any)));
        }
        for (const Documents& documents : {long_ones, empty, extreme, same}) {
            for (const std::uint32_t block_size : {4U, 64U}) {
                auto order = Packed(documents, 5000, block_size).order;
                std::sort(order.begin(), order.end());
                std::vector<std::uint32_t> all(n);
                std::iota(all.begin(), all.end(), 0U);
                ASSERT_EQ(order, all);
            }
        }
    }
}

}  // namespace
}  // namespace thresher
