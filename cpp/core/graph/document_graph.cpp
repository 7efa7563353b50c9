#include "document_graph.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

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

// Lists one behind the other, whose sizes are known before they are filled.
template <class T>
class FlatLists {
  public:
    template <class Size>
    FlatLists(std::size_t n, const Size& size) : offsets_(n + 1) {
        for (std::size_t i = 0; i < n; ++i) offsets_[i + 1] = offsets_[i] + size(i);
        items_.resize(offsets_[n]);
    }
    std::span<T> operator[](std::size_t i) noexcept {
        return std::span(items_).subspan(offsets_[i], offsets_[i + 1] - offsets_[i]);
    }
    std::span<const T> operator[](std::size_t i) const noexcept {
        return std::span(items_).subspan(offsets_[i], offsets_[i + 1] - offsets_[i]);
    }

  private:
    LargeVector<std::size_t> offsets_;
    LargeVector<T> items_;
};

// Which documents are reached along edges from position 0, and from others that are added.
template <class ForEachEdge>
class Reachable {
  public:
    Reachable(std::size_t n_docs, ForEachEdge for_each_edge) : for_each_edge_(for_each_edge), reached_(n_docs) {
        add_from(0);
    }
    bool has(std::size_t doc) const noexcept { return reached_[doc]; }
    void add_from(std::size_t start) {
        reached_[start] = true;
        left_.push_back(static_cast<std::uint32_t>(start));
        while (!left_.empty()) {
            const std::uint32_t doc = left_.back();
            interruption_point(100);
            left_.pop_back();
            for_each_edge_(doc, [&](std::uint32_t next) {
                if (reached_[next]) return;
                reached_[next] = true;
                left_.push_back(next);
            });
        }
    }

  private:
    ForEachEdge for_each_edge_;
    std::vector<bool> reached_;
    LargeVector<std::uint32_t> left_;
};

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

// The edges of each document in their order: those that it chose, those that chose it, and those that are added.
class GraphBuilder::BothWays {
  public:
    // Of those who chose a document, the most similar are kept.
    BothWays(GraphBuilder& builder, unsigned threads, Progress& progress)
        : builder_(builder), n_others_(builder.sizes_.size()), others_(chosen_by(builder)) {
        const std::size_t most = kBothWays * builder.degree_;
        parallel_for_rows(n_docs(), kRowsPerTask, threads, progress, [&](std::size_t begin, std::size_t end, unsigned) {
            for (std::size_t doc = begin; doc < end; ++doc) {
                const auto own = builder.chosen(doc);
                const auto others = others_[doc];
                interruption_point(16 * others.size());
                std::sort(others.begin(), others.end(), better);
                std::uint32_t n = 0;
                for (const Hit& edge : others) {
                    if (own.size() + n == most) break;
                    const bool both = std::ranges::find(own, edge.doc, &Hit::doc) != own.end();
                    if (!both) others[n++] = edge;
                }
                n_others_[doc] = n;
            }
        });
    }

    std::size_t n_docs() const noexcept { return n_others_.size(); }
    std::size_t size(std::size_t doc) const {
        return builder_.sizes_[doc] + n_others_[doc] + (added_.contains(doc) ? added_.at(doc).size() : 0);
    }
    void add(std::size_t doc, std::size_t next) { added_[doc].push_back(static_cast<std::uint32_t>(next)); }
    template <class Visit>
    void for_each(std::size_t doc, const Visit& visit) const {
        for (const Hit& edge : builder_.chosen(doc)) visit(edge.doc);
        for (const Hit& edge : others_[doc].first(n_others_[doc])) visit(edge.doc);
        if (const auto added = added_.find(doc); added != added_.end()) {
            for (const std::uint32_t next : added->second) visit(next);
        }
    }

  private:
    static FlatLists<Hit> chosen_by(GraphBuilder& builder) {
        const std::size_t n_docs = builder.sizes_.size();
        LargeVector<std::uint32_t> counts(n_docs);
        for (std::size_t doc = 0; doc < n_docs; ++doc) {
            interruption_point(4 * builder.degree_);
            for (const Hit& edge : builder.chosen(doc)) ++counts[edge.doc];
        }
        FlatLists<Hit> lists(n_docs, [&](std::size_t doc) { return counts[doc]; });
        for (std::size_t doc = n_docs; doc-- > 0;) {
            interruption_point(16 * builder.degree_);
            for (const Hit& edge : builder.chosen(doc)) {
                lists[edge.doc][--counts[edge.doc]] = {edge.score, static_cast<std::uint32_t>(doc)};
            }
        }
        return lists;
    }

    GraphBuilder& builder_;
    LargeVector<std::uint32_t> n_others_;  // of `others_`, kept in front
    FlatLists<Hit> others_;
    std::unordered_map<std::size_t, std::vector<std::uint32_t>> added_;  // of few documents
};

PositionLists GraphBuilder::finish(unsigned threads, Progress& progress) {
    FlatLists<std::uint32_t> lists = [&] {
        BothWays edges(*this, threads, progress);
        reach_all(edges);
        FlatLists<std::uint32_t> sorted(edges.n_docs(), [&](std::size_t doc) { return edges.size(doc); });
        for (std::size_t doc = 0; doc < edges.n_docs(); ++doc) {
            const auto list = sorted[doc];
            interruption_point(16 * list.size());
            auto at = list.begin();
            edges.for_each(doc, [&](std::uint32_t next) { *at++ = next; });
            std::sort(list.begin(), list.end());
        }
        return sorted;
    }();
    edges_ = {};
    return PositionLists::build(
        sizes_.size(), [&](std::size_t doc) { return std::span<const std::uint32_t>(lists[doc]); }, threads, progress);
}

// Adds edges until a path leads from position 0 to every document, and back. Documents are looked at in ascending
// order, so that the one before is always reached: its neighbour in the index, which is similar where those are.
void GraphBuilder::reach_all(BothWays& edges) const {
    const std::size_t n_docs = edges.n_docs();
    if (n_docs == 0) return;
    Reachable there(n_docs, [&](std::size_t doc, const auto& visit) { edges.for_each(doc, visit); });
    for (std::size_t doc = 1; doc < n_docs; ++doc) {
        if (there.has(doc)) continue;
        std::size_t from = n_docs;
        edges.for_each(doc, [&](std::uint32_t next) {
            if (from == n_docs && there.has(next) && edges.size(next) < kMaxWays * degree_) from = next;
        });
        edges.add(from == n_docs ? doc - 1 : from, doc);
        there.add_from(doc);
    }
    LargeVector<std::uint32_t> n_back(n_docs);
    for (std::size_t doc = 0; doc < n_docs; ++doc) {
        interruption_point(100);
        edges.for_each(doc, [&](std::uint32_t next) { ++n_back[next]; });
    }
    FlatLists<std::uint32_t> back_edges(n_docs, [&](std::size_t doc) { return n_back[doc]; });
    for (std::size_t doc = n_docs; doc-- > 0;) {
        interruption_point(100);
        edges.for_each(doc,
                       [&](std::uint32_t next) { back_edges[next][--n_back[next]] = static_cast<std::uint32_t>(doc); });
    }
    Reachable back(n_docs, [&](std::size_t doc, const auto& visit) {
        for (const std::uint32_t next : back_edges[doc]) visit(next);
    });
    for (std::size_t doc = 1; doc < n_docs; ++doc) {
        if (back.has(doc)) continue;
        edges.add(doc, doc - 1);
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
