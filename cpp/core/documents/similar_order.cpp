#include "similar_order.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

namespace thresher {

namespace {

// Documents of a node that is not bisected further, but packed.
constexpr std::size_t kNode = 2048;
// Larger nodes are bisected one after the other by all threads together, smaller ones side by side.
constexpr std::size_t kShared = 65536;
constexpr std::size_t kRounds = 3;       // of 2-means
constexpr std::size_t kSampled = 16384;  // documents that a centroid is summed from, at most
constexpr std::size_t kSeedTrials = 32;  // documents among which the second seed is the least like the first
constexpr std::size_t kDocsPerTask = 4096;
// How long packing takes, in passes over the documents; a level of bisections takes about one.
constexpr unsigned kPackingPasses = 40;

// A number from a position in the order, the same on every machine (the finaliser of SplitMix64).
std::uint64_t scramble(std::uint64_t x) noexcept {
    x += 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
}

// The documents of the first half of a node.
std::size_t first_half(std::size_t size, std::size_t block_size) noexcept {
    return (size / 2 + block_size - 1) / block_size * block_size;
}

// Bisections that lead from all documents to nodes to pack.
unsigned n_levels(std::size_t n_docs, std::size_t block_size) noexcept {
    unsigned levels = 0;
    for (std::size_t size = n_docs; size > kNode; ++levels) {
        size = std::max(first_half(size, block_size), size - first_half(size, block_size));
    }
    return levels;
}

struct Node {
    std::size_t begin;
    std::size_t end;
    std::size_t size() const noexcept { return end - begin; }
};

// One thread's scratch.
struct Scratch {
    std::vector<float> direction;  // by slot: left centroid - right centroid; zero between bisections
    std::vector<Posting> postings;
    std::vector<std::pair<float, std::uint32_t>> sides;

    // Packing: the node's documents, each by falling fraction of its own bound.
    std::vector<std::size_t> offsets;
    std::vector<Posting> contributions;  // (slot, mean weight of the term * weight)
    std::vector<double> own;
    std::vector<std::uint32_t> left;
    std::vector<float> maxima;  // by slot; zero between blocks
    std::vector<std::uint32_t> packed;
};

class Bisection {
  public:
    Bisection(const PostingSource& documents, std::uint32_t n_slots, std::uint32_t block_size, unsigned threads,
              std::span<std::uint32_t> order)
        : documents_(documents), n_slots_(n_slots), block_size_(block_size), threads_(threads), order_(order) {}

    // Splits the node in two, the first a multiple of the block size.
    std::pair<Node, Node> split(Node node, Scratch& scratch, Progress* progress) const {
        const std::size_t half = first_half(node.size(), block_size_);
        const auto docs = order_.subspan(node.begin, node.size());
        auto& direction = scratch.direction;
        direction.resize(n_slots_);
        const std::uint32_t first = docs[scramble(node.begin) % docs.size()];
        add(first, 1, scratch);
        std::uint32_t second = first;
        float min = std::numeric_limits<float>::infinity();
        for (std::size_t trial = 1; trial <= kSeedTrials; ++trial) {
            const std::uint32_t doc = docs[scramble(node.begin + trial * order_.size()) % docs.size()];
            const float likeness = project(doc, direction, scratch.postings);
            if (likeness < min) {
                min = likeness;
                second = doc;
            }
        }
        add(second, -1, scratch);
        for (std::size_t round = 0;; ++round) {
            assign(docs, half, scratch, progress);
            std::fill(direction.begin(), direction.end(), 0.0F);
            if (round + 1 == kRounds) break;
            const std::size_t step = std::max<std::size_t>(1, docs.size() / kSampled);
            for (std::size_t i = 0; i < half; i += step) add(docs[i], 1.0 / static_cast<double>(half), scratch);
            for (std::size_t i = half; i < docs.size(); i += step) {
                add(docs[i], -1.0 / static_cast<double>(docs.size() - half), scratch);
            }
        }
        return {{node.begin, node.begin + half}, {node.begin + half, node.end}};
    }

  private:
    static double inverse_length(const std::vector<Posting>& postings) {
        double sum = 0;
        for (const auto& posting : postings)
            sum += static_cast<double>(posting.weight) * static_cast<double>(posting.weight);
        return sum > 0 ? 1 / std::sqrt(sum) : 0.0;
    }

