#include "document_graph.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
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

// Room for what documents choose, as a thread takes it: so many bytes, and a byte for so many edges of all documents.
constexpr std::size_t kRoom = 1 << 16;
constexpr std::size_t kEdgesPerByte = 8;

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

// The documents that `reached` has, and those that edges lead to from any that is added.
template <class ForEachEdge>
class Reachable {
  public:
    Reachable(std::vector<bool> reached, ForEachEdge for_each_edge)
        : for_each_edge_(for_each_edge), reached_(std::move(reached)) {}
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
      sizes_(forward.n_docs()),
      chosen_(forward.n_docs()) {
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
    auto& chosen = context.chosen;
    chosen.clear();
    for (const Hit& candidate : candidates) {
        if (chosen.size() == degree_) break;
        const auto length = static_cast<double>(lengths_[candidate.doc]);
        const double max = std::min(
            static_cast<double>(candidate.score) / static_cast<double>(lengths_[doc]) / kRelaxation, kSame * length);
        interruption_point(kScoringTime * chosen.size());
        load(candidate.doc, context);
        const bool stood_for = std::ranges::any_of(chosen, [&](std::uint32_t other) {
            return forward_.score(other, context.table) > max * static_cast<double>(lengths_[other]);
        });
        context.table.clear(context.document);
        if (!stood_for) chosen.push_back(candidate.doc);
    }
    keep(doc, context);
}

void GraphBuilder::keep(std::size_t doc, Context& context) {
    if (context.room.size() < max_bytes()) {
        const std::lock_guard lock(adding_room_);
        context.room = rooms_.emplace_back(std::max({kRoom, max_bytes(), sizes_.size() * degree_ / kEdgesPerByte}));
    }
    std::ranges::sort(context.chosen);
    sizes_[doc] = static_cast<std::uint32_t>(context.chosen.size());
    chosen_[doc] = context.room.data();
    std::size_t n = 0;
    encode_positions(context.chosen, [&](std::uint8_t byte) { context.room[n++] = byte; });
    context.room[n++] = 0;
    context.room = context.room.subspan(n);
}

void GraphBuilder::load(std::size_t doc, Context& context) const {
    forward_.read(doc, context.postings);
    context.document.assign(context.postings, vocabulary_);
    context.table.load(context.document);
}

// The edges of each document: those that it chose, those that chose it, and those that are added.
class GraphBuilder::BothWays {
  public:
    // Of those who chose a document, the most similar are kept. What documents chose is taken out of the builder.
    BothWays(GraphBuilder& builder, unsigned threads, Progress& progress)
        : sizes_(builder.sizes_.size()), lists_(taken_from(builder)) {
        const std::size_t most = kBothWays * builder.degree_;
        const unsigned workers = worker_count(threads, n_docs() / kRowsPerTask + 1);
        std::vector<std::unique_ptr<Context>> contexts(workers);  // made by whoever works
        std::vector<std::vector<Hit>> scratch(workers);
        parallel_for_rows(n_docs(), kRowsPerTask, workers, progress,
                          [&](std::size_t begin, std::size_t end, unsigned worker) {
                              auto& context = contexts[worker];
                              if (!context) context = std::make_unique<Context>(builder.vocabulary_.n_slots());
                              for (std::size_t doc = begin; doc < end; ++doc) {
                                  sizes_[doc] = keep_best(builder, doc, most, *context, scratch[worker]);
                              }
                          });
    }

    std::size_t n_docs() const noexcept { return sizes_.size(); }
    std::size_t size(std::size_t doc) const { return sizes_[doc] + (added_.contains(doc) ? added_.at(doc).size() : 0); }
    void add(std::size_t doc, std::size_t next) { added_[doc].push_back(static_cast<std::uint32_t>(next)); }
    template <class Visit>
    void for_each(std::size_t doc, const Visit& visit) const {
        for (const std::uint32_t next : lists_[doc].first(sizes_[doc])) visit(next);
        if (const auto added = added_.find(doc); added != added_.end()) {
            for (const std::uint32_t next : added->second) visit(next);
        }
    }
    // Orders the edges of every document by where they lead.
    void sort() {
        for (std::size_t doc = 0; doc < n_docs(); ++doc) {
            interruption_point(16 * sizes_[doc]);
            std::ranges::sort(lists_[doc].first(sizes_[doc]));
        }
        for (auto& [doc, next] : added_) {
            const auto others = lists_[doc].first(sizes_[doc]);
            next.insert(next.end(), others.begin(), others.end());
            std::ranges::sort(next);
            sizes_[doc] = 0;
        }
    }
    // After that.
    std::span<const std::uint32_t> operator[](std::size_t doc) const {
        const auto added = added_.find(doc);
        return added != added_.end() ? std::span<const std::uint32_t>(added->second) : lists_[doc].first(sizes_[doc]);
    }

  private:
    // What each document chose, then those that chose it, ascending.
    static FlatLists<std::uint32_t> taken_from(GraphBuilder& builder) {
        const std::size_t n_docs = builder.sizes_.size();
        LargeVector<std::uint32_t> ends(builder.sizes_);
        for (std::size_t doc = 0; doc < n_docs; ++doc) {
            interruption_point(4 * builder.degree_);
            builder.for_each_chosen(doc, [&](std::uint32_t next) { ++ends[next]; });
        }
        FlatLists<std::uint32_t> lists(n_docs, [&](std::size_t doc) { return ends[doc]; });
        for (std::size_t doc = n_docs; doc-- > 0;) {
            interruption_point(16 * builder.degree_);
            auto own = lists[doc].begin();
            builder.for_each_chosen(doc, [&](std::uint32_t next) {
                *own++ = next;
                lists[next][--ends[next]] = static_cast<std::uint32_t>(doc);
            });
        }
        builder.chosen_ = {};
        builder.rooms_ = {};
        return lists;
    }

