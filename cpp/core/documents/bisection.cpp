#include "bisection.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace thresher {

namespace {

constexpr std::size_t kRounds = 5;          // of 2-means: the last is of all documents
constexpr std::size_t kSampled = 4096;      // documents of the sample, at most
constexpr std::size_t kPostings = 1 << 20;  // of the sample, beyond which no document is added
constexpr std::size_t kSeedTrials = 32;     // documents among which the second seed is the least like the first
constexpr std::size_t kDocsPerTask = 4096;

// A number from another, the same on every machine (the finaliser of SplitMix64).
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

double inverse_length(std::span<const Posting> postings) {
    double sum = 0;
    for (const auto& posting : postings) {
        sum += static_cast<double>(posting.weight) * static_cast<double>(posting.weight);
    }
    return sum > 0 ? 1 / std::sqrt(sum) : 0.0;
}

double project(std::span<const Posting> postings, const std::vector<float>& direction) {
    double sum = 0;
    for (const auto& [slot, weight] : postings)
        sum += static_cast<double>(direction[slot]) * static_cast<double>(weight);
    return sum;
}

}  // namespace

unsigned Bisection::n_levels(std::size_t n_docs, std::size_t block_size, std::size_t max_size) noexcept {
    unsigned levels = 0;
    for (std::size_t size = n_docs; size > max_size; ++levels) {
        size = std::max(first_half(size, block_size), size - first_half(size, block_size));
    }
    return levels;
}

std::pair<Node, Node> Bisection::split(Node node, Scratch& scratch, Progress* progress) const {
    const std::size_t half = first_half(node.size(), block_size_);
    const auto docs = order_.subspan(node.begin, node.size());
    scratch.direction.resize(n_slots_);
    read_sample(docs, scratch);
    find_direction(node.begin, static_cast<double>(half) / static_cast<double>(docs.size()), scratch);
    assign(docs, half, scratch, progress);
    std::fill(scratch.direction.begin(), scratch.direction.end(), 0.0F);
    return {{node.begin, node.begin + half}, {node.begin + half, node.end}};
}

void Bisection::read_sample(std::span<const std::uint32_t> docs, Scratch& scratch) const {
    const std::size_t step = (docs.size() + kSampled - 1) / kSampled;
    scratch.sample.clear();
    scratch.offsets.assign(1, 0);
    for (std::size_t i = 0; i < docs.size() && scratch.sample.size() < kPostings; i += step) {
        documents_.read(docs[i], scratch.postings);
        const double scale = inverse_length(scratch.postings);
        for (auto& [slot, weight] : scratch.postings) weight = static_cast<float>(scale * static_cast<double>(weight));
        scratch.sample.insert(scratch.sample.end(), scratch.postings.begin(), scratch.postings.end());
        scratch.offsets.push_back(scratch.sample.size());
    }
}

// 2-means of the sample, from two seeds that are little alike; the first gets `fraction` of the documents.
void Bisection::find_direction(std::uint64_t seed, double fraction, Scratch& scratch) const {
    const std::size_t n = scratch.offsets.size() - 1;
    auto& direction = scratch.direction;
    const auto document = [&](std::size_t i) {
        return std::span(scratch.sample).subspan(scratch.offsets[i], scratch.offsets[i + 1] - scratch.offsets[i]);
    };
    const auto add = [&](std::size_t i, float factor) {
        interruption_point(2 * document(i).size());
        for (const auto& [slot, weight] : document(i)) direction[slot] += factor * weight;
    };
    const std::size_t first = scramble(seed) % n;
    add(first, 1);
    std::size_t second = first;
    double min = std::numeric_limits<double>::infinity();
    for (std::size_t trial = 1; trial <= kSeedTrials; ++trial) {
        const std::size_t i = scramble(seed + trial * order_.size()) % n;
        const double likeness = project(document(i), direction);
        if (likeness < min) {
            min = likeness;
            second = i;
        }
    }
    add(second, -1);
    auto& sides = scratch.sides;
    const auto half = static_cast<std::size_t>(fraction * static_cast<double>(n));
    if (half == 0 || half == n) return;
    for (std::size_t round = 1; round < kRounds; ++round) {
        sides.resize(n);
        for (std::size_t i = 0; i < n; ++i) {
            interruption_point(2 * document(i).size());
            sides[i] = {static_cast<float>(-project(document(i), direction)), static_cast<std::uint32_t>(i)};
        }
        std::nth_element(sides.begin(), sides.begin() + static_cast<std::ptrdiff_t>(half), sides.end());
        std::fill(direction.begin(), direction.end(), 0.0F);
        for (std::size_t i = 0; i < n; ++i) {
            add(sides[i].second, i < half ? 1 / static_cast<float>(half) : -1 / static_cast<float>(n - half));
        }
    }
}

// The `half` documents nearest to the left centroid first.
void Bisection::assign(std::span<std::uint32_t> docs, std::size_t half, Scratch& scratch, Progress* progress) const {
    auto& sides = scratch.sides;
    sides.resize(docs.size());
    const auto project_all = [&](std::size_t begin, std::size_t end, std::vector<Posting>& postings) {
        for (std::size_t i = begin; i < end; ++i) {
            documents_.read(docs[i], postings);
            const double side = project(postings, scratch.direction) * inverse_length(postings);
            sides[i] = {static_cast<float>(-side), docs[i]};
        }
    };
    if (progress != nullptr) {
        std::vector<std::vector<Posting>> postings(worker_count(threads_, docs.size() / kDocsPerTask + 1));
        parallel_for_rows(
            docs.size(), kDocsPerTask, threads_, *progress,
            [&](std::size_t begin, std::size_t end, unsigned worker) { project_all(begin, end, postings[worker]); });
    } else {
        project_all(0, docs.size(), scratch.postings);
    }
    std::nth_element(sides.begin(), sides.begin() + static_cast<std::ptrdiff_t>(half), sides.end());
    for (std::size_t i = 0; i < docs.size(); ++i) docs[i] = sides[i].second;
}

}  // namespace thresher
