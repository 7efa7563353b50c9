#include "similar_order.hpp"

#include <memory>
#include <numeric>
#include <span>
#include <utility>

#include "bisection.hpp"
#include "packing.hpp"

namespace thresher {

namespace {

// Documents of a node that is not bisected further, but packed, at most.
constexpr std::size_t kNode = 8192;
// Larger nodes are bisected one after the other by all threads together, smaller ones side by side.
constexpr std::size_t kShared = 65536;
// How long packing takes, in passes over the documents; a level of bisections takes about one.
constexpr unsigned kPackingPasses = 10;

}  // namespace

std::vector<std::uint32_t> similar_order(const PostingSource& documents, std::uint32_t n_slots,
                                         std::uint32_t block_size, unsigned threads, Progress& progress) {
    std::vector<std::uint32_t> order(documents.n);
    std::iota(order.begin(), order.end(), 0U);
    const auto expected = ExpectedContributions::of(documents, n_slots);
    const unsigned workers = worker_count(threads, documents.n);
    Progress polling(progress.monitor());

    std::vector<Node> nodes{{0, documents.n}};
    const unsigned levels = Bisection::n_levels(documents.n, block_size, kNode);
    progress.weigh_next_pass(levels);
    progress.begin_pass();
    {
        const Bisection bisection(documents, n_slots, block_size, threads, order);
        std::vector<Bisection::Scratch> scratch(workers);
        for (unsigned level = 0; level < levels; ++level) {
            progress.report(level, levels);
            std::vector<std::pair<Node, Node>> halves(nodes.size());
            if (nodes.front().size() > kShared) {
                for (std::size_t i = 0; i < nodes.size(); ++i) {
                    halves[i] = bisection.split(nodes[i], scratch[0], &polling);
                }
            } else {
                parallel_for(nodes.size(), threads, polling, [&](std::size_t i, unsigned worker) {
                    halves[i] = bisection.split(nodes[i], scratch[worker], nullptr);
                });
            }
            nodes.clear();
            for (const auto& [first, second] : halves) nodes.insert(nodes.end(), {first, second});
        }
    }
    std::vector<std::unique_ptr<Packer>> packers(workers);  // made by whoever works
    progress.weigh_next_pass(kPackingPasses);
    parallel_for(nodes.size(), threads, progress, [&](std::size_t i, unsigned worker) {
        if (!packers[worker]) packers[worker] = std::make_unique<Packer>(documents, expected, block_size);
        packers[worker]->pack(std::span(order).subspan(nodes[i].begin, nodes[i].size()));
    });
    return order;
}

unsigned similar_order_passes(std::size_t n_docs, std::uint32_t block_size) noexcept {
    return Bisection::n_levels(n_docs, block_size, kNode) + kPackingPasses;
}

}  // namespace thresher
