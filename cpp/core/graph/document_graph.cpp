#include "document_graph.hpp"

#include <algorithm>
#include <cmath>

namespace thresher {

namespace {

constexpr std::size_t kRowsPerTask = 1024;
// Edges of a document, of both directions, for each that it may choose.
constexpr std::size_t kBothWays = 2;
// A chosen document stands for a candidate if this fraction of their cosine exceeds the document's with the candidate.
constexpr double kRelaxation = 0.8;

// Or if their own cosine exceeds this: else copies of a document, or near-copies, of which none is closer to another
// than the document is, would have edges to each other alone.
constexpr double kSame = 0.98;
// Edges of a document, for each that it may choose, with those that are added to reach others.
constexpr std::size_t kMaxWays = 3;

constexpr std::size_t kScoringTime = 200;  // of a document, about, in nanoseconds

// The documents that `edges` lead to from position 0, and from others that are added.
class Reachable {
  public:
    explicit Reachable(const std::vector<std::vector<std::uint32_t>>& edges) : edges_(edges), reached_(edges.size()) {}
    bool has(std::size_t doc) const noexcept { return reached_[doc]; }
    void add_from(std::size_t start) {
        reached_[start] = true;
        left_.push_back(static_cast<std::uint32_t>(start));
        while (!left_.empty()) {
            const std::uint32_t doc = left_.back();
            interruption_point(4 * edges_[doc].size());
            left_.pop_back();
            for (const std::uint32_t next : edges_[doc]) {
                if (reached_[next]) continue;
                reached_[next] = true;
                left_.push_back(next);
            }
        }
    }

