// What the document-at-a-time traversals share: a query's cursors, the candidates found so far, and the cutoff that a
// document must reach.
//
// The lists that can raise a score are what a traversal works on. Those of negative weights only lower it: no document
// is looked for in them, bounds count them as 0, and a document for which all else is known is looked up in them where
// they are few, and scored in full precision where they are many.
//
// The traversals, which all find the same: every document whose integer score reaches the last cutoff is offered.
// Which is fastest depends on the query: docs/internals/postings.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "../selection/candidates.hpp"
#include "../selection/gate.hpp"
#include "../selection/integer_query.hpp"
#include "../selection/visited_set.hpp"
#include "coarse_bounds.hpp"
#include "compressed_postings.hpp"
#include "posting_cursor.hpp"
#include "window_scores.hpp"

namespace thresher {

// Scratch memory of one thread.
class Traversal {
  public:
    explicit Traversal(std::size_t n_docs) : window_(n_docs), coarse_(n_docs), scored_(n_docs) {}

    // Borrows `gate`, which is open to what it finds, until `finish`.
    void start(const CompressedPostings& postings, const IntegerQuery& query, const Wanted& wanted, Gate& gate);

    // The lists of positive weights by rising bound, and the sum of the bounds of the first i of them.
    std::span<PostingCursor*> lists() noexcept { return lists_; }
    std::int32_t bound_of_first(std::size_t i) const noexcept { return bounds_[i]; }
    // How many of them can't bring a document in: their bounds together are below the cutoff.
    std::size_t n_not_essential(std::size_t at_least) const noexcept;
    // Narrows all bounds to documents [first, end), and orders the lists by them. No cursor may be behind `first`.
    void narrow(std::uint32_t first, std::uint32_t end);

    // Scores documents [first, end), at most WindowScores::kWindow, by the essential lists, which must not stand before
    // them, and by others as long as that pays. What is found there may raise the cutoff. Returns how
    // many lists are left, the first: the documents that may reach the cutoff with what they have in these are in
    // `window`.
    std::size_t score_window(std::uint32_t first, std::uint32_t end, bool sparse);
    const WindowScores& window() const noexcept { return window_; }

    // Finds all that is wanted of documents [first, first + CoarseBounds::kWindow), by the essential lists, which must
    // not stand before them, and by others as long as that pays. At most CoarseBounds::kMaxLists lists.
    void search_sparse(std::uint32_t first);

    // At least 1, because a document with a lower sum over the lists of positive weights has no positive score. A
    // document whose sum is below the cutoff is not wanted.
    std::int32_t cutoff() const noexcept { return candidates_.cutoff() > 1 ? candidates_.cutoff() : 1; }
    // Whether a document may be returned: others need not be offered.
    bool allows(std::uint32_t doc) const noexcept { return gate_->allows(doc); }
    // A document with a posting in one of the lists at least, and its sum over them. Documents come in ascending order.
    void offer(std::uint32_t doc, std::int32_t score);

    // Hands what was offered and is still wanted to the gate; what is offered comes to it before if there is too much.
    void finish();

  private:
    void order_by_bound();
    void learn_from_window();
    bool is_worth_seeds(std::size_t n_postings) noexcept;
    void score_best(std::size_t n, std::size_t n_left);
    void score_offered();

    std::vector<PostingCursor> cursors_;
    std::vector<PostingCursor*> lists_;
    std::vector<PostingCursor*> negative_;
    std::vector<std::int32_t> bounds_;
    std::size_t k_ = 0;
    const Selection* allowed_ = nullptr;
    Gate* gate_ = nullptr;
    bool non_negative_ = true;
    std::int32_t expected_ = 0;  // k documents are known to score at least this
    Candidates candidates_;
    WindowScores window_;
    CoarseBounds coarse_;
    VisitedSet scored_;  // by `score_best`
    std::size_t worth_seeds_ = 0;
    std::vector<std::uint32_t> docs_;
    std::vector<std::int64_t> limits_;
    std::vector<std::uint32_t> offered_;  // to be scored, and their sums over the lists of positive weights
    std::vector<std::int32_t> offered_limits_;
};

// MaxScore (Turtle and Flood, Information Processing and Management 1995), windows of documents at a time.
void max_score(Traversal& traversal);
// The same with the bounds of blocks: Chakrabarti et al., *Interval-based Pruning for Top-k Processing over Compressed
// Lists*, ICDE 2011; Dimopoulos et al., *Optimizing Top-k Document Retrieval Strategies for Block-max Indexes*, WSDM
// 2013.
void block_max_maxscore(Traversal& traversal);
// WAND (Broder et al., *Efficient Query Evaluation Using a Two-level Retrieval Process*, CIKM 2003).
void wand(Traversal& traversal);
// The same with the bounds of blocks: Ding and Suel, *Faster Top-k Document Retrieval Using Block-max Indexes*, SIGIR
// 2011.
void block_max_wand(Traversal& traversal);

}  // namespace thresher