    void add(std::uint32_t doc, double factor, Scratch& scratch) const {
        documents_.read(doc, scratch.postings);
        const double scale = factor * inverse_length(scratch.postings);
        for (const auto& [slot, weight] : scratch.postings) {
            scratch.direction[slot] += static_cast<float>(scale * static_cast<double>(weight));
        }
    }

    float project(std::uint32_t doc, const std::vector<float>& direction, std::vector<Posting>& postings) const {
        documents_.read(doc, postings);
        double sum = 0;
        for (const auto& [slot, weight] : postings) {
            sum += static_cast<double>(direction[slot]) * static_cast<double>(weight);
        }
        return static_cast<float>(sum * inverse_length(postings));
    }

    // The `half` documents nearest to the left centroid first.
    void assign(std::span<std::uint32_t> docs, std::size_t half, Scratch& scratch, Progress* progress) const {
        auto& sides = scratch.sides;
        sides.resize(docs.size());
        const auto project_all = [&](std::size_t begin, std::size_t end, std::vector<Posting>& postings) {
            for (std::size_t i = begin; i < end; ++i) {
                sides[i] = {-project(docs[i], scratch.direction, postings), docs[i]};
            }
        };
        if (progress != nullptr) {
            std::vector<std::vector<Posting>> postings(worker_count(threads_, docs.size() / kDocsPerTask + 1));
            parallel_for_rows(docs.size(), kDocsPerTask, threads_, *progress,
                              [&](std::size_t begin, std::size_t end, unsigned worker) {
                                  project_all(begin, end, postings[worker]);
                              });
        } else {
            project_all(0, docs.size(), scratch.postings);
        }
        std::nth_element(sides.begin(), sides.begin() + static_cast<std::ptrdiff_t>(half), sides.end());
        for (std::size_t i = 0; i < docs.size(); ++i) docs[i] = sides[i].second;
    }