  private:
    const std::vector<std::vector<std::uint32_t>>& edges_;
    std::vector<bool> reached_;
    std::vector<std::uint32_t> left_;
};

std::vector<std::vector<std::uint32_t>> reversed(const std::vector<std::vector<std::uint32_t>>& edges) {
    std::vector<std::vector<std::uint32_t>> back(edges.size());
    for (std::size_t doc = 0; doc < edges.size(); ++doc) {
        interruption_point(16 * edges[doc].size());
        for (const std::uint32_t next : edges[doc]) back[next].push_back(static_cast<std::uint32_t>(doc));
    }
    return back;
}

}  // namespace

GraphBuilder::GraphBuilder(const ForwardIndex& forward, const Vocabulary& vocabulary, std::size_t degree,
                           unsigned threads, Progress& progress)
    : forward_(forward),
      vocabulary_(vocabulary),
      degree_(degree),
      lengths_(forward.n_docs()),
      edges_(forward.n_docs() * degree),
      sizes_(forward.n_docs()) {
    parallel_for_rows(forward.n_docs(), kRowsPerTask, threads, progress,
                      [&](std::size_t begin, std::size_t end, unsigned) {
                          std::vector<Posting> postings;
                          for (std::size_t doc = begin; doc < end; ++doc) {
                              forward_.read(doc, postings);
                              double sum = 0;
                              for (const Posting& posting : postings) {
                                  sum += static_cast<double>(posting.weight) * static_cast<double>(posting.weight);
                              }
                              lengths_[doc] = static_cast<float>(std::sqrt(sum));
                          }
                      });
}

void GraphBuilder::connect(std::size_t doc, std::span<const Hit> candidates, Context& context) {
    const double same = kSame * static_cast<double>(lengths_[doc]);
    n_copies_ += static_cast<std::uint64_t>(std::ranges::count_if(candidates, [&](const Hit& candidate) {
        return static_cast<double>(candidate.score) > same * static_cast<double>(lengths_[candidate.doc]);
    }));
    Hit* const chosen = edges_.data() + doc * degree_;
    std::size_t n = 0;
    for (const Hit& candidate : candidates) {
        if (n == degree_) break;
        const auto length = static_cast<double>(lengths_[candidate.doc]);
        const double max = std::min(
            static_cast<double>(candidate.score) / static_cast<double>(lengths_[doc]) / kRelaxation, kSame * length);
        forward_.read(candidate.doc, context.postings);
        interruption_point(kScoringTime * n);
        context.document.assign(context.postings, vocabulary_);
        context.table.load(context.document);
        const bool stood_for = std::any_of(chosen, chosen + n, [&](const Hit& other) {
            return forward_.score(other.doc, context.table) > max * static_cast<double>(lengths_[other.doc]);
        });
        context.table.clear(context.document);
        if (!stood_for) chosen[n++] = candidate;
    }
    sizes_[doc] = static_cast<std::uint32_t>(n);
}

PositionLists GraphBuilder::finish(unsigned threads, Progress& progress) {
    auto edges = in_both_directions(threads, progress);
    edges_ = {};
    reach_all(edges);
    for (auto& list : edges) {
        interruption_point(16 * list.size());
        std::sort(list.begin(), list.end());
    }
    return PositionLists::build(
        edges.size(), [&](std::size_t doc) { return std::span<const std::uint32_t>(edges[doc]); }, threads, progress);
}

// A document's own edges, and of those who chose it the most similar.
std::vector<std::vector<std::uint32_t>> GraphBuilder::in_both_directions(unsigned threads, Progress& progress) {
    std::vector<std::vector<Hit>> chosen_by(forward_.n_docs());
    for (std::size_t doc = 0; doc < chosen_by.size(); ++doc) {
        interruption_point(16 * degree_);
        for (const Hit& edge : chosen(doc))
            chosen_by[edge.doc].push_back({edge.score, static_cast<std::uint32_t>(doc)});
    }
    std::vector<std::vector<std::uint32_t>> edges(forward_.n_docs());
    parallel_for_rows(edges.size(), kRowsPerTask, threads, progress, [&](std::size_t begin, std::size_t end, unsigned) {
        for (std::size_t doc = begin; doc < end; ++doc) {
            interruption_point(16 * chosen_by[doc].size());
            auto& list = edges[doc];
            for (const Hit& edge : chosen(doc)) list.push_back(edge.doc);
            std::sort(chosen_by[doc].begin(), chosen_by[doc].end(), better);
            const std::size_t n_chosen = list.size();
            for (const Hit& edge : chosen_by[doc]) {
                if (list.size() == kBothWays * degree_) break;
                const auto own = list.begin() + static_cast<std::ptrdiff_t>(n_chosen);
                if (std::find(list.begin(), own, edge.doc) == own) list.push_back(edge.doc);
            }
        }
    });
    return edges;
}

// Adds edges until a path leads from position 0 to every document, and back. Documents are looked at in ascending
// order, so that the one before is always reached: its neighbour in the index, which is similar where those are.
void GraphBuilder::reach_all(std::vector<std::vector<std::uint32_t>>& edges) const {
    if (edges.empty()) return;
    Reachable there(edges);
    there.add_from(0);
    for (std::size_t doc = 1; doc < edges.size(); ++doc) {
        if (there.has(doc)) continue;
        const auto reached = std::find_if(edges[doc].begin(), edges[doc].end(), [&](std::uint32_t next) {
            return there.has(next) && edges[next].size() < kMaxWays * degree_;
        });
        edges[reached == edges[doc].end() ? doc - 1 : *reached].push_back(static_cast<std::uint32_t>(doc));
        there.add_from(doc);
    }
    const auto back_edges = reversed(edges);
    Reachable back(back_edges);
    back.add_from(0);
    for (std::size_t doc = 1; doc < edges.size(); ++doc) {
        if (back.has(doc)) continue;
        edges[doc].push_back(static_cast<std::uint32_t>(doc - 1));
        back.add_from(doc);
    }
}

EstimatedPart GraphBuilder::estimated_edges(std::size_t n_docs, std::size_t degree) {
    constexpr double kUsualBytes = 2.5;  // for each edge that a document may choose
    const auto docs = static_cast<double>(n_docs);
    const double max = static_cast<double>(kMaxWays * degree + 2) * PositionLists::kMaxBytes;
    return {"edges", PositionLists::estimated_nbytes(docs, 0), docs * max,
            kUsualBytes * static_cast<double>(degree) / max};
}

}  // namespace thresher