    // Leaves the document's own edges, best first, and then the best of the others, `most` in all: returns how many.
    std::uint32_t keep_best(const GraphBuilder& builder, std::size_t doc, std::size_t most, Context& context,
                            std::vector<Hit>& scratch) {
        const auto list = lists_[doc];
        const auto own = list.first(builder.sizes_[doc]);
        if (list.empty()) return 0;
        builder.load(doc, context);
        scratch.clear();
        for (std::size_t i = 0; i < list.size(); ++i) {
            interruption_point(kScoringTime);
            if (i >= own.size() && std::ranges::find(own, list[i]) != own.end()) continue;
            scratch.push_back({static_cast<float>(builder.forward_.score(list[i], context.table)), list[i]});
        }
        context.table.clear(context.document);
        const auto others = scratch.begin() + static_cast<std::ptrdiff_t>(own.size());
        std::sort(scratch.begin(), others, better);
        std::sort(others, scratch.end(), better);
        const std::size_t n = std::min(scratch.size(), most);
        for (std::size_t i = 0; i < n; ++i) list[i] = scratch[i].doc;
        return static_cast<std::uint32_t>(n);
    }

    LargeVector<std::uint32_t> sizes_;  // of `lists_`, what is kept in front
    FlatLists<std::uint32_t> lists_;
    std::unordered_map<std::size_t, std::vector<std::uint32_t>> added_;  // of few documents
};

PositionLists GraphBuilder::finish(unsigned threads, Progress& progress) {
    BothWays edges(*this, threads, progress);
    reach_all(edges);
    edges.sort();
    return PositionLists::build(edges.n_docs(), [&](std::size_t doc) { return edges[doc]; }, threads, progress);
}

// Adds edges until a path leads from position 0 to every document, and back. Documents are looked at in ascending
// order, so that the one before is always reached: its neighbour in the index, which is similar where those are.
void GraphBuilder::reach_all(BothWays& edges) const {
    const std::size_t n_docs = edges.n_docs();
    if (n_docs == 0) return;
    {
        Reachable there(std::vector<bool>(n_docs),
                        [&](std::size_t doc, const auto& visit) { edges.for_each(doc, visit); });
        there.add_from(0);
        for (std::size_t doc = 1; doc < n_docs; ++doc) {
            if (there.has(doc)) continue;
            std::size_t from = n_docs;
            edges.for_each(doc, [&](std::uint32_t next) {
                if (from == n_docs && there.has(next) && edges.size(next) < kMaxWays * degree_) from = next;
            });
            edges.add(from == n_docs ? doc - 1 : from, doc);
            there.add_from(doc);
        }
    }
    // Back edges are kept of the few alone that a few passes do not find a way back from.
    const std::vector<bool> known = leading_back(edges);
    LargeVector<std::uint32_t> n_back(n_docs);
    const auto for_each_unknown = [&](std::size_t doc, const auto& visit) {
        interruption_point(100);
        if (known[doc]) return;
        edges.for_each(doc, [&](std::uint32_t next) {
            if (!known[next]) visit(next);
        });
    };
    for (std::size_t doc = 0; doc < n_docs; ++doc) for_each_unknown(doc, [&](std::uint32_t next) { ++n_back[next]; });
    FlatLists<std::uint32_t> back_edges(n_docs, [&](std::size_t doc) { return n_back[doc]; });
    for (std::size_t doc = n_docs; doc-- > 0;) {
        for_each_unknown(
            doc, [&](std::uint32_t next) { back_edges[next][--n_back[next]] = static_cast<std::uint32_t>(doc); });
    }
    Reachable back(known, [&](std::size_t doc, const auto& visit) {
        for (const std::uint32_t next : back_edges[doc]) visit(next);
    });
    for (std::size_t doc = 1; doc < n_docs; ++doc) {
        bool leads_back = false;
        if (!known[doc]) edges.for_each(doc, [&](std::uint32_t next) { leads_back = leads_back || known[next]; });
        if (leads_back) back.add_from(doc);
    }
    for (std::size_t doc = 1; doc < n_docs; ++doc) {
        if (back.has(doc)) continue;
        edges.add(doc, doc - 1);
        back.add_from(doc);
    }
}

// Documents from which a path leads to position 0: all of them, or those that so many passes find.
std::vector<bool> GraphBuilder::leading_back(const BothWays& edges) {
    constexpr unsigned kPassesBack = 8;  // up and down: of real documents two or three find all
    std::vector<bool> back(edges.n_docs());
    back[0] = true;
    bool any = true;
    for (unsigned pass = 0; pass < kPassesBack && any; ++pass) {
        any = false;
        for (std::size_t i = 0; i < back.size(); ++i) {
            const std::size_t doc = pass % 2 == 0 ? i : back.size() - 1 - i;
            interruption_point(100);
            if (back[doc]) continue;
            bool leads_back = false;
            edges.for_each(doc, [&](std::uint32_t next) { leads_back = leads_back || back[next]; });
            back[doc] = leads_back;
            any = any || leads_back;
        }
    }
    return back;
}

EstimatedPart GraphBuilder::estimated_edges(std::size_t n_docs, std::size_t degree) {
    constexpr double kUsualBytes = 2.5;  // for each edge that a document may choose
    const auto docs = static_cast<double>(n_docs);
    const double max = static_cast<double>(kMaxWays * degree + 2) * PositionLists::kMaxBytes;
    return {"edges", PositionLists::estimated_nbytes(docs, 0), docs * max,
            kUsualBytes * static_cast<double>(degree) / max};
}

}  // namespace thresher