    const PostingSource& documents_;
    std::uint32_t n_slots_;
    std::size_t block_size_;
    unsigned threads_;
    std::span<std::uint32_t> order_;
};

// Reads the documents of a node, each one's postings by falling fraction of its own expected bound.
void read_fractions(const PostingSource& documents, std::span<const std::uint32_t> docs, std::span<const float> means,
                    Scratch& scratch) {
    auto& postings = scratch.postings;
    auto& offsets = scratch.offsets;
    auto& contributions = scratch.contributions;
    auto& own = scratch.own;
    offsets.assign(1, 0);
    contributions.clear();
    own.clear();
    for (const std::uint32_t doc : docs) {
        documents.read(doc, postings);
        double sum = 0;
        for (auto& [slot, weight] : postings) {
            weight *= means[slot];
            sum += static_cast<double>(weight);
        }
        std::sort(postings.begin(), postings.end(), [](const Posting& a, const Posting& b) {
            return a.weight != b.weight ? a.weight > b.weight : a.slot < b.slot;
        });
        contributions.insert(contributions.end(), postings.begin(), postings.end());
        offsets.push_back(contributions.size());
        own.push_back(sum);
    }
}

// Reorders the documents of a node so that each `block_size` consecutive ones make a good block.
void pack(const PostingSource& documents, std::span<std::uint32_t> docs, std::span<const float> means,
          std::size_t block_size, Scratch& scratch) {
    read_fractions(documents, docs, means, scratch);
    const auto& offsets = scratch.offsets;
    const auto& contributions = scratch.contributions;
    const auto& own = scratch.own;
    auto& left = scratch.left;
    auto& maxima = scratch.maxima;
    auto& packed = scratch.packed;
    maxima.resize(means.size());
    left.resize(docs.size());
    std::iota(left.begin(), left.end(), 0U);
    std::stable_sort(left.begin(), left.end(), [&](std::uint32_t a, std::uint32_t b) { return own[a] > own[b]; });
    packed.clear();
    const auto take = [&](std::size_t at) {
        const std::uint32_t i = left[at];
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(at));
        packed.push_back(i);
        for (std::size_t p = offsets[i]; p < offsets[i + 1]; ++p) {
            maxima[contributions[p].slot] = std::max(maxima[contributions[p].slot], contributions[p].weight);
        }
    };
    // How much document i would raise the block's expected bound, relative to its own; anything above `most` if more.
    const auto raise = [&](std::uint32_t i, double max) {
        const auto limit = static_cast<float>(max * own[i]);
        float sum = 0;
        std::size_t p = offsets[i];
        for (; p < offsets[i + 1] && sum <= limit; ++p) {
            sum += std::max(0.0F, contributions[p].weight - maxima[contributions[p].slot]);
        }
        interruption_point(2 * (p - offsets[i]));
        return own[i] > 0 ? static_cast<double>(sum) / own[i] : 0.0;
    };
    while (!left.empty()) {
        const std::size_t block_begin = packed.size();
        take(0);
        while (!left.empty() && packed.size() < block_begin + block_size) {
            std::size_t best = 0;
            double min = std::numeric_limits<double>::infinity();
            for (std::size_t at = 0; at < left.size(); ++at) {
                const double raised = raise(left[at], min);
                if (raised < min) {
                    min = raised;
                    best = at;
                }
            }
            take(best);
        }
        for (std::size_t b = block_begin; b < packed.size(); ++b) {
            for (std::size_t p = offsets[packed[b]]; p < offsets[packed[b] + 1]; ++p) maxima[contributions[p].slot] = 0;
        }
    }
    for (std::uint32_t& i : packed) i = docs[i];
    std::copy(packed.begin(), packed.end(), docs.begin());
}

// The mean weight of each slot over all documents, in a unit in which no weight times a mean exceeds 1.
std::vector<float> mean_weights(const PostingSource& documents, std::uint32_t n_slots) {
    std::vector<double> sums(n_slots);
    std::vector<Posting> postings;
    double largest = 0;
    for (std::size_t doc = 0; doc < documents.n; ++doc) {
        documents.read(doc, postings);
        for (const auto& [slot, weight] : postings) {
            sums[slot] += static_cast<double>(weight);
            largest = std::max(largest, static_cast<double>(weight));
        }
    }
    const double unit = static_cast<double>(documents.n) * largest * largest;
    std::vector<float> means(n_slots);
    for (std::size_t slot = 0; slot < n_slots; ++slot) {
        means[slot] = unit > 0 ? static_cast<float>(sums[slot] / unit) : 0.0F;
    }
    return means;
}

}  // namespace

std::vector<std::uint32_t> similar_order(const PostingSource& documents, std::uint32_t n_slots,
                                         std::uint32_t block_size, unsigned threads, Progress& progress) {
    const std::size_t n_docs = documents.n;
    std::vector<std::uint32_t> order(n_docs);
    std::iota(order.begin(), order.end(), 0U);
    const auto means = mean_weights(documents, n_slots);
    const Bisection bisection(documents, n_slots, block_size, threads, order);
    std::vector<Scratch> scratch(worker_count(threads, n_docs));
    Progress polling(progress.monitor());

    std::vector<Node> nodes{{0, n_docs}};
    const unsigned levels = n_levels(n_docs, block_size);
    progress.weigh_next_pass(levels);
    progress.begin_pass();
    for (unsigned level = 0; level < levels; ++level) {
        progress.report(level, levels);
        std::vector<std::pair<Node, Node>> halves(nodes.size());
        if (nodes.front().size() > kShared) {
            for (std::size_t i = 0; i < nodes.size(); ++i) halves[i] = bisection.split(nodes[i], scratch[0], &polling);
        } else {
            parallel_for(nodes.size(), threads, polling, [&](std::size_t i, unsigned worker) {
                halves[i] = bisection.split(nodes[i], scratch[worker], nullptr);
            });
        }
        nodes.clear();
        for (const auto& [first, second] : halves) nodes.insert(nodes.end(), {first, second});
    }
    progress.weigh_next_pass(kPackingPasses);
    parallel_for(nodes.size(), threads, progress, [&](std::size_t i, unsigned worker) {
        pack(documents, std::span(order).subspan(nodes[i].begin, nodes[i].size()), means, block_size, scratch[worker]);
    });
    return order;
}

unsigned similar_order_passes(std::size_t n_docs, std::uint32_t block_size) noexcept {
    return n_levels(n_docs, block_size) + kPackingPasses;
}

}  // namespace thresher
